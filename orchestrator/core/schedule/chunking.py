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

from orchestrator.core.model import CHUNK_MAX
from orchestrator.core.schedule.culprits import company
from orchestrator.core.schedule.register import Pool, Register
from orchestrator.core.schedule.tracks import Track

_ASIDE_MAX = 2000
"""Copies passed over before a chunk goes as it is: bounds the work when many do not fit."""


@dataclass(slots=True)
class Gathering:
    """A chunk being formed: what is in it, what was put back, what still fits.

    `squeezed` tells that a copy was passed over because its snapshots do not fit.
    """

    most: int
    snapshots: int | None
    chosen: list[Track] = field(default_factory=list)
    aside: list[tuple[float, int, Track]] = field(default_factory=list)
    names: set[str] = field(default_factory=set)
    squeezed: bool = False

    def takes(self, track: Track) -> bool:
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
        return True


def gather(register: Register, pool: Pool, most: int, snapshots: int | None) -> Gathering:
    """Take the next chunk out of a route's pool: at most `most` copies and `snapshots` snapshots.

    Nothing is chosen when nothing fits now. The chosen copies are no longer in the pool.
    """
    gathering = Gathering(min(most, CHUNK_MAX), snapshots)
    for entry in _live(register, pool):
        track = entry[2]
        if track.source.suspects and not gathering.chosen:
            _gather_suspects(register, track, gathering)
            if gathering.chosen:
                gathering.aside += [] if track in gathering.chosen else [entry]
                break
        if track.source.suspects or not gathering.takes(track):
            gathering.aside.append(entry)
        if len(gathering.chosen) == gathering.most or len(gathering.aside) == _ASIDE_MAX:
            break
    for entry in gathering.aside:
        heappush(pool, entry)
    for track in gathering.chosen:
        track.offered = False
    return gathering


def _live(register: Register, pool: Pool) -> Iterator[tuple[float, int, Track]]:
    """Pop entries, dropping those that no longer hold (their copies are offered again in time)."""
    while pool:
        entry = heappop(pool)
        track = entry[2]
        if track.offered and register.callable(track) and track.eligible_at <= register.now:
            yield entry
        else:
            track.offered = False
            register.offer(track)


def _gather_suspects(register: Register, first: Track, gathering: Gathering) -> None:
    """Choose who of the first one's fellow suspects travels next on the same route, if anybody can."""
    for track in company(register, first):
        if len(gathering.chosen) < gathering.most:
            gathering.takes(track)
