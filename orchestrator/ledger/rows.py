"""Events as rows: written with a checksum, read back in order and verified. Passes nothing doubtful on."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from orchestrator.core.codec import from_json, kind_of, to_json
from orchestrator.core.messages import Event
from orchestrator.core.model import RunId
from orchestrator.errors import LedgerDamaged, LedgerTooNew, OrchestratorError
from orchestrator.ledger.connect import damaged, explained

INSERT = "INSERT INTO events (seq, at, run, kind, body, checksum) VALUES (?, ?, ?, ?, ?, ?)"
_SELECT = (
    "SELECT seq, at, run, kind, body, checksum FROM events WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?"
)
_LAST_OF_RUN = """
    SELECT coalesce(
        (SELECT max(seq) FROM events WHERE run = :run), (SELECT since FROM runs WHERE run = :run), 0
    )
"""
_CHECKSUM = "SELECT checksum FROM events WHERE seq = ?"
_INSIDE_MEMORY = "SELECT count(*) FROM events WHERE seq = ? AND kind = 'remembered'"
_META = """
    SELECT key, value FROM meta
    UNION ALL SELECT 'first', min(seq) FROM events UNION ALL SELECT 'last', max(seq) FROM events
"""
_NUMBERS = ("head", "base", "epoch")
_BATCH = 200
_NOTHING = blake2b(digest_size=16)


class Row(NamedTuple):
    """One row of the table of events."""

    seq: int
    at: float
    run: str
    kind: str
    body: str
    checksum: bytes


Found = tuple[object, object, object, object, object, object]
"""The same as it was found: nothing of it can be believed yet."""


def read_meta(connection: sqlite3.Connection, path: Path) -> dict[str, str]:
    """Read the few facts about the ledger itself; `head`, `base` and `epoch` are sure to be numbers.

    They are compared with the events in the same statement: a head or base that is wrong would hide
    some. Raises LedgerDamaged.
    """
    with explained(path):
        found = dict(connection.execute(_META).fetchall())
    first, last = found.pop("first"), found.pop("last")
    meta: dict[str, str] = {key: value for key, value in found.items() if isinstance(value, str)}
    for key in _NUMBERS:
        if re.fullmatch("[0-9]{1,18}", meta.get(key, "")) is None:
            raise damaged(path, f"its {key} is no number")
    if "ledger_id" not in meta:
        raise damaged(path, "its id is missing")
    base, head = int(meta["base"]), int(meta["head"])
    if (first, last) != ((base + 1, head) if head > base else (None, None)):
        raise damaged(path, f"it holds the events {first} to {last} and not {base + 1} to {head}")
    return meta


def write_row(event: Event, *, ledger_id: str, seq: int, run: RunId) -> Row:
    """Make the row of an event.

    An event that would not read back as itself (an infinite time, half a character) would make the ledger
    unreadable for ever: OrchestratorError then, and nothing is stored.
    """
    kind = kind_of(event)
    try:
        body = to_json(event)
        same = from_json(kind, body) == event
    except ValueError:
        same = False
    if not same:
        raise OrchestratorError(
            f"The event {kind!r} of run {run} cannot be stored faithfully, so nothing more was sent. "
            f"This is a fault of the program: please report it."
        )
    at = float(event.at)
    return Row(seq, at, run, kind, body, checksum(ledger_id, seq, at, run, kind, body))


def read_events(
    connection: sqlite3.Connection,
    path: Path,
    *,
    until_run: RunId | None = None,
    until: int | None = None,
    after: int = 0,
) -> Iterator[Event]:
    """Read the events in order, up to event `until` or the last one of `until_run` where that is given.

    Those up to `after` are verified and not given. No statement stays open between two events, so a
    slow reader holds up nobody. Raises LedgerDamaged, which names the row.
    """
    meta = read_meta(connection, path)
    seq, last = int(meta["base"]), int(meta["head"])
    if until_run is not None:
        last = min(last, _last_of_run(connection, path, until_run))
    last = last if until is None else min(last, until)
    while seq < last:
        batch = _fetch(connection, path, seq, last)
        whole = _whole(batch, meta["ledger_id"], seq)
        for row in islice(batch, max(0, after - seq), whole):
            yield _event(row, path)
        seq += whole
        if whole < len(batch):
            raise damaged(path, _harm(batch[whole], seq + 1))
        if not batch:
            raise damaged(path, f"the events {seq + 1} to {last} are missing")


def _fetch(
    connection: sqlite3.Connection, path: Path, seq: int, until: int, limit: int = _BATCH
) -> list[Found]:
    """Fetch the next rows; where they cannot be read together, one by one up to the broken one."""
    try:
        with explained(path):
            return connection.execute(_SELECT, (seq, until, limit)).fetchall()
    except LedgerDamaged as error:
        if limit > 1:
            return _fetch(connection, path, seq, until, limit=1)
        raise damaged(path, f"event {seq + 1} cannot be read") from error


def _last_of_run(connection: sqlite3.Connection, path: Path, run: RunId) -> int:
    """Find the last event that was known when a run ended.

    0 for a run that the ledger does not know, and for one that ended in a compaction's midst: of
    that nothing is left but its row.
    """
    with explained(path):
        last = int(connection.execute(_LAST_OF_RUN, {"run": run}).fetchone()[0])
        inside = connection.execute(_INSIDE_MEMORY, (last + 1,)).fetchone()[0]
    return 0 if inside else last


def _whole(batch: Sequence[Found], ledger_id: str, before: int) -> int:
    """Count the rows, from the first on, that are in their place behind event `before` and as written.

    A start does this a million times. The types are compared as well: damage may have changed those too.
    """
    number = before
    for seq, at, run, kind, body, found in batch:
        number += 1
        if seq != number or found != checksum(ledger_id, seq, at, run, kind, body):
            return number - 1 - before
        if not (type(at) is float and type(run) is type(kind) is type(body) is str):
            return number - 1 - before
    return len(batch)


def _harm(row: Found, seq: int) -> str:
    """Say what is wrong with the row that was found in the place of an event."""
    return f"event {seq} is missing" if row[0] != seq else f"event {seq} is not as it was written"


def _event(row: Found, path: Path) -> Event:
    """Turn a whole row into its event; LedgerTooNew for what this version does not know."""
    seq, _, _, kind, body, _ = row
    try:
        return from_json(str(kind), str(body))
    except (KeyError, ValueError):
        raise LedgerTooNew(
            f"Event {seq} in the ledger {path} is whole, but of a kind that this version does not know. "
            f"The ledger was left as it is. Upgrade orchestrator to use it."
        ) from None


def checksum(ledger_id: str, seq: object, at: object, run: object, kind: object, body: object) -> bytes:
    """Sum up a row with its place and its ledger, so that a row from elsewhere is noticed as well.

    A row that was found may hold anything, which is then summed up as well as that goes.
    """
    text = f"{ledger_id}\n{seq}\n{at!r}\n{run}\n{kind}\n{body}"
    total = _NOTHING.copy()  # a fifth faster than a new one with its size
    total.update(text.encode())
    return total.digest()


def checksum_of(connection: sqlite3.Connection, path: Path, seq: int) -> bytes:
    """Return the checksum that an event was written with; KeyError where there is none of that number."""
    with explained(path):
        found = connection.execute(_CHECKSUM, (seq,)).fetchone()
    if found is None or not isinstance(found[0], bytes):
        raise KeyError(seq)
    return found[0]
