"""Torture: the real program killed with -9 again and again; the cloud, in another process, keeps the books.

`python -m tests.torture --minutes 5`, or `make torture MINUTES=5`; its pytest share is `test_torture`.
"""
