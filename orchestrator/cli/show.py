"""`orchestrator show`, `history` and `why`: one run, one image, one copy in full. Only looks."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.looking import find_run, open_ledger, with_overviews
from orchestrator.cli.options import settings_of, settings_options, simulate_option, state_folder
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.core.model import Copy
    from orchestrator.core.schedule import Schedule
    from orchestrator.ledger.port import RunRow
    from orchestrator.ledger.reader import LedgerReader


@click.command()
@click.argument("run", required=False)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@simulate_option
@settings_options
def show(
    run: str | None, as_json: bool, simulate: bool, config: Path | None, state_dir: str | None,
    settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Show everything of RUN, or of the latest run: verdict, limits, each copy with reason and times."""
    from orchestrator.cli.views import view_of
    from orchestrator.core.retelling import retell, times_of
    from orchestrator.watch.show_view import show_json, show_lines

    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    with open_ledger(folder) as reader, reader.standstill():
        row = find_run(reader, run)
        retold = retell(reader.events(until_run=row.run), row.run, reader.ledger_id)
        view = with_overviews(view_of(reader, folder, row), retold.schedule)
    times = times_of(retold.changes)
    if as_json:
        click.echo(show_json(view, retold.begun, times))
        return
    for line in show_lines(view, retold.begun, times, time.time()):
        click.echo(line)


@click.command()
@click.argument("image")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@simulate_option
@settings_options
def history(
    image: str, as_json: bool, simulate: bool, config: Path | None, state_dir: str | None,
    settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Tell the life of each copy of the source image IMAGE, or of the copy with this id.

    Through all nights that the ledger remembers: when it was wanted, called, accepted, ready, failed,
    and why.
    """
    from orchestrator.core.history import history as lives_of
    from orchestrator.core.model import ImageId
    from orchestrator.watch.show_view import history_json, history_lines

    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    with open_ledger(folder) as reader, reader.standstill():
        lives = lives_of(reader.events, ImageId(image), reader.ledger_id)
    if not lives:
        raise _unknown(image)
    if as_json:
        click.echo(history_json(lives))
        return
    for line in history_lines(lives):
        click.echo(line)


@click.command()
@click.argument("image")
@click.argument("region")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array, an object for each copy.")
@simulate_option
@settings_options
def why(
    image: str, region: str, as_json: bool, simulate: bool, config: Path | None, state_dir: str | None,
    settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Say why the copy of IMAGE in REGION stands where it stands, and until when.

    IMAGE is the source image, or the copy itself. Works while a run is going on and after it.
    """
    from orchestrator.cli.views import is_running
    from orchestrator.core.schedule.explaining import explain
    from orchestrator.watch.why_view import why_json, why_lines

    folder = state_folder(settings_of(config, state_dir, settings), simulate=simulate)
    with open_ledger(folder) as reader, reader.standstill():
        row = find_run(reader, None)
        goes_on = row.finished_at is None and is_running(folder, row.run)
        schedule, now = _as_it_is(reader, row, goes_on=goes_on)
    copies = _copies_of(schedule, image, region)
    told = {copy: explain(schedule.register, copy, now) for copy in copies}
    if as_json:
        click.echo(why_json(told, run=row.run, goes_on=goes_on))
        return
    for line in why_lines(told, run=row.run, goes_on=goes_on, now=now):
        click.echo(line)


def _as_it_is(reader: LedgerReader, row: RunRow, *, goes_on: bool) -> tuple[Schedule, float]:
    """Bring the schedule to where the running one is; return it with the time to ask at.

    What is not in the events, such as a call that is held back for more copies, follows from
    deciding as the running one does; nothing is sent, for nobody performs what is decided here.
    """
    from orchestrator.core.retelling import retell

    schedule = retell(reader.events(), row.run, reader.ledger_id).schedule
    if not goes_on:
        return schedule, 0.0
    now = time.time()
    schedule.decide(now)
    return schedule, now


def _copies_of(schedule: Schedule, image: str, region: str) -> list[Copy]:
    """Find the copies that are meant; there are several where two regions have a source of one id."""
    tracks = schedule.register.tracks.items()
    of_image = [copy for copy, track in tracks if image in (copy.source, track.image)]
    if not of_image:
        raise _unknown(image)
    found = [copy for copy in of_image if copy.destination == region]
    if not found:
        known = ", ".join(sorted({copy.destination for copy in of_image}))
        raise UsageError(f"{image} was never wanted in {region}. It was wanted in {known}.")
    return found


def _unknown(image: str) -> UsageError:
    """Make the error for an image that no run ever wanted."""
    return UsageError(
        f"no copy of {image} is in this ledger. Give the id of a source image or of a copy; "
        "`orchestrator show` lists those of a run."
    )
