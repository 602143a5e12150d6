"""When the night ends, as far as anybody can tell: the latest expected end of all that is still to do.

What ends sooner has time to spare, and may wait for company.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from heapq import heappop, heappush

from orchestrator.core.schedule.forecast import Forecasts
from orchestrator.core.schedule.tracks import Source

_STEP_S = 10.0
"""Ends are told apart by so much, downwards: what a night is long is never overrated."""


@dataclass(slots=True)
class Horizon:
    """The expected ends of all sources that have copies to make, counted by steps of time."""

    _forecasts: Forecasts
    _counts: Counter[int] = field(default_factory=Counter)
    _steps: list[int] = field(default_factory=list)

    def expect(self, source: Source, now: float) -> float:
        """Reckon when the last copy of a source ends; return how long those of them take that wait.

        They follow the one that is under way, unless another image may carry them in the meantime.
        """
        waits_s, holder = self._forecasts.remaining_s(source), source.holder
        if holder is None:
            self.note(source, now + waits_s if waits_s else None)
            return waits_s
        ends = max(now, holder.ends_at)
        spread = holder.relay and any(track.fit for track in source.tracks)
        self.note(source, max(ends, (now if spread else ends) + waits_s))
        return waits_s

    def expect_anew(self, sources: Iterable[Source], now: float) -> None:
        """Reckon again for all sources that have copies to make: what was expected of them was a guess."""
        for source in sources:
            if source.finish is not None:
                self.expect(source, now)

    def note(self, source: Source, at: float | None) -> None:
        """Note when the last copy of a source is expected; None when nothing is left to do for it."""
        step = None if at is None else int(at / _STEP_S)
        if step == source.finish:
            return
        if source.finish is not None:
            self._counts[source.finish] -= 1
        source.finish = step
        if step is not None:
            if not self._counts[step]:
                heappush(self._steps, -step)
            self._counts[step] += 1

    def latest(self) -> float:
        """Return the latest expected end; 0 when there is none."""
        while self._steps and not self._counts[-self._steps[0]]:
            del self._counts[-heappop(self._steps)]
        return -self._steps[0] * _STEP_S if self._steps else 0.0
