"""The lower bound of a night's makespan, for a given set of copies. No policy can be faster.

    bound = L + max( max over images i of        sum over its copies of T(i, d),
                     max over destinations d of  sum over its copies of T(i, d) / ROOM,
                     60 s x floor((C - 1) / rate) + min T,   C = sum over d of ceil(n(d) / 10) )

T is how long a copy takes in this night, L the latency of one request, ROOM the copies in flight
per destination, n(d) the copies made in d, rate the requests that the cloud takes in any minute.
Why it holds: a source is locked while it is being copied, so the copies of one image follow each
other; a destination never has more than ROOM copies under way, so they need at least the sum
divided by ROOM; a call carries ten copies, C calls do not fit into fewer than so many whole
minutes, and after the last of them a copy must still be made. Half a latency passes before the
first call arrives, half before the last look comes back. Relay would break the first term.

It looks at one obstacle at a time and is blind to waves (21 copies of one length in 20 places
take twice that length), so that even the best schedule may stay above it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from orchestrator.core.model import CHUNK_MAX, Copy, ImageId, Region
from tests.bench.nights import LATENCY_S, ROOM, Night

_MINUTE_S = 60.0


def bound_s(night: Night, made: Iterable[Copy]) -> float:
    """Return the seconds below which nobody makes and notices these copies; 0 for none."""
    per_image: dict[ImageId, float] = defaultdict(float)
    per_region: dict[Region, list[float]] = defaultdict(list)
    for copy in made:
        per_image[copy.source] += night.took_s[copy]
        per_region[copy.destination].append(night.took_s[copy])
    if not per_image:
        return 0.0
    work_s = max(sum(each) / ROOM for each in per_region.values())
    calls = sum(-(-len(each) // CHUNK_MAX) for each in per_region.values())
    minutes = (calls - 1) // night.kind.rate_per_minute
    called_s = minutes * _MINUTE_S + min(map(min, per_region.values()))
    return LATENCY_S + max(max(per_image.values()), work_s, called_s)


def fewest_calls(night: Night) -> int:
    """Return how many calls carry the whole plan when all of them are full."""
    return night.regions * -(-night.images // CHUNK_MAX)
