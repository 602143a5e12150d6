"""Opens the ledger's file with SQLite, never creating one, and puts SQLite's complaints into plain words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from orchestrator.errors import LedgerDamaged, LedgerUnwritable
from orchestrator.ledger.folder import LEDGER, refuse_strange

BUSY_S = 5.0
_WAL_KEPT = 64 * 1024 * 1024
_COMPANIONS = ("", "-wal", "-shm", "-journal")
_BUGS = (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISUSE, sqlite3.SQLITE_RANGE)
_DAMAGES = (None, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT)
_ADVICE = {
    sqlite3.SQLITE_FULL: "Free space there, then run again.",
    sqlite3.SQLITE_BUSY: "Another program keeps it locked: end that, then run again.",
    sqlite3.SQLITE_READONLY: "Give yourself permission to write there, then run again.",
    sqlite3.SQLITE_CANTOPEN: "Give yourself permission to write there, then run again.",
}


def ledger_path(folder: Path) -> Path:
    """Name the ledger of a state folder; refuse one that is a link or somebody else's.

    The files are looked at by name only: opening and closing one here would drop the locks that
    another connection of this process holds (POSIX locks belong to the process).
    """
    path = folder / LEDGER
    for companion in _COMPANIONS:
        file = path.with_name(path.name + companion)
        if os.path.lexists(file):
            refuse_strange(file, file.lstat())
    return path


def connect(path: Path, options: str) -> sqlite3.Connection:
    """Open an existing file. `options` is SQLite's: mode=rw, mode=ro, or mode=ro&immutable=1."""
    uri = f"file:{quote(os.fsencode(path.absolute()))}?{options}"
    return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=BUSY_S)


def connect_writer(path: Path) -> sqlite3.Connection:
    """Open for writing: each commit is on the disk when it returns, also through a power cut."""
    connection = connect(path, "mode=rw")
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_KEPT}")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_reader(path: Path) -> sqlite3.Connection:
    """Open for reading beside a writer, or from a folder where nothing can be written."""
    connection = connect(path, "mode=ro")
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.OperationalError:
        connection.close()
        if unmerged(path):
            raise
        return connect(path, "mode=ro&immutable=1")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_alone(path: Path) -> sqlite3.Connection:
    """Open for reading where the caller holds the run lock; without a log beside it, no file is made."""
    wal = path.with_name(path.name + "-wal")
    return connect(path, "mode=ro" if wal.exists() else "mode=ro&immutable=1")


def unmerged(path: Path) -> bool:
    """Tell whether the write-ahead log beside the ledger holds anything."""
    try:
        return path.with_name(path.name + "-wal").stat().st_size > 0
    except FileNotFoundError:
        return False


def backup(path: Path, target: Path) -> None:
    """Copy a ledger as it is now, writer or not, into a new file of mode 0600. Raises FileExistsError."""
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600))
    target.chmod(0o600)
    with explained(path), closing(connect_reader(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))


@contextmanager
def explained(path: Path, so: str = "", later: str = "") -> Iterator[None]:
    """Turn errors into ours: LedgerDamaged for what is broken, LedgerUnwritable for what is in the way.

    A writer says what follows: `so` right away, and `later`, after the advice. What can only be a bug of this
    program stays what it is.
    """
    try:
        yield
    except OSError as error:
        raise LedgerUnwritable(
            f"The ledger {path} cannot be used{so}: {error.strerror}. Mend that, then run again.{later}"
        ) from error
    except UnicodeDecodeError as error:  # SQLite's own message, where it quotes a damaged schema
        raise damaged(path, "its schema is not text") from error
    except sqlite3.Error as error:
        full_code: int | None = getattr(error, "sqlite_errorcode", None)
        code = None if full_code is None else full_code & 0xFF
        if code in _BUGS or isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
            raise
        if code in _DAMAGES:
            raise damaged(path, str(error)) from error
        advice = _ADVICE.get(code or 0, "See whether its disk works, then run again.")
        raise LedgerUnwritable(f"The ledger {path} cannot be used{so}: {error}. {advice}{later}") from error


def damaged(path: Path, what: str) -> LedgerDamaged:
    """Make the error for a ledger that is not as it was written."""
    return LedgerDamaged(
        f"The ledger {path} is damaged and was left as it is: {what}. Restore a backup of the state folder."
    )
