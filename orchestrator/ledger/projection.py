"""The table of copies: where each one stands, kept beside the events for those who look; never the truth."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.core.messages import Change, Event, Seen
from orchestrator.core.model import Copy, ImageId, Region, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Counts, Standing
from orchestrator.ledger.connect import damaged, explained

_WANT = """
    INSERT INTO copies (source, origin, destination, run, updated_at, state, reason, detail)
    VALUES (?, ?, ?, ?, ?, 'waiting', 'queued', '')
    ON CONFLICT (origin, source, destination) DO UPDATE SET run = excluded.run
"""
_MOVE = """
    INSERT INTO copies (
        source, origin, destination, state, reason, detail, image, call, via, carrier, updated_at
    )
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (origin, source, destination) DO UPDATE SET
        progress = CASE WHEN excluded.state = 'copying' AND excluded.image IS image THEN progress END,
        state = excluded.state, reason = excluded.reason, detail = excluded.detail,
        image = excluded.image, call = excluded.call, via = excluded.via, carrier = excluded.carrier,
        updated_at = excluded.updated_at
"""
_PROGRESS = "UPDATE copies SET progress = ? WHERE destination = ? AND image = ? AND state = 'copying'"
_COUNT = """
    SELECT count(*), count(*) FILTER (WHERE state = 'ready'), count(*) FILTER (WHERE state = 'failed')
    FROM copies WHERE run = ?
"""
_STANDINGS = """
    SELECT source, origin, destination, state, reason, detail, image, progress, via, carrier
    FROM copies WHERE run = ? ORDER BY origin, source, destination
"""
_STATE = {state.value: state for state in State}
_REASON = {reason.value: reason for reason in Reason}
"""By their words: an enum takes five times as long to find one."""

_STATES = "SELECT source, origin, destination, state FROM copies"


def mark_wanted(connection: sqlite3.Connection, run: RunId, at: float, wanted: Sequence[Copy]) -> None:
    """Mark the copies that a run wants; one that is known already stays where it stands."""
    connection.executemany(_WANT, ((*copy, run, at) for copy in wanted))


def move(connection: sqlite3.Connection, changes: Sequence[Change]) -> None:
    """Put copies where the changes say they are now."""
    connection.executemany(_MOVE, (_values(change) for change in changes))


def note_progress(connection: sqlite3.Connection, event: Event) -> None:
    """Keep the percentages of a look; they come with every look and change no state."""
    if isinstance(event, Seen):
        seen = ((s.progress, event.region, s.image) for s in event.images if s.progress is not None)
        connection.executemany(_PROGRESS, seen)


def count(connection: sqlite3.Connection, run: RunId) -> Counts:
    """Count the copies that this run was the last to want."""
    wanted, ready, failed = connection.execute(_COUNT, (run,)).fetchone()
    return Counts(wanted=wanted, ready=ready, failed=failed, pending=wanted - ready - failed)


def standings(connection: sqlite3.Connection, path: Path, run: RunId) -> Iterator[Standing]:
    """Read where the copies of a run stand, by origin, source, destination. Raises LedgerDamaged."""
    with explained(path):
        for row in connection.execute(_STANDINGS, (run,)):
            yield _standing(path, row)


def states(connection: sqlite3.Connection, path: Path) -> dict[Copy, State]:
    """Read the state of every copy ever wanted. Raises LedgerDamaged."""
    with explained(path):
        rows = connection.execute(_STATES).fetchall()
    try:
        return {Copy(ImageId(s), Region(o), Region(d)): _STATE[state] for s, o, d, state in rows}
    except KeyError as error:
        raise damaged(path, f"a copy stands nowhere: {error}") from None


def _values(change: Change) -> tuple[object, ...]:
    """Lay a change out as the statement wants it."""
    return (
        *change.copy, change.after.value, change.reason.value, clean(change.detail),
        change.image, change.call, change.via, change.carrier, change.at,
    )  # fmt: skip


def clean(text: str) -> str:
    """Replace half characters, which a hostile answer may hold and SQLite refuses."""
    return text.encode("utf-8", "replace").decode("utf-8")


_Row = tuple[str, str, str, str, str, str, str | None, int | None, str | None, str | None]


def _standing(path: Path, row: _Row) -> Standing:
    """Turn a row into a standing."""
    source, origin, destination, state, reason, detail, image, progress, via, carrier = row
    try:
        return Standing(
            copy=Copy(ImageId(source), Region(origin), Region(destination)),
            state=_STATE[state],
            reason=_REASON[reason],
            detail=detail,
            image=ImageId(image) if image else None,
            progress=progress,
            via=Region(via) if via else None,
            carrier=ImageId(carrier) if carrier else None,
        )
    except KeyError as error:
        where = f"of {source} from {origin} to {destination}"
        raise damaged(path, f"the copy {where} has an unknown state or reason {error}") from error
