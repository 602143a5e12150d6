"""Prove: every machine with its full counts; what they came to is published in docs/reliability.md.

`python -m tests.prove`, or `make prove`; `--seconds 30` gives each group a fixed time instead.
"""
