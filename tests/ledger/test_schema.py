"""Versions: a new ledger, an old one that is brought forward, with and without STRICT."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.errors import LedgerDamaged, LedgerTooNew, LedgerUnwritable
from orchestrator.ledger.connect import backup, connect_writer, explained
from orchestrator.ledger.reader import LedgerReader
from orchestrator.ledger.rows import read_events
from orchestrator.ledger.schema import APPLICATION_ID, STEPS, create, migrate, version_of
from tests.ledger.samples import LEDGER_ID, NOW, ONE_OF_EACH, RUN, copy, fill, open_ledger

NEXT = (*STEPS, "ALTER TABLE runs ADD COLUMN weather TEXT; CREATE INDEX runs_by_plan ON runs (plan);")
BROKEN = (*STEPS, "ALTER TABLE runs ADD COLUMN weather TEXT; CREATE TABLE runs (again TEXT);")


def test_a_new_ledger_says_what_it_is(tmp_path: Path) -> None:
    """The header names the program and the version, so that `file` and later versions know it."""
    open_ledger(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        assert connection.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(STEPS),)


@pytest.mark.parametrize("umask", [0o000, 0o777])
def test_a_new_ledger_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """The file has mode 0600 from the moment it gets its name."""
    before = os.umask(umask)
    try:
        create(tmp_path / "ledger.db", ledger_id="abcdef012345", now=0.0)
    finally:
        os.umask(before)
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


def test_an_older_ledger_is_brought_forward(tmp_path: Path) -> None:
    """Opening with a later version applies its steps, keeps the events, and a copy of how it was."""
    fill(tmp_path)
    path = tmp_path / "ledger.db"
    before = os.umask(0)
    try:
        with closing(connect_writer(path)) as connection:
            migrate(connection, path, NEXT)
            migrate(connection, path, NEXT)
            assert version_of(connection, path, NEXT) == len(NEXT)
            assert tuple(read_events(connection, path)) == ONE_OF_EACH
            assert connection.execute("SELECT weather FROM runs").fetchall() == [(None,)]
    finally:
        os.umask(before)
    kept = tmp_path / f"ledger.db.v{len(STEPS)}"
    assert kept.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(kept)) as connection:
        assert version_of(connection, kept) == len(STEPS)
        assert tuple(read_events(connection, kept)) == ONE_OF_EACH
    with pytest.raises(LedgerTooNew, match=f"has version {len(NEXT)}"):
        open_ledger(tmp_path)


def test_a_ledger_from_before_relays_is_brought_forward(tmp_path: Path) -> None:
    """One of version 1 keeps its copies; that none of them was relayed is what its columns say then."""
    path = tmp_path / "ledger.db"
    create(path, ledger_id=LEDGER_ID, now=NOW, steps=STEPS[:1])
    with closing(sqlite3.connect(path)) as connection, connection:
        row = (*copy(1), "ready", "copied", "", "img-d1", NOW, RUN)
        names = "source, origin, destination, state, reason, detail, image, updated_at, run"
        connection.execute(f"INSERT INTO copies ({names}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
    open_ledger(tmp_path).close()
    with LedgerReader(sqlite3.connect(path), path) as reader:
        (standing,) = reader.copies(RUN)
    assert (standing.copy, standing.image) == (copy(1), "img-d1")
    assert (standing.via, standing.carrier) == (None, None)


def test_a_step_that_fails_changes_nothing(tmp_path: Path) -> None:
    """A migration that cannot be done leaves the ledger as it was, in the old version, readable."""
    fill(tmp_path)
    path = tmp_path / "ledger.db"
    with closing(connect_writer(path)) as connection:
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(connection, path, BROKEN)
        assert not connection.in_transaction
        assert version_of(connection, path) == len(STEPS)
    with open_ledger(tmp_path) as ledger:
        assert tuple(ledger.events()) == ONE_OF_EACH


def test_a_ledger_of_an_sqlite_without_strict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ledger made where SQLite does not know STRICT works, and is known again by a newer SQLite."""
    with monkeypatch.context() as older:
        older.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
        fill(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        sql = "\n".join(
            text for (text,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql > ''")
        )
    assert "STRICT" not in sql
    assert "WITHOUT ROWID" in sql
    with open_ledger(tmp_path) as ledger:
        assert tuple(ledger.events()) == ONE_OF_EACH


def test_a_version_that_never_was_is_refused(tmp_path: Path) -> None:
    """A version below 1 is damage, not an invitation to make the tables again."""
    fill(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.execute("PRAGMA user_version = 0")
    with pytest.raises(LedgerDamaged, match="its version is 0"):
        open_ledger(tmp_path)


def test_a_backup_beside_a_writer_is_whole(tmp_path: Path) -> None:
    """A backup taken while the ledger is open for writing opens as a ledger with the same events."""
    home = tmp_path / "home"
    home.mkdir()
    restored = tmp_path / "restored"
    restored.mkdir()
    with open_ledger(home) as ledger:
        for event in ONE_OF_EACH:
            ledger.record(event, run=RUN)
        backup(home / "ledger.db", restored / "ledger.db")
        with pytest.raises(LedgerUnwritable, match="File exists"), explained(home / "ledger.db"):
            backup(home / "ledger.db", restored / "ledger.db")
    with open_ledger(restored) as ledger:
        assert tuple(ledger.events()) == ONE_OF_EACH
