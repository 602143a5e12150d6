"""Bench: one night under several policies on one simulated cloud, in virtual time, beside a lower bound.

`python -m tests.bench`, or `make bench`; its pytest share is `test_bench`.
"""
