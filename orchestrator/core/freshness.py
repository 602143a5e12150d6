"""How old the newest ready copy of each family of images is in each destination. Pure.

Images are rebuilt under new ids, so a family is what goes by one name without numbers and dates. A
copy counts from when it became ready, one that was found ready from when it was first seen; while a
destination gives no answer its copies are taken for what they were.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from orchestrator.core.families import compiled, family_by
from orchestrator.core.model import Copy, Region, State
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.tracks import Source, Track
from orchestrator.core.verdict import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One family in one destination. `copy` is its newest ready copy, ready since `ready_at`.

    Both are None where no copy is ready; `missing` counts those that the latest run wanted and that are
    not ready now, `failed` those of them that were given up; `wanted` tells that it wanted any.
    """

    family: str
    destination: Region
    copy: Copy | None = None
    ready_at: float | None = None
    wanted: bool = False
    missing: int = 0
    failed: int = 0


def freshness(schedule: Schedule, latest: Iterable[Standing]) -> tuple[Cell, ...]:
    """Give a cell for each family and destination that the ledger knows anything of.

    Names are grouped as the plans' selectors say (`family`), by the usual rule where none does.
    `schedule` is what the ledger's events come to, `latest` where the latest run's copies stand. First
    come the families that the latest run wanted; of these, and of the others, the stalest first.
    """
    cells: dict[tuple[str, Region], Cell] = {}
    patterns, tracks = compiled(schedule.register.patterns.values()), schedule.register.tracks.items()
    families = {copy: family_by(name_of(track.source), patterns) for copy, track in tracks}
    for copy, track in tracks:
        known = _cell(cells, families[copy], copy.destination)
        at = _ready_since(track)
        if at is not None and (known.ready_at is None or at > known.ready_at):
            cells[known.family, known.destination] = _ready(known, copy, at)
    for standing in latest:
        family = families.get(standing.copy) or family_by(standing.copy.source, patterns)
        known = _cell(cells, family, standing.copy.destination)
        cells[known.family, known.destination] = _wanted(known, standing.state)
    return _ordered(cells.values())


def _ready_since(track: Track) -> float | None:
    """Return since when a copy is ready, as far as is known: what a run could not look at is as it was."""
    if track.state is State.READY:
        return track.ready_at or track.since  # a memory of an older version has the latter only
    return track.ready_at if track.state is State.FAILED else None


def name_of(source: Source) -> str:
    """Return a source image's name as the ledger knows it; its id where no name is known."""
    seen = source.sighting.name if source.sighting is not None else ""
    return seen or min(source.names, default="") or source.image


def _cell(cells: dict[tuple[str, Region], Cell], family: str, destination: Region) -> Cell:
    """Find a cell, or make an empty one."""
    return cells.setdefault((family, destination), Cell(family=family, destination=destination))


def _ready(cell: Cell, copy: Copy, at: float) -> Cell:
    """Let a newer copy stand for its family."""
    return Cell(family=cell.family, destination=cell.destination, copy=copy, ready_at=at)


def _wanted(cell: Cell, state: State) -> Cell:
    """Count a copy that the latest run wanted."""
    return Cell(
        family=cell.family,
        destination=cell.destination,
        copy=cell.copy,
        ready_at=cell.ready_at,
        wanted=True,
        missing=cell.missing + (state is not State.READY),
        failed=cell.failed + (state is State.FAILED),
    )


def _ordered(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Put what the latest run wanted first, then the family whose oldest cell is oldest; none is oldest."""
    found = list(cells)
    wanted = {cell.family for cell in found if cell.wanted}
    oldest: dict[str, float] = {}
    for cell in found:
        if cell.wanted or cell.family not in wanted:
            at = cell.ready_at if cell.ready_at is not None else 0.0
            oldest[cell.family] = min(at, oldest.get(cell.family, at))
    rank = {family: (family not in wanted, oldest[family], family) for family in oldest}
    return tuple(sorted(found, key=lambda cell: (*rank[cell.family], cell.destination)))
