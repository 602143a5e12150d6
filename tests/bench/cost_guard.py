"""Ratios of what nights cost by size, held against the recorded ones: `python -m tests.bench.cost_guard`.

Flat in size means that a copy of a large plan costs what one of a small plan does. Three measures, no
absolute time among them: function calls (the same on every machine), CPU time (which sees what no
call shows, but is noisy: the fewest of several, in turn, and a wide margin), and bytes allocated.
"""

from __future__ import annotations

import gc
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from math import inf
from pathlib import Path
from types import FrameType

from tests.bench.cost_night import Night, plan

RECORDED = Path(__file__).parent.parent.parent / "benchmarks" / "cost.json"
COMMAND = "python -m tests.bench.cost_guard"

SMALL, LARGE = 900, 12_000
_COUNTED = 6_000
"""Calls and bytes are counted in a smaller large night: both need no repetition, and slow it down."""

_TURNS = 3
MARGINS = {"calls": 0.05, "cpu": 0.6, "bytes": 0.15}
"""By which share a ratio may be worse than the one recorded."""

MOST_BYTES = (1.5 * 2**30 - 100 * 2**20) / 1e6
"""A million copies are to fit into 1.5 GiB beside Python itself, and a hundred megabytes that pass."""

Ratios = Mapping[str, float]


def worse(now: Ratios, recorded: Ratios) -> Iterator[str]:
    """Say what is worse than it was by more than its margin; only what was measured now is compared."""
    for name, ratio in now.items():
        if ratio > recorded[name] * (1 + MARGINS[name]):
            yield f"{name}: {ratio:.3f} times, recorded {recorded[name]:.3f}, margin {MARGINS[name]:.0%}"


def read() -> dict[str, float]:
    """Read what was recorded."""
    recorded: dict[str, float] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return recorded


def _passed(copies: int) -> Night:
    night = Night(plan(copies))
    night.run("guard")
    night.check()
    return night


def cpu_ratio() -> float:
    """Pass nights of both sizes in turn; compare the fewest microseconds per copy of each."""
    best = {SMALL: inf, LARGE: inf}
    for _ in range(_TURNS):
        for copies in (SMALL, SMALL, SMALL, LARGE, SMALL, SMALL):
            gc.collect()
            best[copies] = min(best[copies], _passed(copies).spent_ns / copies)
    return best[LARGE] / best[SMALL]


def calls_ratio() -> float:
    """Compare the numbers of function calls per copy."""
    return _calls(_COUNTED) / _calls(SMALL)


def _calls(copies: int) -> float:
    """Count the functions that one night calls, per copy."""
    counted = 0

    def count(frame: FrameType, event: str, argument: object) -> None:
        nonlocal counted
        counted += event in ("call", "c_call")

    night, before = Night(plan(copies)), sys.getprofile()
    sys.setprofile(count)
    try:
        night.run("guard")
    finally:
        sys.setprofile(before)
    return counted / copies


def bytes_ratio() -> float:
    """Compare the bytes per copy at the peak."""
    return bytes_per_copy(_COUNTED) / bytes_per_copy(SMALL)


def bytes_per_copy(copies: int = _COUNTED) -> float:
    """Return what a night's schedule takes at its peak, per copy."""
    wanted = plan(copies)
    gc.collect()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        night = Night(wanted)
        night.run("guard")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return (peak - before) / copies


MEASURES: Mapping[str, Callable[[], float]] = {
    "calls": calls_ratio,
    "cpu": cpu_ratio,
    "bytes": bytes_ratio,
}


if __name__ == "__main__":
    measured = {name: round(measure(), 4) for name, measure in MEASURES.items()}
    RECORDED.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    print(RECORDED.read_text(encoding="utf-8"))
