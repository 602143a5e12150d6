"""What a rehearsed night came to: the values that its words and JSON are made of. Sums, no decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from orchestrator.core.model import Region
from orchestrator.core.verdict import Counts, Standing, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """One quota of a destination: what the plan still needs of it, and limit and use if they are known."""

    needs: int
    limit: int | None = None
    used: int | None = None

    @property
    def free(self) -> int | None:
        """What is left of it, None where nobody knows; a region over its quota has nothing left."""
        return None if self.limit is None or self.used is None else max(0, self.limit - self.used)

    @property
    def short(self) -> int:
        """How much is missing, 0 where it suffices or is not known."""
        return 0 if self.free is None else max(0, self.needs - self.free)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """What one destination got: copies `there` before the night, `made` in it; `peak` is the most at a time.

    `finished_s` is when its last copy was ready, in seconds from the start; None where none was made.
    """

    region: Region
    wanted: int
    there: int
    made: int
    deferred: int
    failed: int
    moved_mb: int
    peak: int
    finished_s: float | None
    images: Room
    snapshots: Room


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A rehearsed night. `copies` are those that did not become ready; `peak` is over all destinations.

    `weather` and `seed` (with the plan's `digest`) give the same night again. `assumed` are sentences
    about what was not known. `refused` counts error answers by HTTP status and word.
    """

    plan: str
    digest: str
    weather: str
    seed: int
    verdict: Verdict
    exit_code: int
    took_s: float
    peak: int
    counts: Counts
    calls: Mapping[str, int]
    refused: Mapping[str, int]
    destinations: tuple[Arrivals, ...]
    copies: tuple[Standing, ...] = ()
    assumed: tuple[str, ...] = field(default=())

    @property
    def moved_mb(self) -> int:
        """How much the copies made in this night hold together."""
        return sum(arrivals.moved_mb for arrivals in self.destinations)
