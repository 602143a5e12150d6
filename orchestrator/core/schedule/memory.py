"""What a compaction keeps: the schedule as events that bring back all that a later run can need.

A run that begins forgets most of what the one before it knew (`nights.begun`); the rest is here. So
`recall` after `remember`, followed by the next Begun, is the same schedule: a test compares the two
field by field, and what they do in the nights after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from orchestrator.core.memory import KnownCall, KnownCopy, KnownRegion, KnownRoute, KnownShelf, KnownSource
from orchestrator.core.messages import Remembered
from orchestrator.core.model import State
from orchestrator.core.schedule.forecast import Forecast, Forecasts
from orchestrator.core.schedule.readings import Evidence
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Source, Track

_BATCH = 1000
"""Records in one event, so that no row of the ledger grows without bound."""

T = TypeVar("T")


def remember(register: Register) -> Iterator[Remembered]:
    """Give the events that bring this schedule back, in the order in which they are to be applied."""
    at, destinations = register.now, register.destinations.values()
    regions = tuple(map(_region, destinations))
    routes = tuple(_routes(register.forecasts))
    yield Remembered(
        at=at,
        endpoint=register.endpoint,
        account=register.account,
        regions=regions,
        routes=routes,
        patterns=tuple(register.patterns.items()),
    )
    for sources in _batches(map(_source, register.sources.values())):
        yield Remembered(at=at, sources=sources)
    for copies in _batches(map(_copy, register.tracks.values())):
        yield Remembered(at=at, copies=copies)
    for calls in _batches(_calls(register)):
        yield Remembered(at=at, calls=calls)
    for destination in destinations:
        for shelf in _shelves(destination):
            yield Remembered(at=at, shelves=(shelf,))


def recall(register: Register, event: Remembered) -> None:
    """Take one part of the memory in."""
    register.endpoint = event.endpoint or register.endpoint
    register.account = event.account or register.account
    register.patterns.update(event.patterns)
    for region in event.regions:
        _recall_region(register.destination(region.region), region)
    for route in event.routes:
        _recall_route(register.forecasts, route)
    for source in event.sources:
        record = register.source(source.origin, source.image)
        record.sighting, record.names = source.sighting, set(source.names)
        if source.original_origin is not None and source.original is not None:
            record.original = register.source(source.original_origin, source.original)
    for copy in event.copies:
        _recall_copy(register, copy)
    if event.calls:
        _recall_calls(register, event.calls)
    for shelf in event.shelves:
        _arrange(register.destination(shelf.region), shelf)


# --- regions and sources --------------------------------------------------------------------------


def _region(destination: Destination) -> KnownRegion:
    return KnownRegion(
        region=destination.region,
        evidence=destination.evidence.name,
        takes_marks=destination.takes_marks,
        mark_proven=destination.mark_proven,
        window=destination.window.most,
        lookalikes=tuple(sorted(destination.lookalikes)),
        former=tuple(sorted(destination.former)),
        pruned=tuple(sorted(destination.pruned)),
    )


def _recall_region(destination: Destination, known: KnownRegion) -> None:
    destination.evidence = Evidence[known.evidence]
    destination.takes_marks, destination.mark_proven = known.takes_marks, known.mark_proven
    destination.window.most = known.window
    destination.lookalikes, destination.former = set(known.lookalikes), set(known.former)
    destination.pruned = set(known.pruned)


def _source(source: Source) -> KnownSource:
    return KnownSource(
        image=source.image,
        origin=source.origin,
        sighting=source.sighting,
        names=tuple(sorted(source.names)),
        original_origin=source.original.origin if source.original else None,
        original=source.original.image if source.original else None,
    )


def _shelves(destination: Destination) -> Iterator[KnownShelf]:
    """Give the order of a destination's images, then of those under way, then of its doubts."""
    for images in _batches(destination.images):
        yield KnownShelf(region=destination.region, images=images)
    for copying in _batches(destination.copying):
        yield KnownShelf(region=destination.region, copying=copying)
    for doubtful in _batches(destination.doubtful):
        yield KnownShelf(region=destination.region, doubtful=doubtful)


