"""Tests of the ledger and the lock."""
