"""The simulator: a small believable cloud, in memory and over HTTP."""
