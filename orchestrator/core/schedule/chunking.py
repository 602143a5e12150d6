"""Which waiting copies travel together now.

A chunk is formed when it is sent, from the copies of one route whose sources are free. Two
rules beyond the count: sources of the same name never share a chunk (the mark says which call
made an image, and only the name says which source of the call); and suspected sources travel
only with their fellow suspects (`culprits` says with whom).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from math import inf

from orchestrator.core.model import CHUNK_MAX
from orchestrator.core.schedule.carrying import carries, may_be_called
from orchestrator.core.schedule.culprits import company
from orchestrator.core.schedule.offers import Offer, Pool
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Source, Track

_ASIDE_MAX = 2000
"""Copies passed over before a chunk goes as it is: bounds the work when many do not fit."""

_TURN_SHARE = 0.4
"""How long a free source is kept for the destination whose turn it is, as a share of a copy's duration.

Where sources are plenty nothing is ever kept back by it: most have been free for long. Where every
source is needed somewhere at every moment, whoever takes any breaks the round, and a place stays
empty for want of an image that was not there yet (measured: 1.2 instead of 1.04 times the bound).
"""


@dataclass(slots=True)
class Gathering:
    """A chunk being formed: what is in it, what was put back, what still fits.

    `carriers` are the images that carry `chosen`; `taken` are their offers that were found in the pool,
    `key` the lowest of their ranks; `squeezed` tells that a copy was
    passed over because its snapshots do not fit; `held_until` when one that is kept for another
    destination may be taken.
    """

    most: int
    snapshots: int | None
    chosen: list[Track] = field(default_factory=list)
    carriers: list[Source] = field(default_factory=list)
    taken: list[Offer] = field(default_factory=list)
    aside: list[Offer] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    squeezed: bool = False
    held_until: float = inf

    @property
    def key(self) -> tuple[float, int]:
        """Rank the chunk: by its best copy, then by how full it is."""
        return min((offer.key for offer in self.taken), default=0.0), -len(self.chosen)

    def takes(self, track: Track, carrier: Source) -> bool:
        """Take the copy in if name and snapshots allow; tell whether it did."""
        needs = track.source.snapshots
        names = track.source.names or {""}
        if self.snapshots is not None and needs > self.snapshots:
            self.squeezed = True
            return False
        if not self.names.isdisjoint(names):
            return False
        self.names |= names
        self.snapshots = None if self.snapshots is None else self.snapshots - needs
        self.chosen.append(track)
        self.carriers.append(carrier)
        return True


def gather(register: Register, pool: Pool, most: int, snapshots: int | None) -> Gathering:
    """Take the next chunk out of a route's pool: at most `most` copies and `snapshots` snapshots.

    Nothing is chosen when nothing fits now. The chosen copies are no longer in the pool.
    """
    gathering = Gathering(min(most, CHUNK_MAX), snapshots)
    for entry in _live(register, pool):
        track, carrier = entry.track, entry.carrier
        if carrier.suspects and not gathering.chosen:
            _gather_suspects(register, track, gathering)
            if gathering.chosen:
                (gathering.taken if track in gathering.chosen else gathering.aside).append(entry)
                break
        kept = carrier.suspects or _held_off(register, entry, gathering)
        fits = not kept and gathering.takes(track, carrier)
        (gathering.taken if fits else gathering.aside).append(entry)
        if len(gathering.chosen) == gathering.most or len(gathering.aside) == _ASIDE_MAX:
            break
    for entry in gathering.aside:
        heappush(pool, entry)
    return gathering


def put_back(pool: Pool, gathering: Gathering) -> None:
    """Put a chunk that does not go now back into its pool."""
    for entry in gathering.taken:
        heappush(pool, entry)


def _live(register: Register, pool: Pool) -> Iterator[Offer]:
    """Pop entries, dropping those that no longer hold (their copies are offered again in time)."""
    while pool:
        entry = heappop(pool)
        track = entry.track
        if not track.offered or entry.ticket != track.ticket or entry.carrier.locked:
            continue  # when the carrier is free again, whatever it may carry is offered anew
        if not carries(entry.carrier, track):
            continue
        if may_be_called(track) and entry.at <= register.now:
            yield entry
        else:
            track.offered = False
            register.offer(track)


def _held_off(register: Register, offer: Offer, gathering: Gathering) -> bool:
    """Tell whether a copy is kept for the destination whose turn it is, for a part of a copy's duration."""
    track = offer.track
    if track.relay or register.limits.chunk_linger <= 0 or not register.offers.has_a_turn_before(track):
        return False
    until = track.source.freed_at + _TURN_SHARE * register.forecasts.seconds(track)
    if until > register.now:
        gathering.held_until = min(gathering.held_until, until)
    return until > register.now


def _gather_suspects(register: Register, first: Track, gathering: Gathering) -> None:
    """Choose who of the first one's fellow suspects travels next on the same route, if anybody can."""
    for track in company(register, first):
        if len(gathering.chosen) < gathering.most:
            gathering.takes(track, track.source)
