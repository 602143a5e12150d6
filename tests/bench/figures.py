"""One night under one policy, measured: makespan, calls, polls, delays, what is missing. Prints nothing."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator.books import Books
from tests.bench.bound import bound_s, fewest_calls
from tests.bench.clockwork import Clockwork
from tests.bench.cloudscape import Cloudscape, Line
from tests.bench.nights import KINDS, ORIGIN, Night
from tests.bench.ours import Ours
from tests.bench.policies import Again, Noticed, Script, Strict

POLICIES: dict[str, type[Script | Ours]] = {"script": Script, "again": Again, "strict": Strict, "ours": Ours}
"""The columns, by name."""

EPOCH = 1_800_000_000.0
_NEVER_S = 400 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one policy did in one night.

    `bound` is the makespan divided by the lower bound of the copies that this policy made; `calls`
    are divided by the fewest possible; `polls` are describe requests per copy made; `delay` is the
    median, over the copies, of the time between ready and noticed as a share of the copy's
    duration; `missing` are copies that the cloud would have allowed and that were never made or
    never noticed; `broken` counts broken promises in the world's own books, and `peak` is the most
    copies in flight in one destination.
    """

    policy: str
    makespan_s: float
    bound: float
    calls: float
    polls: float
    delay: float
    missing: int
    broken: int
    peak: int


def measure(kind: str, regions: int, images: int, seed: int) -> list[Figures]:
    """Run one night under every policy."""
    night = Night(KINDS[kind], regions, images, seed)
    return [measure_one(night, policy) for policy in POLICIES]


def measure_one(night: Night, policy: str) -> Figures:
    """Run one night under one policy; RuntimeError when it does not end."""
    clock, world = Clockwork(EPOCH), Cloudscape(night)
    noticed: Noticed = {}
    POLICIES[policy](Line(clock, world), night, noticed).begin()
    clock.run(EPOCH + _NEVER_S)
    world.settle(clock.now)
    return _figures(night, policy, noticed, world.record)


def _figures(night: Night, policy: str, noticed: Noticed, books: Books) -> Figures:
    """Read the figures off the policy's notes and the world's books."""
    makespan_s = max(noticed.values(), default=EPOCH) - EPOCH
    least_s = bound_s(night, noticed)
    polls = books.requests["describeImages"] + books.requests["describeImage"]
    return Figures(
        policy=policy,
        makespan_s=makespan_s,
        bound=makespan_s / least_s if least_s else 0.0,
        calls=books.requests["copyImages"] / fewest_calls(night),
        polls=polls / max(1, len(books.copies)),
        delay=median(_delays(night, noticed, books) or [0.0]),
        missing=night.possible - len(noticed),
        broken=len(books.violations),
        peak=max(books.peaks.values(), default=0),
    )


def _delays(night: Night, noticed: Noticed, books: Books) -> list[float]:
    """Say how late each noticed copy was noticed, as a share of its duration."""
    delays = []
    for entry in books.copies:
        copy, ended = _copy(entry["root"], entry["destination"]), entry["ended"]
        if copy in noticed and ended is not None:
            delays.append((noticed[copy] - ended) / night.took_s[copy])
    return delays


def _copy(source: str, destination: str) -> Copy:
    """Name the copy that an entry of the books is about."""
    return Copy(ImageId(source), ORIGIN, Region(destination))
