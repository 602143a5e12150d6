"""What this run would do with each copy, once everything was looked at: the schedule's states as codes.

It reads states and decides nothing by itself; what may be sent is decided where it always is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from orchestrator.core.diff import Code, Row
from orchestrator.core.model import Copy, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.carrying import unready
from orchestrator.core.schedule.outlook import why
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track

_TRIED = 3
"""Failures of a read after which a look goes on without its answer, as a run does with the other regions."""

_OF_FAILED: dict[Reason, Code] = {
    Reason.SOURCE_STATUS: Code.BLOCKED_STATUS,
    Reason.LOCAL_DISK: Code.BLOCKED_LOCAL_DISK,
    Reason.ENCRYPTED: Code.BLOCKED_ENCRYPTED,
    Reason.NOT_PRIVATE: Code.BLOCKED_NOT_PRIVATE,
    Reason.INVALID_REGION: Code.BLOCKED_ROUTE,
    Reason.COPY_ERROR: Code.BLOCKED_BROKEN,
    Reason.DUPLICATE: Code.BLOCKED_DUPLICATE,
    Reason.UNCONFIRMED: Code.BLOCKED_UNCONFIRMED,
}


class Before(NamedTuple):
    """Where a copy stood by the ledger, before this look."""

    state: State
    reason: Reason


def standing_before(register: Register) -> dict[Copy, Before]:
    """Note where every copy stands; to be taken before the look begins."""
    return {copy: Before(track.state, track.reason) for copy, track in register.tracks.items()}


# --- has everything been looked at? ---------------------------------------------------------------


def looked(register: Register) -> bool:
    """Tell whether every source, listing and quota that a run reads before its calls was read.

    A region that gave no answer three times is not waited for.
    """
    asking = any(_asks(register, region) for region in (*register.to_inspect, *register.inspecting))
    wanted = (d for d in register.destinations.values() if d.states.total())
    return not asking and all(map(_looked_at, wanted))


def _asks(register: Register, origin: Region) -> bool:
    """Tell whether sources of an origin that answers are still to be described."""
    open_ones = bool(register.to_inspect.get(origin)) or origin in register.inspecting
    return open_ones and register.inspect_failures[origin] < _TRIED


def _looked_at(destination: Destination) -> bool:
    """Tell whether a destination was listed, and whatever else is asked before its first call."""
    if any(destination.failures[read] >= _TRIED for read in ("list", "survey", "check")):
        return True
    leaving = all(track.misses for track in _to_check(destination))
    return destination.listed and leaving and not (destination.waiting and destination.stale)


def _to_check(destination: Destination) -> Iterator[Track]:
    """Go through the copies whose images are to be asked for; one being deleted for long."""
    return (destination.images[image] for image in destination.to_check if image in destination.images)


# --- what becomes of each copy ----------------------------------------------------------------------


def rows(register: Register, wanted: Iterable[Copy], before: Mapping[Copy, Before]) -> tuple[Row, ...]:
    """Say of every wanted copy, in the order given, what the run would do with it."""
    return tuple(_row(register, register.tracks[copy], before.get(copy)) for copy in wanted)


def _row(register: Register, track: Track, before: Before | None) -> Row:
    """Say what becomes of one copy."""
    code = _code(register, track, before)
    detail = why(register, track)[1] if code is Code.BLOCKED_QUOTA else track.detail
    if code is Code.BLOCKED_OTHER:
        detail = f"{track.reason.value}: {detail}" if detail else track.reason.value
    return Row(track.copy, code, detail, track.image)


def _code(register: Register, track: Track, before: Before | None) -> Code:
    """Choose the code of one copy by its state."""
    if track.unconfirmed:
        being_deleted = track.image in track.destination.to_check and track.misses > 0
        return Code.SETTLE_DELETING if being_deleted else _unconfirmed(track)
    match track.state:
        case State.WAITING:
            return _waiting(track, before)
        case State.READY:
            return Code.ADOPT_READY if track.reason is Reason.ADOPTED else Code.SKIP_READY
        case State.COPYING | State.CALLING:
            known = before is not None and before.state in (State.COPYING, State.CALLING)
            return Code.WATCH_ON if known else Code.ADOPT_IN_PROGRESS
        case State.DOUBTFUL:
            return _doubtful(track, before)
        case State.FAILED:
            return _OF_FAILED.get(track.reason, Code.BLOCKED_OTHER)


def _unconfirmed(track: Track) -> Code:
    """Say what becomes of an earlier result that this look did not confirm."""
    if track.destination.listed and track.state is State.FAILED:
        return _OF_FAILED.get(track.reason, Code.UNREAD_REGION)
    return Code.UNREAD_REGION


def _waiting(track: Track, before: Before | None) -> Code:
    """Say what becomes of a copy that is to be made."""
    source, again = track.source, track.reason is Reason.DELETED
    if not track.destination.listed:
        return Code.UNREAD_REGION
    if not source.inspected:
        return Code.UNREAD_SOURCE
    if not source.shown:
        return Code.SOURCE_MISSING
    if track.deferred:
        return Code.BLOCKED_QUOTA
    if unready(source):
        return Code.WAIT_SOURCE
    if again and before is not None and before.state is State.FAILED:
        return Code.RECOPY_ERROR
    return Code.RECOPY_DELETED if again else Code.COPY_MISSING


def _doubtful(track: Track, before: Before | None) -> Code:
    """Say what becomes of a copy that may exist."""
    asked = before is not None and before.state is State.DOUBTFUL and before.reason is Reason.NEEDS_PERSON
    if asked or track.reason is Reason.NEEDS_PERSON:
        return Code.NEEDS_PERSON
    return Code.SETTLE_LOOKALIKE if track.reason is Reason.LOOKALIKE else Code.SETTLE_DOUBT
