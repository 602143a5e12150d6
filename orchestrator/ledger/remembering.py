"""Brings back what a ledger knows for those who only look: without the lock, and leaving no file behind."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.limits import Limits
from orchestrator.core.schedule import Schedule
from orchestrator.ledger.binding import refuse_foreign
from orchestrator.ledger.connect import ledger_path
from orchestrator.ledger.reader import LedgerReader
from orchestrator.ledger.snapshot import recovered


def remembered(folder: Path, limits: Limits, *, endpoint: str | None = None) -> Schedule | None:
    """Bring the schedule of a state folder's ledger back; None where there is no ledger.

    Raises LedgerDamaged, LedgerTooNew, LedgerUnwritable, and LedgerForeign where it is not of `endpoint`.
    """
    reader = LedgerReader.open(folder, traceless=True)
    if reader is None:
        return None
    with reader, reader.standstill():
        schedule = recovered(reader, limits)
    if endpoint is not None:
        refuse_foreign(ledger_path(folder), schedule.register.endpoint, endpoint)
    return schedule
