"""Whether a chunk goes now or waits for more copies: fuller chunks are fewer calls, waiting costs time.

Either places are scarce, and the next copy to end here helps; or free sources are, and the next one
to end elsewhere does. A chunk waits for that end if it is worth a call (`batches`), or if there is time
to spare before the expected end of the night; in all never longer than a part of a copy's duration.
"""

from __future__ import annotations

from heapq import nsmallest
from statistics import fmean

from orchestrator.core.schedule.batches import End, price, queued_s
from orchestrator.core.schedule.chunking import Gathering
from orchestrator.core.schedule.looking import plan_look
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track

_SPARE_SHARE = 0.1
"""The part of the time to spare that one chunk may use up; there are more to come."""

_MOST_SHARE = 0.1
"""The longest mean wait of a chunk's copies, as a share of their durations, besides the time to spare."""

_GRACE_SHARE = 0.01
"""How much later than a look is planned, as a share of a copy's duration, its answer may come."""


def waits(register: Register, destination: Destination, gathering: Gathering, most: int) -> bool:
    """Tell whether a chunk waits that could hold `most` copies at the best of times."""
    chosen = gathering.chosen
    destination.stirred, destination.linger_until = False, 0.0
    if len(chosen) >= min(most, destination.admitted) or register.limits.chunk_linger <= 0:
        return False
    if any(carrier.suspects for carrier in gathering.carriers):
        return False
    helper = destination if len(chosen) == gathering.most else _first_elsewhere(register, destination)
    idle, spare_s = _idle(register, destination, gathering), _spare_s(register, destination, chosen)
    if helper is None or not _worth(register, destination, helper, idle, spare_s):
        return False
    if helper is destination:
        plan_look(register, destination, idle)
    lasts_s = fmean(end.lasts_s for end in idle)
    at_most = fmean(end.at for end in idle) + _MOST_SHARE * lasts_s + spare_s
    destination.linger_until = min(at_most, helper.look_at + _GRACE_SHARE * lasts_s)
    return destination.linger_until > register.now


def _first_elsewhere(register: Register, destination: Destination) -> Destination | None:
    """Return the other destination in which the next copy is expected to end, and so to free its source."""
    others = (d for d in register.destinations.values() if d is not destination and d.copying)
    return min(others, key=lambda d: d.next_end, default=None)


def _idle(register: Register, destination: Destination, gathering: Gathering) -> list[End]:
    """Return since when a place and the carrier of each copy were both free, and how long it will take.

    A place that was never used has been free all the time.
    """
    chosen = sorted(zip(gathering.carriers, gathering.chosen, strict=True), key=lambda pair: pair[0].freed_at)
    used = nsmallest(len(chosen), destination.idle)
    places = [0.0] * (len(chosen) - len(used)) + used
    return [
        End(max(carrier.freed_at, place), register.forecasts.seconds(track))
        for (carrier, track), place in zip(chosen, places, strict=True)
    ]


def _worth(
    register: Register, destination: Destination, helper: Destination, idle: list[End], spare_s: float
) -> bool:
    """Tell whether the helper's next end is worth waiting for."""
    wait_s = helper.next_end - register.now
    scarce_places = helper is destination
    most = price(register, destination, idle[0].lasts_s) if scarce_places else register.limits.chunk_linger
    return wait_s * sum(1 / end.lasts_s for end in idle) <= most or wait_s <= spare_s


def _spare_s(register: Register, destination: Destination, chosen: list[Track]) -> float:
    """Return how long the copies of a chunk may wait without making the night longer."""
    last_s = max(register.forecasts.remaining_s(track.source) for track in chosen)
    spare_s = register.horizon.latest() - register.now - max(last_s, queued_s(register, destination))
    return _SPARE_SHARE * max(0.0, spare_s)
