"""Says by whom a run was overtaken. It only reads, and leaves out what cannot be told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from orchestrator.core.model import RunId
from orchestrator.errors import OrchestratorError, Overtaken
from orchestrator.ledger.lock import read_owner
from orchestrator.ledger.port import RunRow
from orchestrator.ledger.reader import LedgerReader


def overtaken(folder: Path, run: RunId) -> Overtaken:
    """Make the error of a run that was overtaken, with the name of the run that did it, if it can be told."""
    return Overtaken(
        f"Run {run} was overtaken{_by(folder, run)}. It stopped, wrote nothing more and sent nothing more; "
        f"what it had sent, the other run finds and finishes. See `orchestrator status`."
    )


def _by(folder: Path, run: RunId) -> str:
    """Name the successor: the run entered after this one, or whoever left a name in the lock."""
    after = _run_after(folder, run)
    if after is not None:
        return f" by run {after.run}, which began at {_iso(after.started_at)}"
    owner = read_owner(folder)
    return f" by {owner}" if owner is not None and owner.run != run else ""


def _run_after(folder: Path, run: RunId) -> RunRow | None:
    """Find the run that was entered next; the newest, if this one never was."""
    try:
        reader = LedgerReader.open(folder)
        if reader is None:
            return None
        with reader:
            rows = reader.runs()
    except OrchestratorError:
        return None
    later = []
    for row in rows:
        if row.run == run:
            break
        later.append(row)
    else:
        later = later[:1]
    return later[-1] if later else None


def _iso(at: float) -> str:
    """Write a time as the lock does."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
