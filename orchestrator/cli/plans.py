"""`orchestrator validate` and `orchestrator plan`: what a plan says, without sending anything."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import read_plan, settings_of, settings_options, simulate_option, state_folder
from orchestrator.errors import PlanError

if TYPE_CHECKING:
    from orchestrator.core.model import Chunk, Copy, State

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


@click.command()
@click.argument("plan")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@simulate_option
@settings_options
def plan(
    plan: str, as_json: bool, simulate: bool, config: Path | None, state_dir: str | None,
    settings: tuple[str, ...],
) -> None:  # fmt: skip
    """Show what PLAN would copy, in chunks of at most ten; nothing is sent or written.

    What the ledger has as ready is left out; a run confirms it by listing the destinations.
    """
    from orchestrator.core.plan import preview

    loaded = settings_of(config, state_dir, settings)
    wanted = read_plan(plan, loaded).copies()
    states = _known(state_folder(loaded, simulate=simulate))
    chunks = preview(copy for copy in wanted if _to_send(states.get(copy)))
    if as_json:
        click.echo(json.dumps(_shape(plan, wanted, states, chunks)))
        return
    for line in _lines(plan, wanted, states, chunks):
        click.echo(line)


def _known(folder: Path) -> dict[Copy, State]:
    """Read what the ledger knows of every copy; nothing where there is none."""
    from orchestrator.ledger.reader import LedgerReader

    reader = LedgerReader.open(folder)
    if reader is None:
        return {}
    with reader:
        return reader.states()


def _to_send(state: State | None) -> bool:
    """Tell whether a run would send a call for a copy, as far as the ledger knows."""
    return state is None or state.value in ("waiting", "failed")


def _lines(
    name: str, wanted: tuple[Copy, ...], states: dict[Copy, State], chunks: tuple[Chunk, ...]
) -> list[str]:
    """Write the preview for people: a line per route, then its chunks."""
    from orchestrator.core.plan.complaints import shown

    lines = [f"{shown(name, PATH_MAX)}: {len(wanted)} copies wanted{_of_these(wanted, states)}"]
    lines.append(f"to copy: {sum(len(c.copies) for c in chunks)} in {len(chunks)} calls")
    for chunk in chunks:
        lines.append(f"  {chunk.origin} > {chunk.destination}: {' '.join(chunk.sources)}")
    return lines


def _of_these(wanted: tuple[Copy, ...], states: dict[Copy, State]) -> str:
    """Say what the ledger knows of the wanted copies."""
    known = Counter(states[copy].value for copy in wanted if copy in states)
    return "; the ledger has " + ", ".join(f"{n} {s}" for s, n in sorted(known.items())) if known else ""


def _shape(
    name: str, wanted: tuple[Copy, ...], states: dict[Copy, State], chunks: tuple[Chunk, ...]
) -> dict[str, object]:
    """Write the preview for machines."""
    from orchestrator.watch.text import well_formed

    known = Counter(states[copy].value for copy in wanted if copy in states)
    return {
        "plan": well_formed(name),
        "wanted": len(wanted),
        "known": dict(sorted(known.items())),
        "chunks": [
            {"source_region": c.origin, "destination_region": c.destination, "images": list(c.sources)}
            for c in chunks
        ],
    }
