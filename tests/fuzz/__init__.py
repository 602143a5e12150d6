"""Fuzz: plans, replies and ledgers spoilt by chance; whoever reads them answers properly or refuses in words.

`python -m tests.fuzz`, or `make fuzz`; its pytest share is `test_fuzz`.
"""