def _arrange(destination: Destination, shelf: KnownShelf) -> None:
    """Put these behind all others, one after the other."""
    for image in shelf.images:
        destination.images[image] = destination.images.pop(image)
    for image in shelf.copying:
        destination.copying[image] = destination.copying.pop(image)
    for copy in shelf.doubtful:
        destination.doubtful[copy] = destination.doubtful.pop(copy)


# --- durations ------------------------------------------------------------------------------------


def _routes(forecasts: Forecasts) -> Iterator[KnownRoute]:
    """Give what each route has shown, and under no names what all of them have."""
    if any(forecasts.all.sums):
        yield KnownRoute(sums=forecasts.all.sums)
    for (origin, destination), forecast in forecasts.routes.items():
        yield KnownRoute(origin=origin, destination=destination, sums=forecast.sums)


def _recall_route(forecasts: Forecasts, known: KnownRoute) -> None:
    if known.origin is None or known.destination is None:
        forecasts.all.recall(known.sums)
    else:
        forecasts.routes.setdefault((known.origin, known.destination), Forecast()).recall(known.sums)


# --- copies and calls -----------------------------------------------------------------------------


def _copy(track: Track) -> KnownCopy:
    return KnownCopy(
        copy=track.copy,
        state=track.state,
        reason=track.reason,
        detail=track.detail,
        image=track.image,
        answered=track.answered,
        call=track.call,
        marked=track.marked,
        lost_at=track.lost_at,
        lost_runs=track.lost_runs,
        asked=track.asked,
        since=track.since,
        ready_at=track.ready_at,
        progress=track.progress,
        seen=track.seen,
        taken_over=track.taken_over,
        reserved=track.reserved,
        via=track.carrier.origin if track.relayed else None,
        carrier=track.carrier.image if track.relayed else None,
    )


def _recall_copy(register: Register, known: KnownCopy) -> None:
    track = register.track(known.copy)
    track.state, track.reason, track.detail = known.state, known.reason, known.detail
    track.call, track.marked = known.call, known.marked
    track.lost_at, track.lost_runs, track.asked = known.lost_at, known.lost_runs, known.asked
    track.since, track.progress = known.since, known.progress
    track.seen, track.taken_over = known.seen, known.taken_over
    if known.via is not None and known.carrier is not None:
        track.carrier = register.carrier(track, known.via, known.carrier)
    if known.image is not None:
        register.name_image(track, known.image, answered=known.answered)
        if track.state is State.COPYING:
            track.destination.copying[known.image] = track
    track.ready_at = known.ready_at
    if known.reserved:
        register.reserve(track, commit=False)
        if track.state is State.DOUBTFUL:
            track.destination.doubtful[track.copy] = track


def _calls(register: Register) -> Iterator[KnownCall]:
    """Give every call that was ever sent."""
    for call, tracks in register.calls.items():
        via, carriers = register.relays.get(call, (None, ()))
        yield KnownCall(
            call=call,
            copies=tuple(track.order for track in tracks),
            is_open=call in register.open_calls,
            marked=register.open_calls.get(call, True),
            via=via,
            carriers=carriers,
        )


def _recall_calls(register: Register, calls: Sequence[KnownCall]) -> None:
    tracks = tuple(register.tracks.values())
    for known in calls:
        register.calls[known.call] = tuple(tracks[place] for place in known.copies)
        if known.via is not None:
            register.relays[known.call] = (known.via, known.carriers)
        if known.is_open:
            register.open_calls[known.call] = known.marked


def _batches(records: Iterable[T]) -> Iterator[tuple[T, ...]]:
    """Cut records into parts of a bounded size, made when they are asked for."""
    rest = iter(records)
    while batch := tuple(islice(rest, _BATCH)):
        yield batch
