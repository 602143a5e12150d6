"""When the night ends, as far as anybody can tell: the latest expected end of all that is still to do.

What ends sooner has time to spare, and may wait for company.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from heapq import heappop, heappush

from orchestrator.core.schedule.tracks import Source

_STEP_S = 10.0
"""Ends are told apart by so much, downwards: what a night is long is never overrated."""


@dataclass(slots=True)
class Horizon:
    """The expected ends of all sources that have copies to make, counted by steps of time."""

    _counts: Counter[int] = field(default_factory=Counter)
    _steps: list[int] = field(default_factory=list)

    def expect(self, source: Source, at: float | None) -> None:
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
