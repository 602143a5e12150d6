"""A storm told line by line, for whoever replays one: what the lives learned, and what the world made."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.codec import kind_of, to_json
from orchestrator.core.messages import Change
from orchestrator.simulator.books import Books
from tests.storm.process import EPOCH, Diary
from tests.storm.scenario import Scenario

_WIDTH = 200


def tell(scenario: Scenario, diary: Diary, books: Books) -> Iterator[str]:
    """Tell a storm: the scenario, the ledger's events with what they changed, the world's books."""
    yield f"cloud: {scenario.habit.value}; {len(scenario.copies)} copies; {scenario.limits}"
    yield from (f"life {number}: {doom}" for number, doom in enumerate(scenario.dooms))
    yield from (f"{deed.at_s:10.1f}  {deed.act.value}: {deed}" for deed in scenario.deeds)
    yield "--- what the program learned (life, its own time)"
    for life, event, changes in diary.entries:
        if changes or kind_of(event) != "seen":
            yield f"{life:3} {event.at - EPOCH:10.1f}  {kind_of(event)} {to_json(event)[:_WIDTH]}"
        yield from (f"{'':16}{_line(change)}" for change in changes)
    yield "--- what the world did (true time)"
    for call in books.calls:
        sources = ", ".join(call["sources"])
        yield f"{call['at'] - EPOCH:14.1f}  call to {call['destination']}, {call['outcome']}: {sources}"
    for entry in books.copies:
        ended = f"{entry['end']} at {entry['ended'] - EPOCH:.1f}" if entry["ended"] else "under way"
        where = f"{entry['source']} to {entry['destination']}"
        yield f"{entry['started'] - EPOCH:14.1f}  {entry['image']} of {where}, {ended}"


def _line(change: Change) -> str:
    """Write one change."""
    moved = f"{change.before.value} -> {change.after.value}, {change.reason.value} {change.detail[:80]}"
    return f"{change.copy.source} to {change.copy.destination}: {moved} {change.image or ''}"
