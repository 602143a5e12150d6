"""From a description to a running world: world files, and the worlds that a plan needs. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from types import MappingProxyType

from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator.copying import draw_id
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from orchestrator.simulator.gate import WINDOW_S
from orchestrator.simulator.things import Image
from orchestrator.simulator.traits import Pace
from orchestrator.simulator.world import World
from orchestrator.simulator.worldfile import DEMO_KEY, DEMO_SECRET, ImageSpec, RegionSpec, WorldFile

DEMO_SPEED = 600.0
"""Ten minutes a second: a demo copy of 8 to 40 GB takes 1 to 7 s, an image in three regions 5 to 20 s."""

_ROLES = ("web", "db", "cache", "queue", "search", "auth", "build", "mail")
_KINDS = ("golden", "base", "nightly", "hardened")


@dataclass(frozen=True, slots=True)
class Simulation:
    """A world with what stands around it. `keys` maps access keys to secrets, which no repr shows."""

    world: World
    faults: FaultPlan
    keys: Mapping[str, str] = field(repr=False)
    clock_window_s: float = WINDOW_S


def build(spec: WorldFile, *, at: float, seed: int | None = None, speed: float | None = None) -> Simulation:
    """Build the world of a file; `seed` and `speed` override the file's, `at` is when it begins."""
    chosen = spec.seed if seed is None else seed
    pace = spec.pace if speed is None else replace(spec.pace, speed=speed)
    world = World(
        _chance(chosen, "world"),
        ids=_chance(chosen, f"ids/{at}"),
        pace=pace,
        switches=spec.switches,
        fates=spec.fates,
        rate_per_minute=spec.rate_per_minute,
    )
    names = _chance(chosen, "furniture")
    for region, content in spec.regions.items():
        _fill(world, region, content, names, at)
    faults = FaultPlan(_chance(chosen, "faults"), spec.faults, slow_s=spec.slow_s)
    keys = {key: secret.get_secret_value() for key, secret in spec.keys.items()}
    return Simulation(world, faults, keys, spec.clock_window_s)


def world_for_plan(
    copies: Iterable[Copy],
    *,
    seed: int,
    speed: float = DEMO_SPEED,
    at: float = 0.0,
    images: Mapping[ImageId, Image] = MappingProxyType({}),
) -> World:
    """Build a world that holds every source image of a plan and has room for all its copies.

    `at` is when it begins, in epoch seconds; worlds that begin at different times give different ids.
    """
    chance, ids = _chance(seed, "world"), _chance(seed, f"ids/{at}")
    world = World(chance, ids=ids, pace=Pace(speed=speed), rate_per_minute=100_000)
    furnish(world, copies, seed=seed, at=at, images=images)
    return world


def furnish(
    world: World,
    copies: Iterable[Copy],
    *,
    seed: int,
    at: float = 0.0,
    images: Mapping[ImageId, Image] = MappingProxyType({}),
) -> None:
    """Add what a plan needs and the world lacks: source images, and regions with room for two nights.

    Regions that the world has already keep their quotas. `images` are what a source image looks
    like, where that matters; the others are invented.
    """
    wanted = list(copies)
    fixed = set(world.stores)
    chance = _chance(seed, "furniture")
    for region in dict.fromkeys(region for copy in wanted for region in (copy.origin, copy.destination)):
        if region not in fixed:
            world.add_region(region)
    for origin, source in dict.fromkeys((copy.origin, copy.source) for copy in wanted):
        if source in images and source not in world.stores[origin].images:
            world.add_image(origin, images[source])
        elif source not in world.stores[origin].images:
            _add_invented(world, origin, source, chance, at)
    for region in set(world.stores) - fixed:
        _make_room(world, region, [copy for copy in wanted if copy.destination == region])


