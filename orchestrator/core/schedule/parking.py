"""Full destinations: parked, tried again every QUOTA_INTERVAL, never hammered.

A destination is full when the surveyed quotas leave no room, or when a call was refused for
quota although they did. The retry reads both quotas again, then sends at most one chunk. What was
deleted there to make room is looked for sooner (see `vacating`).
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.model import Resource
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.admission import all_deferred, lacking
from orchestrator.core.schedule.readings import Park
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination


def full(destination: Destination) -> Reason | None:
    """Say which quota leaves no room for any copy that waits; None while one has a place."""
    if all_deferred(destination):
        return lacking(destination)
    images = destination.quotas.get(Resource.IMAGE)
    return Reason.QUOTA_IMAGE if images is not None and images.room == 0 else None


def park(register: Register, destination: Destination, reason: Reason, until: float) -> None:
    """Park a full destination; a retry that failed while nothing else was left is its last.

    Not so while room of our own making is still to show.
    """
    retried = destination.park is not None and destination.park.probing
    awaited = destination.vacating.awaited(register.now)
    destination.park = Park(reason, min(until, _soon(register, destination)) if awaited else until)
    destination.park.exhausted = retried and not awaited and only_blocked(register)


def _soon(register: Register, destination: Destination) -> float:
    """Return when to look whether a deletion shows."""
    return register.now + destination.vacating.next_pause_s(register.limits.quota_interval_s)


def vacate(register: Register, destination: Destination, at: float) -> None:
    """Note a deletion of ours: quotas read before it say nothing, and a parked destination has hope again."""
    destination.vacating.deleted(register.limits, at)
    destination.stale = set(Resource)
    if destination.park is not None:
        destination.park.exhausted = False
        destination.park.until = min(destination.park.until, _soon(register, destination))


def refused_for_quota(
    register: Register, destination: Destination, size: int, reason: Reason, until: float
) -> None:
    """Take smaller chunks after a quota refusal, and park when one copy was too many.

    Both quotas are read again first: they say what fits. The halving only bounds the calls sent
    to a destination whose quotas say one thing and whose answers say another.
    """
    destination.stale = set(Resource)
    if blocked(destination):
        return  # the answer to a call that was on its way when the destination was parked
    destination.ceiling = size // 2
    probing = destination.park is not None
    if destination.ceiling == 0 or probing:
        destination.ceiling = 1
        park(register, destination, reason, until)


def probe(destination: Destination, now: float) -> None:
    """Begin the retry of a parked destination when its time has come."""
    parked = destination.park
    if parked is not None and not parked.probing and now >= parked.until:
        parked.probing = True
        destination.stale = set(Resource)


def blocked(destination: Destination) -> bool:
    """Tell whether a full destination keeps its copies waiting."""
    return destination.park is not None and not destination.park.probing


def only_blocked(register: Register) -> bool:
    """Tell whether all that this run still owes waits in full destinations."""
    open_ones = [d for d in register.destinations.values() if d.unsettled]
    return all(d.park is not None and d.unsettled == d.waiting for d in open_ones)


def starved(register: Register) -> Iterator[Destination]:
    """Go through the full destinations in which copies wait, and where no room is about to show."""
    for each in register.destinations.values():
        if each.park is not None and each.waiting and not each.vacating.awaited(register.now):
            yield each


def exhausted(register: Register) -> bool:
    """Tell whether only full destinations are left and each refused one more try."""
    open_ones = [d for d in register.destinations.values() if d.unsettled]
    tried = all(d.park is not None and d.park.exhausted for d in open_ones)
    return bool(open_ones) and tried and only_blocked(register)
