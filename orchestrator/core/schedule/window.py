"""How many copies may be in flight to a destination: learned from the answers, never above REGION_COPIES.

No document says how many copies the cloud makes at a time, so the number is found as TCP finds its
window: less by a third when a destination seems crowded, at most once in the time that a copy takes
and never below what it is making just now; more by one for each window of accepted copies. It forms
no chunk and sends nothing.

What counts as crowded. A refusal is first of all about its images: a busy one is named, and a task
conflict is documented as another task on the image. So neither one such refusal says anything of
the destination, nor a row of them about the same images. But three in a row, unnamed, about
different images, while copies are being made there and not one more is accepted: that is no image's
doing any more. A throttle is documented as requests in a minute, whatever they ask for, and is
answered by sending slower; one that outlasts the minute with which it should have passed counts.
"""

from __future__ import annotations

from orchestrator.core.messages import Refused
from orchestrator.core.reasons import MEANINGS, THROTTLES, Nature
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track

_CROWD = 3
"""Refusals in a row of calls that have no image in common: two may be chance."""

_MINUTE_S = 60.0
"""The time in which the gateway counts requests (official introduction, "per minute")."""


def most_in_flight(destination: Destination, region_copies: int) -> int:
    """Return how many copies may be in flight there now; at least one."""
    return min(region_copies, destination.window.most or region_copies)


def refused(register: Register, tracks: tuple[Track, ...], event: Refused, nature: Nature) -> None:
    """Take a refusal for what it says about the destination of its copies."""
    destination = tracks[0].destination
    named = any(track.carrier.image == event.culprit for track in tracks)
    if nature in THROTTLES:
        if register.throttled_since is None:
            register.throttled_since = event.at
        if event.at > register.throttled_since + _MINUTE_S:
            _shrink(register, tracks[0], event.at)
    elif MEANINGS[event.reason].may_be_crowded and nature is not Nature.MARK and not named:
        images = {track.carrier.image for track in tracks}
        destination.window.crowd += destination.window.refused.isdisjoint(images)
        destination.window.refused |= images
        if destination.window.crowd >= _CROWD:
            _shrink(register, tracks[0], event.at)


def _shrink(register: Register, track: Track, at: float) -> None:
    """Let fewer copies be in flight, unless that was done just now and has had no time to show."""
    destination = track.destination
    load = len(destination.copying)
    if load == 0 or at < destination.window.calm_at:
        return
    most = most_in_flight(destination, register.limits.region_copies)
    destination.window.most = min(most, max(load, most * 7 // 10))
    destination.window.grown = 0
    known = register.forecasts.knows((track.carrier.origin, destination.region))
    destination.window.calm_at = at + (
        register.forecasts.seconds(track) if known else register.limits.backoff_max_s
    )


def accepted(register: Register, destination: Destination, copies: int) -> None:
    """Let one more be in flight for each window of copies that the cloud took."""
    register.throttled_since = None
    destination.window.crowd, destination.window.refused = 0, set()
    most = register.limits.region_copies
    if destination.window.most is None or destination.window.most >= most:
        return
    destination.window.grown += copies
    while destination.window.grown >= destination.window.most < most:
        destination.window.grown -= destination.window.most
        destination.window.most += 1
    if destination.window.most >= most:
        destination.window.most, destination.window.grown = None, 0


def held_back(destination: Destination, region_copies: int) -> str:
    """Say that fewer copies than REGION_COPIES are allowed, if so: `14 copies at a time instead of 20`."""
    most = most_in_flight(destination, region_copies)
    if most == region_copies:
        return ""
    copies = "copy" if most == 1 else "copies"
    return f"{most} {copies} at a time instead of {region_copies}, learned from refusals"
