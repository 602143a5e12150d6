"""`orchestrator prune`: which old copies could go, and with --apply their deletion, after a question."""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import read_plan, settings_of, settings_options
from orchestrator.errors import UsageError

if TYPE_CHECKING:
    from orchestrator.core.plan import Plan
    from orchestrator.core.retention import Doom
    from orchestrator.engine.halt import Halt
    from orchestrator.settings import Settings

_INCOMPLETE = 3


@click.command()
@click.argument("plan")
@click.option("--apply", is_flag=True, help="Delete what is shown; without it nothing is changed.")
@click.option("--yes", is_flag=True, help="Answer the question of --apply: yes. For cron.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--profile", metavar="NAME", help="Credentials of a profile in ~/.jdc/config.")
@settings_options
def prune(
    plan: str, apply: bool, yes: bool, as_json: bool, profile: str | None, config: Path | None,
    state_dir: str | None, settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Show which copies that PLAN no longer keeps could be deleted in its destinations; --apply deletes them.

    Only copies that the ledger or a mark proves to be ours; never the newest ready one of a family, a
    shared one, a source, or what tonight's plan wants. Snapshots go with their images.
    """
    if yes and not apply:
        raise UsageError("--yes goes with --apply.")
    loaded = settings_of(config, state_dir, settings)
    wish = read_plan(plan, loaded)
    if not any(each.policy.keep for each in wish.replications):
        raise UsageError(f"{plan}: no replication has `keep`, so nothing may go. See docs/retention.md.")
    dooms = _judged(wish, loaded, profile)
    going = [doom for doom in dooms if doom.goes]
    _show(dooms, as_json=as_json, applied=apply)
    if not apply or not going:
        return 0
    _agree(len(going), yes=yes)
    left = _delete(wish, going, loaded, profile, as_json=as_json)
    return _INCOMPLETE if left else 0


def _judged(plan: Plan, settings: Settings, profile: str | None) -> tuple[Doom, ...]:
    """Read the regions, with signals heard."""
    import anyio

    from orchestrator.app import Orchestrator
    from orchestrator.cli.credentials import credentials_of
    from orchestrator.cli.signals import listening

    credentials, reread = credentials_of(profile)

    async def look(halt: Halt) -> tuple[Doom, ...]:
        async with Orchestrator(settings, credentials, reread=reread) as orchestrator:
            return await orchestrator.prunable(plan)

    return anyio.run(partial(listening, look, leaves=False))


def _delete(plan: Plan, going: list[Doom], settings: Settings, profile: str | None, *, as_json: bool) -> int:
    """Delete, saying each; return how many are still there."""
    import anyio

    from orchestrator.app import Orchestrator
    from orchestrator.cli.credentials import credentials_of
    from orchestrator.cli.signals import listening
    from orchestrator.core.upkeep import Pruned
    from orchestrator.watch.prune_view import told

    credentials, reread = credentials_of(profile)

    def tell(event: Pruned) -> None:
        click.echo(told(event), err=as_json)

    async def delete(halt: Halt) -> int:
        async with Orchestrator(settings, credentials, reread=reread) as orchestrator:
            return await orchestrator.prune(plan, going, tell, halt)

    return anyio.run(listening, delete)


def _show(dooms: tuple[Doom, ...], *, as_json: bool, applied: bool) -> None:
    """Print what may go and what stays."""
    from orchestrator.watch.prune_view import prune_lines, prune_shape

    if as_json:
        click.echo(json.dumps(prune_shape(dooms)))
        return
    for line in prune_lines(dooms, applied=applied):
        click.echo(line)


def _agree(number: int, *, yes: bool) -> None:
    """Get a yes, from the command line or from a person, once."""
    from orchestrator.watch.text import some

    if yes:
        return
    if sys.stdin is None or not sys.stdin.isatty():
        raise UsageError("--apply asks a question, and nobody is there to answer it. Give --yes.")
    question = f"Delete {some(number, 'image')} with their snapshots? This cannot be undone"
    if not click.confirm(question, err=True):
        raise UsageError("nothing was deleted.")
