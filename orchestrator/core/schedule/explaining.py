"""Why one copy stands where it stands, in a phrase that is never empty, and until when. It decides nothing.

For a copy that waits the obstacles are gone through in the order in which they would have to fall; the
first that stands is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from orchestrator.core.apis import COPY_IMAGES
from orchestrator.core.model import Copy, Resource, State
from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.core.schedule import outlook
from orchestrator.core.schedule.agenda import awaited
from orchestrator.core.schedule.parking import blocked
from orchestrator.core.schedule.register import EVERY_API, Register
from orchestrator.core.schedule.tracks import Track
from orchestrator.core.schedule.window import held_back, most_in_flight


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """One copy explained. Times are UTC epoch seconds.

    `until` is when what is told ends, as far as anybody can tell; None where only an event can end
    it. `since` is when the present state began.
    """

    state: State
    reason: Reason
    phrase: str
    since: float
    until: float | None = None


Obstacle = tuple[Reason, str, float | None]
"""What keeps a copy waiting: the reason, a phrase, and until when."""


def explain(register: Register, copy: Copy, now: float) -> Explanation:
    """Explain one copy at a time (UTC epoch seconds); KeyError when the copy is not known."""
    register.now = max(register.now, now)
    track = register.tracks[copy]
    reason, phrase, until = _told(register, track)
    ahead = until if until is not None and until > register.now else None
    return Explanation(state=track.state, reason=reason, phrase=phrase, since=track.since, until=ahead)


def _told(register: Register, track: Track) -> Obstacle:
    """Hand a copy to whoever knows what its state means."""
    match track.state:
        case State.WAITING:
            return _waiting(register, track)
        case State.CALLING:
            return track.reason, "its call is on the way", None
        case State.COPYING:
            return _copying(track)
        case State.DOUBTFUL:
            return _doubtful(register, track)
        case State.READY:
            return track.reason, _says(track), None
        case State.FAILED:
            return track.reason, _says(track), None
        case _:
            assert_never(track.state)


def _says(track: Track) -> str:
    """Say what a reason means, what the cloud said to it, and what to do."""
    meaning = MEANINGS[track.reason]
    parts = [meaning.says, track.detail, f"what to do: {meaning.advice}" if meaning.advice else ""]
    return "; ".join(part for part in parts if part)


def _copying(track: Track) -> Obstacle:
    """Say how far the cloud is, and when it is expected to be done."""
    done = f", {track.progress}% done" if track.progress else ""
    earlier = ", begun before this run" if track.taken_over else ""
    return track.reason, f"the cloud is copying it{done}{earlier}", track.ends_at


def _doubtful(register: Register, track: Track) -> Obstacle:
    """Say what is not known, and how it will be."""
    if track.reason is Reason.NEEDS_PERSON:
        return track.reason, _says(track), None
    region = track.copy.destination
    looks = f"listings of {region} will tell whether it was made"
    until = track.since + register.limits.settle_s
    if until > register.now:
        looks += "; the first that counts comes after the settling time"
    return track.reason, f"{MEANINGS[track.reason].says}; {looks}", until


# --- what keeps a copy waiting --------------------------------------------------------------------


def _waiting(register: Register, track: Track) -> Obstacle:
    """Name the first obstacle that stands; without any the copy is as good as sent."""
    for look in _OBSTACLES:
        found = look(register, track)
        if found is not None:
            return found
    return Reason.QUEUED, "it goes with one of the next calls", None


def _run(register: Register, track: Track) -> Obstacle | None:
    """Look at the run itself: whether it wants the copy, and may send anything at all."""
    stopped = register.stop or register.closed
    if not track.wanted:
        return track.reason, "the latest run does not want it", None
    if stopped is not None:
        return stopped, f"nothing more is sent in this run: {MEANINGS[stopped].says}", None
    if track.reserved:
        return Reason.QUEUED, "its call is about to be sent", None
    return None


def _quotas(register: Register, track: Track) -> Obstacle | None:
    """Look for a place in the destination's quotas."""
    destination, park = track.destination, track.destination.park
    if park is not None and blocked(destination):
        _, numbers = outlook.why(register, track)
        return park.reason, f"{MEANINGS[park.reason].says}: {numbers}; it is tried again", park.until
    if track.deferred:
        reason, numbers = outlook.why(register, track)
        return reason, f"{MEANINGS[reason].says}: {numbers}" if numbers else MEANINGS[reason].says, None
    if (park is not None or destination.ceiling is not None) and destination.asking:
        said = f"{track.copy.destination} was full, so it is tried with one call at a time"
        return park.reason if park else Reason.QUEUED, said, None
    return None


