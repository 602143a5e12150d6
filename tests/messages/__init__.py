"""Tests of the messages about a run."""
