"""The weather of a rehearsal: how slow, how narrow and how unlucky a simulated cloud is. Values only.

No document says how the real cloud behaves on a bad night; these are three nights to prepare for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from orchestrator.core.model import Region
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Fates, Pace


class Weather(StrEnum):
    """The nights that can be rehearsed; stable words of the command line and of JSON."""

    CLEAR = "clear"  # everything is answered as documented
    THROTTLED = "throttled"  # a tenth of the documented rate, slow answers, copies half as long again
    STORMY = "stormy"  # also lost and broken answers, foreign tasks, copies that fail, twice as long


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """What a weather means for a world: `slowness` multiplies a copy's time, `latency_s` is an answer's."""

    slowness: float = 1.0
    latency_s: float = 0.3
    rate_per_minute: int = 1000
    rules: tuple[Rule, ...] = ()
    fates: Fates = field(default_factory=Fates)


_LOSSES = (Fault.GATEWAY_TIMEOUT, Fault.RESET_AFTER, Fault.RESET_BEFORE, Fault.BAD_GATEWAY, Fault.TRUNCATED)

CLIMATES: Mapping[Weather, Climate] = {
    Weather.CLEAR: Climate(),
    Weather.THROTTLED: Climate(
        slowness=1.5,
        latency_s=1.0,
        rate_per_minute=100,
        rules=(Rule(fault=Fault.THROTTLE, chance=0.1),),
    ),
    Weather.STORMY: Climate(
        slowness=2.0,
        latency_s=2.0,
        rate_per_minute=200,
        rules=(
            Rule(fault=Fault.THROTTLE, chance=0.1),
            Rule(fault=Fault.CONFLICT, chance=0.05),
            Rule(fault=Fault.FEWER_PAIRS, chance=0.02),
            Rule(fault=Fault.SLOW, chance=0.05),
            *(Rule(fault=fault, chance=0.02) for fault in _LOSSES),
        ),
        fates=Fates(error_chance=0.02, vanish_chance=0.005),
    ),
}

Line = tuple[float, float]
"""A copy's seconds as (base, for each GB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutedPace(Pace):
    """A pace by route, as copies were seen to take: `lines` by (origin, destination), `slowness` for all.

    A route without a line takes `copy_base_s` and `copy_per_gb_s`, like any other pace.
    """

    lines: Mapping[tuple[Region, Region], Line] = field(default_factory=dict)
    slowness: float = 1.0

    def copy_s(self, size_mb: int, chance: Random, route: tuple[Region, Region] | None = None) -> float:
        """Draw the duration of one copy by the experience with its route."""
        line = self.lines.get(route) if route else None
        base_s, per_gb_s = line or (self.copy_base_s, self.copy_per_gb_s)
        own = Pace(copy_base_s=base_s, copy_per_gb_s=per_gb_s, copy_spread=self.copy_spread, speed=self.speed)
        return own.copy_s(size_mb, chance) * self.slowness
