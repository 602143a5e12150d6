"""The goals, and how far our policy is from each: measured, never asserted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.cells import Cell

_ONCE = "script"
_AGAIN = "again"
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal: what it says, which cells it is about, what is measured and the most that it may be."""

    says: str
    about: Callable[[Cell], bool]
    measure: Callable[[Cell], float]
    most: float


def _plain(cell: Cell) -> bool:
    return cell.key.kind not in ("quotas", "culprits")


def _ours(figure: str) -> Callable[[Cell], float]:
    return lambda cell: cell.median("ours", figure)


def _slowest(cell: Cell) -> float:
    """Return our worst night against the script: started once or started again, whoever copied as much."""
    return max([*cell.against(_ONCE), *cell.against(_AGAIN)], default=0.0)


GOALS = (
    Goal("makespan at most 1.05 × bound without culprits and tight quotas", _plain, _ours("bound"), 1.05),
    Goal("makespan at most 1.10 × bound with culprits",
         lambda cell: cell.key.kind == "culprits", _ours("bound"), 1.10),
    Goal("calls at most 2 × the minimum on uniform nights",
         lambda cell: cell.key.kind == "uniform", _ours("calls"), 2.0),
    Goal("calls at most 4 × the minimum on the other nights",
         lambda cell: cell.key.kind != "uniform", _ours("calls"), 4.0),
    Goal("polls per copy under 3 at 100 and more images",
         lambda cell: cell.key.images >= 100, _ours("polls"), 2.999),
    Goal("ready noticed within 5 % of the copy's duration", lambda cell: True, _ours("delay"), 0.05),
    Goal("on no seed more than 1 % slower than the script, where it copies as much",
         lambda cell: True, _slowest, 1.01),
    Goal("nothing left out that the cloud would have allowed", lambda cell: True, _ours("missing"), 0.0),
)  # fmt: skip


def lines(cells: Sequence[Cell]) -> list[str]:
    """Say of each goal in how many cells it is met, and where it is missed most."""
    said = ["| goal | met | worst | missed in |", "|---|---|---|---|"]
    for goal in GOALS:
        asked = sorted(((goal.measure(c), c.key) for c in cells if goal.about(c)), reverse=True)
        if not asked:
            continue
        missed = [f"{key} ({value:.4g})" for value, key in asked if value > goal.most]
        rest = f" and {len(missed) - _SHOWN} more" if len(missed) > _SHOWN else ""
        met = f"{len(asked) - len(missed)} of {len(asked)}"
        said.append(f"| {goal.says} | {met} | {asked[0][0]:.4g} | {'; '.join(missed[:_SHOWN])}{rest} |")
    return said
