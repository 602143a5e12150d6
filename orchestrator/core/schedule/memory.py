"""What a compaction keeps: the schedule as events that bring back all that a later run can need.

A run that begins forgets most of what the one before it knew (`nights.begun`); the rest is here. So
`recall` after `remember`, followed by the next Begun, is the same schedule: a test compares the two
field by field, and what they do in the nights after.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from orchestrator.core.memory import KnownCall, KnownCopy, KnownRegion, KnownRoute, KnownShelf, KnownSource
from orchestrator.core.messages import Remembered
from orchestrator.core.model import COPYING, DOUBTFUL, CallId, ImageId, Region, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.forecast import Forecast, Forecasts
from orchestrator.core.schedule.readings import Evidence
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Source, Track

_BATCH = 1000
"""Records in one event, so that no row of the ledger grows without bound."""

T = TypeVar("T")


def remember(register: Register) -> Iterator[Remembered]:
    """Give the events that bring this schedule back, in the order in which they are to be applied."""
    yield beginning(register)
    for sources in batches(map(_source, register.sources.values())):
        yield Remembered(at=register.now, sources=sources)
    for copies in batches(map(_copy, register.tracks.values())):
        yield Remembered(at=register.now, copies=copies)
    for each in batches(calls(register)):
        yield Remembered(at=register.now, calls=each)
    yield from shelves(register)


def beginning(register: Register) -> Remembered:
    """Give the few facts that all others build on: whose ledger it is, regions, durations, patterns."""
    return Remembered(
        at=register.now,
        endpoint=register.endpoint,
        account=register.account,
        regions=tuple(map(_region, register.destinations.values())),
        routes=tuple(_routes(register.forecasts)),
        patterns=tuple(register.patterns.items()),
    )


def shelves(register: Register) -> Iterator[Remembered]:
    """Give the order in which images, those under way and doubts came up; it goes behind all copies."""
    for destination in register.destinations.values():
        for shelf in _shelves(destination):
            yield Remembered(at=register.now, shelves=(shelf,))


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
        restored_source(
            register, source.image, source.origin, source.sighting, source.names, source.original_origin,
            source.original,
        )  # fmt: skip
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


def restored_source(  # one argument per field of KnownSource, by place
    register: Register, image: ImageId, origin: Region, sighting: Sighting | None, names: tuple[str, ...],
    original_origin: Region | None, original: ImageId | None,
) -> Source:  # fmt: skip
    """Know a source again as it was, and give its record; the arguments are the fields of `KnownSource`."""
    record = register.source(origin, image)
    record.sighting, record.names = sighting, set(names)
    if original_origin is not None and original is not None:
        record.original = register.source(original_origin, original)
    return record


def _shelves(destination: Destination) -> Iterator[KnownShelf]:
    """Give the order of a destination's images, then of those under way, then of its doubts."""
    for images in batches(destination.images):
        yield KnownShelf(region=destination.region, images=images)
    for copying in batches(destination.copying):
        yield KnownShelf(region=destination.region, copying=copying)
    for doubtful in batches(destination.doubtful):
        yield KnownShelf(region=destination.region, doubtful=doubtful)


def _arrange(destination: Destination, shelf: KnownShelf) -> None:
    """Put these behind all others, one after the other."""
    for image in shelf.images:
        track = destination.images.pop(image)
        destination.images[track.image or image] = track  # its own text: a million of them are not kept twice
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
    restore_copy(
        register, track, known.state, known.reason, known.detail, known.image, known.answered, known.call,
        known.marked, known.lost_at, known.lost_runs, known.asked, known.since, known.ready_at,
        known.progress, known.seen, known.taken_over, known.reserved, known.via, known.carrier,
    )  # fmt: skip


def restore_copy(  # one argument per field of KnownCopy, by place: a start restores a million
    register: Register, track: Track, state: State, reason: Reason, detail: str, image: ImageId | None,
    answered: bool, call: CallId | None, marked: bool, lost_at: float | None, lost_runs: int, asked: bool,
    since: float, ready_at: float | None, progress: int | None, seen: bool, taken_over: bool,
    reserved: bool, via: Region | None, carrier: ImageId | None,
) -> None:  # fmt: skip
    """Let a copy stand where it stood; the arguments behind it are the fields of `KnownCopy`."""
    track.state, track.reason, track.detail = state, reason, detail
    track.call, track.marked = call, marked
    track.lost_at, track.lost_runs, track.asked = lost_at, lost_runs, asked
    track.since, track.progress = since, progress
    track.seen, track.taken_over = seen, taken_over
    if via is not None and carrier is not None:
        track.carrier = register.carrier(track, via, carrier)
    if image is not None:
        register.name_image(track, image, answered=answered)
        if state is COPYING:
            track.destination.copying[image] = track
    track.ready_at = ready_at
    if reserved:
        register.reserve(track, commit=False)
        if state is DOUBTFUL:
            track.destination.doubtful[track.copy] = track


def calls(register: Register) -> Iterator[KnownCall]:
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


def _recall_calls(register: Register, calls: Iterable[KnownCall]) -> None:
    place = tuple(register.tracks.values()).__getitem__
    for known in calls:
        tracks = tuple(map(place, known.copies))
        restore_call(register, known.call, tracks, known.is_open, known.marked, known.via, known.carriers)


def restore_call(  # one argument per field of KnownCall, by place
    register: Register, call: CallId, tracks: tuple[Track, ...], is_open: bool, marked: bool,
    via: Region | None, carriers: tuple[ImageId, ...],
) -> None:  # fmt: skip
    """Know a call again, of these copies; the other arguments are the fields of `KnownCall`."""
    register.calls[call] = tracks
    if via is not None:
        register.relays[call] = (via, carriers)
    if is_open:
        register.open_calls[call] = marked


def batches(records: Iterable[T], most: int = _BATCH) -> Iterator[tuple[T, ...]]:
    """Cut records into parts of a bounded size, made when they are asked for."""
    rest = iter(records)
    while batch := tuple(islice(rest, most)):
        yield batch
