"""The same night twice: under a policy in virtual time, and under the real program over HTTP.

`script` is held against `sdk_script.py` on the official SDK, `ours` (and `relay`) against `orchestrator
run` as a process; both meet the simulator's own server around the night's cloud, so many times
faster. Chance is not the same in both (jitter, which answer comes first), so the policy is played
with many draws of it: what really happened must lie in the range of these, a margin wider.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import median

from tests.bench.cells import Key
from tests.bench.figures import Figures, Stage
from tests.bench.nights import KINDS, Night
from tests.bench.ours import RELAYS
from tests.bench.real import has_sdk, run_real

ROUND_S = 600.0
"""What a copy of the usual size takes: makespans are compared in these."""

PAIRED = (
    ("script", Key("uniform", 3, 100), 120),
    ("script", Key("lognormal", 3, 30), 120),
    ("ours", Key("uniform", 3, 100), 60),
    ("ours", Key("culprits", 3, 30), 60),
    ("ours", Key("quotas", 3, 30), 60),
    *((("relay", Key("uniform", 3, 100), 60),) if RELAYS else ()),
)
"""Which policies are held against reality, in which nights, so many times faster.

At 60 a copy of ten minutes takes ten seconds and a request of 5 ms counts as 0.3 s. Both are as much
faster, so that what the program does not divide counts for more in both: its shortest pause between two
looks, and the ten minutes that it assumes for a copy before the first has ended.
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """One policy in one night: its figures in virtual time, one for each draw, and the real program's."""

    key: Key
    models: Sequence[Figures]
    real: Figures

    def span(self, figure: str) -> tuple[float, float, float]:
        """Return the least, the median and the most of a figure over the draws."""
        values = sorted(float(getattr(each, figure)) for each in self.models)
        return values[0], median(values), values[-1]


@dataclass(frozen=True, slots=True)
class Margin:
    """How far outside of the model's range a real figure may lie: a share, or `least` where that is more."""

    figure: str
    share: float
    least: float
    says: str

    def holds(self, pair: Pair) -> bool:
        """Compare one pair."""
        low, _, high = pair.span(self.figure)
        real = float(getattr(pair.real, self.figure))
        return (
            min(low - self.least, low * (1 - self.share))
            <= real
            <= max(high + self.least, high * (1 + self.share))
        )


MARGINS = (
    Margin("makespan_s", 0.10, 0.1 * ROUND_S, "0.1 rounds"),
    Margin("calls", 0.10, 0.5, "0.5 in calls / minimum"),
    Margin("polls", 0.10, 0.5, "0.5 polls per copy"),
    Margin("missing", 0.10, 10.0, "10 copies (one chunk) left out"),
)

_DRAWS = 20


def pairs() -> Iterator[Pair]:
    """Hold every pair that can be: those of the script need the SDK."""
    for policy, key, speed in PAIRED:
        if policy != "script" or has_sdk():
            yield pair(policy, key, 1, speed)


def pair(policy: str, key: Key, seed: int, speed: int) -> Pair:
    """Run one night for real, then under the model, whose requests take as long as the real ones did.

    Both are so many times faster; the makespans that come out are those of the night.
    """
    night = Night(KINDS[key.kind], key.regions, key.images, seed, speed)
    real, latency_s = run_real(policy, night)
    night = replace(night, latency_s=latency_s)
    models = [Stage(night).play(policy, luck) for luck in range(_DRAWS)]
    return Pair(key, [_slowed(each, speed) for each in models], _slowed(real, speed))


def _slowed(figures: Figures, speed: int) -> Figures:
    """Bring a makespan back to the time of the night."""
    return replace(figures, makespan_s=figures.makespan_s * speed)


def stated() -> str:
    """Say the margins."""
    return f"10 % or, where that is more, {', '.join(margin.says for margin in MARGINS)}"


def together(pair: Pair) -> bool:
    """Tell whether every figure is within its margin."""
    return all(margin.holds(pair) for margin in MARGINS)


def lines(held: Iterable[Pair]) -> list[str]:
    """Write the pairs as a table: the model's median and range, then what really happened."""
    said = ["| policy | night | makespan, rounds | calls / minimum | polls per copy | left out | within |"]
    said.append("| --- " * 7 + "|")
    for each in held:
        entries = [
            _entry(each, "makespan_s", "{:.2f}", ROUND_S),
            _entry(each, "calls", "{:.2f}"),
            _entry(each, "polls", "{:.1f}"),
            _entry(each, "missing", "{:,.0f}"),
            "yes" if together(each) else "**no**",
        ]
        said.append(f"| {each.real.policy} | {each.key} | {' | '.join(entries)} |")
    return said


def _entry(pair: Pair, figure: str, shape: str, unit: float = 1.0) -> str:
    """Write one figure: median (range) of the model, then the real one."""
    low, middle, high = (shape.format(value / unit) for value in pair.span(figure))
    real = shape.format(float(getattr(pair.real, figure)) / unit)
    return f"{middle} ({low} to {high}) · {real}"
