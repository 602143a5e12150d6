"""What the answer to a copyImages call means for its copies. The reason's nature decides, nothing else."""

from __future__ import annotations

from typing import assert_never

from orchestrator.core.apis import COPY_IMAGES
from orchestrator.core.messages import Accepted, Called, Lost, Refused
from orchestrator.core.model import CallId, State
from orchestrator.core.reasons import MEANINGS, THROTTLES, Nature, Reason
from orchestrator.core.schedule import window
from orchestrator.core.schedule.culprits import clear, dismiss, suspect
from orchestrator.core.schedule.lifecycle import Step
from orchestrator.core.schedule.looking import foresee, plan_look
from orchestrator.core.schedule.parking import refused_for_quota
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.relay import carriers, pass_over
from orchestrator.core.schedule.tracks import Destination, Source, Track
from orchestrator.core.schedule.turns import keep_turn

_ABOUT_AN_IMAGE = (Nature.IMAGE_PERMANENT, Nature.IMAGE_TRANSIENT, Nature.UNEXPLAINED)
_ENDS_A_CARRIER = (Nature.IMAGE_PERMANENT, Nature.ROUTE_PERMANENT, Nature.UNEXPLAINED)
_NO_FAULT_OF_CREDENTIALS = (
    Nature.CREDENTIALS, Nature.RENEWED, Nature.CONFIGURATION, Nature.NOT_SENT, Nature.DOUBT,
)  # fmt: skip


def called(register: Register, event: Called) -> None:
    """Note the intent: from now on, until an answer, the call may have been sent."""
    tracks = tuple(register.track(copy) for copy in event.copies)
    register.calls[event.call] = tracks
    register.open_calls[event.call] = event.marked
    register.handed_out = max(0, register.handed_out - 1)
    if event.via is not None:
        register.relays[event.call] = (event.via, event.carriers)
    for track, carrier in zip(tracks, carriers(register, event.call), strict=True):
        register.carry(track, carrier)
        track.call, track.marked = event.call, event.marked
        track.absences = track.listings = 0
        track.destination.audited = False
        register.move(track, Step.CALL, Reason.CALLED)


def accepted(register: Register, event: Accepted) -> None:
    """Take over the destination images; what the answer leaves out, or cannot be true, is in doubt."""
    register.proved = True
    register.throttles[COPY_IMAGES] = 0
    made, marked = dict(event.pairs), register.open_calls.get(event.call, False)
    tracks = _answered(register, event.call)
    for track in tracks:
        image = made.get(track.carrier.image)
        if image is None or image in track.destination.images:
            register.move(track, Step.LOSE, Reason.INCOMPLETE)
            continue
        track.carrier.tries, track.carrier.busy_since = 0, None
        register.name_image(track, image, answered=True)
        track.seen, track.misses, track.taken_over = False, 0, False
        register.move(track, Step.ACCEPT, Reason.ACCEPTED)
        foresee(register, track, None)
        register.expect(track.source)
    for source, refusal in clear(tuple(track.source for track in tracks if not track.relayed)):
        _blame_by_exclusion(register, source, refusal)
    if tracks:
        destination = tracks[0].destination
        destination.park, destination.ceiling, destination.passed = None, None, 0
        destination.mark_proven |= marked
        window.accepted(register, destination, sum(track.state is State.COPYING for track in tracks))
        plan_look(register, destination)


def lost(register: Register, event: Lost) -> None:
    """Put the call's copies in doubt; source and room stay taken until a listing settles it."""
    for track in _answered(register, event.call):
        register.move(track, Step.LOSE, event.reason, event.detail)


