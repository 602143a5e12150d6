"""The documentation for users: what is written from the code, and what is run as it stands there."""
