"""Constructed worlds for `plan`: sources good and bad, copies of every state, quotas; each from one seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from pathlib import Path
from random import Random

from orchestrator.app import Outcome
from orchestrator.core.diff import Diff
from orchestrator.core.model import ImageId, Region
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from orchestrator.simulator.things import Image
from orchestrator.simulator.traits import Fates, Switches
from tests.contract.running import QUICK, House, plan_of
from tests.contract.ways import serving
from tests.nights import EAST, EAST1, NORTH, SOUTH, Cloud, image_id, now

IMAGES = tuple(map(image_id, range(10)))
ABSENT = ImageId("img-absent0001")
REGIONS = (EAST, SOUTH, EAST1)


@dataclass
class Stage:
    """A house whose plan wants these images in these regions, and what its cloud was asked `before`."""

    house: House
    images: Sequence[ImageId] = IMAGES
    regions: Sequence[Region] = REGIONS
    before: int = 0

    async def diff(self) -> Diff:
        """Look, as `orchestrator plan` does."""
        house = self.house
        async with (
            serving(house.cloud.world, house.cloud.faults, house.wall) as url,
            house.orchestrator(url) as orchestrator,
        ):
            return await orchestrator.diff(plan_of(self.images, *self.regions))

    async def night(self, *, deadline_s: float = inf) -> Outcome:
        """Run the plan."""
        return await self.house.night(images=self.images, destinations=self.regions, deadline_s=deadline_s)

    def calls(self) -> int:
        """Count the copyImages calls that reached the service."""
        return len(self.house.cloud.world.books()["calls"])

    def submitted(self, since: int) -> set[tuple[str, str]]:
        """Name the copies (source, destination) of the calls after so many."""
        calls = self.house.cloud.world.books()["calls"][since:]
        return {(source, call["destination"]) for call in calls for source in call["sources"]}


def stage(
    folder: Path, *, images: int = 10, regions: Sequence[Region] = REGIONS, seed: int = 0,
    switches: Switches | None = None,
) -> Stage:  # fmt: skip
    """Set the stage with so many good sources and three empty regions."""
    cloud = Cloud(images=images, pace=QUICK, seed=seed, switches=switches or Switches())
    options = {"quota_interval": 60.0}
    return Stage(House(folder, cloud=cloud, options=options), IMAGES[:images], regions)


async def constructed(folder: Path, seed: int) -> Stage:
    """Make the world of a seed: an earlier night that something cut short, then what others did by day."""
    chance = Random(seed)
    scene = stage(folder, seed=seed, switches=Switches(stores_description=chance.random() < 0.7))
    cloud = scene.house.cloud
    if chance.random() < 0.8:
        await _earlier_night(scene, chance)
    if chance.random() < 0.7:
        scene.images = (*IMAGES, ABSENT)
    for number in chance.sample(range(10), chance.randrange(4)):
        _spoil(cloud, number, chance)
    for region in REGIONS:
        _day(cloud, region, chance)
    return scene


async def _earlier_night(scene: Stage, chance: Random) -> None:
    """Let a night pass that lost some calls, broke some copies or was stopped half-way."""
    cloud = scene.house.cloud
    fault = chance.choice((Fault.RESET_AFTER, Fault.RESET_BEFORE))
    lost = Rule(fault=fault, on=frozenset({"copyImages"}), chance=0.3)
    cloud.faults = FaultPlan(Random(chance.random()), [lost] if chance.random() < 0.5 else [])
    broken = frozenset(f"{image}@{EAST}" for image in chance.sample(IMAGES, 2))
    cloud.world.fates = Fates(error=broken) if chance.random() < 0.5 else Fates()
    await scene.night(deadline_s=chance.choice((1, 30, 70, 100, 3000)))
    cloud.faults, cloud.world.fates = FaultPlan(Random(0)), Fates()


def _spoil(cloud: Cloud, number: int, chance: Random) -> None:
    """Make one source unfit, in one of the ways that copyImages names."""
    image = cloud.world.stores[NORTH].images[image_id(number)]
    kind = chance.randrange(5)
    if kind == 0:
        cloud.add(number, encrypted=True)
    elif kind == 1:
        image.root_device = "localDisk"
    elif kind == 2:
        image.image_source = "shared"
    elif kind == 3:
        image.status = "error"
    else:
        cloud.world.stores[NORTH].images.pop(image.id)


def _day(cloud: Cloud, region: Region, chance: Random) -> None:
    """Let others delete, copy, and take room in one region."""
    store = cloud.world.stores[region]
    for image in list(store.images.values()):
        if image.status in ("ready", "error") and chance.random() < 0.2:
            store.drop(image.id, with_snapshots=True)
    for number in range(10):
        if chance.random() < 0.1:
            _copy_by_hand(cloud, region, number)
    if chance.random() < 0.5:
        store.image_quota = len(store.images) + chance.randrange(6)
    if chance.random() < 0.3:
        store.snapshot_quota = len(store.snapshots) + chance.randrange(6)


def _copy_by_hand(cloud: Cloud, region: Region, number: int) -> None:
    """Put a copy there that nobody's ledger knows, with the platform's own text."""
    source = image_id(number)
    store = cloud.world.stores[region]
    copy = ImageId(f"img-hand{region[-6:].replace('-', '')}{number}")
    store.images[copy] = Image(
        id=copy,
        name=f"golden-{number}",
        size_mb=8192,
        text=f"copied from {NORTH} {source}",
        root=(NORTH, source),
    )


def begun_by_others(scene: Stage, number: int, region: Region) -> None:
    """Let another tool of the same account begin a copy, with no description of its own."""
    request = CopyRequest(origin=NORTH, destination=region, sources=(image_id(number),))
    scene.house.cloud.world.copy_images(now(), request)


def put(scene: Stage, region: Region, image: str, *, name: str, text: str = "") -> None:
    """Put a ready image into a region."""
    there = Image(id=ImageId(image), name=name, size_mb=8192, text=text)
    scene.house.cloud.world.add_image(region, there)


def there(scene: Stage, region: Region) -> list[Image]:
    """Return the images of a region."""
    return list(scene.house.cloud.world.stores[region].images.values())


def codes(diff: Diff) -> dict[str, int]:
    """Count the rows by code."""
    return {code.value: number for code, number in sorted(diff.counts().items())}
