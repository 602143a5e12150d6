"""The freshness matrix in words and as JSON: families down, destinations across. Prints nothing."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.freshness import Cell
from orchestrator.core.model import Region
from orchestrator.watch.text import clean, columns, iso, some, span, well_formed

MOST = 12
"""Most families that are shown; the others are counted."""

_DAYS_FROM_S = 72 * 3600.0
_MISSING = " !"
_NAME_MOST = 40


def freshness_lines(cells: Sequence[Cell], now: float, most: int = MOST) -> list[str]:
    """Align a row per family, as they come: the age of its newest ready copy in each destination.

    A dash where there never was one, an exclamation mark where the latest run did not get all it wanted.
    """
    families = list(dict.fromkeys(cell.family for cell in cells))
    if not families:
        return []
    regions = sorted({cell.destination for cell in cells})
    known = {(cell.family, cell.destination): cell for cell in cells}
    head = ("freshness", *map(clean, regions))
    rows = [_row(family, regions, known, now) for family in families[:most]]
    lines = columns([head, *rows], right=frozenset(range(1, len(head))))
    rest = len(families) - most
    if rest > 0:
        lines.append(
            f"  and {some(rest, 'other family', 'other families')}, see `orchestrator status --json`"
        )
    if any(cell.missing for cell in cells if cell.family in families[:most]):
        lines.append(f"  {_MISSING.strip()} not all that the latest run wanted there is ready")
    return lines


def _row(
    family: str, regions: Sequence[Region], known: dict[tuple[str, Region], Cell], now: float
) -> tuple[str, ...]:
    """Write one family; a mark takes its place in every cell, so that the ages stand in line."""
    cells = [known.get((family, region)) for region in regions]
    return (clean(family, _NAME_MOST), *(_age_text(cell, now) for cell in cells))


def _age_text(cell: Cell | None, now: float) -> str:
    """Write one age, marked where a copy is missing."""
    mark = _MISSING if cell is not None and cell.missing else " " * len(_MISSING)
    return f"{'-' if cell is None or cell.ready_at is None else age_text(now - cell.ready_at)}{mark}"


def age_text(seconds: float) -> str:
    """Write an age, in days when it is long: `3h 5m`, `26h`, `4d 2h`."""
    if seconds < _DAYS_FROM_S:
        return span(seconds)
    days, hours = divmod(round(min(seconds, 1e9) / 3600), 24)
    return f"{days}d {hours}h" if hours else f"{days}d"


def freshness_shape(cells: Sequence[Cell]) -> list[dict[str, object]]:
    """Write the whole matrix for JSON, an object per family and destination that anything is known of."""
    return [
        {
            "family": well_formed(cell.family),
            "destination_region": cell.destination,
            "ready_at": None if cell.ready_at is None else iso(cell.ready_at),
            "source_region": cell.copy.origin if cell.copy else None,
            "source_image": cell.copy.source if cell.copy else None,
            "wanted": cell.wanted,
            "missing": cell.missing,
            "failed": cell.failed,
        }
        for cell in cells
    ]
