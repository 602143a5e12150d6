"""The one line that a monitoring plugin prints: level, what is wrong, numbers, performance data."""

from __future__ import annotations

from pathlib import PurePath

from orchestrator.core.probe import Alarm, Probe
from orchestrator.watch.freshness_view import age_text
from orchestrator.watch.text import clean, span

_MOST = 3
"""Most reasons that are named."""


def probe_line(answer: Probe, plan: str, *, max_age_s: float, others: int = 0) -> str:
    """Write the answer for one plan; `others` are plans that are not worse.

    `OK - nightly.yaml: 360 of 360 ready; everything was ready 3h ago|age=10800s;;93600;0 ready=360;...`
    """
    said = [alarm.says for alarm in answer.alarms]
    said += [_numbers(answer), _age(answer, max_age_s)] if answer.wanted else []
    said += ["a run is going on"] if answer.going_on and Alarm.FIRST not in answer.alarms else []
    said += (
        [f"{others} other plans are no worse" if others > 1 else "1 other plan is no worse"] if others else []
    )
    name = f"{PurePath(plan).name}: " if plan else ""
    text = clean(f"{name}{'; '.join(said)}", 1000).replace("|", "/")
    data = f"|{_data(answer, max_age_s)}" if answer.wanted else ""
    return f"{answer.level.name} - {text}{data}"


def unknown_line(message: str) -> str:
    """Write that nothing can be said, and why, as one line."""
    return f"UNKNOWN - {clean(' '.join(message.split()), 1000).replace('|', '/')}"


def _numbers(answer: Probe) -> str:
    """Count what is there and what is not, with the commonest reasons."""
    named = (("failed", answer.failed), ("without room", answer.deferred), ("for a person", answer.person))
    parts = [f"{answer.ready} of {answer.wanted} ready"]
    parts += [f"{number} {word}" for word, number in (*named, ("not done", answer.owed)) if number]
    reasons = ", ".join(f"{reason.value} {number}" for reason, number in answer.reasons.most_common(_MOST))
    return f"{', '.join(parts)} ({reasons})" if reasons else ", ".join(parts)


def _age(answer: Probe, max_age_s: float) -> str:
    """Say when everything was ready for the last time."""
    if answer.age_s is None:
        return f"no run of the last {span(max_age_s)} had everything ready"
    what = "everything but what best effort lets be missing" if answer.but_tolerated else "everything"
    return f"{what} was ready {age_text(answer.age_s)} ago"


def _data(answer: Probe, max_age_s: float) -> str:
    """Write the performance data; an age that is not known is left out, as plugins do."""
    age = [] if answer.age_s is None else [f"age={answer.age_s:.0f}s;;{max_age_s:.0f};0"]
    counts = (
        ("ready", answer.ready), ("failed", answer.failed), ("deferred", answer.deferred),
        ("person", answer.person), ("owed", answer.owed),
    )  # fmt: skip
    return " ".join([*age, *(f"{name}={number};;;0;{answer.wanted}" for name, number in counts)])
