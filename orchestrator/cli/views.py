"""A run of the ledger as `status` and `runs` show it: finished, still running, or killed. Only looks."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from orchestrator.core.limits import Limits
from orchestrator.core.model import RunId
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Result, Standing, count
from orchestrator.ledger.lock import read_owner
from orchestrator.ledger.port import RunRow
from orchestrator.ledger.reader import LedgerReader
from orchestrator.watch.result import KILLED, RUNNING, Running, result_from_json
from orchestrator.watch.status_view import RunLine


def view_of(reader: LedgerReader, folder: Path, row: RunRow) -> Result | Running:
    """Return what is known of a run: its result, or where its copies stand now or stood at its death."""
    result = reader.result(row.run)
    if result:
        return result_from_json(result)
    copies = _copies(reader, row)
    return Running(
        run=row.run,
        plan=row.plan,
        started_at=row.started_at,
        counts=count(copies),
        calls=reader.calls(row.run),
        copies=copies,
        killed=not is_running(folder, row.run),
    )


def _copies(reader: LedgerReader, row: RunRow) -> tuple[Standing, ...]:
    """Read the latest run's copies from the projection, those of an older one from its events.

    Of a run that a compaction took away, the copies are left that no later run wanted.
    """
    if reader.runs()[0].run == row.run:
        return tuple(reader.copies(row.run))
    schedule = Schedule(Limits(), reader.ledger_id)
    schedule.recover(reader.events(until_run=row.run))
    return schedule.standings() or tuple(reader.copies(row.run))


def run_line(row: RunRow, folder: Path) -> RunLine:
    """Return a run as a line of the table."""
    lost = KILLED if not is_running(folder, row.run) else RUNNING
    return RunLine(
        run=row.run,
        plan=row.plan,
        started_at=row.started_at,
        finished_at=row.finished_at,
        verdict=row.verdict or lost,
        exit_code=row.exit_code,
        counts=row.counts,
    )


def is_running(folder: Path, run: RunId) -> bool:
    """Tell whether a run goes on: it owns the lock file and its process is alive.

    On another host nobody can tell; its word in the lock file is believed then.
    """
    owner = read_owner(folder)
    if owner is None or owner.run != run:
        return False
    if owner.host != socket.gethostname():
        return True
    try:
        os.kill(owner.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
