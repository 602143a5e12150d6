"""How many wanted copies are in each state, destination by destination: kept in step, never counted anew."""

from __future__ import annotations

from orchestrator.core.model import READY, WAITING
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.tracks import Track


def uncount(track: Track) -> None:
    """Take a copy out of its destination's counts, before it changes."""
    if track.wanted:
        destination = track.destination
        destination.unsettled -= track.unsettled
        destination.states[track.state] -= 1
        if track.state is WAITING:
            queue(track, -1)


def count(track: Track) -> None:
    """Put a copy back into its destination's counts, after it changed."""
    if track.wanted:
        destination = track.destination
        destination.unsettled += track.unsettled
        destination.states[track.state] += 1
        if track.state is WAITING:
            queue(track, +1)


def date(track: Track) -> None:
    """Note since when a copy is ready: from when it was first seen so until its image breaks or goes."""
    if track.state is READY and track.ready_at is None:
        track.ready_at = track.since
    elif track.reason is Reason.COPY_ERROR:
        track.ready_at = None


def queue(track: Track, sign: int) -> None:
    """Count a copy among those that wait and are not handed out, or take it out."""
    if not track.wanted or track.state is not WAITING or track.reserved:
        return
    queued = track.destination.queued[track.copy.origin]
    queued[0] += sign
    queued[1] += sign * track.source.size_mb
