"""Comparisons with the official SDK, which is not installed by default."""
