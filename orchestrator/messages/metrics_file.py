"""Puts the metrics into their file, whole or not at all; what they say is the affair of `watch.metrics`."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from orchestrator import __version__
from orchestrator.core.verdict import Result
from orchestrator.ledger.reader import LedgerReader
from orchestrator.watch.history import read_history
from orchestrator.watch.metrics import metrics_text

FORGOTTEN_S = 30 * 86400.0
"""A plan is told of until so long after the start of its newest run: one that was renamed goes away."""

_MODE = 0o644  # the collector is another user


def write_metrics(path: Path, folder: Path, *, now: float, ended: Result | None = None) -> None:
    """Write the metrics of a state folder's ledger; `ended` is the run that has just ended.

    Nothing is done where there is no ledger. Raises OSError for a file that cannot be written, and
    OrchestratorError for a ledger that cannot be read; the file is as it was then.
    """
    reader = LedgerReader.open(folder)
    if reader is None:
        return
    with reader:
        history = read_history(reader, since=now - FORGOTTEN_S, ended=ended)
    replace_file(path, metrics_text(history, version=__version__, state_dir=str(folder)))


def replace_file(path: Path, data: bytes) -> None:
    """Put data in the place of a file. A reader sees the old or the new one, never half; others may read it.

    The draft beside it has a name that no collector reads. Raises OSError.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _MODE)
    try:
        with open(fd, "wb") as file:
            os.fchmod(fd, _MODE)
            file.write(data)
            file.flush()
            os.fsync(fd)
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
