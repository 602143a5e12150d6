"""Ways of a story's calls: ready copies carry what originals would. A stand-in for the schedule's choice."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.model import Chunk, Copy, ImageId, Region
from orchestrator.core.schedule import Schedule


def carriers(schedule: Schedule, copy: Copy) -> dict[Region, ImageId]:
    """Tell from which regions a copy could be made now, and by which image in each."""
    register = schedule.register
    ways = {carrier.origin: carrier.image for carrier in register.free_carriers(register.tracks[copy])}
    return {**ways, copy.origin: copy.source}


def relayed(schedule: Schedule, chunk: Chunk, via: Region) -> Chunk:
    """Send a chunk to a region, if every copy of it has a carrier there; else as it is."""
    ways = [carriers(schedule, copy).get(via) for copy in chunk.copies]
    images = tuple(image for image in ways if image is not None)
    if len(images) < len(ways) or all(copy.origin == via for copy in chunk.copies):
        return chunk
    return Chunk(chunk.copies, via, images)


def by(schedule: Callable[[], Schedule], *regions: Region) -> Callable[[Chunk], Chunk]:
    """Prefer these regions, in this order, to the original's."""

    def way(chunk: Chunk) -> Chunk:
        ways = (relayed(schedule(), chunk, via) for via in regions if via != chunk.destination)
        return next((found for found in ways if found.via is not None), chunk)

    return way
