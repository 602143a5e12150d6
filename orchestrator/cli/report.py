"""`orchestrator report`: a run as one HTML page, as JSON or as CSV. Writes but what it is told to."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.looking import find_run, open_ledger
from orchestrator.cli.options import settings_of, settings_options, simulate_option, state_folder
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.report.story import Story


@click.command()
@click.argument("run", required=False)
@click.option("--html", metavar="FILE", help="Write one page that needs nothing else; - is stdout.")
@click.option("--json", "as_json", is_flag=True, help="Print the same as one JSON object.")
@click.option("--csv", "as_csv", is_flag=True, help="Print a row per copy, for spreadsheets.")
@click.option("-v", "--verbose", count=True, help="-vv shows tracebacks of faults of our own.")
@simulate_option
@settings_options
def report(
    run: str | None, html: str | None, as_json: bool, as_csv: bool, verbose: int, simulate: bool,
    config: Path | None, state_dir: str | None, settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Report on the latest run, or on RUN: what came of every copy, when and why.

    Works while a run is going on. Give one of --html FILE, --json and --csv.
    """
    if (html is not None) + as_json + as_csv != 1:
        raise UsageError("report needs one of --html FILE, --json and --csv.")
    story = _story(state_folder(settings_of(config, state_dir, settings), simulate=simulate), run)
    if html is not None:
        _write_page(html, story)
        return
    from orchestrator.report.flat import report_csv, report_json

    if as_json:
        click.echo(report_json(story))
    else:
        click.echo(report_csv(story).encode(), nl=False)


def _story(folder: Path, run: str | None) -> Story:
    """Read the story of a run from the ledger of a state folder."""
    from orchestrator.cli.views import view_of
    from orchestrator.report.reading import read_story

    with open_ledger(folder) as reader:
        return read_story(reader, view_of(reader, folder, find_run(reader, run)), time.time())


def _write_page(name: str, story: Story) -> None:
    """Write the page to a file, or to stdout, and say where it is."""
    from orchestrator.report.files import write_whole
    from orchestrator.report.page import report_html
    from orchestrator.watch.text import clean

    page = report_html(story)
    if name == "-":
        sys.stdout.write(page)
        return
    try:
        write_whole(Path(name), page)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageError(f"--html {name}: cannot be written: {why}. Name a file that can.") from None
    click.echo(f"{clean(story.sentence)}; the report is in {clean(name, 4096)}", err=True)
