"""Takes old events away and leaves in their place what later runs need of them, in one transaction."""

from __future__ import annotations

from orchestrator.core.limits import Limits
from orchestrator.core.schedule import Schedule
from orchestrator.ledger.sqlite import Ledger


def compact(ledger: Ledger, *, nights: int) -> int:
    """Keep every event of the last `nights` runs, of earlier ones only their memory.

    Nothing is done before there are twice as many: what is taken away is worth the writing. Returns
    the number of events that are gone. The caller holds the run lock and the epoch. Raises what
    `Ledger.record` does; nothing has changed then.
    """
    place = ledger.beginning_of(nights, of_at_least=2 * nights)
    if place is None:
        return 0
    schedule = Schedule(Limits(), ledger.ledger_id)
    schedule.recover(ledger.events(until=place))
    return ledger.replace_events(place, tuple(schedule.remember()))
