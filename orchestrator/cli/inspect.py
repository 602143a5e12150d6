"""`orchestrator status`, `log` and `runs`: what a night came to, during it and after. Only looks."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import settings_of, settings_options, simulate_option, state_folder
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.core.model import RunId
    from orchestrator.ledger.port import RunRow
    from orchestrator.ledger.reader import LedgerReader


@click.command()
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, as `run --json` does.")
@simulate_option
@settings_options
def status(
    run: str | None, as_json: bool, simulate: bool, config: Path | None, state_dir: str | None,
    settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Show where the latest run stands, or RUN: verdict, failures first, a row per destination.

    Works while a run is going on. Exits 0 whenever it could answer.
    """
    from orchestrator.cli.views import view_of
    from orchestrator.watch.result import result_json
    from orchestrator.watch.status_view import status_lines

    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    with open_ledger(folder) as reader:
        view = view_of(reader, folder, find_run(reader, run))
    if as_json:
        click.echo(result_json(view))
        return
    for line in status_lines(view, time.time()):
        click.echo(line)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@simulate_option
@settings_options
def runs(
    as_json: bool, simulate: bool, config: Path | None, state_dir: str | None, settings: tuple[str, ...]
) -> None:
    """List the runs, newest first. As JSON no run is an empty array; in words it is an error."""
    from orchestrator.cli.views import run_line
    from orchestrator.watch.status_view import runs_json, runs_lines

    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    if as_json and not _has_ledger(folder):
        click.echo(runs_json([]))
        return
    with open_ledger(folder) as reader:
        rows = [run_line(row, folder) for row in reader.runs()]
    if as_json:
        click.echo(runs_json(rows))
        return
    for line in runs_lines(rows, time.time()):
        click.echo(line)


@click.command()
@click.argument("run", required=False)
@click.option("-f", "--follow", is_flag=True, help="Go on until the run ends.")
@click.option("--json", "as_json", is_flag=True, help="The lines as they are stored.")
@click.option("--path", "only_path", is_flag=True, help="Only print where the file is.")
@simulate_option
@settings_options
def log(
    run: str | None, follow: bool, as_json: bool, only_path: bool, simulate: bool, config: Path | None,
    state_dir: str | None, settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Show the progress log of the latest run, or of RUN, in words."""
    from orchestrator.watch.log_files import log_path
    from orchestrator.watch.log_view import read_lines

    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    try:
        path = _log_path(log_path(folder / "logs", _run_id(run)))
    except ValueError as error:
        raise UsageError(f"{error}. `orchestrator runs` lists the runs.") from None
    if only_path:
        click.echo(path)
    elif follow:
        _follow(path, folder, as_json=as_json)
    else:
        for line in read_lines(path):
            _show(line, as_json=as_json)


def _run_id(run: str | None) -> RunId | None:
    """Take a run's name, if one was given."""
    from orchestrator.core.model import RunId

    return RunId(run) if run is not None else None


def _log_path(path: Path) -> Path:
    """Resolve the link to the latest log, which leads to nowhere else; say so where there is none."""
    if not path.exists():
        raise UsageError(f"no log at {path}. `orchestrator runs` lists the runs.")
    found = path.resolve()
    if found.parent != path.parent.resolve() or not found.is_file():
        raise UsageError(f"{path} leads to {found}, which is no log. Remove it.")
    return found


def _show(line: str, *, as_json: bool) -> None:
    """Print one line, as it is or in words; a torn or foreign one not at all."""
    from orchestrator.watch.log_view import render

    words = render(line)
    if words is not None and (not as_json or (line.isascii() and line.isprintable())):
        click.echo(line if as_json else words)


def _follow(path: Path, folder: Path, *, as_json: bool) -> None:
    """Print lines as they come, until the run has ended."""
    import anyio

    from orchestrator.cli.views import is_running
    from orchestrator.core.model import RunId
    from orchestrator.watch.log_view import follow

    run = RunId(path.stem)

    async def tail() -> None:
        async for line in follow(path, anyio.sleep, over=lambda: not is_running(folder, run)):
            _show(line, as_json=as_json)
            sys.stdout.flush()

    anyio.run(tail)


def open_ledger(folder: Path) -> LedgerReader:
    """Open the ledger for looking; say so where there is none."""
    from orchestrator.ledger.reader import LedgerReader

    reader = LedgerReader.open(folder)
    if reader is None:
        raise UsageError(f"no ledger in {folder}. Nothing was run here yet.")
    return reader


def _has_ledger(folder: Path) -> bool:
    """Tell whether anything was ever run here; a script that asks for a list should not stumble over that."""
    from orchestrator.ledger.folder import LEDGER

    return (folder / LEDGER).exists()


def find_run(reader: LedgerReader, run: str | None) -> RunRow:
    """Find a run: the latest, or the one of that name."""
    rows = reader.runs()
    found = next((row for row in rows if run is None or row.run == run), None)
    if found is None:
        hint = f" The latest is {rows[0].run}." if rows else ""
        raise UsageError(f"no run {run or ''} in this ledger.{hint} `orchestrator runs` lists them.")
    return found
