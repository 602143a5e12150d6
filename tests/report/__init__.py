"""The report: what it tells, how it looks in a browser, and that it fails no run."""
