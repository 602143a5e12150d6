"""Checks a whole ledger: the file, every event, the replay, the tables beside the events. Never writes.

The table of copies and that of runs carry no checksum of their own. Both follow from the events, so
they are made once more in memory and compared row by row.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Begun, Change, Ended, Event, Planned, Remembered
from orchestrator.core.model import Copy, RunId
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Counts
from orchestrator.errors import LedgerDamaged
from orchestrator.ledger import projection, rows
from orchestrator.ledger.connect import connect_alone, connect_reader, explained
from orchestrator.ledger.schema import STEPS, blank, version_of

_COPIES = """
    SELECT source, origin, destination,
        state, image, call, via, carrier, detail, reason, progress, updated_at, run
    FROM copies
"""
_RUNS = """
    SELECT run, number, plan, since, finished_at, verdict, exit_code, result, wanted, ready, failed FROM runs
"""
_FINDINGS_MAX = 100

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a check found; a ledger is whole when `findings` is empty. The counts are of what was read."""

    path: Path
    ledger_id: str = ""
    version: int = 0
    first: int = 0
    last: int = 0
    runs: int = 0
    copies: int = 0
    findings: tuple[str, ...] = ()


def check_beside(path: Path) -> Report:
    """Check the ledger in this file, also while another process writes into it.

    Raises LedgerUnwritable where it cannot be read; that it is damaged is in the report.
    """
    return _guarded(path, connect_reader)


def check_copy(path: Path) -> Report:
    """Check a file that nobody has open, without making any file beside it."""
    return _guarded(path, connect_alone)


def _guarded(path: Path, connect: Callable[[Path], sqlite3.Connection]) -> Report:
    """Check with every complaint about the file itself turned into a finding."""
    try:
        with explained(path), closing(connect(path)) as connection:
            connection.execute("BEGIN")  # one state of it, whatever is written meanwhile
            return _check(connection, path)
    except LedgerDamaged as error:
        return Report(path=path, findings=(str(error),))


def _check(connection: sqlite3.Connection, path: Path) -> Report:
    """Check everything that can be checked; raises LedgerDamaged for what nothing can be read behind."""
    version = version_of(connection, path)
    if version < len(STEPS):
        raise LedgerDamaged(
            f"The ledger {path} is of version {version}, and only version {len(STEPS)} can be checked. "
            f"The next `orchestrator run` brings it forward."
        )
    findings = [f"the file: {' '.join(said.split())}" for said in _structure(connection)]
    meta = rows.read_meta(connection, path)
    with closing(blank()) as second:
        replay = Replay(second, meta["ledger_id"])
        findings += replay.run(rows.read_events(connection, path), int(meta["base"]))
        if not findings:
            findings += _compare_copies(connection, replay)
            findings += _compare_runs(connection, replay)
    more = len(findings) - _FINDINGS_MAX
    shown = [*findings[:_FINDINGS_MAX], *([f"and {more} more"] if more > 0 else [])]
    return Report(
        path=path,
        ledger_id=meta["ledger_id"],
        version=version,
        first=int(meta["base"]) + 1,
        last=int(meta["head"]),
        runs=_count(connection, "runs"),
        copies=_count(connection, "copies"),
        findings=tuple(shown),
    )


def _structure(connection: sqlite3.Connection) -> Iterator[str]:
    """Let SQLite check pages, tables and indexes."""
    for (said,) in connection.execute(f"PRAGMA integrity_check({_FINDINGS_MAX})"):
        if said != "ok":
            yield str(said)


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608  our own names


# --- the replay -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Told:
    """What the events say of one run."""

    since: int
    plan: str
    end: Ended | None = None
    counts: Counts | None = None


@dataclass(slots=True)
class Replay:
    """The tables as the events alone make them. `remembered` are copies known from a compaction only.

    `memory` is the number of the last event that a compaction wrote.
    """

    tables: sqlite3.Connection
    ledger_id: str
    runs: dict[RunId, Told] = field(default_factory=dict)
    remembered: set[Copy] = field(default_factory=set)
    memory: int = 0

    def run(self, events: Iterator[Event], base: int) -> list[str]:
        """Apply every event; return what is wrong, which ends it."""
        schedule, seq, run = Schedule(Limits(), self.ledger_id), base, RunId("")
        try:
            for event in events:
                seq += 1
                changes = schedule.apply(event)
                run = event.run if isinstance(event, Begun) else run
                self._note(event, changes, seq, run)
        except LedgerDamaged as error:
            return [str(error)]
        except Exception as error:  # whatever it is: no run could begin on this ledger
            return [f"event {seq} cannot be applied after those before it ({type(error).__name__})"]
        return []

    def _note(self, event: Event, changes: tuple[Change, ...], seq: int, run: RunId) -> None:
        """Do to the tables what `Ledger.record` did."""
        if isinstance(event, Begun):
            self.runs[run] = Told(since=seq - 1, plan=event.plan)
        elif isinstance(event, Planned):
            projection.mark_wanted(self.tables, run, event.at, event.copies)
        elif isinstance(event, Remembered):
            changes = tuple(_standing(event))
            self.remembered.update(change.copy for change in changes)
            self.memory = seq
        if not isinstance(event, Remembered):
            self.remembered.difference_update(change.copy for change in changes)
        projection.move(self.tables, changes)
        projection.note_progress(self.tables, event)
        if isinstance(event, Ended) and event.run in self.runs:
            told = self.runs[event.run]
            told.end, told.counts = event, projection.count(self.tables, event.run)


