"""Puts a new ledger into the place of an old one, which it keeps beside it, whole. Deletes no ledger."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree

from orchestrator.errors import LedgerDamaged, LedgerTooNew, LedgerUnwritable
from orchestrator.ledger.connect import connect, damaged, explained, ledger_path, unmerged
from orchestrator.ledger.folder import LEDGER
from orchestrator.ledger.schema import is_ledger_id, sync_folder
from orchestrator.ledger.sqlite import Ledger

WORKSHOP = "rebuilding"
"""The folder, beside the ledger, in which a new one is made."""

_LOGS = ("-shm", "-journal", "-wal")


@dataclass(frozen=True, slots=True)
class Earlier:
    """The ledger that is there: what is wrong with it, if anything, and its id, if that can be read."""

    damage: LedgerDamaged | None
    ledger_id: str | None


def earlier_ledger(folder: Path, *, now: float) -> Earlier | None:
    """Look at the ledger of a state folder as a run would; None where there is none.

    The caller holds the run lock. A damaged one stays as it is. Raises LedgerTooNew, which is no
    damage, and LedgerUnwritable.
    """
    path = ledger_path(folder)
    if not path.exists():
        return Earlier(damaged(path, "only its log is there"), None) if unmerged(path) else None
    try:
        with Ledger.open(folder, ids=lambda: "", now=now) as ledger:
            for _ in ledger.events():
                pass
            return Earlier(None, ledger.ledger_id)
    except LedgerTooNew:
        raise
    except LedgerDamaged as damage:
        return Earlier(damage, _id_in(path))


def _id_in(path: Path) -> str | None:
    """Read the id out of a damaged ledger, without writing a byte; None where that is damaged too."""
    with suppress(sqlite3.Error, OSError, UnicodeDecodeError, TypeError):
        with closing(connect(path, "mode=ro&immutable=1")) as connection:
            (found,) = connection.execute("SELECT value FROM meta WHERE key = 'ledger_id'").fetchone()
        return found if isinstance(found, str) and is_ledger_id(found) else None
    return None


def empty_workshop(folder: Path) -> Path:
    """Make the folder for a new ledger; what a rebuild that was killed left in it is removed."""
    workshop = folder / WORKSHOP
    with explained(folder / LEDGER):
        close_workshop(folder)
        workshop.mkdir(mode=0o700)
    return workshop


def close_workshop(folder: Path) -> None:
    """Remove the workshop."""
    workshop = folder / WORKSHOP
    if os.path.lexists(workshop):
        rmtree(workshop)


def put_in_place(folder: Path, *, kept_as: str, step: Callable[[], object] = lambda: None) -> Path | None:
    """Let the new ledger take the old one's place; return where the old one lies now, if there was one.

    The old one goes first, its write-ahead log last: a process that is killed in between leaves a
    log without a ledger, which every run refuses, and not an empty place. `step` is called between
    any two moves. Raises LedgerUnwritable.
    """
    path, new = folder / LEDGER, folder / WORKSHOP / LEDGER
    with explained(path):
        if unmerged(new):
            raise LedgerUnwritable(f"{new} was not closed in good order. Run the rebuild again.")
        kept = _free_name(folder, kept_as)
        old = [suffix for suffix in ("", *_LOGS) if os.path.lexists(f"{path}{suffix}")]
        for suffix in old:
            os.rename(f"{path}{suffix}", f"{kept}{suffix}")
            step()
        os.rename(new, path)
        sync_folder(folder)
    return kept if old else None


def _free_name(folder: Path, kept_as: str) -> Path:
    """Find a name that no file has."""
    number, kept = 1, folder / f"{LEDGER}.{kept_as}"
    while any(os.path.lexists(f"{kept}{suffix}") for suffix in ("", *_LOGS)):
        number += 1
        kept = folder / f"{LEDGER}.{kept_as}-{number}"
    return kept
