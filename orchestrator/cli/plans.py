"""`orchestrator validate` and `orchestrator plan`: what a plan says, what a run would do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.detailed import DetailedCommand, detailed_option
from orchestrator.cli.options import read_plan, settings_of, settings_options, simulate_option, state_folder
from orchestrator.errors import PlanError, UsageError

if TYPE_CHECKING:
    from orchestrator.core.diff import Diff
    from orchestrator.core.model import Copy, State
    from orchestrator.core.plan import Plan
    from orchestrator.engine.halt import Halt
    from orchestrator.settings import Settings

PATH_MAX = 4096
"""As many characters of a file's name are shown."""


@click.command()
@click.argument("plans", nargs=-1, required=True, metavar="PLAN...")
@settings_options
def validate(
    plans: tuple[str, ...], config: Path | None, state_dir: str | None, settings: tuple[str, ...]
) -> None:
    """Check plan files; every complaint at once, with its place."""
    from orchestrator.core.plan.complaints import shown
    from orchestrator.watch.text import some

    loaded = settings_of(config, state_dir, settings)
    complaints: list[str] = []
    for path in plans:
        try:
            plan = read_plan(path, loaded)
        except PlanError as error:
            complaints.extend(error.complaints)
        else:
            parts = some(len(plan.replications), "replication"), some(len(plan.copies()), "copy", "copies")
            click.echo(f"{shown(path, PATH_MAX)}: ok, {', '.join(parts)}")
    if complaints:
        raise PlanError(tuple(complaints))


@click.command(cls=DetailedCommand)
@click.argument("plan")
@click.option("--all", "every", is_flag=True, help="List every copy and every source.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Save it; `run FILE` does exactly that."
)
@detailed_option
@click.option("--offline", is_flag=True, help="Ask the cloud nothing; show chunks by plan and ledger alone.")
@click.option("--profile", metavar="NAME", help="Credentials of a profile in ~/.jdc/config.")
@simulate_option
@settings_options
def plan(
    plan: str, every: bool, as_json: bool, out: Path | None, detailed_exitcode: bool, offline: bool,
    profile: str | None, simulate: bool, config: Path | None, state_dir: str | None,
    settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Show what a run of PLAN would do with each copy, and why; nothing is sent or written.

    The cloud is read as a run would read it before its first call: sources, destinations, quotas.
    With --offline or --simulate only the plan and the ledger are.
    """
    loaded = settings_of(config, state_dir, settings)
    wish = read_plan(plan, loaded)
    if offline or simulate:
        if out is not None or every or detailed_exitcode:
            raise UsageError("--out, --all and --detailed-exitcode need the cloud: leave --offline out.")
        _preview(wish, _known(state_folder(loaded, simulate=simulate)), as_json=as_json)
        return 0
    if out is not None and plan == "-":
        raise UsageError("--out needs a PLAN that is a file: the run reads it again.")
    diff = _look(wish, loaded, profile)
    _show(diff, as_json=as_json, every=every)
    if out is not None:
        _save(diff, out, plan, loaded)
    return diff.exit_code(detailed=detailed_exitcode)


# --- with the cloud -------------------------------------------------------------------------------


def _look(plan: Plan, settings: Settings, profile: str | None) -> Diff:
    """Look at the cloud, with signals heard."""
    import anyio

    from orchestrator.app import Orchestrator
    from orchestrator.cli.credentials import credentials_of
    from orchestrator.cli.signals import listening
    from orchestrator.errors import CredentialsMissing

    try:
        credentials, reread = credentials_of(profile)
    except CredentialsMissing as error:
        raise CredentialsMissing(
            f"{error} Without any, `plan --offline` shows what plan and ledger alone can tell."
        ) from None

    async def look(halt: Halt) -> Diff:
        async with Orchestrator(settings, credentials, reread=reread) as orchestrator:
            return await orchestrator.diff(plan, halt)

    return anyio.run(listening, look)


def _show(diff: Diff, *, as_json: bool, every: bool) -> None:
    """Print what was seen."""
    if as_json:
        from orchestrator.watch.plan_json import diff_json

        click.echo(diff_json(diff))
        return
    from orchestrator.watch.plan_view import plan_lines

    for line in plan_lines(diff, every=every):
        click.echo(line)


def _save(diff: Diff, out: Path, plan: str, settings: Settings) -> None:
    """Save what was seen, and say how to run it."""
    from orchestrator.core.saved import saved_plan
    from orchestrator.settings.endpoints import endpoint_name
    from orchestrator.watch.plan_file import write_saved
    from orchestrator.watch.text import clean

    write_saved(out, saved_plan(diff, str(Path(plan).absolute()), endpoint_name(settings.vm_endpoint)))
    click.echo(f"saved: `orchestrator run {clean(str(out), PATH_MAX)}` does exactly this", err=True)


# --- without it -----------------------------------------------------------------------------------


def _known(folder: Path) -> dict[Copy, State]:
    """Read what the ledger knows of every copy; nothing where there is none."""
    from orchestrator.ledger.reader import LedgerReader

    reader = LedgerReader.open(folder)
    if reader is None:
        return {}
    with reader:
        return reader.states()


def _preview(plan: Plan, states: dict[Copy, State], *, as_json: bool) -> None:
    """Print the chunks of what the ledger does not have."""
    from orchestrator.watch.preview import preview_json, preview_lines

    if as_json:
        click.echo(preview_json(plan, states))
        return
    for line in preview_lines(plan, states):
        click.echo(line)
