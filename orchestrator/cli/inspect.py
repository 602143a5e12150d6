"""`orchestrator status`, `log` and `runs`: what a night came to, during it and after. Only looks."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.looking import find_run, open_ledger, recalled, with_overviews
from orchestrator.cli.options import duration_of, settings_of, settings_options, simulate_option, state_folder
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.core.freshness import Cell
    from orchestrator.core.model import RunId
    from orchestrator.core.verdict import Result
    from orchestrator.watch.result import Running


@click.command()
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, as `run --json` does.")
@click.option(
    "--watch",
    "every",
    is_flag=False,
    flag_value="5s",
    metavar="[5s]",
    help="Show it again until the run ends.",
)
@click.option("--check", "probe", is_flag=True, help="Answer monitoring: one line, exit code 0, 1, 2 or 3.")
@click.option("--max-age", metavar="26h", help="With --check: how old the last good run may be.")
@click.option("--plan", metavar="NAME", help="With --check: only the runs of this plan.")
@simulate_option
@settings_options
def status(
    run: str | None, as_json: bool, every: str | None, probe: bool, max_age: str | None, plan: str | None,
    simulate: bool, config: Path | None, state_dir: str | None, settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Show where the latest run stands, or RUN: verdict, failures first, a row per destination, freshness.

    Works while a run is going on. Exits 0 whenever it could answer; with --check as a monitoring
    plugin does (0 ok, 1 warning, 2 critical, 3 unknown).
    """
    from orchestrator.cli.check import check
    from orchestrator.cli.watching import watch

    if (probe and (run or as_json or every)) or (not probe and (max_age or plan)) or (as_json and every):
        raise UsageError(
            "--max-age and --plan go with --check, which goes with nothing else; --watch not with --json."
        )
    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    if probe:
        return check(folder, plan, duration_of("--max-age", max_age or "26h"))
    if as_json:
        click.echo(_status_json(folder, run))
    elif every:
        watch(_looker(folder, run), duration_of("--watch", every))
    else:
        click.echo("\n".join(_status_lines(folder, run)[0]))
    return 0


def _looker(folder: Path, run: str | None) -> Callable[[], tuple[list[str], bool]]:
    """Make what looks at one run again and again: at the one that is the latest now."""
    with open_ledger(folder) as reader:
        name = find_run(reader, run).run
    return lambda: _status_lines(folder, name)


def _status_json(folder: Path, run: str | None) -> str:
    """Write a run as JSON, with the freshness of everything where it is the latest; null if unknown."""
    from orchestrator.watch.freshness_view import freshness_shape
    from orchestrator.watch.result import result_json

    view, look = _looked(folder, run)
    if look is None:
        return result_json(view)
    return result_json(view, freshness=freshness_shape(look.cells) if not look.trouble else None)


def _status_lines(folder: Path, run: str | None) -> tuple[list[str], bool]:
    """Tell where a run stands, and whether it goes on; freshness only where it is the latest."""
    from orchestrator.watch.result import Running
    from orchestrator.watch.status_view import status_lines
    from orchestrator.watch.text import neutral

    view, look = _looked(folder, run)
    lines = status_lines(view, time.time(), look.cells if look else ())
    lines += [neutral(f"freshness is not known: {look.trouble}")] if look and look.trouble else []
    return lines, isinstance(view, Running) and not view.killed


@dataclass(frozen=True, slots=True)
class _Look:
    """What only the latest run is told with: the freshness of everything, or why that is not known."""

    cells: tuple[Cell, ...]
    trouble: str


def _looked(folder: Path, run: str | None) -> tuple[Result | Running, _Look | None]:
    """Look at a run, and where it is the latest at everything else that the ledger tells."""
    from orchestrator.cli.views import view_of
    from orchestrator.core.freshness import freshness

    with open_ledger(folder) as reader, reader.standstill():
        row = find_run(reader, run)
        view = view_of(reader, folder, row)
        if row.run != reader.runs()[0].run:
            return view, None
        schedule, trouble = recalled(reader)
    view = with_overviews(view, schedule)
    return view, _Look(freshness(schedule, view.copies) if schedule else (), trouble)


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


def _has_ledger(folder: Path) -> bool:
    """Tell whether anything was ever run here; a script that asks for a list should not stumble over that."""
    from orchestrator.ledger.folder import LEDGER

    return (folder / LEDGER).exists()
