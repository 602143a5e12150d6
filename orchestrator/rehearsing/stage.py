"""Builds the world that a rehearsal plays in, and says what it had to assume for that. It reads nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from orchestrator.core.model import Copy, Region
from orchestrator.core.schedule.forecast import ASSUMED_BASE_S, ASSUMED_PER_GB_S
from orchestrator.rehearsing.known import Live, Past
from orchestrator.simulator.furnish import furnish
from orchestrator.simulator.mirror import make_room, mirror
from orchestrator.simulator.things import Image, Store
from orchestrator.simulator.weather import CLIMATES, RoutedPace, Weather
from orchestrator.simulator.world import World

DOCUMENTED_QUOTA = (5, 15)
"""Images and snapshots that a region may hold by default (official pages, old; the real ones differ)."""

Quota = tuple[int, int]
"""Images and snapshots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A furnished world at the beginning of its night (`at`, epoch seconds), and what was assumed for it.

    `rooms` are limit and use of both quotas by destination, None where nobody knows them.
    """

    world: World
    at: float
    rooms: Mapping[Region, tuple[Quota, Quota] | None]
    assumed: tuple[str, ...]


def invented(
    copies: Sequence[Copy], *, weather: Weather, seed: int, at: float, past: Past, quota: Quota | None
) -> Stage:
    """Build a world from what a plan names: sources of sizes known or invented, destinations without copies.

    Without a `quota` everything has room.
    """
    world = _empty(copies, weather, seed, past)
    known = [
        (c.origin, past.sources[c.origin, c.source]) for c in copies if (c.origin, c.source) in past.sources
    ]
    for region, sighting in dict.fromkeys(known):
        mirror(world, region, [replace(sighting, status="ready")], at=at)
    furnish(world, copies, seed=seed, at=at)
    for region in _destinations(copies):
        images, snapshots = quota or needs(world, [copy for copy in copies if copy.destination == region])
        make_room(world, region, images=images, snapshots=snapshots)
    rooms = ((quota[0], 0), (quota[1], 0)) if quota else None
    strange = {(copy.origin, copy.source) for copy in copies} - set(past.sources)
    return Stage(
        world=world,
        at=at,
        rooms=dict.fromkeys(_destinations(copies), rooms),
        assumed=tuple(
            filter(None, (_of_sizes(len(strange)), _of_quotas(quota), _EMPTY, _of_durations(past)))
        ),
    )


def mirrored(
    copies: Sequence[Copy], live: Live, *, weather: Weather, seed: int, at: float, past: Past
) -> Stage:
    """Build a world that is as the regions were seen: what is not there is missing here too."""
    world = _empty(copies, weather, seed, past)
    early = 0
    for seen in (live.held, live.sources):  # a source is known better by its own region's answer
        for region, sightings in seen.items():
            early += len(mirror(world, region, sightings, at=at))
    for region, room in live.rooms.items():
        free = (max(0, limit - used) for limit, used in (room.images, room.snapshots))
        make_room(world, region, images=next(free), snapshots=next(free))
    return Stage(
        world=world,
        at=at,
        rooms={region: (room.images, room.snapshots) for region, room in live.rooms.items()},
        assumed=tuple(filter(None, (_of_early(early), _of_durations(past)))),
    )


def needs(world: World, copies: Sequence[Copy]) -> Quota:
    """Count the images and snapshots that copies take; what has no source takes nothing."""
    sources = [source_of(world, copy) for copy in copies]
    found = [source for source in sources if source is not None]
    return len(found), sum(max(1, len(source.snapshots)) for source in found)


def source_of(world: World, copy: Copy) -> Image | None:
    """Find the source image of a copy."""
    return world.stores.get(copy.origin, Store(copy.origin)).images.get(copy.source)


def _empty(copies: Sequence[Copy], weather: Weather, seed: int, past: Past) -> World:
    """Open the regions of a plan in a world of this weather, at the pace that is known."""
    climate = CLIMATES[weather]
    base_s, per_gb_s = past.usual or (ASSUMED_BASE_S, ASSUMED_PER_GB_S)
    world = World(
        _chance(seed, "world"),
        ids=_chance(seed, "ids"),
        pace=RoutedPace(
            copy_base_s=base_s, copy_per_gb_s=per_gb_s, lines=past.lines, slowness=climate.slowness
        ),
        fates=climate.fates,
        rate_per_minute=climate.rate_per_minute,
    )
    for region in dict.fromkeys(region for copy in copies for region in (copy.origin, copy.destination)):
        world.add_region(region)
    return world


def _destinations(copies: Sequence[Copy]) -> tuple[Region, ...]:
    return tuple(dict.fromkeys(copy.destination for copy in copies))


def _chance(seed: int, purpose: str) -> Random:
    """Make a source of chance for one purpose, so that one does not shift another."""
    return Random(f"{seed}/{purpose}")  # noqa: S311  reproducible, not secret


# --- what is said of it ---------------------------------------------------------------------------

_EMPTY = "The destinations are taken to hold none of these copies yet. --from-cloud looks."


def _of_sizes(strange: int) -> str:
    """Say of how many images the size is invented."""
    if not strange:
        return ""
    who = "The size of 1 image is" if strange == 1 else f"The sizes of {strange} images are"
    return f"{who} invented: 8 to 40 GB, one in four with a data disk. --from-cloud reads them."


def _of_quotas(quota: Quota | None) -> str:
    """Say what room there is taken to be."""
    if quota is not None:
        return f"Every destination is taken to have room for {quota[0]} images and {quota[1]} snapshots."
    images, snapshots = DOCUMENTED_QUOTA
    return (
        "Quotas are not known, so everything is taken to fit. The documented defaults are "
        f"{images} images and {snapshots} snapshots a region: --quota {images}/{snapshots} rehearses with "
        "them, --from-cloud reads the real ones."
    )


def _of_early(early: int) -> str:
    """Say of how many images the end of their making is not known."""
    return f"{early} images that are being made now are taken to be ready." if early else ""


def _of_durations(past: Past) -> str:
    """Say where the durations of copies come from."""
    if past.usual is None:
        return (
            "How long a copy takes is not documented and the ledger has no history: "
            f"{ASSUMED_BASE_S:.0f} s and {ASSUMED_PER_GB_S:.0f} s for each GB are assumed."
        )
    routes = f"{len(past.lines)} route{'s' if len(past.lines) != 1 else ''}"
    return f"Copies take as long as the ledger has seen on {routes}; other routes are taken to be like them."
