"""Reads the story of a run from a ledger that is open for looking. Never writes."""

from __future__ import annotations

from orchestrator.core.limits import Limits
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Result
from orchestrator.errors import OrchestratorError
from orchestrator.ledger.reader import LedgerReader
from orchestrator.ledger.snapshot import remembered
from orchestrator.ledger.sqlite import Ledger
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


def story_of_last(ledger: Ledger, result: Result, told_at: float) -> Story:
    """Tell the story of the run that just ended, before a snapshot is made of its end.

    The snapshot of before spares the events that came before it, of which there may be a million.
    Raises what `read_story` does.
    """
    schedule, place = remembered(ledger, Limits())
    retold = retell(ledger.events(after=place), result.run, schedule)
    with _looking(ledger) as reader:
        return tell(result, retold, reader.runs(), told_at)


def _looking(ledger: Ledger) -> LedgerReader:
    """Open the same ledger for looking; raises OrchestratorError where it is gone."""
    reader = LedgerReader.open(ledger.path.parent)
    if reader is None:
        raise OrchestratorError(f"The ledger {ledger.path} is gone.")
    return reader
