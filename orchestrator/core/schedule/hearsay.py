"""What a text without a mark is worth: the platform's own words, or those of anybody who mentions an image.

The platform names source region and source image where no description is given (official copyImages
page); in which words is not documented, and anybody can write "hotfixed on top of img-1" into the same
field. So a text alone proves nothing that what else is shown of the image contradicts; and where no call
of this ledger's may have made the copy, it takes the region, or the name that a copy inherits, besides.
"""

from __future__ import annotations

from orchestrator.core.likeness import differences
from orchestrator.core.marks import platform_source, regions_in
from orchestrator.core.model import ImageId, Region, Sighting
from orchestrator.core.schedule.readings import LIVE
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Source, Track


def copy_told(register: Register, destination: Destination, sighting: Sighting) -> Track | None:
    """Return the copy whose source, or a copy of that, a text names and nothing speaks against; or None."""
    image = platform_source(sighting.text)
    sources = originals(register, destination, image) if image else ()
    found = [t for s in sources for t in s.tracks if t.destination is destination]
    if len(found) != 1 or contradicts(register, found[0], sighting):
        return None
    return found[0] if found[0].call is not None or _vouched(register, found[0], sighting) else None


def originals(register: Register, destination: Destination, image: ImageId) -> tuple[Source, ...]:
    """Return the originals that an image of another region is, or is a copy of, as far as is known."""
    found: dict[Source, None] = {}
    for record in register.by_image.get(image, ()):
        elsewhere = record.origin != destination.region
        found |= dict.fromkeys([record] if record.tracks or record.original is None else [])
        found |= dict.fromkeys([record.original] if record.original is not None and elsewhere else [])
    for region in register.destinations.values():
        if region is not destination and image in region.images:
            found[region.images[image].source] = None
    return tuple(found)


def contradicts(register: Register, track: Track, sighting: Sighting) -> bool:
    """Tell whether an image whose text names a copy's source is surely no copy of it.

    It says that it came from elsewhere than where the named image is known to lie, or it is made
    otherwise. Its size is not asked: no document says that a copy's is told as the original's.
    """
    named, original = regions_in(sighting.text), track.source.sighting
    homes = _homes(register, sighting)
    if named and homes and named.isdisjoint(homes):
        return True
    if original is None or sighting.status != "ready":
        return False
    return bool(differences(original, sighting, sizes=False))


def _homes(register: Register, sighting: Sighting) -> set[Region]:
    """Return the regions in which the image that a text names is known to lie, if it is known at all."""
    image = platform_source(sighting.text)
    if image is None:
        return set()
    homes = {record.origin for record in register.by_image.get(image, ())}
    return homes | {d.region for d in register.destinations.values() if image in d.images}


def _vouched(register: Register, track: Track, sighting: Sighting) -> bool:
    """Tell whether more than a mentioned id speaks for a copy that this ledger never made.

    What is broken is left to whoever made it: the copy is made beside it.
    """
    told = not regions_in(sighting.text).isdisjoint(_homes(register, sighting))
    return sighting.status in LIVE and (told or sighting.name in track.source.names)
