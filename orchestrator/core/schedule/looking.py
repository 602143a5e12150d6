"""When to look at copies under way: late enough to be cheap, early enough to notice an end soon."""

from __future__ import annotations

from math import inf

from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track

_FLOOR_S = 0.1
"""The shortest pause between two rounds of looks; a copy of a real image takes minutes."""

_FLOOR_SHARE = 0.04
"""Rounds come no closer together than this share of a typical copy's duration."""

_NEW_SHARE = 0.1
"""How much a new duration moves the moving average of a destination."""


def plan_look(register: Register, destination: Destination) -> None:
    """Set the time of the next round of looks at a destination.

    The cloud's own progress predicts each end; without it, what earlier copies took; without
    that, a share of the age. Never later than POLL_INTERVAL from now.
    """
    now, typical_s = register.now, destination.typical_s
    if destination.batches:
        return
    ends_s = (_remaining_s(track, now, typical_s) for track in destination.copying.values())
    floor_s = max(_FLOOR_S, _FLOOR_SHARE * (typical_s or 0.0))
    pause_s = min(max(min(ends_s, default=inf), floor_s), register.limits.poll_interval_s)
    destination.look_at = now + pause_s


def _remaining_s(track: Track, now: float, typical_s: float | None) -> float:
    """Predict how many seconds a copy under way still takes."""
    age_s = now - track.since
    if track.progress:
        return age_s * (100 - track.progress) / track.progress
    if typical_s is None:
        return age_s / 4
    return typical_s - age_s if age_s < typical_s else age_s / 8


def learn_duration(track: Track, now: float) -> None:
    """Remember how long copies to this destination take, as a moving average."""
    if track.taken_over:
        return  # nobody knows when it began
    took_s, before_s = now - track.since, track.destination.typical_s
    mean_s = took_s if before_s is None else before_s + _NEW_SHARE * (took_s - before_s)
    track.destination.typical_s = mean_s


def eta_s(destination: Destination, region_copies: int, now: float) -> float | None:
    """Estimate the seconds until the last copy that fits here is ready; None before the first was."""
    typical_s = destination.typical_s
    if typical_s is None:
        return None
    waves = -(-destination.admitted // max(1, region_copies))
    ends_s = [_remaining_s(track, now, typical_s) for track in destination.copying.values()]
    return max(ends_s, default=0.0) + waves * typical_s