def _readings(register: Register, track: Track) -> Obstacle | None:
    """Look for what must be read first: the source, listings, quotas."""
    destination, source, region = track.destination, track.source, track.copy.destination
    if not source.inspected:
        return Reason.QUEUED, "its source has not been looked at yet", register.inspect_at.get(source.origin)
    if not destination.listed:
        return Reason.QUEUED, f"{region} has not been listed yet", destination.again_at.get("list")
    sibling = next((other for other in source.tracks if other.unconfirmed), None)
    if sibling is not None:
        return Reason.QUEUED, f"its copy in {sibling.copy.destination} is looked up first", None
    other = next(awaited(register), None)
    if other is not None:
        return Reason.QUEUED, f"{other.region} is listed first", other.again_at.get("list")
    if destination.stale and not blocked(destination):
        return Reason.QUEUED, f"the quotas of {region} are read first", destination.again_at.get("survey")
    return None


def _source(register: Register, track: Track) -> Obstacle | None:
    """Look for an image that may carry it now."""
    carriers = list(register.free_carriers(track))
    if not carriers:
        holder = track.source.holder
        where = holder.copy.destination if holder is not None else "another region"
        return Reason.QUEUED, f"its source is being copied to {where}", holder.ends_at if holder else None
    at = max(track.not_before, min(carrier.not_before for carrier in carriers))
    if at <= register.now:
        return None
    if track.reason is Reason.QUEUED:
        return Reason.BUSY, "its source was busy and is left alone for a while", at
    return track.reason, f"{MEANINGS[track.reason].says}; it is tried again", at


def _gateway(register: Register, track: Track) -> Obstacle | None:
    """Look at pauses and paces that hold every call."""
    for api, reason in ((EVERY_API, Reason.THROTTLED), (COPY_IMAGES, Reason.API_THROTTLED)):
        until = register.pauses.get(api, 0.0)
        if until > register.now:
            return reason, f"{MEANINGS[reason].says}; calls pause", until
    busy = len(register.open_calls) + register.handed_out
    if busy >= register.limits.workers:
        return Reason.QUEUED, f"as many calls as WORKERS allows ({busy}) are on the way", None
    if not register.pace.ready(COPY_IMAGES, register.now):
        return Reason.QUEUED, "calls leave no faster than REQUESTS_PER_MINUTE allows", None
    return None


def _room(register: Register, track: Track) -> Obstacle | None:
    """Look for room at the destination: our own limit, and what calls under way have taken."""
    destination, most = track.destination, register.limits.region_copies
    if destination.in_flight >= most_in_flight(destination, most):
        held = held_back(destination, most)
        said = f"{destination.in_flight} copies to {track.copy.destination} are under way"
        return Reason.QUEUED, f"{said}, {held}" if held else said, destination.next_end
    for resource, quota in destination.quotas.items():
        if resource not in destination.blind and quota.room < track.needs(resource):
            full = Reason.QUOTA_IMAGE if resource is Resource.IMAGE else Reason.QUOTA_SNAPSHOT
            return full, f"calls under way have taken the last {resource.value}s of the quota", None
    return None


def _company(register: Register, track: Track) -> Obstacle | None:
    """Look at whom it travels with."""
    if track.source.suspects is not None:
        said = "a call with its source was refused without a name, so it is tried apart from others"
        return track.reason, said, None
    if track.destination.linger_until > register.now and not track.destination.stirred:
        return Reason.QUEUED, "it waits for more copies, for a fuller call", track.destination.linger_until
    return None


_OBSTACLES: tuple[Callable[[Register, Track], Obstacle | None], ...] = (
    _run, _readings, _quotas, _source, _gateway, _room, _company,
)  # fmt: skip