def _standing(event: Remembered) -> Iterator[Change]:
    """Give the copies of a memory as changes, so that they enter the table like all others."""
    for known in event.copies:
        yield Change(
            at=event.at,
            copy=known.copy,
            before=known.state,
            after=known.state,
            reason=known.reason,
            detail=known.detail,
            image=known.image,
            call=known.call,
            via=known.via,
            carrier=known.carrier,
        )


# --- the tables -----------------------------------------------------------------------------------


def _compare_copies(connection: sqlite3.Connection, replay: Replay) -> Iterator[str]:
    """Name every row of the copies that is not as the events have it."""
    numbers = dict(connection.execute("SELECT run, number FROM runs").fetchall())
    there = {Copy(*row[:3]): row[3:] for row in connection.execute(_COPIES)}
    for row in replay.tables.execute(_COPIES):
        copy, expected = Copy(*row[:3]), row[3:]
        found = there.pop(copy, None)
        if found is None:
            yield f"{_name(copy)} is missing from the table of copies"
        elif not _same(found, expected, remembered=copy in replay.remembered):
            yield f"{_name(copy)} is {_say(found)} in the table of copies, by the events {_say(expected)}"
        elif numbers.get(found[-1], -1) < numbers.get(expected[-1], -1):
            yield f"{_name(copy)} was wanted last by run {expected[-1]} and not by {found[-1]}"
    for copy, found in there.items():
        # a run that was killed before its first event has marked what it wants, and no more
        if found[:7] != ("waiting", None, None, None, None, "", "queued") or found[-1] not in numbers:
            yield f"{_name(copy)} is {_say(found)} in the table of copies, and no event knows it"


def _same(found: Row, expected: Row, *, remembered: bool) -> bool:
    """Compare two rows. Of a copy that only a compaction remembers, less is known.

    When its row was written last, and how far it was; and why it is in doubt, which a new run changes
    without a word.
    """
    if not remembered:
        return found[:9] == expected[:9]
    return found[:6] == expected[:6] and (found[0] == "doubtful" or found[6] == expected[6])


def _compare_runs(connection: sqlite3.Connection, replay: Replay) -> Iterator[str]:
    """Name every row of the runs that is not as the events have it, as far back as they go."""
    missing = dict(replay.runs)
    for row in connection.execute(_RUNS):
        run, told = RunId(str(row[0])), missing.pop(RunId(str(row[0])), None)
        if told is not None and (row[2], row[3]) != (told.plan, told.since):
            yield f"run {run} began, by its row, with plan {row[2]!r} after event {row[3]}, which is not so"
        if row[4] is not None and (told is not None or row[3] >= replay.memory) and not _ended_so(row, told):
            yield f"run {run} ended, by its row, with {row[5]}, exit code {row[6]}, which no event says"
        if row[7] is not None and not _is_object(row[7]):
            yield f"run {run} has a result that cannot be read"
    yield from (f"run {run} is missing from the table of runs" for run in missing)


def _ended_so(row: Row, told: Told | None) -> bool:
    """Tell whether a run ended when, how and with what its row says."""
    if told is None or told.end is None or told.counts is None:
        return False
    end, counts = told.end, told.counts
    expected = (end.at, end.verdict, end.exit_code, counts.wanted, counts.ready, counts.failed)
    return (*row[4:7], *row[8:]) == expected


def _is_object(text: object) -> bool:
    """Tell whether a text is a JSON object."""
    try:
        return isinstance(text, str) and isinstance(json.loads(text), dict)
    except ValueError:
        return False


def _name(copy: Copy) -> str:
    return f"the copy of {copy.source} from {copy.origin} to {copy.destination}"


def _say(row: Row) -> str:
    """Say how a row has a copy."""
    state, image, call, via, carrier, detail, reason, progress, at = row[:9]
    known = {"image": image, "call": call, "via": via, "carrier": carrier, "detail": detail}
    known |= {"progress": progress, "at": at}
    more = ", ".join(f"{name} {value}" for name, value in known.items() if value not in (None, ""))
    return f"{state} ({reason}{', ' if more else ''}{more})"
