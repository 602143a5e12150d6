"""Replicate JD Cloud private images to other regions: every copy made once, none lost."""

__version__ = "0.1.0"
