"""Rows that were changed, taken out, put in or written by a newer version are noticed and named."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.core.messages import Event, Lost
from orchestrator.core.reasons import Reason
from orchestrator.errors import LedgerDamaged, LedgerTooNew
from orchestrator.ledger import rows
from orchestrator.ledger.rows import INSERT, checksum, read_events, write_row
from orchestrator.ledger.schema import STEPS
from tests.ledger.samples import CALL, LEDGER_ID, NOW, ONE_OF_EACH, RUN, fill, open_ledger
from tests.ledger.tampering import SEED, assert_refused, look, read, tamper


@pytest.mark.parametrize("column", ["at", "run", "kind", "body", "checksum"])
def test_a_changed_byte_in_any_column_is_noticed(tmp_path: Path, column: str) -> None:
    """One byte changed at any place of any column of an event is refused, and the row is named."""
    fill(tmp_path)
    dice = random.Random(SEED)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        names = [
            name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'")
        ]
        for name in names:
            connection.execute(f"DROP TRIGGER {name}")
        for seq in range(1, len(ONE_OF_EACH) + 1):
            (value,) = connection.execute(f"SELECT {column} FROM events WHERE seq = ?", (seq,)).fetchone()
            for changed in (flipped(value, place, dice) for place in places(value)):
                connection.execute(f"UPDATE events SET {column} = ? WHERE seq = ?", (changed, seq))
                with pytest.raises(LedgerDamaged, match=f"event {seq} "):
                    tuple(read_events(connection, tmp_path))
            connection.execute(f"UPDATE events SET {column} = ? WHERE seq = ?", (value, seq))
        assert tuple(read_events(connection, tmp_path)) == ONE_OF_EACH


def places(value: object) -> range:
    """Tell which places of a value are changed in turn."""
    return range(len(value)) if isinstance(value, str | bytes) else range(3)


def flipped(value: object, place: int, dice: random.Random) -> object:
    """Change one character, one byte, or a number."""
    if isinstance(value, str):
        return value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]
    if isinstance(value, bytes):
        return value[:place] + bytes([value[place] ^ (1 << dice.randrange(8))]) + value[place + 1 :]
    assert isinstance(value, float)
    return value + 2.0 ** -(20 - place)


@pytest.mark.parametrize("after", [0, 150, 450])
@pytest.mark.parametrize("spoilt", [1, 2, 199, 200, 201, 399, 400, 401, 450])
def test_a_spoilt_row_is_named_wherever_it_lies_among_many(tmp_path: Path, spoilt: int, after: int) -> None:
    """At either end of what is read at a time, given or only verified; those before it are given."""
    open_ledger(tmp_path).close()
    lost = [Lost(at=NOW + seq, call=CALL, reason=Reason.TIMEOUT) for seq in range(1, 451)]

    def write(connection: sqlite3.Connection) -> None:
        for seq, event in enumerate(lost, start=1):
            connection.execute(INSERT, write_row(event, ledger_id=LEDGER_ID, seq=seq, run=RUN))
        connection.execute("UPDATE meta SET value = '450' WHERE key = 'head'")
        connection.execute("UPDATE events SET at = at + 1e-6 WHERE seq = ?", (spoilt,))

    tamper(tmp_path, write)
    given: list[Event] = []
    with open_ledger(tmp_path) as ledger, pytest.raises(LedgerDamaged, match=f"event {spoilt} is not as it"):
        given.extend(ledger.events(after=after))
    assert given == lost[after : spoilt - 1]


@pytest.mark.parametrize("column", ["at", "run", "kind", "body"])
def test_a_value_of_another_type_is_noticed(column: str) -> None:
    """Damage may turn a text into bytes or a number that reads the same; its checksum agrees, it does not."""
    whole: dict[str, object] = {"at": 5.0, "run": "7", "kind": "8", "body": "9"}
    other: dict[str, object] = {"at": 5, "run": 7, "kind": 8, "body": 9}

    def row(values: dict[str, object]) -> rows.Found:
        at, run, kind, body = values.values()
        return (1, at, run, kind, body, checksum(LEDGER_ID, 1, at, run, kind, body))

    assert rows._whole([row(whole)], LEDGER_ID, 0) == 1
    assert rows._whole([row(whole | {column: other[column]})], LEDGER_ID, 0) == 0


@pytest.mark.parametrize(
    ("sql", "match"),
    [
        ("DELETE FROM events WHERE seq = 2", "event 2 is missing"),
        ("DELETE FROM events WHERE seq = 1", "holds the events 2 to 20 and not 1 to 20"),
        ("DELETE FROM events WHERE seq = 20", "holds the events 1 to 19 and not 1 to 20"),
        ("DELETE FROM events", "holds the events None to None and not 1 to 20"),
        ("UPDATE events SET seq = 99 WHERE seq = 20", "holds the events 1 to 99"),
        ("UPDATE events SET body = (SELECT body FROM events WHERE seq = 5) WHERE seq = 4", "event 4 is not"),
        ("UPDATE meta SET value = '12' WHERE key = 'head'", "holds the events"),
        ("UPDATE meta SET value = '1' WHERE key = 'base'", "holds the events"),
        ("UPDATE meta SET value = '1x' WHERE key = 'epoch'", "its epoch is no number"),
        ("UPDATE meta SET value = 'abcdef012346' WHERE key = 'ledger_id'", "event 1 is not"),
        ("DELETE FROM meta WHERE key = 'ledger_id'", "its id is missing"),
        ("DELETE FROM meta", "is no number"),
        ("DROP INDEX events_of_run", "its schema is not"),
        ("DROP TABLE runs", "its schema is not"),
        ("PRAGMA application_id = 1", "no ledger of this program"),
    ],
)
def test_a_row_that_is_gone_moved_or_foreign_is_noticed(tmp_path: Path, sql: str, match: str) -> None:
    """Nothing can be taken out, put in or swapped without being noticed, the last event included."""
    fill(tmp_path)
    tamper(tmp_path, lambda connection: connection.execute(sql))
    assert_refused(tmp_path, match)


def test_a_row_of_another_ledger_is_noticed(tmp_path: Path) -> None:
    """A row that is whole, but from another ledger, is not taken for one of ours."""
    for name, ledger_id in (("ours", "abcdef012345"), ("theirs", "zzzzzz012345")):
        (tmp_path / name).mkdir()
        with open_ledger(tmp_path / name, ledger_id) as ledger:
            ledger.record(ONE_OF_EACH[0], run=RUN)

    with closing(sqlite3.connect(tmp_path / "theirs" / "ledger.db")) as theirs:
        row = theirs.execute("SELECT * FROM events").fetchone()

    def swap(connection: sqlite3.Connection) -> None:
        connection.execute("DELETE FROM events")
        connection.execute(INSERT, row)

    tamper(tmp_path / "ours", swap)
    assert_refused(tmp_path / "ours", "event 1 is not as it was written")


def test_an_unknown_state_in_the_projection_is_said(tmp_path: Path) -> None:
    """`status` names the copy whose row makes no sense, and does not guess."""
    fill(tmp_path)
    tamper(tmp_path, lambda connection: connection.execute("UPDATE copies SET state = 'reaby'"))
    with pytest.raises(LedgerDamaged, match="img-s000000001 from cn-north-1 to cn-east-2"):
        look(tmp_path)


def test_a_newer_ledger_is_refused(tmp_path: Path) -> None:
    """A ledger of a later version is refused with the advice to upgrade, and left as it is."""
    fill(tmp_path)
    tamper(tmp_path, lambda connection: connection.execute(f"PRAGMA user_version = {len(STEPS) + 1}"))
    assert_refused(tmp_path, "Upgrade orchestrator")
    with pytest.raises(LedgerTooNew):
        read(tmp_path)


@pytest.mark.parametrize(
    ("kind", "body"),
    [("teleported", "{}"), ("lost", '{"at":1.0,"call":"c","reason":"a-reason-of-tomorrow"}')],
)
def test_a_whole_event_of_a_newer_version_is_not_called_damaged(tmp_path: Path, kind: str, body: str) -> None:
    """A row with the right checksum that this version cannot read was written by a newer one."""
    open_ledger(tmp_path).close()

    def add(connection: sqlite3.Connection) -> None:
        row = (1, NOW, RUN, kind, body, checksum("abcdef012345", 1, NOW, RUN, kind, body))
        connection.execute(INSERT, row)
        connection.execute("UPDATE meta SET value = '1' WHERE key = 'head'")

    tamper(tmp_path, add)
    with pytest.raises(LedgerTooNew, match="Event 1 "):
        read(tmp_path)
