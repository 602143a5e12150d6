"""The ledger: the durable record of every event, and the lock that keeps it to one writer."""
