"""`orchestrator show` and `orchestrator history` in words and as JSON; reads and prints nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from orchestrator.core.history import History, Step
from orchestrator.core.messages import Begun
from orchestrator.core.model import Copy, State
from orchestrator.core.reasons import MEANINGS
from orchestrator.core.retelling import Times
from orchestrator.core.verdict import Result, Standing
from orchestrator.watch.result import Running, result_json
from orchestrator.watch.status_view import status_lines
from orchestrator.watch.text import clean, clock_text, columns, date_text, iso, spaced, span, well_formed

_COPIES = ("copy", "state", "called", "accepted", "ended", "took", "calls", "image", "reason")
_NEVER = Times()

TimesOf = Mapping[Copy, Times]


def show_lines(view: Result | Running, begun: Begun | None, times: TimesOf, now: float) -> list[str]:
    """Tell everything of one run: what `status` says, its limits, and a row for each copy."""
    lines = [*status_lines(view, now), _limits_line(begun)]
    rows = [_copy_row(standing, times.get(standing.copy, _NEVER)) for standing in view.copies]
    return [*lines, *columns([_COPIES, *rows], right=frozenset({5, 6}))] if rows else lines


def _limits_line(begun: Begun | None) -> str:
    """Say under which limits the run decided."""
    if begun is None:
        return "limits and times are no longer known: a compaction took this run's events away"
    limits = asdict(begun.limits) if begun.limits else {}
    named = [f"{name} {value:g}" for name, value in limits.items() if value is not None]
    named += [f"endpoint {clean(begun.endpoint)}"] if begun.endpoint else []
    return f"limits: {', '.join(named)}"


def _copy_row(standing: Standing, times: Times) -> tuple[str, ...]:
    """Write one copy; what did not happen in this run stays a dash."""
    at = (times.called_at, times.accepted_at, times.ended_at)
    took = (
        times.ended_at - times.called_at
        if times.ended_at is not None and times.called_at is not None
        else None
    )
    meaning = MEANINGS[standing.reason].says
    detail = f": {clean(standing.detail)}" if standing.detail else ""
    way = f", made of {clean(standing.carrier)} in {clean(standing.via or '')}" if standing.carrier else ""
    return (
        spaced(standing.copy),
        standing.state.value,
        *("-" if moment is None else clock_text(moment) for moment in at),
        "-" if took is None else span(took),
        str(times.calls),
        clean(standing.image) if standing.image else "-",
        f"{meaning} ({standing.reason.value}){way}{detail}",
    )


def show_json(view: Result | Running, begun: Begun | None, times: TimesOf) -> str:
    """Write the same as one line of JSON: `status --json` with limits, and each copy with its times."""
    shape = json.loads(result_json(view))
    shape["limits"] = asdict(begun.limits) if begun is not None and begun.limits else None
    for entry, standing in zip(shape["copies"], view.copies, strict=True):
        known = times.get(standing.copy, _NEVER)
        entry["called_at"] = _iso(known.called_at)
        entry["accepted_at"] = _iso(known.accepted_at)
        entry["ended_at"] = _iso(known.ended_at)
        entry["calls"] = known.calls
    return json.dumps(shape)


def _iso(at: float | None) -> str | None:
    return None if at is None else iso(at)


# --- history --------------------------------------------------------------------------------------


def history_lines(lives: History) -> list[str]:
    """Tell the life of each copy, a line for each step under the copy's name."""
    lines: list[str] = []
    for copy, steps in lives.items():
        lines.append(f"{spaced(copy)}: {steps[-1].state.value if steps else 'never wanted'}")
        run = ""
        for step in steps:
            lines.append(f"  {date_text(step.at)}  {_step_text(step)}{_run_text(step, run)}")
            run = step.run
    return lines


def _run_text(step: Step, before: str) -> str:
    """Name the run where it changes."""
    return f"  [run {clean(step.run)}]" if step.run and step.run != before else ""


def _step_text(step: Step) -> str:
    """Write one step: the state, why, the image, and what the cloud said."""
    if step.wanted:
        known = "" if step.state is State.WAITING else f", {step.state.value} by what was known"
        return f"wanted{known}"
    meaning = MEANINGS[step.reason]
    parts = [f"{step.state.value}: {meaning.says} ({step.reason.value})"]
    parts += [clean(step.image)] if step.image else []
    parts += [f"made of {clean(step.carrier)} in {clean(step.via or '')}"] if step.carrier else []
    parts += [f'"{clean(step.detail)}"'] if step.detail else []
    if step.state in (State.FAILED, State.DOUBTFUL) and meaning.advice:
        parts.append(f"what to do: {meaning.advice}")
    return "; ".join(parts)


def history_json(lives: History) -> str:
    """Write the same as one line of JSON: an array of copies, each with its steps in order."""
    return json.dumps([_life_shape(copy, steps) for copy, steps in lives.items()])


def _life_shape(copy: Copy, steps: Sequence[Step]) -> dict[str, object]:
    """Write one copy and its steps."""
    return {
        "source_region": copy.origin,
        "source_image": copy.source,
        "destination_region": copy.destination,
        "steps": [
            {
                "at": iso(step.at),
                "run": step.run,
                "event": "wanted" if step.wanted else "moved",
                "state": step.state.value,
                "reason": step.reason.value,
                "detail": well_formed(step.detail),
                "destination_image": step.image,
                "call": step.call,
                "via": step.via,
                "carrier": step.carrier,
            }
            for step in steps
        ],
    }
