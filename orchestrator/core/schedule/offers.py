"""The copies that may be called, route by route, best first; and those that may be so at a later time.

The order of a pool: the longest remaining work of a source first, because its copies follow each
other. Work is told apart by half a usual copy. Among equals the tens of the plan go round the
destinations, each ten from another one on, so that all of them move on at the same time and nobody
takes what another destination needs next.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import NamedTuple

from orchestrator.core.model import CHUNK_MAX, WAITING
from orchestrator.core.schedule.forecast import Forecasts
from orchestrator.core.schedule.tracks import Route, Source, Track


class Offer(NamedTuple):
    """One entry of a heap, lowest `key` first: a rank, or a time. It holds while its ticket is the copy's.

    `carrier` is the image that would be sent.
    """

    key: float
    order: int
    ticket: int
    track: Track
    carrier: Source

    @property
    def at(self) -> float:
        """The earliest time at which the copy may be called this way."""
        return max(self.track.not_before, self.carrier.not_before)


Pool = list[Offer]
"""A heap of offers; those that no longer hold are skipped when met."""


@dataclass(slots=True)
class Offers:
    """All pools of one run, and the places of its sources and destinations in the round."""

    _forecasts: Forecasts
    pools: dict[Route, Pool] = field(default_factory=lambda: defaultdict(list))
    sleepers: Pool = field(default_factory=list)
    _sources: int = 0
    _destinations: int = 0
    _size_mb: int = 0

    # --- the round --------------------------------------------------------------------------------

    def enlist(self, track: Track) -> None:
        """Give source and destination their places; each ten of sources begins at another destination."""
        source, destination = track.source, track.destination
        if destination.number < 0:
            destination.number = self._destinations
            self._destinations += 1
        if source.number < 0:
            source.number, source.turn = self._sources, self._sources // CHUNK_MAX
            self._sources += 1
            self._size_mb += source.size_mb

    def resize(self, source: Source, before_mb: int) -> None:
        """Note that the size of a source has become known."""
        if source.number >= 0:
            self._size_mb += source.size_mb - before_mb

    def distance(self, track: Track) -> int:
        """Tell how many other destinations have their turn before a copy's own."""
        return (track.destination.number - track.source.turn) % (self._destinations or 1)

    def has_a_turn_before(self, track: Track) -> bool:
        """Tell whether another copy of the source that waits has its turn before this one."""
        mine = self.distance(track)
        others = (t for t in track.source.tracks if t.wanted and t.state is WAITING and not t.deferred)
        return mine > 0 and any(self.distance(other) < mine for other in others)

    # --- the pools --------------------------------------------------------------------------------

    def put(self, track: Track, carriers: Iterable[Source], now: float, waits_s: float | None = None) -> None:
        """Put a copy into the pool of each route that it may take, or to sleep; earlier entries are void.

        `waits_s` is how long the waiting copies of its source take, where that is known already.
        """
        track.offered = True
        track.ticket += 1
        rank: float | None = None
        later: Offer | None = None
        for carrier in carriers:
            rank = self._rank(track, waits_s) if rank is None else rank
            offer = Offer(rank, track.order, track.ticket, track, carrier)
            at = offer.at
            if at <= now:
                track.destination.stirred = True
                heappush(self.pools[carrier.origin, track.copy.destination], offer)
            elif later is None or at < later.key:
                later = offer._replace(key=at)
        if later is not None:  # one is enough: whoever wakes is offered on every route anew
            heappush(self.sleepers, later)

    def _rank(self, track: Track, waits_s: float | None) -> float:
        """Rank a copy in its pool, lowest first."""
        mean_gb = self._size_mb / (self._sources or 1) / 1024
        usual_s = self._forecasts.all.seconds(mean_gb)
        left_s = self._forecasts.remaining_s(track.source) if waits_s is None else waits_s
        return self.distance(track) - round(2 * left_s / usual_s) * self._destinations

    def woken(self, now: float) -> Iterator[Track]:
        """Take out the sleepers whose time has come."""
        while self.sleepers and self.sleepers[0].key <= now:
            offer = heappop(self.sleepers)
            if offer.ticket == offer.track.ticket:
                yield offer.track
