"""Puts into a simulated world what was seen in a real one: images, and the room that quotas leave."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.core.model import ImageId, Region, Sighting
from orchestrator.simulator.things import DELETING, PENDING, READY, Image
from orchestrator.simulator.world import World

USUAL_MB = 8 * 1024
"""What an image counts whose size the cloud does not say."""


def mirror(world: World, region: Region, sightings: Iterable[Sighting], *, at: float) -> tuple[ImageId, ...]:
    """Put images into a region as they were seen at a time; return those that count as ready too early.

    Nobody knows when a copy that somebody began will end, so what is being made is ready here; what
    is being deleted is gone.
    """
    world.stores.get(region) or world.add_region(region)
    early = []
    for sighting in sightings:
        if sighting.status == DELETING:
            continue
        if sighting.status == PENDING:
            early.append(sighting.image)
        world.add_image(region, _image(sighting, at), encrypted=sighting.encrypted)
    return tuple(early)


def make_room(world: World, region: Region, *, images: int, snapshots: int) -> None:
    """Let a region have room for so many more images and snapshots, whatever it holds."""
    store = world.stores[region]
    world.add_region(
        region, images=store.private_images() + images, snapshots=len(store.snapshots) + snapshots
    )


def _image(sighting: Sighting, at: float) -> Image:
    """Make the image that a sighting shows; a field that the cloud left out gets the usual value."""
    return Image(
        id=sighting.image,
        name=sighting.name,
        size_mb=sighting.size_mb or USUAL_MB,
        snapshots=sighting.snapshots,
        text=sighting.text,
        status=READY if sighting.status == PENDING else sighting.status,
        image_source=sighting.image_source or "private",
        owner=sighting.owner,
        root_device=sighting.root_device or "cloudDisk",
        platform=sighting.platform,
        architecture=sighting.architecture,
        shared=sighting.shared,
        created_s=at,
    )
