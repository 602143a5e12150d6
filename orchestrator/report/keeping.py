"""The reports that a run leaves in `report_dir` when it ends. Nothing here may fail the run."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.verdict import Result
from orchestrator.errors import OrchestratorError
from orchestrator.ledger.sqlite import Ledger
from orchestrator.report.files import write_whole
from orchestrator.report.flat import report_json
from orchestrator.report.reading import story_of_last
from orchestrator.report.story import Story

LATEST = "latest.html"
"""The page of the run that ended last, under a name that stays."""


def leave_reports(folder: Path, ledger: Ledger, result: Result, told_at: float) -> str:
    """Write RUN.html, RUN.json and latest.html into a folder; return what prevented it, or nothing.

    `ledger` knows the run's end already; `told_at` is the time now.
    """
    try:
        put_reports(folder, story_of_last(ledger, result, told_at))
    except OSError as error:
        return f"{folder}: {error.strerror or error}"
    except OrchestratorError as error:
        return str(error)
    except Exception as error:  # a fault of our own; the night is what counts
        return f"a fault of our own ({type(error).__name__}); `orchestrator report -vv` shows it"
    return ""


def put_reports(folder: Path, story: Story) -> None:
    """Write the files of one story. Raises OSError."""
    from orchestrator.report.page import report_html

    page = report_html(story)
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / f"{story.run}.json", report_json(story) + "\n")
    write_whole(folder / f"{story.run}.html", page)
    write_whole(folder / LATEST, page)
