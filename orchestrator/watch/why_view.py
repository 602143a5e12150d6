"""`orchestrator why` in words and as JSON; reads and prints nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping

from orchestrator.core.model import Copy, RunId, State
from orchestrator.core.schedule.explaining import Explanation
from orchestrator.watch.text import clean, clock_text, date_text, iso, spaced, span, well_formed

Told = Mapping[Copy, Explanation]

_UNDER_WAY = (State.WAITING, State.CALLING, State.COPYING, State.DOUBTFUL)


def why_lines(told: Told, *, run: RunId, goes_on: bool, now: float) -> list[str]:
    """Say of each copy its state, why, and until when; of a run that is over, that the next one goes on."""
    lines = []
    for copy, one in told.items():
        since = f" since {date_text(one.since)}" if one.since else ""  # 0: it never moved
        head = f"{spaced(copy)}: {one.state.value}{since}: {clean(one.phrase, 1000)}"
        until = f", until about {clock_text(one.until)} (in {span(one.until - now)})" if one.until else ""
        left = "" if goes_on or one.state not in _UNDER_WAY else f"; so run {clean(run)} left it"
        lines.append(f"{head}{until if goes_on else ''}{left} [{one.reason.value}]")
    return lines


def why_json(told: Told, *, run: RunId, goes_on: bool) -> str:
    """Write the same as one line of JSON."""
    return json.dumps([
        {
            "source_region": copy.origin,
            "source_image": copy.source,
            "destination_region": copy.destination,
            "state": one.state.value,
            "reason": one.reason.value,
            "phrase": well_formed(one.phrase),
            "since": iso(one.since) if one.since else None,
            "until": iso(one.until) if goes_on and one.until is not None else None,
            "run": run,
            "goes_on": goes_on,
        }
        for copy, one in told.items()
    ])  # fmt: skip