def refused(register: Register, event: Refused) -> None:
    """Send each copy of a refused call where the reason's nature says."""
    marked = register.open_calls.get(event.call, False)
    tracks = _answered(register, event.call)
    if not tracks:
        return
    nature = _nature(tracks[0].destination, event, marked=marked)
    register.proved = register.proved or nature not in _NO_FAULT_OF_CREDENTIALS
    window.refused(register, tracks, event, nature)
    culprits = tuple(t for t in tracks if t.carrier.image == event.culprit)
    blamed = culprits or tracks
    if nature in _ABOUT_AN_IMAGE and not culprits:
        suspect(tuple(track.source for track in tracks if not track.relayed), event)
        blamed = tracks if len(tracks) == 1 else tuple(track for track in tracks if track.relayed)
    _pause(register, tracks[0].destination, event, nature)
    if nature in THROTTLES or not (nature is Nature.QUOTA or tracks[0].relay):
        keep_turn(tracks)  # relayed suspects are better tried elsewhere meanwhile (measured)
    for track in tracks:
        if track not in blamed:
            register.move(track, Step.REFUSE, Reason.QUEUED)
    for track in blamed:
        _blame(register, track, event, nature)
    if nature is Nature.QUOTA:
        refused_for_quota(register, tracks[0].destination, len(tracks), event.reason, event.until)


def _answered(register: Register, call: CallId) -> tuple[Track, ...]:
    """Close a call; return its copies that still wait for the answer."""
    if call not in register.open_calls:
        return ()
    del register.open_calls[call]
    for destination in register.destinations.values():
        destination.stirred = True  # suspects may wait for this answer
    return tuple(track for track in register.calls[call] if track.state is State.CALLING)


def _nature(destination: Destination, event: Refused, *, marked: bool) -> Nature:
    """Take the reason's nature, but suspect our mark first when a refusal is not explained.

    How a gateway refuses a description is not documented. So the first such refusal where no
    marked call was ever accepted is tried once more without; if that is refused as well, it was
    not the mark.
    """
    nature = MEANINGS[event.reason].nature
    if nature is not Nature.UNEXPLAINED or destination.mark_proven:
        return nature
    if marked and not destination.mark_doubted:
        destination.mark_doubted = True
        return Nature.MARK
    destination.takes_marks = destination.takes_marks or not marked
    return nature


def _pause(register: Register, destination: Destination, event: Refused, nature: Nature) -> None:
    """Note what a refusal says about more than its own images, before they are offered again."""
    match nature:
        case Nature.THROTTLE | Nature.API_THROTTLE:
            register.throttled(COPY_IMAGES, event.until, alone=nature is Nature.API_THROTTLE)
        case Nature.MARK:
            destination.takes_marks = False
        case Nature.CREDENTIALS:
            register.closed = event.reason
        case Nature.CONFIGURATION:
            register.stop = event.reason
        case (
            Nature.NORMAL | Nature.IMAGE_PERMANENT | Nature.ROUTE_PERMANENT | Nature.IMAGE_TRANSIENT
            | Nature.QUOTA | Nature.UNEXPLAINED | Nature.NOT_SENT | Nature.DOUBT | Nature.END | Nature.RENEWED
        ):  # fmt: skip
            pass
        case _:
            assert_never(nature)


def _blame(register: Register, track: Track, event: Refused, nature: Nature) -> None:
    """Move one copy that the refusal is about; a carrier that is no original is to blame alone."""
    if track.relayed and nature in _ENDS_A_CARRIER:
        pass_over(register, track, nature, event.reason, event.detail)
        return
    match nature:
        case Nature.IMAGE_PERMANENT:
            fail_image(register, track, event.reason, event.detail)
        case Nature.ROUTE_PERMANENT:
            fail_route(register, track, event.reason, event.detail)
        case Nature.IMAGE_TRANSIENT:
            _wait_for_image(register, track, event)
        case Nature.UNEXPLAINED | Nature.NOT_SENT:
            count_attempt(register, track, Step.REFUSE, event.reason, event.detail, event.until)
        case (
            Nature.QUOTA | Nature.THROTTLE | Nature.API_THROTTLE | Nature.CREDENTIALS | Nature.CONFIGURATION
            | Nature.MARK | Nature.NORMAL | Nature.DOUBT | Nature.END | Nature.RENEWED
        ):  # fmt: skip
            register.move(track, Step.REFUSE, event.reason, event.detail)
        case _:
            assert_never(nature)


