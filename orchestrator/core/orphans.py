"""What lies in a destination and does not fit to the ledger, and the reverse. It deletes nothing.

A run's own audit (`schedule.audit`) looks only where that run sent calls; this looks everywhere, and
at images that failed, too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.core.marks import read_mark
from orchestrator.core.model import Copy, ImageId, Region, Sighting, State
from orchestrator.core.schedule.readings import LIVE


class Kind(StrEnum):
    """What can be wrong with an image, or with an entry; stable words."""

    BROKEN = "broken"  # a copy of ours in status `error`: no copy, but it holds quota
    DUPLICATE = "duplicate"  # more than one live copy of one source
    STRANGER = "stranger"  # carries this ledger's mark, and the ledger does not know it
    FOREIGN = "foreign"  # carries the mark of a ledger that is not this one
    MISSING = "missing"  # the ledger has it as ready, and it is not there


Original = tuple[Region, ImageId]
"""A source image and its region."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """One thing that does not fit. `original` is what it is a copy of, `ledger` whose mark it has."""

    kind: Kind
    images: tuple[ImageId, ...]
    original: Original | None = None
    ledger: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What a ledger (its id is `ledger`, "" where there is none) says of one destination.

    `entries` are the images that it knows with copy and state; `accepted` are images that nobody need
    account for; `maker` tells which copy an image is that is not among the entries, if it can be told.
    """

    ledger: str
    entries: Mapping[ImageId, tuple[Copy, State]] = field(default_factory=dict)
    accepted: frozenset[ImageId] = frozenset()
    maker: Callable[[Sighting], Copy | None] = lambda sighting: None


def live_copies(shelf: Shelf, listing: Iterable[Sighting]) -> dict[Original, tuple[ImageId, ...]]:
    """Sort the live images of a destination by what they are a copy of, as far as ledger or mark tells."""
    found: dict[Original, list[ImageId]] = defaultdict(list)
    for sighting in listing:
        original = _original(shelf, sighting) if sighting.status in LIVE else None
        if original is not None:
            found[original].append(sighting.image)
    return {original: tuple(images) for original, images in found.items()}


def orphans(shelf: Shelf, listing: Sequence[Sighting]) -> tuple[Orphan, ...]:
    """Compare a complete listing of a destination's private images with what its ledger says."""
    twins = [(o, images) for o, images in live_copies(shelf, listing).items() if len(images) > 1]
    found = [Orphan(kind=Kind.DUPLICATE, images=images, original=o) for o, images in twins]
    told = {image for _, images in twins for image in images}
    for sighting in listing:
        orphan = None if sighting.image in told else _orphan(shelf, sighting)
        found += [orphan] if orphan else []
    shown = {sighting.image for sighting in listing}
    for image, (copy, state) in shelf.entries.items():
        if state is State.READY and image not in shown:
            found.append(Orphan(kind=Kind.MISSING, images=(image,), original=(copy.origin, copy.source)))
    return tuple(found)


def _original(shelf: Shelf, sighting: Sighting) -> Original | None:
    """Tell what an image is a copy of: by the ledger, or by a mark that names one source only."""
    known = shelf.entries.get(sighting.image)
    copy = known[0] if known else shelf.maker(sighting)
    if copy is not None:
        return copy.origin, copy.source
    mark = read_mark(sighting.text)
    named = mark.originals if mark else ()
    return named[0] if len(named) == 1 else None


def _orphan(shelf: Shelf, sighting: Sighting) -> Orphan | None:
    """Judge one image by itself; None where nothing is wrong with it."""
    known, mark = sighting.image in shelf.entries, read_mark(sighting.text)
    if not known and mark is None:
        return None
    images, original = (sighting.image,), _original(shelf, sighting)
    ledger = mark.ledger if mark else ""
    if sighting.status == "error":
        return Orphan(kind=Kind.BROKEN, images=images, original=original, ledger=ledger)
    if known or sighting.image in shelf.accepted or sighting.status not in LIVE:
        return None
    if ledger != shelf.ledger:
        return Orphan(kind=Kind.FOREIGN, images=images, original=original, ledger=ledger)
    if shelf.maker(sighting) is not None:  # a lost call made it: the next run finds it and takes it over
        return None
    return Orphan(kind=Kind.STRANGER, images=images, original=original, ledger=ledger)
