"""Makes a copy that is as good as the ledger: consistent, private, checked. Overwrites nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.errors import LedgerDamaged, LedgerUnwritable, UsageError
from orchestrator.ledger.check import Report, check_copy
from orchestrator.ledger.connect import backup, ledger_path
from orchestrator.ledger.folder import make_private
from orchestrator.ledger.schema import sync_folder

BACKUPS = "backups"
"""The folder below the state folder in which copies lie that were given no other place."""


def back_up(folder: Path, target: Path | None, *, now: float) -> Report:
    """Copy the ledger of a state folder, writer or not; return the check of the copy.

    `now` (UTC epoch seconds) names the copy where `target` does not. Raises UsageError for a target
    that cannot be made, LedgerDamaged and LedgerUnwritable; then there is no copy.
    """
    source = ledger_path(folder)
    target = (target or _default(folder, now)).absolute()
    try:
        backup(source, target)
    except FileExistsError:
        raise UsageError(f"{target} exists already, and nothing is overwritten. Name another file.") from None
    except OSError as error:
        raise UsageError(f"{target} cannot be made: {error.strerror}. Name another file with --to.") from None
    except BaseException:
        with suppress(OSError):
            target.unlink()
        raise
    return _checked(target)


def _default(folder: Path, now: float) -> Path:
    """Name a copy after its time, in a folder that only we can read."""
    make_private(folder / BACKUPS)
    return folder / BACKUPS / f"ledger-{datetime.fromtimestamp(now, UTC):%Y%m%dt%H%M%Sz}.db"


def _checked(target: Path) -> Report:
    """Put the copy on the disk for good and check it; one that is not whole is taken away again."""
    try:
        fd = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_folder(target.parent)
    except OSError as error:
        raise LedgerUnwritable(f"The copy {target} cannot be put on the disk: {error.strerror}.") from error
    report = check_copy(target)
    if report.findings:
        target.unlink()
        raise LedgerDamaged(
            f"The ledger cannot be backed up, for it is not whole: {report.findings[0]}. "
            f"`orchestrator ledger check` says more."
        )
    return report
