"""Small worlds for tests: two or three regions, a few images, copies of known duration."""

from __future__ import annotations

from random import Random

from orchestrator.core.model import ImageId, Region
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.things import Image
from orchestrator.simulator.traits import Fates, Pace, Switches
from orchestrator.simulator.world import Query, World

NORTH, EAST, SOUTH = Region("cn-north-1"), Region("cn-east-2"), Region("cn-south-1")
COPY_S = 100.0
"""Every copy of these worlds takes as long as this."""

PRIVATE = Query(image_source="private", size=100)


def make_world(
    images: int = 3,
    *,
    pace: Pace | None = None,
    switches: Switches | None = None,
    fates: Fates | None = None,
    quota: tuple[int, int] = (100, 400),
    rate_per_minute: int = 1000,
    seed: int = 1,
) -> World:
    """Make a world with `images` private images in the north, named img-a1, img-a2, ..."""
    world = World(
        Random(seed),
        pace=pace or Pace(copy_base_s=COPY_S, copy_per_gb_s=0, copy_spread=0),
        switches=switches,
        fates=fates,
        rate_per_minute=rate_per_minute,
    )
    for region in (NORTH, EAST, SOUTH):
        world.add_region(region, images=quota[0], snapshots=quota[1])
    for number in range(1, images + 1):
        add(world, f"img-a{number}")
    return world


def add(world: World, name: str, *, snapshots: int = 1, encrypted: bool = False) -> Image:
    """Put one more private image into the north."""
    ids = tuple(f"snapshot-{name.removeprefix('img-')}-{n}" for n in range(snapshots))
    image = Image(id=ImageId(name), name=f"name-{name}", size_mb=10240, snapshots=ids)
    return world.add_image(NORTH, image, encrypted=encrypted)


def ask(
    *sources: str, to: str = EAST, origin: str = NORTH, name: str | None = None, text: str | None = None
) -> CopyRequest:
    """Write a copyImages request."""
    return CopyRequest(
        origin=Region(origin),
        destination=Region(to),
        sources=tuple(ImageId(source) for source in sources),
        name=name,
        description=text,
    )


def refusal(world: World, at: float, request: CopyRequest) -> tuple[int, str, str]:
    """Make a call that must be refused, and tell how."""
    try:
        world.copy_images(at, request)
    except Refusal as found:
        return found.http, found.status, found.message
    raise AssertionError("the call was accepted")


def held(world: World, at: float, region: Region = EAST) -> dict[str, str]:
    """Show the private images of a region: id -> status."""
    images, _ = world.describe_images(at, region, PRIVATE)
    return {image.id: image.status for image in images}
