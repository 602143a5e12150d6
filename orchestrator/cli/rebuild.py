"""`orchestrator ledger rebuild`: a new ledger out of what the cloud shows, and what became of it in words."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import read_plan, settings_of, settings_options

if TYPE_CHECKING:
    from orchestrator.app import Wish
    from orchestrator.engine.halt import Halt
    from orchestrator.runs.rebuilding import Rebuilt
    from orchestrator.settings import Settings


@click.command()
@click.argument("plan")
@click.option("--even-if-healthy", is_flag=True, help="Put a new ledger in the place of a healthy one, too.")
@click.option("--profile", metavar="NAME", help="Credentials of a profile in ~/.jdc/config.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object on stdout.")
@settings_options
def rebuild(
    plan: str, even_if_healthy: bool, profile: str | None, as_json: bool, config: Path | None,
    state_dir: str | None, settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Make a new ledger from what the cloud shows of PLAN, when the old one is lost or damaged.

    It only looks: nothing is copied. What a mark or the platform's text proves to be a copy of
    the plan is taken over; the rest is in doubt until the next run has looked for SETTLE_TIME.
    The old ledger is kept beside the new one.
    """
    from orchestrator.app import Wish

    loaded = settings_of(config, state_dir, settings)
    wish = Wish(plan=read_plan(plan, loaded))
    rebuilt = _rebuild(loaded, wish, profile, even_if_healthy=even_if_healthy)
    for line in rebuilt_lines(rebuilt):
        click.echo(line, err=True)
    if rebuilt.outcome.fault is not None:
        click.echo(f"orchestrator: {rebuilt.outcome.fault}", err=True)
    if as_json:
        click.echo(rebuilt_json(rebuilt))
    return rebuilt.outcome.result.exit_code


def _rebuild(settings: Settings, wish: Wish, profile: str | None, *, even_if_healthy: bool) -> Rebuilt:
    """Rebuild with signals heard."""
    import anyio

    from orchestrator.cli.signals import listening

    async def work(halt: Halt) -> Rebuilt:
        from orchestrator.app import Orchestrator
        from orchestrator.settings.credentials import load_credentials

        credentials = load_credentials(environ=os.environ, home=Path.home(), profile=profile, warn=_warn)
        async with Orchestrator(settings, credentials) as orchestrator:
            return await orchestrator.rebuild(wish, halt, even_if_healthy=even_if_healthy)

    return anyio.run(listening, work)


def _warn(message: str) -> None:
    """Show a warning."""
    click.echo(f"warning: {message}", err=True)


def rebuilt_lines(rebuilt: Rebuilt) -> list[str]:
    """Tell on one screen what was found, what is in doubt or needs a person, and whose ledger it is."""
    from orchestrator.watch.summary import pending_lines, trouble_lines
    from orchestrator.watch.text import clean

    result = rebuilt.outcome.result
    if not rebuilt.in_place:
        lines = [f"not rebuilt ({result.verdict.value}): everything was left as it was"]
    else:
        counts = ", ".join(f"{number} {word}" for word, number in _counts(rebuilt).items())
        lines = [f"rebuilt: {counts}", _identity(rebuilt)]
        lines += [*trouble_lines(result.copies), *pending_lines(result.copies)]
    if rebuilt.kept is not None:
        lines.append(f"the old ledger is kept as {clean(str(rebuilt.kept), 4096)}")
    return [*lines, f"log: {clean(str(rebuilt.outcome.log), 4096)}"]


def _identity(rebuilt: Rebuilt) -> str:
    """Say under which id the ledger goes on, and whose marks there are besides."""
    others = {ledger: count for ledger, count in rebuilt.marked.items() if ledger != rebuilt.ledger_id}
    foreign = ", ".join(f"{ledger} on {count}" for ledger, count in others.items())
    besides = f"; marks of other ledgers: {foreign}" if foreign else ""
    if rebuilt.inherited:
        count = rebuilt.marked[rebuilt.ledger_id]
        carried = f"which the marks of {count} images carry"
        return f"the ledger goes on under the id {rebuilt.ledger_id}, {carried}{besides}"
    return f"the ledger has the new id {rebuilt.ledger_id}{besides}"


def _counts(rebuilt: Rebuilt) -> dict[str, int]:
    """Count the plan's copies by what is known of them now; each is counted once."""
    from orchestrator.core.model import State
    from orchestrator.core.reasons import Reason

    copies = rebuilt.outcome.result.copies
    person = sum(standing.reason is Reason.NEEDS_PERSON for standing in copies)
    return {
        "wanted": len(copies),
        "ready": sum(standing.state is State.READY for standing in copies),
        "under way": sum(standing.state is State.COPYING for standing in copies),
        "failed": sum(standing.state is State.FAILED for standing in copies),
        "in doubt": sum(standing.state is State.DOUBTFUL for standing in copies) - person,
        "for a person": person,
    }


def rebuilt_json(rebuilt: Rebuilt) -> str:
    """Write a rebuild as one line of JSON; `result` is what `run --json` prints of a run."""
    from orchestrator.watch.result import result_json

    shape = {
        "in_place": rebuilt.in_place,
        "ledger_id": rebuilt.ledger_id,
        "inherited": rebuilt.inherited,
        "kept": str(rebuilt.kept) if rebuilt.kept is not None else None,
        "counts": {word.replace(" ", "_"): number for word, number in _counts(rebuilt).items()},
        "marked": dict(rebuilt.marked),
        "result": json.loads(result_json(rebuilt.outcome.result)),
    }
    return json.dumps(shape)
