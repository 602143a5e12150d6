"""Which waiting copies fit into a destination's quotas, in the plan's order; the others are deferred.

Places are given out anew after each survey and passed on as copies come and go. It reads no quota,
sends nothing, and never gives out more than the last survey and what was sent since leave.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from math import inf

from orchestrator.core.model import Resource, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.readings import Admission
from orchestrator.core.schedule.tracks import Destination, Track
from orchestrator.core.verdict import Shortage


def admit(destination: Destination, now: float) -> list[Track]:
    """Give the places out anew, as far as quotas are known; return the deferred copies that have one now.

    Walks over the destination's copies: for surveys, not for every event.
    """
    waiting = [track for track in destination.tracks if track.wanted and track.state is State.WAITING]
    deferred = [track for track in waiting if track.deferred]
    known = all(r in destination.quotas or r in destination.blind for r in Resource)
    blind = destination.blind.issuperset(Resource)
    destination.admission = Admission() if known and not blind else None
    for track in waiting:
        track.deferred, track.place = False, 0
    if destination.admission is not None:
        for track in sorted(waiting, key=lambda t: t.eligible_at > now):
            _enter(destination, destination.admission, track, now)
    return [track for track in deferred if not track.deferred]


def moved(destination: Destination, track: Track, now: float) -> Sequence[Track]:
    """Keep places in step with a copy that moved; return the deferred copies that have one now."""
    admission = destination.admission
    if admission is None:
        return ()
    if track.place:
        _leave(admission, track)
    if track.wanted and track.state is State.WAITING:
        _enter(destination, admission, track, now)
    return _fill(destination, admission)


def _enter(destination: Destination, admission: Admission[Track], track: Track, now: float) -> None:
    """Give a copy that begins to wait a place, or defer it.

    One that must pause first (its image is busy, say) holds no place against others that could go.
    """
    track.place = track.needs(Resource.SNAPSHOT)
    paused = track.eligible_at > now
    yields = paused and admission.deferred[Resource.IMAGE] > 0
    track.deferred = yields or not _fits(destination, admission, track.place)
    _count(admission, track, +1)
    if track.deferred:
        queue = admission.queues.setdefault(track.place, [])
        heappush(queue, (track.eligible_at if paused else 0.0, track.order, track))


def _leave(admission: Admission[Track], track: Track) -> None:
    """Take back the place of a copy that waits no more, or its turn."""
    _count(admission, track, -1)
    track.deferred, track.place = False, 0


def _count(admission: Admission[Track], track: Track, sign: int) -> None:
    """Count one copy's needs among those that have a place, or among the deferred."""
    needs = admission.deferred if track.deferred else admission.promised
    needs[Resource.IMAGE] += sign
    needs[Resource.SNAPSHOT] += sign * track.place


def _fill(destination: Destination, admission: Admission[Track]) -> list[Track]:
    """Give free places to the deferred copies that they are large enough for, first come first."""
    admitted: list[Track] = []
    while admission.deferred[Resource.IMAGE]:
        track = _next(destination, admission)
        if track is None:
            break
        _count(admission, track, -1)
        track.deferred = False
        _count(admission, track, +1)
        admitted.append(track)
    return admitted


def _next(destination: Destination, admission: Admission[Track]) -> Track | None:
    """Take out the deferred copy whose turn it is; None when no place is large enough for any."""
    best: list[tuple[float, int, Track]] | None = None
    for place, queue in admission.queues.items():
        while queue and not (queue[0][2].deferred and queue[0][2].place == place):
            heappop(queue)
        if queue and _fits(destination, admission, place) and (best is None or queue[0] < best[0]):
            best = queue
    return heappop(best)[2] if best else None


def _fits(destination: Destination, admission: Admission[Track], snapshots: int) -> bool:
    """Tell whether there is room for one more copy with so many snapshots."""
    images = _spare(destination, admission, Resource.IMAGE)
    return images >= 1 and _spare(destination, admission, Resource.SNAPSHOT) >= snapshots


def _spare(destination: Destination, admission: Admission[Track], resource: Resource) -> float:
    """Return what is neither used nor sent nor promised; `inf` when nobody could read the quota."""
    quota = destination.quotas.get(resource)
    if quota is None or resource in destination.blind:
        return inf
    return quota.room - admission.promised[resource]


# --- what it says ---------------------------------------------------------------------------------


def lacking(destination: Destination) -> Reason:
    """Say which quota keeps the deferred copies waiting."""
    admission = destination.admission
    full = admission is not None and _spare(destination, admission, Resource.IMAGE) < 1
    return Reason.QUOTA_IMAGE if full else Reason.QUOTA_SNAPSHOT


def all_deferred(destination: Destination) -> bool:
    """Tell whether copies wait, and none of them has a place."""
    return destination.waiting > 0 and destination.admitted == 0


def shortage(destination: Destination) -> Shortage | None:
    """Count what fits and what is short; None when nothing is deferred."""
    admission = destination.admission
    if admission is None or not admission.deferred[Resource.IMAGE]:
        return None
    wanted = destination.states.total() - destination.states[State.FAILED]
    lacks = {r: admission.deferred[r] - _spare(destination, admission, r) for r in Resource}
    short = {f"{r.value}s": int(number) for r, number in lacks.items() if number > 0}
    return Shortage(wanted=wanted, deferred=admission.deferred[Resource.IMAGE], short=short)
