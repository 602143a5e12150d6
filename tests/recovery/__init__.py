"""Recovery: ledger and schedule as one state machine, killed anywhere; what is read back is what was there.

`python -m tests.recovery --examples 2000`, or a group of `make prove`; its pytest share is `test_recovery`.
"""
