"""Every move of the copies of one image through all nights, told again from the ledger's events. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Accepted, Begun, Event, Planned
from orchestrator.core.model import CallId, Copy, ImageId, Region, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.tracks import Track


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened to a copy; `wanted` tells that a run asked for it, which moves nothing.

    `at` is in UTC epoch seconds. A relayed copy is made of the image `carrier` in the region `via`.
    """

    at: float
    run: RunId
    state: State
    reason: Reason
    detail: str = ""
    image: ImageId | None = None
    call: CallId | None = None
    via: Region | None = None
    carrier: ImageId | None = None
    wanted: bool = False


History = dict[Copy, tuple[Step, ...]]


def history(events: Callable[[], Iterable[Event]], image: ImageId, ledger: str) -> History:
    """Tell the life of each copy of a source image, or of the one copy that has or had this id.

    `events` gives the ledger's events from the first on, each time it is called: once to find whose
    image it is, once to follow those copies.
    """
    copies = _copies_of(events(), image, ledger)
    steps: dict[Copy, list[Step]] = {copy: [] for copy in copies}
    for copy, step in _follow(events(), frozenset(copies), ledger) if copies else ():
        steps[copy].append(step)
    return {copy: tuple(found) for copy, found in steps.items()}


def _copies_of(events: Iterable[Event], image: ImageId, ledger: str) -> tuple[Copy, ...]:
    """Find the copies that an id may mean, in the plan's order."""
    schedule, calls = Schedule(Limits(), ledger), set[CallId]()

    def noting() -> Iterator[Event]:
        for event in events:
            if isinstance(event, Accepted) and any(made == image for _, made in event.pairs):
                calls.add(event.call)
            yield event

    schedule.recover(noting())
    register = schedule.register
    found = [copy for copy, t in register.tracks.items() if image in (copy.source, t.image)]
    earlier = [t for call in sorted(calls) for t in register.calls.get(call, ())] if not found else []
    return tuple(found or (track.copy for track in earlier))


def _follow(events: Iterable[Event], copies: frozenset[Copy], ledger: str) -> Iterator[tuple[Copy, Step]]:
    """Apply the events one by one, and tell what each changed of these copies."""
    schedule, run = Schedule(Limits(), ledger), RunId("")
    tracks, known = schedule.register.tracks, dict[Copy, object]()
    for event in events:
        schedule.recover((event,))
        run = event.run if isinstance(event, Begun) else run
        wanted = copies.intersection(event.copies) if isinstance(event, Planned) else frozenset[Copy]()
        for copy in copies:
            track = tracks.get(copy)
            if track is None:
                continue
            before, known[copy] = known.get(copy), _essence(track)
            moved = known[copy] != before and not isinstance(event, Begun | Planned)
            if copy in wanted or moved:
                yield copy, _step(track, event.at, run, wanted=copy in wanted)


def _essence(track: Track) -> object:
    """Take what is worth a line when it changes."""
    return track.state, track.reason, track.detail, track.image, track.call, track.unconfirmed


def _step(track: Track, at: float, run: RunId, *, wanted: bool) -> Step:
    """Write down where a copy stands after an event."""
    return Step(
        at=at,
        run=run,
        state=track.state,
        reason=track.reason,
        detail=track.detail,
        image=track.image,
        call=track.call,
        via=track.carrier.origin if track.relayed else None,
        carrier=track.carrier.image if track.relayed else None,
        wanted=wanted,
    )
