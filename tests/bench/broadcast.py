"""How soon one image can be in several regions when every copy may carry it on. Exact; knows no night.

    serve(v, S) = min over c in S, A subset of S without c of
                      T(v, c) + max( serve(c, A), serve(v, S without c without A) ),   serve(v, {}) = 0

v holds the image and is to see to it that every region of S gets it: it serves c first, for it can
serve one region at a time (an image is locked while it is being copied), then c is charged with A
while v goes on with the rest. Every way of spreading an image is such a tree, and waiting helps
nobody, so the least over all choices is the least there is. With R regions there are R x 2^R
entries of at most R x 2^R choices: nothing at R = 5, and the only images asked about are those that
could decide a night.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from math import inf


def fastest_s(times_s: Sequence[Sequence[float]]) -> float:
    """Return the seconds until all regions hold the image; `times_s[v][c]` is how long v takes to serve c.

    Region 0 holds it at the start.
    """

    @cache
    def serve(holder: int, wanted: int) -> float:
        """Solve one entry; `wanted` is a set of regions as bits."""
        best_s = inf if wanted else 0.0
        for first in _members(wanted):
            others, took_s = wanted & ~(1 << first), times_s[holder][first]
            if took_s < best_s:
                after_s = min(
                    max(serve(first, part), serve(holder, others ^ part)) for part in _parts(others)
                )
                best_s = min(best_s, took_s + after_s)
        return best_s

    return serve(0, (1 << len(times_s)) - 2)


def _members(regions: int) -> Iterator[int]:
    """Give the regions of a set."""
    return (region for region in range(regions.bit_length()) if regions >> region & 1)


def _parts(regions: int) -> Iterator[int]:
    """Give all subsets of a set, itself and the empty one included."""
    part = regions
    while part:
        yield part
        part = (part - 1) & regions
    yield 0
