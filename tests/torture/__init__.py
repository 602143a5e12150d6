"""Torture: the real program killed with -9 again and again; the cloud, in another process, keeps the books.

`python -m tests.torture --kills 200`, or `make torture`; its pytest share is `test_torture`.
"""
