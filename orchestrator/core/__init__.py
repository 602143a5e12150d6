"""The pure core: synchronous, no clock, no chance, no await, no files, no network."""
