"""What must be true after every step of a walk: counts, indexes, replay, and nothing made twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from math import inf

from orchestrator.core.model import ImageId, Region, Resource, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.tracks import Destination, Source, Track
from orchestrator.core.verdict import count

Shelves = Mapping[Region, Mapping[ImageId, Sighting]]


def check(live: Schedule, shadow: Schedule, shelves: Shelves) -> None:
    """Hold a schedule against its own records, against its replay, and against the cloud."""
    register = live.register
    for destination in register.destinations.values():
        _counts_add_up(destination)
        _places_add_up(destination)
    holders = [track.carrier for track in register.tracks.values() if track.reserved]
    for source in register.sources.values():
        _locks_add_up(source, holders.count(source))
    assert live.settled() is (not any(d.unsettled for d in register.destinations.values()))
    assert live.settled() is (not any(track.unsettled for track in register.tracks.values()))
    assert live.counts() == count(live.standings())
    assert _essentials(live) == _essentials(shadow)
    _nothing_twice(shelves)


def _person(track: Track) -> bool:
    return track.state is State.DOUBTFUL and track.reason is Reason.NEEDS_PERSON


def _under_way(track: Track) -> bool:
    states = (State.CALLING, State.COPYING, State.DOUBTFUL)
    return track.state in states and not _person(track)


def _counts_add_up(destination: Destination) -> None:
    """Recompute from scratch what is kept from step to step."""
    tracks = destination.tracks
    assert destination.unsettled == sum(track.unsettled for track in tracks)
    assert +destination.states == Counter(track.state for track in tracks if track.wanted)
    assert destination.in_flight == sum(_under_way(track) for track in tracks)
    assert [track for track in tracks if track.reserved] == [track for track in tracks if _under_way(track)]
    assert set(destination.copying.values()) == {t for t in tracks if t.state is State.COPYING}
    doubtful = {track for track in tracks if track.state is State.DOUBTFUL and not _person(track)}
    assert set(destination.doubtful.values()) == doubtful
    named = {track.image: track for track in tracks if track.image is not None}
    assert destination.images == named
    assert all(quota.room >= 0 and quota.committed >= 0 for quota in destination.quotas.values())


def _places_add_up(destination: Destination) -> None:
    """Who waits has a place or is deferred; no more is promised than fits, and no place lies idle."""
    waiting = [t for t in destination.tracks if t.wanted and t.state is State.WAITING]
    admission = destination.admission
    if admission is None:
        assert not any(track.place or track.deferred for track in destination.tracks)
        return
    assert [track for track in destination.tracks if track.place] == waiting
    for needs, deferred in ((admission.promised, False), (admission.deferred, True)):
        counted = [track for track in waiting if track.deferred is deferred]
        assert needs[Resource.IMAGE] == len(counted)
        assert needs[Resource.SNAPSHOT] == sum(track.place for track in counted)
    known = {r: q for r, q in destination.quotas.items() if r not in destination.blind}
    spare = {r: quota.room - admission.promised[r] for r, quota in known.items()}
    assert all(left >= 0 for left in spare.values())
    smallest = min((track.place for track in waiting if track.deferred), default=inf)
    room = spare.get(Resource.IMAGE, 1) >= 1 and spare.get(Resource.SNAPSHOT, inf) >= smallest
    assert not room, "a deferred copy fits"


def _locks_add_up(source: Source, carried: int) -> None:
    """Its lock is held by the copies under way that it carries, and by nobody else."""
    assert source.held == carried
    assert (source.holder is None) is (source.held == 0)


def _essentials(schedule: Schedule) -> dict[str, object]:
    """Return what a replay must bring back: everything that outlives a crash."""
    register = schedule.register
    tracks = {
        copy: (
            t.state, t.reason, t.detail, t.image, t.call, t.since, t.not_before, t.attempts, t.progress,
            t.seen, t.misses, t.absences, t.listings, t.wanted, t.unconfirmed, t.reserved, t.deferred,
            t.relay, t.fit, t.carrier.origin, t.carrier.image,
        )
        for copy, t in register.tracks.items()
    }  # fmt: skip
    regions = {
        d.region: (
            set(d.copying), set(d.doubtful), d.in_flight, d.unsettled, +d.states, d.evidence, d.takes_marks,
            d.listed, d.lookalikes, d.audited, d.strangers, d.window, d.shut,
        )
        for d in register.destinations.values()
    }  # fmt: skip
    sources = {
        key: (
            s.held,
            s.inspected,
            s.sighting,
            s.not_before,
            s.shown,
            s.names,
            s.original and s.original.image,
        )
        for key, s in register.sources.items()
    }
    calls = {call: tuple(t.copy for t in tracks) for call, tracks in register.calls.items()}
    routes = {route: forecast.sums for route, forecast in register.forecasts.routes.items()}
    whole = (schedule.open_calls(), calls, register.relays)
    run = (routes, register.proved, register.stop, register.closed, *whole)
    return {"tracks": tracks, "regions": regions, "sources": sources, "run": run}


def _nothing_twice(shelves: Shelves) -> None:
    """Each source has at most one live copy of ours in a region; the image's id tells its source."""
    for region, shelf in shelves.items():
        live = [image for image, sighting in shelf.items() if sighting.status in ("pending", "ready")]
        made = Counter(image.split("x", 1)[1] for image in live)
        assert not [source for source, count in made.items() if count > 1], f"twice in {region}"
