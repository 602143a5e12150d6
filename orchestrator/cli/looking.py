"""What the verbs that look share: the ledger opened for reading, a run found in it, its schedule again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator.errors import LedgerDamaged, UsageError

if TYPE_CHECKING:
    from orchestrator.core.schedule import Schedule
    from orchestrator.core.verdict import Result
    from orchestrator.ledger.port import RunRow
    from orchestrator.ledger.reader import LedgerReader
    from orchestrator.watch.result import Running


def open_ledger(folder: Path) -> LedgerReader:
    """Open the ledger for looking; say so where there is none."""
    from orchestrator.ledger.reader import LedgerReader

    reader = LedgerReader.open(folder)
    if reader is None:
        raise UsageError(f"no ledger in {folder}. Nothing was run here yet.")
    return reader


def find_run(reader: LedgerReader, run: str | None) -> RunRow:
    """Find a run: the latest, or the one of that name."""
    rows = reader.runs()
    found = next((row for row in rows if run is None or row.run == run), None)
    if found is None:
        hint = f" The latest is {rows[0].run}." if rows else ""
        raise UsageError(f"no run {run or ''} in this ledger.{hint} `orchestrator runs` lists them.")
    return found


def recalled(reader: LedgerReader) -> tuple[Schedule | None, str]:
    """Give the schedule as all events leave it; without one, why: a ledger that is damaged.

    Where the copies stand can be told without it. The caller holds one state of the ledger still.
    """
    from orchestrator.core.limits import Limits
    from orchestrator.ledger.snapshot import recovered

    try:
        return recovered(reader, Limits()), ""
    except LedgerDamaged as error:
        return None, str(error)


def with_overviews(view: Result | Running, schedule: Schedule | None) -> Result | Running:
    """Add what only a run that goes on has: ETA, quotas and what each destination waits for."""
    from orchestrator.watch.result import Running

    if schedule is not None and isinstance(view, Running) and not view.killed:
        return replace(view, overviews=schedule.overview())
    return view
