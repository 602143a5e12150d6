"""A run told again from the ledger's events: where its copies stood, and each of their moves. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Begun, Change, Event
from orchestrator.core.model import Copy, RunId, State
from orchestrator.core.schedule import Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold:
    """One run again; `schedule` is as it was after the last event.

    `begun` is None where a compaction took the run's events away, and with them its `changes`.
    """

    schedule: Schedule
    begun: Begun | None
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """When one copy was first called, last accepted or found, and came to its end, in one run.

    UTC epoch seconds; None for what did not happen. `calls` counts how often it was called.
    """

    called_at: float | None = None
    accepted_at: float | None = None
    ended_at: float | None = None
    calls: int = 0


def retell(events: Iterable[Event], run: RunId, ledger: str) -> Retold:
    """Tell a run again; `events` are the ledger's from its first on, up to the moment of interest."""
    schedule, rest, found = Schedule(Limits(), ledger), iter(events), list[Begun]()
    schedule.recover(before(rest, run, found))
    changes = [change for event in (*found, *rest) for change in schedule.apply(event)] if found else []
    begun = found[0] if found else None
    return Retold(schedule=schedule, begun=begun, changes=tuple(changes))


def before(events: Iterator[Event], run: RunId, found: list[Begun]) -> Iterator[Event]:
    """Give the events before the beginning of a run, and put that one aside into `found`."""
    for event in events:
        if isinstance(event, Begun) and event.run == run:
            found.append(event)
            return
        yield event


def times_of(changes: Iterable[Change]) -> dict[Copy, Times]:
    """Take from a run's changes when each copy was called, accepted and done."""
    times: dict[Copy, Times] = {}
    for change in changes:
        times[change.copy] = _with(times.get(change.copy, Times()), change)
    return times


def _with(known: Times, change: Change) -> Times:
    """Add one change to what is known of a copy."""
    called, accepted, ended, calls = known.called_at, known.accepted_at, known.ended_at, known.calls
    if change.after is State.CALLING and change.before is not State.CALLING:
        called, calls = called if called is not None else change.at, calls + 1
    if change.after is State.COPYING and change.before is not State.COPYING:
        accepted = change.at
    over = change.after in (State.READY, State.FAILED)
    ended = (ended if ended is not None and change.before is change.after else change.at) if over else None
    return Times(called_at=called, accepted_at=accepted, ended_at=ended, calls=calls)
