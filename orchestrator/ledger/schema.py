"""The ledger's schema: makes a new file whole or not at all, brings an old one forward, refuses others."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path

from orchestrator.errors import LedgerTooNew
from orchestrator.ledger.connect import backup, connect, damaged, unmerged

APPLICATION_ID = 0x4A444952
"""Written into the file's header; the letters JDIR."""

STEPS: tuple[str, ...] = tuple(
    resources.files(__package__).joinpath(file).read_text("utf-8") for file in ("schema.sql", "schema-2.sql")
)
"""Step n leads from version n to version n + 1; version 0 is an empty file."""

_LEDGER_ID = re.compile(r"[a-z0-9]{12}")


def is_ledger_id(text: str) -> bool:
    """Tell whether a text has the form of a ledger's id."""
    return _LEDGER_ID.fullmatch(text) is not None


def create(path: Path, *, ledger_id: str, now: float, steps: Sequence[str] = STEPS) -> None:
    """Make a new ledger under a passing name and give it its own name when it is complete and on disk.

    So a process that is killed here leaves no half ledger. The caller holds the run lock.
    """
    if not is_ledger_id(ledger_id):
        raise ValueError("a ledger's id has 12 characters of a-z and 0-9")
    if unmerged(path):
        raise damaged(path, f"it is gone, and the log {path.name}-wal that belongs to it is still there")
    draft = path.with_name(path.name + ".new")
    _remove_companions(path)
    _remove_companions(draft)
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    os.fchmod(fd, 0o600)
    os.close(fd)
    with closing(connect(draft, "mode=rw")) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        _apply(connection, 0, steps)
        pairs = {"ledger_id": ledger_id, "created_at": repr(now), "epoch": "0", "head": "0", "base": "0"}
        connection.executemany("INSERT INTO meta (key, value) VALUES (?, ?)", pairs.items())
        connection.execute("PRAGMA journal_mode = WAL")
    os.link(draft, path)
    draft.unlink()
    sync_folder(path.parent)


def version_of(connection: sqlite3.Connection, path: Path, steps: Sequence[str] = STEPS) -> int:
    """Tell which version wrote the file. Raises LedgerTooNew, or LedgerDamaged for a strange one."""
    if connection.execute("PRAGMA application_id").fetchone() != (APPLICATION_ID,):
        raise damaged(path, "it is no ledger of this program")
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(steps):
        raise LedgerTooNew(
            f"The ledger {path} has version {version}, this program knows versions up to {len(steps)}. "
            f"It was left as it is. Upgrade orchestrator to use it."
        )
    if version < 1:
        raise damaged(path, f"its version is {version}")
    missing = _shape_of(steps[:version]) - _shape(connection)
    if missing:
        names = ", ".join(sorted(name for name, _ in missing))
        raise damaged(path, f"its schema is not the one of version {version} ({names})")
    return version


def migrate(connection: sqlite3.Connection, path: Path, steps: Sequence[str] = STEPS) -> None:
    """Bring an older ledger forward, each step whole or not at all, after keeping a copy of it."""
    version = version_of(connection, path, steps)
    if version == len(steps):
        return
    kept = path.with_name(f"{path.name}.v{version}")
    kept.unlink(missing_ok=True)
    backup(path, kept)
    _apply(connection, version, steps)


def _apply(connection: sqlite3.Connection, version: int, steps: Sequence[str]) -> None:
    """Run the steps that follow a version, each in a transaction of its own."""
    for number, step in enumerate(steps[version:], start=version + 1):
        script = f"BEGIN IMMEDIATE;\n{_spoken_here(step)}\nPRAGMA user_version = {number};\nCOMMIT;"
        try:
            connection.executescript(script)
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _spoken_here(step: str) -> str:
    """Leave STRICT out where this SQLite does not know it yet."""
    if sqlite3.sqlite_version_info >= (3, 37):
        return step
    return step.replace(") STRICT, WITHOUT", ") WITHOUT").replace(") STRICT", ")")


def _shape(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """Read (name, definition) of every table, index and trigger; with or without STRICT is one shape."""
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite~_%' ESCAPE '~'"
    )
    return {(str(name), str(sql).replace(" STRICT,", "").replace(" STRICT", "")) for name, sql in rows}


def _shape_of(steps: Sequence[str]) -> set[tuple[str, str]]:
    """Tell the shape that these steps lead to."""
    with closing(blank(steps)) as connection:
        return _shape(connection)


def blank(steps: Sequence[str] = STEPS) -> sqlite3.Connection:
    """Make a ledger's empty tables in memory."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _apply(connection, 0, steps)
    return connection


def _remove_companions(path: Path) -> None:
    """Remove what SQLite left beside a file that is gone: it would be taken for part of the new one."""
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Put the folder's names on disk: a file whose name is lost in a power cut is lost."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
