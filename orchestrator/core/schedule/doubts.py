"""Lost calls: what complete listings say about a copy that a call may have made. Doubt is left by looking.

A copy counts as not made after two trusted listings without a trace of it, both begun at least
SETTLE_TIME after its request ended; what nothing there can tell is left to a person.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.marks import read_mark
from orchestrator.core.model import CallId
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.answers import count_attempt, needs_person
from orchestrator.core.schedule.evidence import anothers, owner
from orchestrator.core.schedule.lifecycle import Step
from orchestrator.core.schedule.likeness import Likeness, lookalikes
from orchestrator.core.schedule.readings import Evidence, Listing
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track

_ABSENCES = 2
"""Complete listings without a trace of a lost call, after SETTLE_TIME, before it counts as not made."""


def settled_by(register: Register, track: Track, listing: Listing) -> bool:
    """Tell whether a listing was begun late enough to settle a doubt.

    Where only its name would give the copy away, the image sent was renamed perhaps before the lost
    call: the name it had after that must be known.
    """
    named = track.carrier.inspected_at >= track.since or track.destination.evidence is not Evidence.UNKNOWN
    return named and listing.began >= track.since + register.limits.settle_s


@dataclass(frozen=True, slots=True)
class Traces:
    """What a listing shows that might be a lost copy after all.

    `calls` are marked on images whose source nobody can tell; `images` are those that nobody
    owns and that were not there before, `unclaimed` those of them without another ledger's mark.
    """

    calls: frozenset[CallId]
    images: Likeness
    unclaimed: Likeness


def traces_of(register: Register, destination: Destination, listing: Listing) -> Traces:
    """Collect the traces of a listing."""
    marks = [read_mark(s.text) for s in listing.images if owner(register, destination, s) is None]
    new = lookalikes(register, destination, listing.images) - destination.lookalikes
    images = [s for s in listing.images if s.image in new]
    return Traces(
        calls=frozenset(mark.call for mark in marks if mark is not None),
        images=Likeness.of(register, destination, images),
        unclaimed=Likeness.of(register, destination, (s for s in images if not anothers(register, s))),
    )


def foretell(register: Register, destination: Destination, traces: Traces) -> None:
    """Say at once, when a ledger is rebuilt, which doubts looking will not settle."""
    for track in list(destination.doubtful.values()):
        if not _conclusive(track, traces):
            needs_person(register, track, ", ".join(sorted(traces.images.to(track))))


def settle(register: Register, track: Track, traces: Traces, *, trust: bool) -> None:
    """Count one listing without the copy; after two, decide whether it was not made."""
    track.listings += 1
    track.absences += trust
    if track.absences >= _ABSENCES:
        if _conclusive(track, traces):
            count_attempt(register, track, Step.SETTLE, Reason.ABSENT, "", register.now)
        else:
            needs_person(register, track)
    elif track.listings >= register.limits.max_attempts:
        needs_person(register, track)


def _conclusive(track: Track, traces: Traces) -> bool:
    """Tell whether a copy would have been recognised, had it been made.

    A doubt without a call of ours is about what an earlier ledger made: where no text tells, an
    image that resembles the copy keeps it open, and only that; and where the platform's does, one
    that may have been relayed by an image that is gone. Ours are known by their carriers.
    """
    evidence, earlier = track.destination.evidence, track.call is None
    if track.call in traces.calls:
        return False
    if earlier and evidence is not Evidence.MARK and traces.images.guessed(track):
        return False
    if evidence is Evidence.UNKNOWN or (earlier and evidence is Evidence.NONE):
        images = traces.images if earlier else traces.unclaimed
        named = bool(track.source.names) or (not earlier and not images.by_name)
        return named and not images.to(track)
    return evidence is Evidence.PLATFORM or (evidence is Evidence.MARK and track.marked)
