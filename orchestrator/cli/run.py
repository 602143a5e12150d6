"""`orchestrator run`: one night. Options in, result out; what a run does is `app`'s affair."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.credentials import credentials_of
from orchestrator.cli.options import duration_of, read_plan, read_saved, settings_of, settings_options
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.app import Outcome, Screen, Wish
    from orchestrator.core.plan import Plan
    from orchestrator.core.plan.narrowing import Narrowing
    from orchestrator.core.saved import SavedPlan
    from orchestrator.engine.halt import Halt
    from orchestrator.settings import Settings


@click.command()
@click.argument("plan", required=False)
@click.option("--simulate", is_flag=True, help="Run on the built-in simulator, in a state folder of its own.")
@click.option("--only", metavar="IMAGE", multiple=True, help="Only copies of this source image; repeatable.")
@click.option(
    "--destination", metavar="REGION", multiple=True, help="Only copies to this region; repeatable."
)
@click.option("--failed", is_flag=True, help="Only copies that failed the last time.")
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="At most N copies that are not ready yet."
)
@click.option("--lock-wait", metavar="10m", help="Wait so long for another run to end.")
@click.option("--take-over", is_flag=True, help="Take over from a run that hangs; asks first.")
@click.option("--yes", is_flag=True, help="Answer the question of --take-over: yes.")
@click.option("--deadline", metavar="3h|06:00", help="End at this time; the next run goes on.")
@click.option(
    "--submit-until", metavar="2h|04:00", help="Send no calls after this time, but watch what is under way."
)
@click.option(
    "--prune-first", is_flag=True, help="Where a quota is short, delete what `keep` does not keep, first."
)
@click.option("--profile", metavar="NAME", help="Credentials of a profile in ~/.jdc/config.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object on stdout.")
@click.option("-q", "--quiet", is_flag=True, help="Say nothing unless something is wrong.")
@click.option("-v", "--verbose", count=True, help="Say more; -vv shows tracebacks of faults of our own.")
@click.option("--no-progress", is_flag=True, help="No live table, even on a terminal.")
@settings_options
def run(
    plan: str | None, simulate: bool, only: tuple[str, ...], destination: tuple[str, ...], failed: bool,
    limit: int | None, lock_wait: str | None, take_over: bool, yes: bool, deadline: str | None,
    submit_until: str | None, prune_first: bool, profile: str | None, as_json: bool, quiet: bool,
    verbose: int, no_progress: bool, config: Path | None, state_dir: str | None, settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Make every copy that PLAN wants, and wait until each is ready.

    Copies that are there already are confirmed and not made again; an interrupted run is taken
    over. A PLAN that `plan --out` saved is done exactly as it says, or refused when the world has
    moved. Without PLAN, --simulate uses the demo plan that comes with the program.
    """
    from orchestrator.app import Screen, Wish
    from orchestrator.cli.take_over import agreed_holder

    if (yes and not take_over) or (take_over and simulate):
        raise UsageError("--yes goes with --take-over, and --take-over with a run that is not simulated.")
    if prune_first and simulate:
        raise UsageError("--prune-first goes with a run that is not simulated.")
    loaded = settings_of(config, state_dir, settings)
    saved, narrowing = read_saved(plan), _narrowing(only, destination, limit, failed=failed)
    _refuse_less(saved, narrowing, other=simulate or prune_first)
    now = datetime.now().astimezone()
    wish = Wish(
        plan=_plan(saved.file if saved else plan, loaded, simulate=simulate),
        saved=saved,
        narrowing=narrowing,
        deadline_s=_seconds_until("--deadline", deadline, now) if deadline else inf,
        submit_s=_seconds_until("--submit-until", submit_until, now) if submit_until else inf,
        lock_wait_s=duration_of("--lock-wait", lock_wait) if lock_wait else 0.0,
        overtakes=agreed_holder(loaded.state_dir, yes=yes) if take_over else None,
        prune_first=prune_first,
    )
    screen = Screen(quiet=quiet, verbose=verbose > 0, progress=not no_progress)
    outcome = _run(loaded, wish, screen, profile, simulate=simulate)
    return _report(outcome, quiet=quiet, as_json=as_json)


