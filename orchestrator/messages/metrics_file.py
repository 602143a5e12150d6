"""Puts the metrics into their file, whole or not at all; what they say is the affair of `watch.metrics`."""

from __future__ import annotations

from pathlib import Path

from orchestrator import __version__
from orchestrator.core.verdict import Result
from orchestrator.ledger.reader import LedgerReader
from orchestrator.watch.history import read_history
from orchestrator.watch.metrics import metrics_text
from orchestrator.watch.whole_file import put_whole

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
    put_whole(path, metrics_text(history, version=__version__, state_dir=str(folder)), mode=_MODE)
