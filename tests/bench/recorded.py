"""A small share of the nights, measured again and held against the ratios that were recorded. Ratios only.

`python -m tests.bench --record` writes benchmarks/recorded.json; `test_recorded` compares.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import mean

from tests.bench.cells import Key
from tests.bench.figures import POLICIES, Figures, measure
from tests.bench.nights import KINDS

RECORDED = Path(__file__).parent.parent.parent / "benchmarks" / "recorded.json"
HELD = tuple(policy for policy in POLICIES if policy in ("ours", "relay"))
SHARE = tuple(Key(kind, regions, images) for kind in KINDS for regions in (3, 5) for images in (10, 100))
SEEDS = (1,)
MARGINS = {"bound": 0.02, "calls": 0.10, "polls": 0.10, "delay": 0.25, "missing": 0.0}
"""By which share a figure may be worse than the one recorded."""

COMMAND = "python -m tests.bench --record"
_DIGITS = 5

Ratios = Mapping[str, float]


def name_of(policy: str, key: Key) -> str:
    """Name a record."""
    return f"{policy}, {key}"


def ratios(policy: str, key: Key) -> dict[str, float]:
    """Measure one policy in one cell of the share: the mean over the seeds; nights are exact, one will do."""
    nights = [figures for seed in SEEDS for figures in measure(*key, seed, [policy])]
    return {figure: round(_mean(nights, figure), _DIGITS) for figure in MARGINS}


def _mean(nights: list[Figures], figure: str) -> float:
    return mean(float(getattr(each, figure)) for each in nights)


def record() -> dict[str, dict[str, float]]:
    """Measure the whole share."""
    return {name_of(policy, key): ratios(policy, key) for policy in HELD for key in SHARE}


def write(records: Mapping[str, Ratios]) -> None:
    """Write the records down, one a line, so that a difference reads well."""
    rows = ",\n".join(f"{json.dumps(name)}: {json.dumps(each)}" for name, each in records.items())
    RECORDED.write_text(f"{{\n{rows}\n}}\n", encoding="utf-8")


def read() -> dict[str, dict[str, float]]:
    """Read the records; none where there is no file."""
    if not RECORDED.exists():
        return {}
    records: dict[str, dict[str, float]] = json.loads(RECORDED.read_text(encoding="utf-8"))
    return records


def worse(name: str, now: Ratios, recorded: Ratios) -> Iterator[str]:
    """Say which ratios are worse than the recorded ones by more than their margin."""
    for figure, margin in MARGINS.items():
        most = recorded[figure] * (1 + margin) + 10**-_DIGITS
        if now[figure] > most:
            yield f"{name}: {figure} is {now[figure]:g}, recorded {recorded[figure]:g}, margin {margin:.0%}"
