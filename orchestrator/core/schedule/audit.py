"""The audit: what a destination holds, once more, against what the ledger says. It deletes nothing.

Even if an assumption of ours is broken (an accepted copy that became visible only after
SETTLE_TIME, a ledger restored from an old backup), the night does not end green over it.
"""

from __future__ import annotations

from collections import defaultdict
from math import inf

from orchestrator.core.marks import platform_source, read_mark
from orchestrator.core.model import ImageId, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.evidence import claims, owner
from orchestrator.core.schedule.lifecycle import Step
from orchestrator.core.schedule.readings import LIVE, Evidence, Listing
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track

_RUNS = 2


def due(destination: Destination) -> bool:
    """Tell whether calls were sent there since its last audit, and nothing is under way any more."""
    settled = destination.unsettled == 0 and not destination.copying and not destination.doubtful
    return settled and not destination.audited and destination.listed


def examine(register: Register, destination: Destination, listing: Listing, *, trusted: bool) -> None:
    """Compare a complete listing with what is known: twins, strangers with our mark, what is gone."""
    live = {sighting.image: sighting for sighting in listing.images if sighting.status in LIVE}
    loose = [t for t in destination.tracks if t.lost_at is not None and t.image is not None]
    found: dict[Track, list[ImageId]] = defaultdict(list, {track: [] for track in loose})
    strangers = []
    for sighting in live.values():
        track = _maker(register, destination, sighting) or _perhaps_of(register, loose, destination, sighting)
        if track is not None:
            found[track].append(sighting.image)
        elif _ours(register, sighting) and sighting.image not in destination.former:
            strangers.append(sighting.image)
    if register.rebuilds:
        destination.former.update(strangers)
    else:
        destination.strangers = tuple(sorted(strangers))
    shown = set(listing.known)
    for track, others in found.items():
        twins = [*others, track.image] if track.image in shown else others
        if len(twins) > 1:
            _report_twins(register, track, ", ".join(sorted(filter(None, twins))))
        elif twins and trusted and track.lost_at is not None:
            _account_for(register, track, listing)
    shown.update(live)
    for image, track in destination.images.items():
        if trusted and track.wanted and track.state is State.READY and image not in shown:
            destination.to_check[image] = None
    destination.audited = not destination.copying and not destination.doubtful


def _maker(register: Register, destination: Destination, sighting: Sighting) -> Track | None:
    """Return the copy that we made this image for: one that is known, or that our mark names."""
    known = destination.images.get(sighting.image)
    if known is not None or not _ours(register, sighting):
        return known
    return owner(register, destination, sighting)


def _perhaps_of(
    register: Register, loose: list[Track], destination: Destination, sighting: Sighting
) -> Track | None:
    """Return the copy whose lost call may have made this image, beside the one that was found.

    Where our marks are stored it would carry one, and where the platform writes, its text.
    """
    known = sighting.image in destination.lookalikes or read_mark(sighting.text) is not None
    if known or destination.evidence is Evidence.MARK:
        return None
    named = platform_source(sighting.text)
    claimed = claims(register, destination, sighting.text)
    by_name = named is None and destination.evidence is not Evidence.PLATFORM
    for track in loose:
        if track.copy.source in claimed or (by_name and sighting.name in track.source.names):
            return track
    return None


def _account_for(register: Register, track: Track, listing: Listing) -> None:
    """Take the lost call as settled once SETTLE_TIME and two more runs brought no second image to light.

    Runs are counted because a clock may have jumped between two of them.
    """
    since = inf if track.lost_at is None else track.lost_at
    if track.lost_runs >= _RUNS and listing.began >= since + register.limits.settle_s:
        track.lost_at = None


def _ours(register: Register, sighting: Sighting) -> bool:
    """Tell whether an image carries a mark of this ledger."""
    mark = read_mark(sighting.text)
    return mark is not None and mark.ledger == register.ledger


def _report_twins(register: Register, track: Track, images: str) -> None:
    """Fail a copy that exists more than once, loudly: a person must choose which one stays."""
    if (track.reason, track.detail) == (Reason.DUPLICATE, images):
        return  # said already
    if track.state is State.FAILED:
        register.restate(track, Reason.DUPLICATE, images)
    elif track.state in (State.READY, State.COPYING):
        register.move(track, Step.END, Reason.DUPLICATE, images)
