"""Nights of one kind, number of destinations and size, gathered over their seeds into medians."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from json import dumps
from statistics import median
from typing import NamedTuple

from tests.bench.figures import POLICIES, Figures
from tests.bench.nights import KINDS


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

    def add(self, seed: int, figures: Iterable[Figures]) -> None:
        """Take in one night under every policy."""
        self.nights[seed] = {each.policy: each for each in figures}

    @property
    def policies(self) -> list[str]:
        """The policies that were measured, in the order of the columns."""
        return [policy for policy in POLICIES if all(policy in night for night in self.nights.values())]

    def median(self, policy: str, figure: str) -> float:
        """Return the median of one figure over the seeds."""
        return float(median(getattr(night[policy], figure) for night in self.nights.values()))

    def against(self, rival: str, *, whole: bool = False) -> list[float]:
        """Give the time in which ours made as many copies as a rival ever did, as a share of its makespan.

        There is one for each night in which the rival made any; of a `whole` night, as many as ours.
        """
        pairs = [(night["ours"], night[rival]) for night in self.nights.values()]
        rivals = [other for ours, other in pairs if not whole or other.missing <= ours.missing]
        return [other.ours_s / other.makespan_s for other in rivals if other.makespan_s]

    def relayed(self) -> list[float]:
        """Give the makespan with relay as a share of that without, night by night."""
        pairs = [(night["relay"], night["ours"]) for night in self.nights.values()]
        return [relay.makespan_s / ours.makespan_s for relay, ours in pairs if ours.makespan_s]


FIGURES = ("makespan_s", "bound", "calls", "polls", "delay", "missing", "broken")


def in_order(cells: Iterable[Cell]) -> list[Cell]:
    """Sort as the page reads: kind, destinations, size."""
    return sorted(cells, key=lambda c: (list(KINDS).index(c.key.kind), c.key.regions, c.key.images))


def flat(cells: Sequence[Cell]) -> dict[str, float]:
    """Name every median, as JSON carries it: ours_uniform_3_1000_bound."""
    return {
        f"{policy}_{cell.key.kind}_{cell.key.regions}_{cell.key.images}_{figure}": round(
            cell.median(policy, figure), 5
        )
        for cell in cells
        for policy in cell.policies
        for figure in FIGURES
    }


def fingerprint(cells: Sequence[Cell]) -> str:
    """Make a short hash of every figure of every seed, to six digits: same command, same hash."""
    said = [
        [*cell.key, seed, *(_six(value) for value in asdict(night[policy]).values())]
        for cell in in_order(cells)
        for seed, night in sorted(cell.nights.items())
        for policy in cell.policies
    ]
    return sha256(dumps(said).encode()).hexdigest()[:16]


def _six(value: float | str) -> str:
    """Write a figure to six digits: the last bits of a logarithm differ from one machine to the next."""
    return value if isinstance(value, str) else f"{value:.6g}"
