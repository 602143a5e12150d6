"""How long copies take, learned from those that were seen to end: seconds by size, route by route.

Nothing is known of a real copy beforehand: no document gives a duration. So a route begins with an
assumption, takes over what the other routes have shown, and then follows its own experience.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.core.model import WAITING
from orchestrator.core.schedule.tracks import Route, Source, Track

ASSUMED_BASE_S, ASSUMED_PER_GB_S = 120.0, 60.0
"""The first night's guess: ten minutes for 8 GB. Only ratios of it matter before anything is learned."""

_KEPT = 0.98
"""How much an older duration counts when a new one comes: some fifty copies are remembered."""

_LEAST_S = 1e-3
"""No copy counts as shorter, so that durations can be divided by."""

_SAME_GB2 = 1.0
"""Below this variance of sizes (GB squared) the experience says little about what a GB costs."""


@dataclass(slots=True)
class Forecast:
    """A line through what was seen, seconds = base + slope x GB, by weighted least squares.

    `sums` are of weights, sizes (GB), durations (s), squared sizes and sizes x durations; `base_s` and
    `per_gb_s` are the line through them.
    """

    sums: tuple[float, ...] = (0.0, 0.0, 0.0, 0.0, 0.0)
    base_s: float = ASSUMED_BASE_S
    per_gb_s: float = ASSUMED_PER_GB_S

    def learn(self, gb: float, took_s: float) -> None:
        """Take one duration in; older ones fade."""
        took_s = max(took_s, _LEAST_S)
        weight, gb1, took1_s, gb2, gb_s = self.sums
        self.recall(
            (
                weight * _KEPT + 1.0,
                gb1 * _KEPT + gb,
                took1_s * _KEPT + took_s,
                gb2 * _KEPT + gb * gb,
                gb_s * _KEPT + gb * took_s,
            )
        )

    def recall(self, sums: tuple[float, ...]) -> None:
        """Draw the line through these sums.

        Where all sizes are alike the slope is the assumed one, scaled to what copies really took.
        """
        self.sums = sums
        weight, gb, took_s, gb2, gb_s = sums
        gb, took_s = gb / weight, took_s / weight
        variance, shared = gb2 / weight - gb * gb, gb_s / weight - gb * took_s
        variance = variance if variance > 0.0 else 0.0
        assumed = took_s * ASSUMED_PER_GB_S / (ASSUMED_BASE_S + ASSUMED_PER_GB_S * gb)
        slope = (shared + _SAME_GB2 * assumed) / (variance + _SAME_GB2)
        slope = slope if slope > 0.0 else 0.0
        self.per_gb_s = slope if slope * gb < took_s else took_s / gb
        self.base_s = took_s - self.per_gb_s * gb

    def seconds(self, gb: float) -> float:
        """Predict the duration of a copy of this size."""
        predicted_s = self.base_s + self.per_gb_s * gb
        return predicted_s if predicted_s > _LEAST_S else _LEAST_S


@dataclass(slots=True)
class Forecasts:
    """What each route has shown, and all of them together."""

    routes: dict[Route, Forecast] = field(default_factory=dict)
    all: Forecast = field(default_factory=Forecast)

    def learn(self, route: Route, gb: float, took_s: float) -> None:
        """Take one duration in."""
        self.routes.setdefault(route, Forecast()).learn(gb, took_s)
        self.all.learn(gb, took_s)

    def hint(self, gb: float, lasts_s: float) -> None:
        """Scale the assumption to what a copy under way seems to take, as long as none was seen to end."""
        if not self.all.sums[0]:
            scale = max(lasts_s, _LEAST_S) / (ASSUMED_BASE_S + ASSUMED_PER_GB_S * gb)
            self.all.base_s, self.all.per_gb_s = scale * ASSUMED_BASE_S, scale * ASSUMED_PER_GB_S

    def forget_hint(self) -> None:
        """Go back to the assumption, as long as no copy was seen to end."""
        if not self.all.sums[0]:
            self.all.base_s, self.all.per_gb_s = ASSUMED_BASE_S, ASSUMED_PER_GB_S

    def knows(self, route: Route) -> bool:
        """Tell whether a copy on this route was ever seen to end."""
        return route in self.routes

    def of(self, route: Route) -> Forecast:
        """Return a route's own experience, or what all others have shown."""
        return self.routes.get(route, self.all)

    def seconds(self, track: Track) -> float:
        """Predict how long a copy takes, by the image that carries it."""
        return self.of((track.carrier.origin, track.copy.destination)).seconds(track.source.size_mb / 1024)

    def remaining_s(self, source: Source) -> float:
        """Predict how long the copies of a source that wait and fit take.

        They follow each other; relayed ones are made in rounds, in each of which every ready copy
        carries one more.
        """
        waiting = [t for t in source.tracks if t.wanted and t.state is WAITING and not t.deferred]
        if not waiting:
            return 0.0
        gb = source.size_mb / 1024
        total_s = sum([self.of((t.carrier.origin, t.copy.destination)).seconds(gb) for t in waiting])
        if not waiting[0].relay:
            return total_s
        there = len(source.tracks) - len(waiting) + 1
        rounds = (len(source.tracks) // there).bit_length()
        return total_s * rounds / len(waiting)
