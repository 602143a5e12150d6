"""Nights of one kind, number of destinations and size, gathered over their seeds into medians."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from tests.bench.figures import Figures


class Key(NamedTuple):
    """What the nights of a cell have in common."""

    kind: str
    regions: int
    images: int

    def __str__(self) -> str:
        return f"{self.kind}, {self.regions} destinations, {self.images:,} images"


@dataclass(slots=True)
class Cell:
    """All seeds of one key: seed -> policy -> figures."""

    key: Key
    nights: dict[int, dict[str, Figures]] = field(default_factory=lambda: defaultdict(dict))

    def add(self, seed: int, figures: list[Figures]) -> None:
        """Take in one night under every policy."""
        self.nights[seed] = {each.policy: each for each in figures}

    def median(self, policy: str, figure: str) -> float:
        """Return the median of one figure over the seeds."""
        return float(median(getattr(night[policy], figure) for night in self.nights.values()))

    def against(self, rival: str) -> list[float]:
        """Give our makespan as a share of a rival's, for the nights in which it copied as much as we did."""
        pairs = [(night["ours"], night[rival]) for night in self.nights.values()]
        fair = [(ours, other) for ours, other in pairs if other.missing <= ours.missing and other.makespan_s]
        return [ours.makespan_s / other.makespan_s for ours, other in fair]


FIGURES = ("makespan_s", "bound", "calls", "polls", "delay", "missing", "broken")


def flat(cells: list[Cell], policies: list[str]) -> dict[str, float]:
    """Name every median, as JSON carries it: ours_uniform_3_1000_bound."""
    return {
        f"{policy}_{cell.key.kind}_{cell.key.regions}_{cell.key.images}_{figure}": round(
            cell.median(policy, figure), 5
        )
        for cell in cells
        for policy in policies
        for figure in FIGURES
    }
