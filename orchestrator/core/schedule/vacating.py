"""Room of our own making in one destination: what was deleted there and its quotas do not show yet.

The cloud takes its time over a deletion. This says how soon to look again and for how long; it reads nothing.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import inf

from orchestrator.core.limits import Limits
from orchestrator.core.model import Resource
from orchestrator.core.schedule.readings import Quota


@dataclass(slots=True)
class Vacating:
    """Deletions that are still to show: `missing` counts them for each quota, until `until` (epoch seconds).

    A destination that is full meanwhile is tried again after `pause_s`, each time twice as long.
    """

    missing: Counter[Resource] = field(default_factory=Counter)
    until: float = -inf
    pause_s: float = 0.0

    def deleted(self, limits: Limits, at: float) -> None:
        """Note a deletion. It is waited for as long as a lost call is, and never less than before a full try.

        No document says how long one takes.
        """
        self.missing.update(Resource)
        self.until = at + max(limits.settle_s, limits.quota_interval_s)
        self.pause_s = limits.poll_interval_s

    def awaited(self, now: float) -> bool:
        """Tell whether more room is about to show."""
        return now < self.until and any(self.missing.values())

    def next_pause_s(self, most_s: float) -> float:
        """Return the seconds until the next try, no more than `most_s`."""
        pause_s = min(self.pause_s, most_s)
        self.pause_s = 2 * pause_s
        return pause_s

    def surveyed(self, resource: Resource, before: Quota | None, used: int) -> None:
        """Learn from what is in use: as much less than there would be, as was given back.

        Without a reading `before` it tells nothing.
        """
        if before is not None:
            freed = max(0, before.used + before.committed - used)
            self.missing[resource] = max(0, self.missing[resource] - freed)