def _plan(path: str | None, settings: Settings, *, simulate: bool) -> Plan:
    """Read the plan, before anything else is looked at; the demo plan only in a simulation."""
    if path is not None:
        return read_plan(path, settings)
    if not simulate:
        raise UsageError("run needs a PLAN. Try `orchestrator run --simulate` for a demo.")
    from importlib.resources import as_file, files

    with as_file(files("orchestrator.simulator") / "data" / "demo.yaml") as demo:
        return read_plan(str(demo), settings)


def _narrowing(
    only: tuple[str, ...], destinations: tuple[str, ...], limit: int | None, *, failed: bool
) -> Narrowing:
    """Take the options that leave something out."""
    from orchestrator.core.model import ImageId, Region
    from orchestrator.core.plan.narrowing import Narrowing

    images, regions = frozenset(map(ImageId, only)), frozenset(map(Region, destinations))
    return Narrowing(images=images, destinations=regions, failed=failed, limit=limit)


def _refuse_less(saved: SavedPlan | None, narrowing: Narrowing, *, other: bool) -> None:
    """Refuse to do less than a saved plan says, or something `other`."""
    from orchestrator.core.plan.narrowing import Narrowing

    if saved is not None and (other or narrowing != Narrowing()):
        raise UsageError(
            "a saved plan is done as it is: leave --only, --destination, --failed, --limit, --simulate "
            "and --prune-first out."
        )


def _seconds_until(option: str, text: str, now: datetime) -> float:
    """Read a time to come: a duration, or the next time the clock of this machine shows HH:MM."""
    if ":" not in text:
        return duration_of(option, text)
    try:
        at = datetime.strptime(text, "%H:%M")  # noqa: DTZ007  an hour of the day has no zone
    except ValueError:
        raise UsageError(f"{option} {text}: give a duration such as 3h, or a time such as 06:00.") from None
    next_one = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    if next_one <= now:
        next_one += timedelta(days=1)
    return (next_one - now).total_seconds()


def _run(settings: Settings, wish: Wish, screen: Screen, profile: str | None, *, simulate: bool) -> Outcome:
    """Run on the cloud or on the simulator, with signals heard."""
    import anyio

    from orchestrator.cli.signals import listening

    async def night(halt: Halt) -> Outcome:
        if simulate:
            from orchestrator.cli.simulated import run_simulated

            return await run_simulated(settings, wish, screen, halt)
        from orchestrator.app import Orchestrator

        credentials, again = credentials_of(profile)
        async with Orchestrator(settings, credentials, reread=again, screen=screen) as orchestrator:
            return await orchestrator.run(wish, halt)

    return anyio.run(listening, night)


def _report(outcome: Outcome, *, quiet: bool, as_json: bool) -> int:
    """Print the result: JSON to stdout, words to stderr; quiet says only what is wrong."""
    from orchestrator.watch.result import result_json
    from orchestrator.watch.summary import summary_lines
    from orchestrator.watch.text import neutral

    result = outcome.result
    if not quiet or result.exit_code:
        for line in summary_lines(result, outcome.log):
            click.echo(line, err=True)
    if outcome.fault is not None:
        click.echo(neutral(f"orchestrator: {outcome.fault}"), err=True)
    if as_json:
        _print_result(result_json(result))
    return result.exit_code


def _print_result(text: str) -> None:
    """Print to stdout. That it cannot be written is said, and changes nothing of what the run came to."""
    from orchestrator.cli.streams import reader_left, stdout_trouble

    with suppress(OSError):
        print(text)
    trouble = stdout_trouble()
    if trouble is not None and not reader_left(trouble):
        click.echo(f"orchestrator: stdout: {trouble.strerror}. `status --json` prints the result.", err=True)
