"""The lower bound of a night's makespan, for a given set of copies. No policy can be faster.

    bound = L + max( max over images i of        sum over its copies of T(i, d), or with relay B(i),
                     max over destinations d of  sum over its copies of t(i, d) / ROOM,
                     60 s x floor((C - 1) / rate) + min t,   C = sum over d of ceil(n(d) / 10) )

T is how long a copy takes in this night, t the same by the fastest way that the policy has, B the best
broadcast of one image (`broadcast`), L the latency of one request; why it holds is in docs/scheduling.md.
It looks at one obstacle at a time and is blind to waves (21 copies of one length in 20 places take twice
that length), so that even the best schedule may stay above it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from orchestrator.core.model import CHUNK_MAX, Copy, ImageId, Region
from tests.bench.broadcast import fastest_s
from tests.bench.nights import ORIGIN, ROOM, Night

_MINUTE_S = 60.0

Wanted = Mapping[ImageId, Sequence[Region]]
"""Which regions got a copy of each image."""


def bound_s(night: Night, made: Iterable[Copy], *, relay: bool = False) -> float:
    """Return the seconds below which nobody makes and notices these copies; 0 for none.

    `made` are the copies of the originals, however they came about; with `relay` a copy may have
    carried others.
    """
    wanted: dict[ImageId, list[Region]] = defaultdict(list)
    for copy in made:
        wanted[copy.source].append(copy.destination)
    if not wanted:
        return 0.0
    shortest_s: dict[Region, list[float]] = defaultdict(list)
    for image, regions in wanted.items():
        for region in regions:
            shortest_s[region].append(_shortest_s(night, image, region, regions if relay else ()))
    least_s = max(_work_s(shortest_s), _called_s(night, shortest_s))
    return night.latency_s + (
        _spread_s(night, wanted, least_s) if relay else max(least_s, _chained_s(night, wanted))
    )


def fewest_calls(night: Night) -> int:
    """Return how many calls carry the whole plan when all of them are full."""
    return night.regions * -(-night.images // CHUNK_MAX)


def _shortest_s(night: Night, image: ImageId, region: Region, carriers: Iterable[Region]) -> float:
    """Say how long a copy takes by the fastest way: from the origin, or from one of the carriers."""
    ways = (ORIGIN, *(carrier for carrier in carriers if carrier != region))
    return min(night.lasts_s(Copy(image, at, region)) for at in ways)


def _work_s(shortest_s: Mapping[Region, Sequence[float]]) -> float:
    """Share the work of each destination among its places; the worst of them."""
    return max(sum(each) / ROOM for each in shortest_s.values())


def _called_s(night: Night, shortest_s: Mapping[Region, Sequence[float]]) -> float:
    """Let the rate of requests bring the last call; a copy follows it."""
    calls = sum(-(-len(each) // CHUNK_MAX) for each in shortest_s.values())
    minutes = (calls - 1) // night.rate_per_minute
    return minutes * _MINUTE_S + min(map(min, shortest_s.values()))


def _chained_s(night: Night, wanted: Wanted) -> float:
    """Let the copies of each image follow each other; the longest chain."""
    return max(sum(night.took_s[Copy(image, ORIGIN, to)] for to in tos) for image, tos in wanted.items())


def _spread_s(night: Night, wanted: Wanted, least_s: float) -> float:
    """Spread each image in the best way; the slowest one, or `least_s` when all are faster.

    An image that is faster than that even in a chain need not be solved.
    """
    for image, tos in wanted.items():
        if _chained_s(night, {image: tos}) > least_s:
            least_s = max(least_s, fastest_s(_times_s(night, image, tos)))
    return least_s


def _times_s(night: Night, image: ImageId, regions: Sequence[Region]) -> list[list[float]]:
    """Tabulate how long each region takes to serve each other, the origin first."""
    everywhere = (ORIGIN, *regions)
    return [
        [night.lasts_s(Copy(image, at, to)) if to not in (ORIGIN, at) else 0.0 for to in everywhere]
        for at in everywhere
    ]
