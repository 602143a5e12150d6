"""Tests of doctor: what is wrong is named with what mends it, and nothing but reads is sent."""
