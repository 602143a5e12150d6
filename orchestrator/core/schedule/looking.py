"""When to look at copies under way: when the next few of them are expected to be ready, together.

Each look costs a request and frees places and sources, so it waits for more ends as long as those
before it do not wait long, measured by their own durations. The end of a copy is predicted from the
progress that the cloud reports; without it from what earlier copies took, here or elsewhere; without
that from its age.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.batches import End, price, queued_s, together
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track

_FLOOR_S = 0.1
"""The shortest pause between two rounds of looks; a copy of a real image takes minutes."""

_FLOOR_SHARE = 0.01
"""Rounds come no closer together than this share of a copy's duration: progress is told in percent."""

_CAP_SHARE = 0.1
"""Where POLL_INTERVAL is a smaller part of a copy's duration than this, this part bounds the pause."""

_OVERDUE_SHARE = 0.25
"""A copy that is not ready in time is looked at again after this share of what it is late by."""


def plan_look(register: Register, destination: Destination, idle: Sequence[End] = ()) -> None:
    """Set the time of the next round of looks at a destination.

    `idle` are places and sources that are free already and wait for others to be so.
    """
    if destination.batches or register.replays:
        return
    ends = sorted((_expected(register, track), track.order, track) for track in destination.copying.values())
    destination.next_end = ends[0][0] if ends else inf
    if ends:
        coming = [End(at, max(_FLOOR_S, at - track.since)) for at, _, track in ends]
        lasts_s = coming[0].lasts_s
        at = together(idle, coming, price(register, destination, lasts_s), register.now)
        pause_s = at + _FLOOR_SHARE / 2 * lasts_s - register.now
        longest_s = _longest_pause_s(register, ends[0][2], lasts_s)
        destination.look_at = register.now + min(max(pause_s, _FLOOR_S, _FLOOR_SHARE * lasts_s), longest_s)


def _longest_pause_s(register: Register, first: Track, lasts_s: float) -> float:
    """Return POLL_INTERVAL, or more where an end that is still to come is well predicted."""
    known = first.progress or register.forecasts.knows((first.carrier.origin, first.copy.destination))
    share_s = _CAP_SHARE * lasts_s if known and first.ends_at > register.now else 0.0
    return max(register.limits.poll_interval_s, share_s)


def _expected(register: Register, track: Track) -> float:
    """Predict when a copy under way is ready; what should be so by now is late by a growing amount."""
    now = register.now
    if track.ends_at > now:
        return track.ends_at
    return now + (now - track.ends_at) * _OVERDUE_SHARE


def foresee(register: Register, track: Track, progress: int | None) -> None:
    """Predict the end of a copy from the cloud's own progress, or from experience, or from its age."""
    now, age_s = register.now, register.now - track.since
    if progress and (progress != track.progress or track.ends_at > now):
        track.ends_at = now + age_s * (100 - progress) / progress
        if _dated(track):
            register.forecasts.hint(track.source.size_mb / 1024, 100 * age_s / progress)
    elif not progress and register.forecasts.routes:
        track.ends_at = track.since + register.forecasts.seconds(track)
    elif not progress:
        track.ends_at = now + age_s / 2
    track.progress, track.looked_at = progress, now


def _dated(track: Track) -> bool:
    """Tell whether it is known when a copy under way began: it was accepted in this run, not come upon."""
    return not track.taken_over and track.reason is not Reason.ADOPTED


def learn_duration(register: Register, track: Track) -> None:
    """Remember how long the copy took."""
    if not _dated(track):
        return
    route = (track.carrier.origin, track.copy.destination)
    took_s = track.ended_at(register.now) - track.since
    first = not register.forecasts.routes
    register.forecasts.learn(route, track.source.size_mb / 1024, took_s)
    if first:  # until now nothing was known but the assumption
        register.horizon.expect_anew(register.sources.values(), register.now)


def eta_s(register: Register, destination: Destination) -> float | None:
    """Estimate the seconds until the last copy here is ready; None before the first was."""
    routes = [(origin, destination.region) for origin in destination.queued]
    if not any(map(register.forecasts.knows, routes)):
        return None
    ends_s = [_expected(register, track) - register.now for track in destination.copying.values()]
    return max(ends_s, default=0.0) + queued_s(register, destination)
