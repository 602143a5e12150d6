"""The truth after a kill and after a round: the ledger's bytes, and the cloud's books. It changes nothing."""

from __future__ import annotations

import shutil
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Called, Event
from orchestrator.core.model import CHUNK_MAX, Copy, ImageId, State
from orchestrator.core.schedule import Schedule
from orchestrator.errors import OrchestratorError
from orchestrator.ledger.reader import LedgerReader
from orchestrator.simulator.books import BooksDict
from tests.e2e.support import made
from tests.torture.rounds import Round
from tests.torture.tally import Tally


class Damage(Exception):
    """The ledger is not what it must be after a kill; the message says how."""


def check_ledger(state: Path, before: tuple[Event, ...], limits: Limits) -> tuple[Event, ...]:
    """Read the ledger that a kill has left, and return its events.

    It must be there once it was, be whole by SQLite's own check, verify row by row, begin with every
    event that was there `before`, and its projection must be what its events say. Raises Damage.
    """
    _check_integrity(state)
    try:
        found = LedgerReader.open(state)
        if found is not None:
            with found as reader:
                events, states, name = tuple(reader.events()), reader.states(), reader.ledger_id
    except OrchestratorError as error:
        raise Damage(str(error)) from error
    if found is None:
        events, states, name = (), {}, ""
    if events[: len(before)] != before:
        raise Damage(f"of {len(before)} events that were on disk not all are there: {len(events)} now")
    said = _recovered(events, name, limits)
    if wrong := [copy for copy, state in said.items() if states.get(copy) is not state]:
        raise Damage(f"the projection says something else than the events of {len(wrong)} copies: {wrong[0]}")
    return events


def _recovered(events: tuple[Event, ...], ledger: str, limits: Limits) -> dict[Copy, State]:
    """Tell where the copies stand by the events alone. Raises Damage where no story can be made of them."""
    schedule = Schedule(limits, ledger)
    try:
        schedule.recover(events)
    except Exception as error:
        raise Damage(f"the events cannot be replayed: {error!r}") from error
    return schedule.states()


def _check_integrity(state: Path) -> None:
    """Let SQLite check a copy of the ledger, with its log merged as the next run would. Raises Damage."""
    files = sorted(state.glob("ledger.db*"))
    if not (state / "ledger.db").exists():
        return
    with TemporaryDirectory() as folder:
        for file in files:
            if not file.name.endswith("-shm"):
                shutil.copy(file, folder)
        with closing(sqlite3.connect(Path(folder) / "ledger.db")) as connection:
            try:
                found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check")]
            except sqlite3.DatabaseError as error:
                found = [str(error)]
    if found != ["ok"]:
        raise Damage(f"integrity_check: {'; '.join(found)}")


def check_books(drawn: Round, books: BooksDict, state: Path, tally: Tally) -> None:
    """Hold the cloud's books against the plan and the ledger; count and tell what is wrong."""
    copies = made(books, drawn.images)
    tally.copies += sum(copies.values())
    recorded, events = _recorded(state)
    twice = copies - Counter(set(copies))
    missing = drawn.wanted - set(copies)
    lost = [entry["image"] for entry in books["copies"] if ImageId(entry["image"]) not in recorded]
    tally.duplicates += sum(twice.values())
    tally.missing += len(missing)
    tally.unrecorded += len(lost)
    told: dict[str, Sequence[object]] = {
        "made more than once": sorted(twice),
        "never made": sorted(missing),
        "made and not recorded": lost,
        "violations": books["violations"],
        "copies nobody wanted": sorted(set(copies) - drawn.wanted),
        "calls without an intent": sorted(_unintended(books, events)),
        "calls too large": [books["largest_call"]] if books["largest_call"] > CHUNK_MAX else [],
    }
    tally.complaints += [f"{what}: {len(which)}, {which[0]}" for what, which in told.items() if which]


def _recorded(state: Path) -> tuple[set[ImageId], tuple[Event, ...]]:
    """Read which images the ledger says are the ready copies of its last run, and all its events."""
    found = LedgerReader.open(state)
    if found is None:
        return set(), ()
    with found as reader:
        run = reader.runs()[0].run
        ready = [standing for standing in reader.copies(run) if standing.state is State.READY]
        return {standing.image for standing in ready if standing.image}, tuple(reader.events())


def _unintended(books: BooksDict, events: tuple[Event, ...]) -> Counter[tuple[str, ...]]:
    """Find the calls that reached the cloud without an intent of their own in the ledger."""
    reached = Counter((call["destination"], *call["sources"]) for call in books["calls"])
    intended = Counter(_call(event.copies) for event in events if isinstance(event, Called))
    return reached - intended


def _call(copies: tuple[Copy, ...]) -> tuple[str, ...]:
    """Name a call by its destination and its sources."""
    return (copies[0].destination, *(copy.source for copy in copies))
