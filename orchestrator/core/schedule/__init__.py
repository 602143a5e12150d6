"""The schedule of all copies: what an event means, what to do next, why a copy waits.

schedule    apply, decide, why, recover: the one door
lifecycle   one copy: the transition table
tracks      the records: copy, source, destination
register    all records and indexes, and the moves that keep them consistent
nights      what the beginning of a run means
answers     what the answer to a call means        parking   full destinations
findings    what the answer to a read means        listings  what a complete listing settles
doubts      what settles a lost call               audit     the last look
evidence    whose copy is this image, and can the listing be trusted
likeness    whose copy it may be, when nothing is certain
relay       which ready copies may carry further ones
essence     what of an observation is recorded
agenda      what to do next                        chunking  which copies travel together
culprits    who spoiled a refused call             admission what fits into the quotas
window      how many copies at a time              turns     which destination is next
looking     when to look at copies under way       backoff, pace  how long to wait, how fast to go
allowance, throttling  how many requests a minute the cloud takes
outlook     where everything stands, in words          prospects, costs what a run would do
explaining  why each copy stands there, and until when
memory      what a compaction keeps                belonging whose ledger this is
"""

from orchestrator.core.schedule.schedule import Decision, Schedule

__all__ = ["Decision", "Schedule"]
