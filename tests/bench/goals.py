"""The goals, and how far our policy is from each: measured, never asserted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.cells import Cell
from tests.bench.nights import KINDS

_ONCE = "script"
_AGAIN = "again"
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal: what it says, which cells it is about, what is measured and the most that it may be.

    `overall`: the median over its cells is held against it, not each of them.
    """

    says: str
    about: Callable[[Cell], bool]
    measure: Callable[[Cell], float]
    most: float
    policy: str = "ours"
    overall: bool = False


def _plain(cell: Cell) -> bool:
    return KINDS[cell.key.kind].quota is None and not _blamed(cell)


def _blamed(cell: Cell) -> bool:
    return KINDS[cell.key.kind].culprits > 0


def _is(kind: str) -> Callable[[Cell], bool]:
    return lambda cell: cell.key.kind == kind


def _all(cell: Cell) -> bool:
    return True


def _figure(figure: str, policy: str = "ours") -> Callable[[Cell], float]:
    return lambda cell: cell.median(policy, figure)


def _rivals(cell: Cell, *, whole: bool = False) -> list[float]:
    """Give our time over the script's, started once or started again, for as many copies as it made."""
    return [*cell.against(_ONCE, whole=whole), *cell.against(_AGAIN, whole=whole)]


def _wholly(cell: Cell) -> list[float]:
    """Give the same for the nights in which it left nothing out that we copied."""
    return _rivals(cell, whole=True)


GOALS = (
    Goal("makespan at most 1.05 × bound without culprits and tight quotas", _plain, _figure("bound"), 1.05),
    Goal("makespan at most 1.10 × bound with culprits", _blamed, _figure("bound"), 1.10),
    Goal("with tight quotas, every copy made that the cloud allows", _is("quotas"), _figure("missing"), 0.0),
    Goal("relay: makespan at most 1.15 × its own bound on uniform nights",
         _is("uniform"), _figure("bound", "relay"), 1.15, policy="relay"),
    Goal("on no seed more than 1 % slower than the script, where it copies as much",
         lambda cell: bool(_wholly(cell)), lambda cell: max(_wholly(cell)), 1.01),
    Goal("nor, where it leaves copies out, for as many copies as it makes",
         lambda cell: bool(_rivals(cell)), lambda cell: max(_rivals(cell)), 1.01),
    Goal("in the median over all nights clearly faster than the script (at most 0.90 of its time)",
         lambda cell: bool(_rivals(cell)), lambda cell: median(_rivals(cell)), 0.90, overall=True),
    Goal("calls at most 2 × the minimum on uniform nights", _is("uniform"), _figure("calls"), 2.0),
    Goal("calls at most 4 × the minimum on the other nights",
         lambda cell: cell.key.kind != "uniform", _figure("calls"), 4.0),
    Goal("polls per copy under 3 at 100 and more images",
         lambda cell: cell.key.images >= 100, _figure("polls"), 2.999),
    Goal("ready noticed within 5 % of the copy's duration, in the median", _all, _figure("delay"), 0.05),
    Goal("nothing left out that the cloud would have allowed, on any night", _all, _figure("missing"), 0.0),
)  # fmt: skip


def lines(cells: Sequence[Cell]) -> list[str]:
    """Say of each goal in how many cells it is met, and where it is missed most."""
    said = ["| goal | met | worst | missed in |", "|---|---|---|---|"]
    for goal in GOALS:
        asked = [cell for cell in cells if goal.about(cell)]
        if any(goal.policy not in cell.policies for cell in asked):
            said.append(f"| {goal.says} | not measured | | there is no policy `{goal.policy}` yet |")
        elif asked:
            said.append(_overall(goal, asked) if goal.overall else _one_by_one(goal, asked))
    return said


def _overall(goal: Goal, cells: Sequence[Cell]) -> str:
    """Hold the median over the cells against the goal."""
    value = median(goal.measure(cell) for cell in cells)
    return f"| {goal.says} | {'yes' if value <= goal.most else 'no'} | {value:.4g} | |"


def _one_by_one(goal: Goal, cells: Sequence[Cell]) -> str:
    """Hold each cell against the goal."""
    values = sorted(((goal.measure(cell), cell.key) for cell in cells), reverse=True)
    missed = [f"{key} ({value:.4g})" for value, key in values if value > goal.most]
    rest = f" and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else ""
    met = f"{len(cells) - len(missed)} of {len(cells)}"
    return f"| {goal.says} | {met} | {values[0][0]:.4g} | {'; '.join(missed[:_SHOWN])}{rest} |"