def demo_faults(seed: int) -> FaultPlan:
    """Give a demo a little weather: two throttled requests and one image that another task works on.

    No lost answer: settling one takes minutes.
    """
    rules = (
        Rule(fault=Fault.THROTTLE, on=frozenset({"copyImages"}), nth=frozenset({4})),
        Rule(fault=Fault.THROTTLE, on=frozenset({"describeImages"}), nth=frozenset({9})),
        Rule(fault=Fault.CONFLICT, nth=frozenset({2})),
    )
    return FaultPlan(_chance(seed, "faults"), rules)


def default_simulation(*, at: float, seed: int | None, speed: float | None) -> Simulation:
    """Build the four documented regions, empty and roomy, for a plan to be furnished into."""
    roomy = {"quota": {"images": 500, "snapshots": 2000}}
    regions = dict.fromkeys(("cn-north-1", "cn-east-1", "cn-east-2", "cn-south-1"), roomy)
    keys = {DEMO_KEY: DEMO_SECRET}
    return build(WorldFile.model_validate({"regions": regions, "keys": keys}), at=at, seed=seed, speed=speed)


def _chance(seed: int, purpose: str) -> Random:
    """Make a source of chance for one purpose, so that one does not shift another."""
    return Random(f"{seed}/{purpose}")  # noqa: S311  reproducible, not secret


def _fill(world: World, region: str, content: RegionSpec, chance: Random, at: float) -> None:
    """Open a region of a world file and put its images in."""
    world.add_region(region, images=content.quota.images, snapshots=content.quota.snapshots)
    for spec in content.images:
        _add_specified(world, region, spec, chance, at)
    if (crowd := content.populate) is not None:
        for number in range(1, crowd.count + 1):
            name = f"{crowd.prefix}{number:06}"
            spec = ImageSpec.model_construct(id=name, name=name[4:], size_mb=crowd.size_mb)
            _add_specified(world, region, spec, chance, at)


def _add_specified(world: World, region: str, spec: ImageSpec, chance: Random, at: float) -> None:
    """Put an image of a world file into its region; a local disk has no snapshot."""
    disks = 1 + spec.data_disks if spec.root_device == "cloudDisk" else 0
    image = Image(
        id=ImageId(spec.id),
        name=spec.name or spec.id.removeprefix("img-"),
        size_mb=spec.size_mb,
        snapshots=tuple(draw_id("snapshot", chance) for _ in range(disks)),
        text=spec.description,
        status=spec.status,
        image_source=spec.source,
        owner=spec.owner,
        root_device=spec.root_device,
        platform=spec.platform,
        architecture=spec.architecture,
        shared=spec.shared,
        created_s=at,
        started_s=at,
        busy_until_s=at + world.pace.scaled(spec.busy_s),
        task_until_s=at + world.pace.scaled(spec.conflict_s),
    )
    world.add_image(region, image, encrypted=spec.encrypted)


def _add_invented(world: World, region: Region, source: ImageId, chance: Random, at: float) -> None:
    """Invent an image of 8 to 40 GB for an id that a plan names; one in four has a data disk."""
    number = len(world.stores[region].images) + 1
    disks = 2 if chance.random() < 0.25 else 1
    image = Image(
        id=source,
        name=f"{chance.choice(_ROLES)}-{chance.choice(_KINDS)}-{number:03}",
        size_mb=chance.randrange(8 * 1024, 40 * 1024),
        snapshots=tuple(draw_id("snapshot", chance) for _ in range(disks)),
        created_s=at,
    )
    world.add_image(region, image)


def _make_room(world: World, region: Region, arrivals: list[Copy]) -> None:
    """Give a region quotas for what it holds and for everything that arrives, twice."""
    store = world.stores[region]
    coming = sum(len(world.stores[copy.origin].images[copy.source].snapshots) for copy in arrivals)
    world.add_region(
        region,
        images=store.private_images() + 2 * len(arrivals) + 5,
        snapshots=len(store.snapshots) + 2 * coming + 15,
    )
