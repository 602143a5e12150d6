"""How many ends are worth waiting for: what came free waits for more, because calls and looks cost requests.

The price of a call is CHUNK_LINGER: the loss of a place for that share of a copy's duration. While n
places wait for the next end, n of them are lost; so ends that come close together are taken together,
whether they are three or ten, and a straggler is not waited for. (A bound on the mean wait instead was
measured: as many calls took half as much time again.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from orchestrator.core.model import CHUNK_MAX
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination
from orchestrator.core.schedule.window import most_in_flight

_LAST_WAVES = 1.1
"""With so few rounds of copies left a loss hits the end of the night, which the slowest place decides."""


class End(NamedTuple):
    """When a copy ends, or something else came free, and how long a copy takes there, in seconds."""

    at: float
    lasts_s: float


def together(idle: Sequence[End], coming: Sequence[End], price: float, now: float) -> float:
    """Return up to which of the coming ends it is worth waiting: at least the first, at most a chunk of them.

    `idle` are free since then; `price` is that of a request, as a share of a copy's duration.
    """
    shares, last = sum(1 / end.lasts_s for end in idle), now if idle else coming[0].at
    for end in coming[: CHUNK_MAX - len(idle)]:
        if (end.at - last) * shares > price:
            break
        last = end.at
        shares += 1 / end.lasts_s
    return max(last, coming[0].at)


def price(register: Register, destination: Destination, lasts_s: float) -> float:
    """Return what a call may cost where places are scarce: less when only a few rounds are left."""
    waves = queued_s(register, destination) / lasts_s
    share = (waves / (waves + _LAST_WAVES)) ** 2 if waves else 1.0
    return register.limits.chunk_linger * share


def queued_s(register: Register, destination: Destination) -> float:
    """Estimate how long the copies that wait and fit keep a destination busy, all of its places in use."""
    places = most_in_flight(destination, register.limits.region_copies)
    fitting = destination.admitted / max(1, destination.waiting)
    total_s = 0.0
    for origin, (copies, size_mb) in destination.queued.items():
        forecast = register.forecasts.of((origin, destination.region))
        total_s += forecast.base_s * copies + forecast.per_gb_s * size_mb / 1024
    return total_s * fitting / places
