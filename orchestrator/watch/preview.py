"""`orchestrator plan --offline`: the chunks of a plan, by what the ledger knows alone; prints nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from orchestrator.core.model import Chunk, Copy, State
from orchestrator.core.plan import Plan, preview
from orchestrator.core.plan.complaints import shown
from orchestrator.watch.plan_json import VERSION, chunk_shape
from orchestrator.watch.text import well_formed

_PATH_MAX = 4096

States = Mapping[Copy, State]


def preview_lines(plan: Plan, states: States) -> list[str]:
    """Write the preview for people: the counts, then a line per chunk."""
    wanted, chunks = plan.copies(), _chunks(plan, states)
    known = ", ".join(f"{number} {state}" for state, number in _known(wanted, states).items())
    of_these = f"; the ledger has {known}" if known else ""
    lines = [f"{shown(plan.name, _PATH_MAX)}: {len(wanted)} copies wanted{of_these}"]
    lines.append(f"to copy: {sum(len(c.copies) for c in chunks)} in {len(chunks)} calls")
    return lines + [f"  {c.origin} > {c.destination}: {' '.join(c.sources)}" for c in chunks]


def preview_json(plan: Plan, states: States) -> str:
    """Write the preview for machines."""
    wanted = plan.copies()
    return json.dumps(
        {
            "version": VERSION,
            "offline": True,
            "plan": well_formed(plan.name),
            "wanted": len(wanted),
            "known": _known(wanted, states),
            "chunks": [chunk_shape(chunk) for chunk in _chunks(plan, states)],
        }
    )


def _chunks(plan: Plan, states: States) -> tuple[Chunk, ...]:
    """Cut into chunks what a run would send, as far as the ledger knows."""
    return preview(copy for copy in plan.copies() if states.get(copy) in (None, State.WAITING, State.FAILED))


def _known(wanted: tuple[Copy, ...], states: States) -> dict[str, int]:
    """Count what the ledger knows of the wanted copies."""
    return dict(sorted(Counter(states[copy].value for copy in wanted if copy in states).items()))
