"""Which images may carry a copy: its original, and the ready copies of it that were found fit."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.core.model import READY, WAITING
from orchestrator.core.schedule.tracks import Source, Track


def able(track: Track) -> Iterator[Track]:
    """Go through the copies whose images may carry this one, now or as soon as nobody holds them.

    Only for an original that this run has seen: of one that is gone nothing new is made.
    """
    if track.relay and track.source.shown:
        for other in track.source.tracks:
            confirmed = other.state is READY and not other.unconfirmed
            if confirmed and other.fit and other.copy.destination not in track.destination.shut:
                yield other


def unready(source: Source) -> bool:
    """Tell whether the latest look at an original showed it not ready yet: every call would be refused."""
    return source.shown and source.sighting is not None and source.sighting.status == "pending"


def unknown(source: Source, now: float) -> bool:
    """Tell whether an original is to be looked at before it is called: never seen, or unready then."""
    return not source.inspected or (unready(source) and source.not_before <= now)


def carries(carrier: Source, track: Track) -> bool:
    """Tell whether an image that was offered may still carry a copy: much may have happened since."""
    if carrier is track.source:
        return True
    return any((t.copy.destination, t.image) == (carrier.origin, carrier.image) for t in able(track))


def may_be_called(track: Track) -> bool:
    """Tell whether nothing but the clock, or a carrier in use, keeps a copy from being called.

    A sibling that is to be confirmed first may turn out to be under way still.
    """
    source = track.source
    if not (track.wanted and track.state is WAITING and source.inspected) or track.deferred or track.reserved:
        return False
    for sibling in source.tracks:  # noqa: SIM110 - any() takes three times as long, and all copies pass here
        if sibling.unconfirmed:
            return False
    return True
