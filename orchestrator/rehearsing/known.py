"""What a rehearsal may know of the real cloud: what the ledger remembers, what regions show. Only reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from orchestrator.cloud.inventory import Inventory, Room
from orchestrator.core.messages import Remembered
from orchestrator.core.model import Copy, ImageId, Region, Sighting
from orchestrator.core.plan import Plan
from orchestrator.core.schedule import Schedule
from orchestrator.simulator.inventing import invented
from orchestrator.simulator.weather import Line

_TODAY_S = 1_800_000_000.0
"""Any day does for invented images, and it must be the same one for the same plan to play the same night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """What the regions of a plan show: its source images, what its destinations hold, and their quotas."""

    sources: Mapping[Region, tuple[Sighting, ...]]
    held: Mapping[Region, tuple[Sighting, ...]]
    rooms: Mapping[Region, Room]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What earlier nights have shown: `lines` by route, `usual` where a route has none, sizes of sources."""

    lines: Mapping[tuple[Region, Region], Line] = field(default_factory=dict)
    usual: Line | None = None
    sources: Mapping[tuple[Region, ImageId], Sighting] = field(default_factory=dict)
    routes: Remembered | None = None


def wanted(plan: Plan) -> tuple[Copy, ...]:
    """Name the copies that are rehearsed; what an unresolved selector stands for is invented."""
    return invented(plan, at=_TODAY_S)[0].copies()


async def look(inventory: Inventory, copies: Iterable[Copy]) -> Live:
    """Read the source images, the destinations and their quotas, region by region.

    Raises CloudSilent and CredentialsRefused, as `Inventory` does.
    """
    sources: dict[Region, dict[ImageId, None]] = {}
    for copy in copies:
        sources.setdefault(copy.origin, {})[copy.source] = None
    destinations = tuple(dict.fromkeys(copy.destination for copy in copies))
    seen = {region: await inventory.sources(region, tuple(images)) for region, images in sources.items()}
    return Live(
        sources={region: tuple(found.values()) for region, found in seen.items()},
        held={region: await inventory.images(region) for region in destinations},
        rooms={region: await inventory.room(region) for region in destinations},
    )


def past_of(schedule: Schedule | None) -> Past:
    """Take out of a schedule what its nights have shown of durations and sizes."""
    if schedule is None:
        return Past()
    register = schedule.register
    forecasts, memory = register.forecasts, next(schedule.remember())
    usual = forecasts.all
    return Past(
        lines={route: (each.base_s, each.per_gb_s) for route, each in forecasts.routes.items()},
        usual=(usual.base_s, usual.per_gb_s) if usual.sums[0] else None,
        sources=dict(_sources(schedule)),
        routes=Remembered(at=memory.at, routes=memory.routes) if memory.routes else None,
    )


def _sources(schedule: Schedule) -> Iterator[tuple[tuple[Region, ImageId], Sighting]]:
    """Give every source image whose size an inspection has shown."""
    for source in schedule.register.sources.values():
        if source.sighting is not None and source.sighting.size_mb:
            yield (source.origin, source.image), source.sighting
