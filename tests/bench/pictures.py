"""The figures as pictures: makespan over the lower bound by size, one for each kind of night. Pure text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.bench.cells import Cell
from tests.bench.nights import KINDS
from tests.bench.plot import line_chart

_LEFT_OUT = "strict"
"""Four to twenty-five times the bound: beside it nobody would see a difference between the others."""

Lines = dict[str, list[tuple[float, float]]]


def drawn(cells: Sequence[Cell]) -> dict[str, str]:
    """Draw every kind that was measured at more than one size: file name -> SVG."""
    return {
        f"makespan-{kind}.svg": line_chart(lines, title=title, x="images", y="makespan / lower bound")
        for kind, (title, lines) in charts(cells).items()
    }


def charts(cells: Sequence[Cell]) -> Mapping[str, tuple[str, Lines]]:
    """Give title and lines of each picture; nights with the most destinations are shown."""
    made = {}
    for kind in KINDS:
        mine = [cell for cell in cells if cell.key.kind == kind]
        most = max((cell.key.regions for cell in mine), default=0)
        shown = [cell for cell in mine if cell.key.regions == most]
        if len(shown) > 1:
            made[kind] = (f"{kind}, {most} destinations", _lines(shown))
    return made


def _lines(cells: Sequence[Cell]) -> Lines:
    """Give each policy its points; one that copied nothing has none there."""
    lines: Lines = {}
    for cell in cells:
        for policy in cell.policies:
            ratio = cell.median(policy, "bound")
            if policy != _LEFT_OUT and ratio > 0:
                lines.setdefault(policy, []).append((float(cell.key.images), ratio))
    return lines
