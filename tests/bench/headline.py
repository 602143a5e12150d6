"""The table for the README: all policies at a glance, in the block of Markdown that carries it. Pure text."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tests.bench.cells import Cell

BEGIN = "<!-- headline: from benchmarks/results.md, a test compares -->"
END = "<!-- end of headline -->"

_SIZES = (100, 1000)
_ROWS = {
    "script": "script on the official SDK",
    "again": "that script, started again until nothing is missing",
    "strict": "fixed chunks in strict order",
    "ours": "orchestrator",
    "relay": "orchestrator with relay",
}
_COLUMNS = (
    ("makespan / lower bound", "bound", "{:.2f}"),
    ("calls / fewest", "calls", "{:.1f}"),
    ("polls per copy", "polls", "{:.1f}"),
    ("left out", "left_out", "{:.0%}"),
)


def block(cells: Sequence[Cell]) -> str:
    """Write the table between its marks: medians over all nights of 100 images, then of 1,000."""
    titles = ["", *(title for title, _, _ in _COLUMNS)]
    rows = [[_ROWS[policy], *_entries(cells, policy)] for policy in _ROWS if _measured(cells, policy)]
    table = [f"| {' | '.join(row)} |" for row in (titles, ["---"] * len(titles), *rows)]
    return "\n".join([BEGIN, *table, END])


def cut_out(page: str) -> str | None:
    """Take the block out of a page; None where it has none."""
    _, begin, rest = page.partition(BEGIN)
    inside, end, _ = rest.partition(END)
    return f"{begin}{inside}{end}" if end else None


def _measured(cells: Sequence[Cell], policy: str) -> bool:
    return bool(cells) and all(policy in cell.policies for cell in cells)


def _entries(cells: Sequence[Cell], policy: str) -> list[str]:
    """Write a policy's row."""
    return [
        " · ".join(_entry(cells, policy, figure, size, shape) for size in _SIZES)
        for _, figure, shape in _COLUMNS
    ]


def _entry(cells: Sequence[Cell], policy: str, figure: str, size: int, shape: str) -> str:
    """Write the median of one figure over every cell of a size; - where there is none."""
    values = [cell.median(policy, figure) for cell in cells if cell.key.images == size]
    return shape.format(median(values)) if values else "-"
