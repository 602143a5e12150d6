"""How much a full proof must have done before it is published; less than that is no proof."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.prove.rows import number
from tests.prove.running import Ran

AT_LEAST: Mapping[str, Mapping[str, int]] = {
    "storm": {"nights": 2000},
    "2 images to 2 destinations": {"states": 100_000},
    "mutants": {"mutants": 12},
    "torture": {"kills": 200},
    "torture, unprotected": {"duplicates": 1},
    "fuzz": {"plans_cases": 100_000, "replies_cases": 100_000, "ledgers_cases": 40_000},
    "recovery": {"lives": 2000},
}
NONE_OF: Mapping[str, Sequence[str]] = {
    "storm": ("duplicates", "unrecorded", "unfinished", "failed"),
    "storm without texts": ("duplicates", "unrecorded", "unfinished", "failed"),
    "mutants": ("survived", "crashed", "controls_failed", "not_begun"),
    "torture": ("duplicates", "missing", "unrecorded", "damaged", "complaints"),
    "fuzz": ("failed",),
    "recovery": ("violations",),
}
"""Walks are left out: their one figure is their exit code, which every task is held to."""


def short_of(done: Sequence[Ran]) -> Iterator[str]:
    """Say what a full run lacks of what it promises."""
    figures = {ran.task.name: ran.figures for ran in done}
    for name, counts in AT_LEAST.items():
        for what, least in counts.items():
            reached = number(figures[name], what) if name in figures else 0
            if reached < least:
                yield f"{name}: {reached} {what}, and {least} are promised"
    for name, zeros in NONE_OF.items():
        for what in zeros:
            if name in figures and number(figures[name], what):
                yield f"{name}: {number(figures[name], what)} {what}"
