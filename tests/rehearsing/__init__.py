"""Tests of rehearsals: the same night every time, nothing sent, nothing written."""
