"""What a message says: a run's end as a small JSON object and as a few lines of words. It sends nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from orchestrator import __version__
from orchestrator.core.model import State
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.core.verdict import Result, Standing, Verdict
from orchestrator.settings.messages import Occasion
from orchestrator.watch.history import Before
from orchestrator.watch.result import counts_shape
from orchestrator.watch.summary import verdict_text
from orchestrator.watch.text import clean, iso, some, spaced, span

SCHEMA = 1
"""The version of the JSON's form; it grows when a field changes its meaning, never when one is added."""

MOST_FAILURES = 20
"""Most failures that the JSON names one by one."""

MOST_LINES = 5
"""Most failures that a notification names: it is read on a telephone."""

_PLAN_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidings:
    """What there is to tell. `result` is None where something stopped the run before it began.

    `fault` is what stopped it, empty where nothing did; `before` is the run of this plan before it.
    """

    plan: str
    verdict: Verdict
    exit_code: int
    result: Result | None = None
    fault: str = ""
    before: Before | None = None


def is_due(tidings: Tidings, when: Occasion) -> bool:
    """Tell whether webhook and notifications are sent.

    On `change` every run that did not end well is told of, and one that ended with another verdict
    than the one before it, which the first run of a plan does too.
    """
    match when:
        case "always":
            return True
        case "never":
            return False
        case "failure":
            return tidings.exit_code != 0
        case "change":
            return tidings.exit_code != 0 or _last_verdict(tidings) != tidings.verdict.value
        case _:
            assert_never(when)


def shape(tidings: Tidings) -> dict[str, object]:
    """Write everything as one JSON object; docs/monitoring.md describes it."""
    result = tidings.result
    failures = troubles(result) if result else []
    return {
        "schema": SCHEMA,
        "version": __version__,
        "run": result.run if result else None,
        "plan": tidings.plan,
        "verdict": tidings.verdict.value,
        "exit_code": tidings.exit_code,
        "started_at": iso(result.started_at) if result else None,
        "finished_at": iso(result.finished_at) if result else None,
        "counts": counts_shape(result.counts) if result else None,
        "failures": [_trouble_shape(standing) for standing in failures[:MOST_FAILURES]],
        "more_failures": max(0, len(failures) - MOST_FAILURES),
        "deferred": [
            {"destination_region": region, "reason": reason.value, "copies": number}
            for (region, reason), number in (_deferred(result).most_common() if result else ())
        ],
        "change": _change_shape(tidings),
        "fault": tidings.fault or None,
        "text": text(tidings),
    }


def text(tidings: Tidings) -> str:
    """Say it in one or two sentences."""
    plan, result = clean(tidings.plan, _PLAN_MAX), tidings.result
    if result is None:
        return f"{plan}: failed before the run began, exit code {tidings.exit_code}. {clean(tidings.fault)}"
    said = verdict_text(result)
    if result.strangers:
        said += f"; {some(len(result.strangers), 'image')} with our mark that the ledger does not know"
    return " ".join(part for part in (f"{plan}: {said}.", clean(tidings.fault), _since(tidings)) if part)


def notification(tidings: Tidings) -> tuple[str, str]:
    """Say it as a title and a few lines, failures first."""
    title = f"{clean(tidings.plan, _PLAN_MAX)}: {tidings.verdict.value}"
    result = tidings.result
    if result is None:
        return title, text(tidings)
    failures = troubles(result)
    lines = [_trouble_line(standing) for standing in failures[:MOST_LINES]]
    if len(failures) > MOST_LINES:
        lines.append(f"and {len(failures) - MOST_LINES} more like these")
    for (region, reason), number in _deferred(result).most_common(MOST_LINES):
        lines.append(f"{some(number, 'copy', 'copies')} to {clean(region)} wait: {MEANINGS[reason].says}")
    took = span(result.finished_at - result.started_at, spoken=True)
    return title, "\n".join([*lines, text(tidings), f"Run {result.run} took {took}."])


def troubles(result: Result) -> list[Standing]:
    """List the copies that somebody must see to: what failed, the largest group first, then the doubtful."""
    failed = [standing for standing in result.copies if standing.state is State.FAILED]
    sizes = Counter(standing.reason for standing in failed)
    failed.sort(key=lambda standing: (-sizes[standing.reason], standing.reason))
    return failed + [
        s for s in result.copies if s.state is State.DOUBTFUL and s.reason is Reason.NEEDS_PERSON
    ]


def _deferred(result: Result) -> Counter[tuple[str, Reason]]:
    """Count the copies that a quota holds up, by destination and reason."""
    return Counter(
        (standing.copy.destination, standing.reason)
        for standing in result.copies
        if standing.state is State.WAITING and MEANINGS[standing.reason].nature is Nature.QUOTA
    )


def _trouble_shape(standing: Standing) -> dict[str, object]:
    """Write one copy that somebody must see to."""
    meaning = MEANINGS[standing.reason]
    return {
        "source_image": standing.copy.source,
        "source_region": standing.copy.origin,
        "destination_region": standing.copy.destination,
        "state": standing.state.value,
        "reason": standing.reason.value,
        "says": meaning.says,
        "advice": meaning.advice,
        "detail": clean(standing.detail),
    }


def _trouble_line(standing: Standing) -> str:
    """Write the same as a line."""
    return f"{standing.state.value}: {spaced(standing.copy)}: {MEANINGS[standing.reason].says}"


def _last_verdict(tidings: Tidings) -> str | None:
    """Give the verdict of the run before."""
    return tidings.before.verdict if tidings.before else None


def _change_shape(tidings: Tidings) -> dict[str, object]:
    """Compare with the run before; what cannot be told is null."""
    before, result = tidings.before, tidings.result
    known = before.failed if before and result else None
    copies: Sequence[Standing] = result.copies if result else ()
    failed = {standing.copy for standing in copies if standing.state is State.FAILED}
    ready = {standing.copy for standing in copies if standing.state is State.READY}
    return {
        "last_run": before.run if before else None,
        "last_verdict": _last_verdict(tidings),
        "newly_failed": None if known is None else len(failed - known),
        "recovered": None if known is None else len(ready & known),
    }


def _since(tidings: Tidings) -> str:
    """Say what the run before came to, where that was something else."""
    last = _last_verdict(tidings)
    if last is None:
        return "It is the first run of this plan."
    return "" if last == tidings.verdict.value else f"The run before: {clean(last)}."
