"""Reads the story of a run from a ledger that is open for looking. Never writes."""

from __future__ import annotations

from orchestrator.core.limits import Limits
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Result
from orchestrator.ledger.reader import LedgerReader
from orchestrator.report.retelling import retell
from orchestrator.report.story import Story
from orchestrator.report.telling import tell
from orchestrator.watch.result import Running


def read_story(reader: LedgerReader, view: Result | Running, told_at: float) -> Story:
    """Tell the story of a run that goes on or is over; `view` is what is known of it, `told_at` the time now.

    Takes every event from the ledger's first to the run's last in, so that what the run found is understood
    as it was then. Raises LedgerDamaged and LedgerTooNew.
    """
    schedule = Schedule(Limits(), reader.ledger_id)
    retold = retell(reader.events(until_run=view.run), view.run, schedule)
    return tell(view, retold, reader.runs(), told_at)
