"""What the beginning of a run means for copies of earlier nights: nothing is believed unseen."""

from __future__ import annotations

from math import inf

from orchestrator.core.messages import Begun, Planned, Settled
from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.counting import count, uncount
from orchestrator.core.schedule.horizon import Horizon
from orchestrator.core.schedule.lifecycle import Step
from orchestrator.core.schedule.looking import plan_look
from orchestrator.core.schedule.offers import Offers
from orchestrator.core.schedule.pace import Traffic
from orchestrator.core.schedule.parking import vacate
from orchestrator.core.schedule.readings import Evidence
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Source, Track
from orchestrator.core.upkeep import Pruned, Selected


def begun(register: Register, event: Begun) -> None:
    """Start afresh: no copy is wanted yet, every doubt settles anew, every count begins at zero."""
    register.rebuilds, register.relaying = event.rebuilds, False
    register.endpoint = event.endpoint or register.endpoint
    register.other_account = ""
    if event.limits is not None:
        register.limits = event.limits
    for destination in register.destinations.values():
        destination.forget_run()
    for source in register.sources.values():
        _forget_source(source)
    for track in register.tracks.values():
        _forget_track(track, event.at)
        if track.state is State.DOUBTFUL:
            register.reserve(track, commit=False)
            track.destination.doubtful[track.copy] = track
    register.offers = Offers(register.forecasts)
    register.to_inspect.clear()
    register.inspecting.clear()
    register.inspect_failures.clear()
    register.inspect_at.clear()
    limits = register.limits
    register.pace = Traffic(limits.requests_per_minute, limits.api_requests_per_minute)
    register.proved, register.knocks = False, 0
    register.stop = register.closed = None
    register.handed_out, register.throttled_since = 0, None
    register.throttles.clear()
    register.pauses.clear()
    register.horizon = Horizon(register.forecasts)
    register.forecasts.forget_hint()
    for destination in register.destinations.values():
        plan_look(register, destination)
        for track in destination.doubtful.values() if destination.evidence is Evidence.UNKNOWN else ():
            register.inspect(track.carrier)


def _forget_source(source: Source) -> None:
    """Ask again about the source; old suspicions and pauses end with their night."""
    source.inspected, source.inspected_at, source.suspects = False, -inf, None
    source.shown = False
    source.not_before, source.tries, source.busy_since = 0.0, 0, None
    source.number, source.turn, source.freed_at, source.finish = -1, 0, 0.0, None


def _forget_track(track: Track, at: float) -> None:
    """Keep what was made or may have been made; forget what was tried.

    The settling time of a doubt begins again, so that no clock that jumped between two runs can
    shorten it, and the patience with a copy under way is this run's own.
    """
    track.wanted = track.unconfirmed = track.offered = track.deferred = track.relay = False
    track.place, track.fit = 0, None
    track.not_before, track.attempts, track.misses = 0.0, 0, 0
    track.ends_at, track.looked_at, track.ticket = at, at, 0
    if track.state in (State.DOUBTFUL, State.COPYING):
        track.since, track.taken_over = at, True
        track.absences = track.listings = 0
    track.lost_runs += 1
    if track.state is State.DOUBTFUL and track.reason is Reason.NEEDS_PERSON:
        track.reason = Reason.INTERRUPTED if track.call else Reason.LOOKALIKE


def planned(register: Register, event: Planned) -> None:
    """Want these copies: new ones wait, failed ones get a new chance, done ones are confirmed."""
    register.relaying = register.relaying or event.relay
    for copy in event.copies:
        track = register.track(copy)
        track.relay = track.relay or event.relay
        if not track.wanted:
            _want(register, track)


def _want(register: Register, track: Track) -> None:
    """Want one copy, from wherever an earlier night left it."""
    uncount(track)
    register.offers.enlist(track)
    track.wanted = True
    track.unconfirmed = track.image is not None and track.state in (State.READY, State.FAILED)
    if track.state is State.WAITING:
        track.reason, track.detail = Reason.QUEUED, ""
    count(track)
    if track.state is State.FAILED and track.image is None:
        register.move(track, Step.RENEW, Reason.QUEUED)
    elif track.state is State.WAITING:
        register.tell(track, State.WAITING)
        register.offer(track)
    elif track.state is State.DOUBTFUL and not track.source.names:
        register.inspect(track.source)  # by its name a copy may be recognised
    if register.rebuilds and track.state is State.WAITING:
        register.move(track, Step.DOUBT, Reason.LEDGER_LOST)


def settled(register: Register, event: Settled) -> None:
    """Believe a person who looked: the doubtful copy exists, or it may be made again."""
    track = register.track(event.copy)
    if track.state is not State.DOUBTFUL:
        return
    track.lost_at = None
    if not event.made:
        register.move(track, Step.SETTLE, Reason.SETTLED)
        return
    if event.image is not None and event.image not in track.destination.images:
        register.name_image(track, event.image)
    register.move(track, Step.SEE_READY, Reason.SETTLED)


def selected(register: Register, event: Selected) -> None:
    """Remember how a selector groups names into families, for those who look."""
    if event.family:
        register.patterns[event.selector] = event.family
    else:
        register.patterns.pop(event.selector, None)


def pruned(register: Register, event: Pruned) -> None:
    """Forget the image of a copy that was deleted on purpose: it is neither missed nor made again by itself.

    A broken one is made again. The image may be shown for a while as it goes, and is taken for nothing; its
    room may be a while in coming.
    """
    if event.reason is not Reason.PRUNED:
        return
    destination = register.destination(event.region)
    destination.pruned.add(event.image)
    vacate(register, destination, event.at)
    track = destination.images.get(event.image)
    if track is None or track.state not in (State.READY, State.FAILED):
        return
    register.name_image(track, None)
    step = Step.GONE if track.state is State.READY else Step.RENEW
    register.move(track, step, Reason.QUEUED if event.broken else Reason.PRUNED)
