"""One behaviour for every implementation of a port."""
