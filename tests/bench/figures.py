"""One night under one policy, measured: makespan, calls, polls, delays, what is missing. Prints nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from random import Random
from statistics import median

from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator.books import Books
from tests.bench.bound import bound_s, fewest_calls
from tests.bench.clockwork import Clockwork
from tests.bench.cloudscape import Cloudscape, Line
from tests.bench.nights import KINDS, ORIGIN, Night
from tests.bench.ours import RELAYS, Ours, Relay
from tests.bench.policies import Again, Noticed, Script, Strict

POLICIES: dict[str, type[Script | Ours]] = {
    "script": Script,
    "again": Again,
    "strict": Strict,
    "ours": Ours,
}
"""The columns, by name."""
if RELAYS:
    POLICIES["relay"] = Relay

EPOCH = 1_800_000_000.0
_NEVER_S = 400 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one policy did in one night.

    `bound` is the makespan divided by the lower bound of the copies that this policy made; `calls`
    are divided by the fewest possible; `polls` are describe requests per copy made; `delay` is the
    median, over the copies, of the time between ready and noticed as a share of the copy's
    duration; `missing` are copies that the cloud would have allowed and that were never made or
    never noticed, `left_out` their share; `broken` counts broken promises in the world's own books,
    and `peak` is the most copies in flight in one destination. `ours_s` is when ours had noticed as
    many copies as this policy ever did (`inf` where that was not measured, or never came).
    """

    policy: str
    makespan_s: float
    bound: float
    calls: float
    polls: float
    delay: float
    missing: int
    left_out: float
    broken: int
    peak: int
    ours_s: float = inf


def measure(kind: str, regions: int, images: int, seed: int, policies: Sequence[str] = ()) -> list[Figures]:
    """Run one night under these policies, or under every one; RuntimeError when it does not end."""
    night, wanted = Night(KINDS[kind], regions, images, seed), policies or list(POLICIES)
    both = {"script", "again"} <= {*wanted}
    measured = {each.policy: each for each in measure_scripts(night)} if both else {}
    noticed = Noticed()
    for policy in wanted:
        if policy not in measured:
            stage = Stage(night)
            measured[policy] = stage.play(policy)
            noticed = stage.noticed if policy == "ours" else noticed
    ends = sorted(noticed.values())
    return [_beside(measured[policy], night, ends) for policy in wanted]


def _beside(figures: Figures, night: Night, ends: Sequence[float]) -> Figures:
    """Say when ours, which noticed copies at these times, had as many as a policy ever had."""
    count = night.possible - figures.missing
    return replace(figures, ours_s=ends[count - 1] - EPOCH) if 0 < count <= len(ends) else figures


def measure_one(night: Night, policy: str) -> Figures:
    """Run one night under one policy."""
    return Stage(night).play(policy)


def measure_scripts(night: Night) -> Iterator[Figures]:
    """Run one night under `again`, whose first run is what `script` does: both out of one."""
    stage, once = Stage(night), list[Figures]()
    again = Again(stage.line, night, stage.noticed, lambda: once.append(stage.figures("script")))
    stage.run(again)
    yield from (*once, stage.figures("again"))


class Stage:
    """A cloud, a clock and an empty notebook: what one policy needs for one night."""

    def __init__(self, night: Night) -> None:
        self.night, self.clock, self.world = night, Clockwork(EPOCH), Cloudscape(night)
        self.line, self.noticed = Line(self.clock, self.world), Noticed()

    def play(self, policy: str, luck: int | None = None) -> Figures:
        """Let a policy work until it is done; `luck` draws other pauses, and how long each request takes."""
        player = POLICIES[policy](self.line, self.night, self.noticed)
        if luck is not None:
            player.chance, self.line.chance = Random(luck), Random(f"latency {luck}")
        self.run(player)
        return self.figures(policy)

    def run(self, player: Script | Ours) -> None:
        """Let whoever plays begin, and go on until all is quiet."""
        player.begin()
        self.clock.run(EPOCH + _NEVER_S)

    def figures(self, policy: str) -> Figures:
        """Read the figures off the policy's notes and the world's books."""
        return read_off(self.night, policy, self.noticed, self.world.record)


def read_off(night: Night, policy: str, noticed: Noticed, books: Books) -> Figures:
    """Turn what a policy noticed (from EPOCH on) and what the world wrote down into figures."""
    makespan_s = max(noticed.values(), default=EPOCH) - EPOCH
    least_s = bound_s(night, noticed, relay=policy == "relay")
    made = _made(books)
    twice = len(made) - len({(copy.source, copy.destination) for copy, _ in made})
    return Figures(
        policy=policy,
        makespan_s=makespan_s,
        bound=makespan_s / least_s if least_s else 0.0,
        calls=books.requests["copyImages"] / fewest_calls(night),
        polls=(books.requests["describeImages"] + books.requests["describeImage"]) / max(1, len(made)),
        delay=median(_delays(night, noticed, made) or [0.0]),
        missing=night.possible - len(noticed),
        left_out=1 - len(noticed) / max(1, night.possible),
        broken=twice + sum(not said.startswith("duplicate") for said in books.violations),
        peak=max(books.peaks.values(), default=0),
    )


Made = list[tuple[Copy, float | None]]
"""Every copy made, of its original image, from the region that carried it, and when it ended."""


def _made(books: Books) -> Made:
    """List the copies that the world made; a carrier is traced back to the original."""
    originals: dict[str, str] = {}
    made = Made()
    for entry in books.copies:
        original = originals[entry["image"]] = originals.get(entry["source"], entry["source"])
        copy = Copy(ImageId(original), Region(entry["origin"]), Region(entry["destination"]))
        made.append((copy, entry["ended"]))
    return made


def _delays(night: Night, noticed: Noticed, made: Made) -> list[float]:
    """Say how late each noticed copy was noticed, as a share of its duration."""
    delays = []
    for copy, ended in made:
        seen_at = noticed.get(copy._replace(origin=ORIGIN))
        if seen_at is not None and ended is not None:
            delays.append((seen_at - ended) / night.lasts_s(copy))
    return delays
