"""The engine: decide, record, perform, learn; the worker pool and the pollers."""