def _wait_for_image(register: Register, track: Track, event: Refused) -> None:
    """Let a busy image wait; give its copy up, or the carrier, when it has been busy for COPY_TIMEOUT."""
    source = track.carrier
    source.tries += 1
    source.not_before = event.until
    if source.busy_since is None:
        source.busy_since = event.at
    if event.at - source.busy_since <= register.limits.copy_timeout_s:
        register.move(track, Step.REFUSE, event.reason, event.detail)
    elif track.relayed:
        pass_over(register, track, Nature.IMAGE_TRANSIENT, event.reason, event.detail)
    else:
        register.move(track, Step.END, event.reason, event.detail)


def _blame_by_exclusion(register: Register, source: Source, refusal: Refused) -> None:
    """Blame an image whose companions in a refused call were all accepted since; it needs no call for that.

    What may pass by itself is not counted against it: it pauses, and its own call will tell.
    """
    for track in register.calls[refusal.call]:
        if track.source is source and track.state is State.WAITING:
            if MEANINGS[refusal.reason].nature is Nature.IMAGE_PERMANENT:
                fail_image(register, track, refusal.reason, refusal.detail)
            else:
                source.not_before = max(source.not_before, refusal.until)
                register.restate(track, refusal.reason, refusal.detail)


def fail_image(register: Register, track: Track, reason: Reason, detail: str) -> None:
    """Fail every copy of the image that is not made yet: the reason holds for all of them."""
    dismiss(track.source)
    for sibling in track.source.tracks:
        if sibling is track or (sibling.wanted and sibling.state is State.WAITING):
            register.move(sibling, Step.END, reason, detail)


def fail_route(register: Register, track: Track, reason: Reason, detail: str) -> None:
    """Fail every copy between the two regions that is not made yet."""
    if track.state is State.CALLING:
        register.move(track, Step.END, reason, detail)
    for other in track.destination.tracks:
        same = other.copy.origin == track.copy.origin
        if same and other.wanted and other.state is State.WAITING:
            register.move(other, Step.END, reason, detail)


def count_attempt(
    register: Register, track: Track, step: Step, reason: Reason, detail: str, until: float
) -> None:
    """Count a call that surely made nothing for no known reason; give up at MAX_ATTEMPTS."""
    track.attempts += 1
    track.not_before = until
    if track.attempts >= register.limits.max_attempts:
        words = f"{track.attempts} calls, the last: {reason.value} {detail}".rstrip()
        register.move(track, Step.END, Reason.ATTEMPTS, words)
    else:
        register.move(track, step, reason, detail)


def give_up(register: Register, destination: Destination, reason: Reason, detail: str) -> None:
    """Give up, for this run, what needs a listing of a destination that nobody can list."""
    never_listed = not destination.listed
    destination.listed = destination.audited = True
    destination.failures["list"] = 0
    for track in list(destination.doubtful.values()):
        needs_person(register, track)
    for track in destination.tracks:
        if never_listed and track.wanted and track.state is State.WAITING:
            register.move(track, Step.END, reason, detail)
    give_up_confirming(register, destination, reason, detail)


def give_up_confirming(register: Register, destination: Destination, reason: Reason, detail: str) -> None:
    """Give up, for this run, the results of earlier runs that nobody can confirm."""
    destination.to_check.clear()
    for track in destination.tracks:
        if track.unconfirmed and track.state is State.FAILED:
            register.restate(track, reason, detail)
        elif track.unconfirmed:
            register.move(track, Step.END, reason, detail)


def needs_person(register: Register, track: Track, detail: str = "") -> None:
    """Leave a copy doubtful for the rest of this run: sending it again could make it twice.

    Its source is free for other destinations again; if the copy is under way after all, the
    cloud will call the source busy.
    """
    register.restate(track, Reason.NEEDS_PERSON, detail or track.detail)
    track.destination.doubtful.pop(track.copy, None)
    register.release(track, made=True, freed_at=register.now)
