"""What must hold in every state. A promise names what breaks it in a live state, or says nothing."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from math import inf
from typing import Protocol

from orchestrator.core.messages import Submit
from orchestrator.core.model import CHUNK_MAX, ImageId, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.tracks import Destination, Track
from tests.walk.cloud import moment
from tests.walk.stepping import System


class Promise(Protocol):
    """Looks at a state and says what breaks it, if anything does."""

    __name__: str

    def __call__(self, system: System, /) -> Iterator[str]:
        """Yield what is broken, in words."""
        ...


def under_way(track: Track) -> bool:
    """Tell whether a copy keeps its source: it was sent, and neither its end nor a person's turn has come."""
    sent = track.state in (State.CALLING, State.DOUBTFUL, State.COPYING)
    return sent and track.reason is not Reason.NEEDS_PERSON


def made_once(system: System) -> Iterator[str]:
    """At most one live copy of a source in a destination."""
    live = Counter((image.source, image.destination) for image in system.cloud.images if image.live)
    for (source, destination), count in live.items():
        if count > 1:
            yield f"{source} exists {count} times in {destination}"


def one_place_at_a_time(system: System) -> Iterator[str]:
    """No source is under way to two destinations: called, in doubt, copying, or a call that is waited for."""
    places: dict[ImageId, set[Region]] = defaultdict(set)
    for copy, track in system.schedule.register.tracks.items():
        if under_way(track):
            places[copy.source].add(copy.destination)
    for request in system.cloud.requests:
        if isinstance(request.action, Submit) and not request.orphan:
            for copy in request.action.chunk.copies:
                places[copy.source].add(copy.destination)
    for source, regions in places.items():
        if len(regions) > 1:
            yield f"{source} is under way to {' and '.join(sorted(regions))}"


def calls_well_formed(system: System) -> Iterator[str]:
    """No call carries more than ten images, or two of one name."""
    for request in system.cloud.requests:
        if isinstance(request.action, Submit):
            sources = request.action.chunk.sources
            if len(sources) > CHUNK_MAX:
                yield f"call {request.call} carries {len(sources)} images"
            if len({system.world.name(source) for source in sources}) < len(sources):
                yield f"call {request.call} carries two images of one name"


def known(system: System) -> Iterator[str]:
    """Every copy that the cloud accepted is known, or its call is open, or its copy is in doubt."""
    register = system.schedule.register
    tracks = {(copy.source, copy.destination): track for copy, track in register.tracks.items()}
    for image in system.cloud.images:
        track = tracks[image.source, image.destination]
        expected = track.state in (State.CALLING, State.DOUBTFUL) or track.image == image.image
        if image.live and not expected:
            yield f"nobody knows {image.image} in {image.destination}: its copy is {track.state.value}"


def ready_is_ready(system: System) -> Iterator[str]:
    """Call a copy ready only after the cloud said so of its image."""
    said = {image.image for image in system.cloud.images if image.ready}
    for copy, track in system.schedule.register.tracks.items():
        if track.state is State.READY and track.image not in said:
            yield f"{copy.source} to {copy.destination} counts as ready, the cloud never said so"


def asked_once(system: System) -> Iterator[str]:
    """Nothing is on its way twice, and what a call carries is in its state `calling`."""
    register = system.schedule.register
    waited_for = [request for request in system.cloud.requests if not request.orphan]
    for action, count in Counter(request.action for request in waited_for).items():
        if count > 1:
            yield f"{action} was handed out {count} times"
    carried = [
        (r.call, copy) for r in waited_for if isinstance(r.action, Submit) for copy in r.action.chunk.copies
    ]
    for copy, count in Counter(copy for _, copy in carried).items():
        if count > 1:
            yield f"{copy} is carried by {count} calls"
    for call, copy in carried:
        if call not in register.open_calls or register.tracks[copy].state is not State.CALLING:
            yield f"{copy} is on its way in {call}, which the schedule does not know"


def counted(system: System) -> Iterator[str]:
    """Every count and index that is kept as things change equals what counting anew gives."""
    register = system.schedule.register
    carriers = [track.carrier for track in register.tracks.values() if under_way(track)]
    for source in register.sources.values():
        held = carriers.count(source)
        if source.held != held:
            yield f"{source.image} is held {source.held} times, {held} of its copies are under way"
    for destination in register.destinations.values():
        for name, kept, fresh in _counts(destination):
            if kept != fresh:
                yield f"{destination.region}: {name} says {kept}, counting gives {fresh}"
    if system.asked and register.handed_out:
        yield f"{register.handed_out} calls count as handed out and are not"


def _counts(destination: Destination) -> Iterator[tuple[str, object, object]]:
    """Return what a destination counts, beside the count made anew."""
    tracks = destination.tracks
    wanted = Counter(track.state for track in tracks if track.wanted)
    yield "states", +destination.states, wanted
    yield "unsettled", destination.unsettled, sum(track.unsettled for track in tracks)
    yield "in_flight", destination.in_flight, sum(map(under_way, tracks))
    doubtful = (t for t in tracks if t.state is State.DOUBTFUL and under_way(t))
    yield "doubtful", _ids(destination.doubtful.values()), _ids(doubtful)
    yield "copying", _ids(destination.copying.values()), _ids(t for t in tracks if t.state is State.COPYING)
    yield "images", _ids(destination.images.values()), _ids(t for t in tracks if t.image is not None)


def _ids(tracks: Iterable[Track]) -> list[str]:
    """Name copies in an order of their own."""
    return sorted(f"{t.copy.source} {t.image}" for t in tracks)


def never_sleeps_in(system: System) -> Iterator[str]:
    """Who has nothing more to do now has ended, or waits for an answer, or for a time to come."""
    if not system.asked or system.finished():
        return
    if system.wake <= moment(system.now):
        yield "the schedule has nothing to do, and wants to be asked again at once"
    if system.wake == inf and all(request.orphan for request in system.cloud.requests):
        yield "nothing is on its way and nothing wakes the schedule, but it has not finished"


def ends_well(system: System) -> Iterator[str]:
    """End only when each copy is ready, given up or left to a person, or waits for room."""
    if not system.finished():
        return
    register = system.schedule.register
    if register.open_calls:
        yield "the run ends while calls are open"
    for copy, track in register.tracks.items():
        settled = track.state in (State.READY, State.FAILED) or track.reason is Reason.NEEDS_PERSON
        full = track.state is State.WAITING and track.destination.park is not None
        if not settled and not full and system.schedule.stopped is None:
            yield f"the run ends, {copy.source} to {copy.destination} is {track.state.value}"


PROMISES: tuple[Promise, ...] = (
    made_once,
    one_place_at_a_time,
    calls_well_formed,
    known,
    ready_is_ready,
    asked_once,
    counted,
    never_sleeps_in,
    ends_well,
)


def broken(system: System, promises: tuple[Promise, ...]) -> str | None:
    """Return what is broken in a state, if anything is."""
    for promise in promises:
        for words in promise(system):
            return f"{promise.__name__}: {words}"
    return None
