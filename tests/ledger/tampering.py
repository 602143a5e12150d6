"""Ways to read a ledger, and to change one behind its back."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.core.messages import Event
from orchestrator.errors import LedgerDamaged
from orchestrator.ledger.reader import LedgerReader
from tests.ledger.samples import RUN, open_ledger

SEED = 20261123


def read(folder: Path) -> tuple[Event, ...]:
    """Read a ledger as a run does."""
    with open_ledger(folder) as ledger:
        return tuple(ledger.events())


def look(folder: Path) -> tuple[Event, ...]:
    """Read everything that `status` and `log` read."""
    reader = LedgerReader.open(folder)
    assert reader is not None
    with reader:
        reader.runs()
        reader.calls(RUN)
        tuple(reader.copies(RUN))
        return tuple(reader.events())


def tamper(folder: Path, change: Callable[[sqlite3.Connection], object]) -> None:
    """Change a closed ledger behind its back, with the triggers out of the way, and leave no log."""
    with closing(sqlite3.connect(folder / "ledger.db")) as connection, connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        change(connection)
        for _, sql in triggers:
            connection.execute(sql)


def assert_refused(folder: Path, match: str) -> None:
    """Both ways of opening refuse, and not a byte of the ledger has changed."""
    before = (folder / "ledger.db").read_bytes()
    with pytest.raises(LedgerDamaged, match=match) as refusal:
        read(folder)
    assert refusal.value.exit_code == 65
    with pytest.raises(LedgerDamaged, match=match):
        look(folder)
    assert (folder / "ledger.db").read_bytes() == before
