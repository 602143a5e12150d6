"""Whose copy is this image? Matching images of a destination to copies, and how far to trust a listing.

In this order: our mark in the description (the call, and the source by its name); the source
image id in the text that the platform writes by itself (`hearsay`), which may be that of a copy of
the original. A name alone is never enough to adopt an image, but it is enough to doubt: a lookalike
blocks the conclusion that nothing was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orchestrator.core.marks import Mark, platform_source, read_mark
from orchestrator.core.messages import Listed
from orchestrator.core.model import Copy, ImageId, Resource, Sighting, State
from orchestrator.core.schedule.hearsay import copy_told, originals
from orchestrator.core.schedule.readings import Evidence
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track


def owner(register: Register, destination: Destination, sighting: Sighting) -> Track | None:
    """Return the copy that this image certainly is, or None."""
    known = destination.images.get(sighting.image)
    if known is not None:
        return known
    mark = read_mark(sighting.text)
    if mark is None:
        return copy_told(register, destination, sighting)
    called = register.calls.get(mark.call, ()) if mark.ledger == register.ledger else ()
    if called and called[0].destination is not destination:
        return None
    copies = [Copy(source, origin, destination.region) for origin, source in mark.originals]
    named = called or tuple(register.tracks[copy] for copy in copies if copy in register.tracks)
    carried = len(called) or len(mark.sources)
    return _by_name(named, carried, sighting.name)


def made_by_others(register: Register, track: Track, sighting: Sighting) -> bool:
    """Tell whether an image, though a copy of the source, surely is not what our own call made."""
    if track.call is None or sighting.image == track.image:
        return False
    unmarked = read_mark(sighting.text) is None and track.destination.evidence is Evidence.MARK
    return anothers(register, sighting) or (unmarked and track.marked)


def anothers(register: Register, sighting: Sighting) -> bool:
    """Tell whether an image carries another ledger's mark."""
    mark = read_mark(sighting.text)
    return mark is not None and mark.ledger != register.ledger


def _by_name(candidates: tuple[Track, ...], carried: int, name: str) -> Track | None:
    """Choose among the copies of one call: the only one it carried, or the only one of that name.

    A source that was renamed since counts by its old name too: the copy still has that one.
    """
    if carried == 1 and len(candidates) == 1:
        return candidates[0]
    same = [track for track in candidates if name in track.source.names]
    return same[0] if len(same) == 1 else None


def judge_text(register: Register, track: Track, sighting: Sighting) -> None:
    """Learn from one copy of ours what texts this destination stores.

    Anybody can write into the description of an image that was merely adopted: only a mark of
    this ledger counts there. That there is nothing is only believed of a ready image: the text
    may be written late.
    """
    destination, mark = track.destination, read_mark(sighting.text)
    if mark is not None and mark.ledger == register.ledger and _leads_here(register, destination, mark):
        destination.evidence = Evidence.MARK
    elif destination.evidence is Evidence.MARK or not track.answered:
        return
    elif mark is None and track.copy.source in claims(register, destination, sighting.text):
        destination.evidence = Evidence.PLATFORM
    elif sighting.status == "ready" and destination.evidence is Evidence.UNKNOWN:
        destination.evidence = Evidence.NONE


def _leads_here(register: Register, destination: Destination, mark: Mark) -> bool:
    """Tell whether a mark of ours may be this destination's own, not one that a carrier brought along."""
    called = register.calls.get(mark.call, ())
    return not called or called[0].destination is destination


def claims(register: Register, destination: Destination, text: str) -> frozenset[ImageId]:
    """Return the originals of which a text says that its image is a copy: of one of them, if any.

    What a platform's text names may be a copy of the original; an image that nobody knows stands
    for itself.
    """
    mark = read_mark(text)
    if mark is not None:
        return frozenset(mark.sources)
    named = platform_source(text)
    if named is None:
        return frozenset()
    known = originals(register, destination, named)
    return frozenset(source.image for source in known) or frozenset((named,))


def trusted(destination: Destination, shown: set[ImageId], total: int, after: float = 0.0) -> bool | None:
    """Tell whether the absence of an image from this complete listing means anything.

    A listing that shows one of the copies known to be there does see them; one that shows none
    of those that this run has seen there does not: a missing permission looks like absence
    (official describeImages page, note on sub-users). Where none is known, the region's quota
    must not count more images than the listing does; None means that it must be read first,
    not before `after`, which is when the doubts in question were due to be settled.
    """
    if any(image in shown for image in destination.images):
        return True
    if any(_surely_there(track) for track in destination.images.values()):
        return False
    quota = destination.quotas.get(Resource.IMAGE)
    if quota is not None and quota.at >= after:
        return quota.used <= total
    return False if Resource.IMAGE in destination.blind else None


def _surely_there(track: Track) -> bool:
    """Tell whether this run has seen the copy with its own eyes."""
    return not track.unconfirmed and (
        track.state is State.READY or (track.state is State.COPYING and track.seen)
    )


def relevant(register: Register, event: Listed) -> Listed:
    """Return a listing's page with the images that can matter to a copy, now or after a crash.

    `shown` counts the images that no earlier page of the listing showed.
    """
    destination = register.destination(event.region)
    if event.page == 1:  # once per listing: it looks at every copy
        destination.names, destination.turned = names_wanted(destination), set()
    new = {sighting.image for sighting in event.images} - destination.turned
    destination.turned |= new
    told = (s for s in event.images if s.name in destination.names or _told(register, destination, s))
    return replace(event, shown=len(new), images=tuple(told))


def _told(register: Register, destination: Destination, sighting: Sighting) -> bool:
    """Tell whether an image is known, or its text says that we or the platform made it of a source."""
    if sighting.image in destination.images:
        return True
    mark = read_mark(sighting.text)
    ours = mark is not None and mark.ledger == register.ledger
    claimed = claims(register, destination, sighting.text)
    named = any(image in register.by_image for image in claimed)
    return ours or named or owner(register, destination, sighting) is not None


def names_wanted(destination: Destination) -> frozenset[str]:
    """Return all names of the sources whose copies here have no image yet, or may have another one."""
    return frozenset(name for track in missed(destination) for name in track.source.names)


def missed(destination: Destination) -> Iterator[Track]:
    """Go through the copies that have no image yet, or may have another one."""
    states = (State.WAITING, State.CALLING, State.DOUBTFUL)
    return (t for t in destination.tracks if t.state in states or t.lost_at is not None)
