"""The checks of the ledger: whole, of this endpoint, what in it waits for a person. It changes no byte."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from orchestrator.core.diagnosis import Finding, fail, ok, warn
from orchestrator.core.limits import Limits
from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.errors import LedgerForeign, OrchestratorError
from orchestrator.ledger.check import check_copy
from orchestrator.ledger.connect import ledger_path
from orchestrator.ledger.remembering import remembered
from orchestrator.watch.text import some

LEDGER, DOUBT = "ledger", "doubt"
_SHOWN = 5
_LOST = "See docs/ledger.md; `orchestrator ledger rebuild PLAN` makes a new one from what the cloud shows."


def ledger_findings(folder: Path, limits: Limits, endpoint: str) -> tuple[list[Finding], Schedule | None]:
    """Check a state folder's ledger, event by event; return what it knows if it can be believed."""
    try:
        path = ledger_path(folder)
        if not path.exists():
            return [ok(LEDGER, "none yet; the first run makes it")], None
        report = check_copy(path)
        if report.findings:
            more = len(report.findings) - 1
            found = report.findings[0] + (f", and {more} more (`orchestrator ledger check`)" if more else "")
            return [fail(LEDGER, found, _LOST)], None
        schedule = remembered(folder, limits, endpoint=endpoint)
    except LedgerForeign as error:
        return [fail(LEDGER, str(error), "Give each endpoint and account a STATE_DIR of its own.")], None
    except OrchestratorError as error:
        return [fail(LEDGER, str(error), _LOST)], None
    except OSError as error:
        mend = "Give yourself permission there, or run as the owner of the folder."
        return [fail(LEDGER, f"{folder} cannot be looked into: {error.strerror}", mend)], None
    size = (some(report.last, "event"), some(report.runs, "run"), some(report.copies, "copy", "copies"))
    whole = f"{report.ledger_id} is whole: {', '.join(size)}"
    return [ok(LEDGER, whole), *(doubt_findings(schedule) if schedule else ())], schedule


def doubt_findings(schedule: Schedule) -> Iterator[Finding]:
    """Name the copies of which only a person can say whether they were made."""
    tracks = schedule.register.tracks.values()
    waiting = [t.copy for t in tracks if t.state is State.DOUBTFUL and t.reason is Reason.NEEDS_PERSON]
    if not waiting:
        return
    named = ", ".join(f"{copy.source} in {copy.destination}" for copy in waiting[:_SHOWN])
    more = f" and {len(waiting) - _SHOWN} more" if len(waiting) > _SHOWN else ""
    mend = "Look for each there, then `orchestrator settle IMAGE REGION --made` or `--not-made`."
    yield warn(DOUBT, f"nobody knows whether these copies were made: {named}{more}", mend)
