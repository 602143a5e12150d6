"""The freshness matrix in words and as JSON: families down, destinations across. Prints nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.core.freshness import Cell
from orchestrator.core.model import Region
from orchestrator.watch.text import clean, columns, iso, some, span, well_formed

MOST = 12
"""Most families that are shown; the others are counted."""

_DAYS_FROM_S = 72 * 3600.0
_MISSING = " !"
_NAME_MOST = 40
_SHORT = "not all that the latest run wanted there is ready"
_FAILED = "a copy that the latest run wanted there failed"

Key = tuple[str, Region]
"""A family and a destination."""


def freshness_lines(
    cells: Sequence[Cell], now: float, *, goes_on: bool = False, most: int = MOST
) -> list[str]:
    """Align a row per family, as they come: the age of its newest ready copy in each destination.

    A dash where there is none, an exclamation mark where the latest run did not get all it wanted; while
    that run `goes_on`, only where something has failed.
    """
    families = list(dict.fromkeys(cell.family for cell in cells))
    if not families:
        return []
    regions = sorted({cell.destination for cell in cells})
    known = {(cell.family, cell.destination): cell for cell in cells}
    head = ("freshness", *map(clean, regions))
    late = {key for key, cell in known.items() if (cell.failed if goes_on else cell.missing)}
    rows = [_row(family, regions, known, late, now) for family in families[:most]]
    lines = columns([head, *rows], right=frozenset(range(1, len(head))))
    rest = len(families) - most
    if rest > 0:
        lines.append(
            f"  and {some(rest, 'other family', 'other families')}, see `orchestrator status --json`"
        )
    if any(family in families[:most] for family, _ in late):
        lines.append(f"  {_MISSING.strip()} {_FAILED if goes_on else _SHORT}")
    return lines


def _row(
    family: str, regions: Sequence[Region], known: Mapping[Key, Cell], late: set[Key], now: float
) -> tuple[str, ...]:
    """Write one family; a mark takes its place in every cell, so that the ages stand in line."""
    row = [clean(family, _NAME_MOST)]
    for region in regions:
        cell = known.get((family, region))
        age = "-" if cell is None or cell.ready_at is None else age_text(now - cell.ready_at)
        row.append(age + (_MISSING if (family, region) in late else " " * len(_MISSING)))
    return tuple(row)


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
