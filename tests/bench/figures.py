"""One night under one policy, measured: makespan, calls, polls, delays, what is missing. Prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from orchestrator.core.model import Copy, ImageId, Region
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


def measure(kind: str, regions: int, images: int, seed: int, policies: Sequence[str] = ()) -> list[Figures]:
    """Run one night under these policies, or under every one; RuntimeError when it does not end."""
    night, wanted = Night(KINDS[kind], regions, images, seed), policies or list(POLICIES)
    if not {"script", "again"} <= {*wanted}:
        return [measure_one(night, policy) for policy in wanted]
    measured = {each.policy: each for each in measure_scripts(night)}
    return [measured[policy] if policy in measured else measure_one(night, policy) for policy in wanted]


def measure_one(night: Night, policy: str) -> Figures:
    """Run one night under one policy."""
    stage = Stage(night)
    stage.play(POLICIES[policy](stage.line, night, stage.noticed))
    return stage.figures(policy)


def measure_scripts(night: Night) -> Iterator[Figures]:
    """Run one night under `again`, whose first run is what `script` does: both out of one."""
    stage, once = Stage(night), list[Figures]()
    stage.play(Again(stage.line, night, stage.noticed, lambda: once.append(stage.figures("script"))))
    yield from (*once, stage.figures("again"))


class Stage:
    """A cloud, a clock and an empty notebook: what one policy needs for one night."""

    def __init__(self, night: Night) -> None:
        self.night, self.clock, self.world = night, Clockwork(EPOCH), Cloudscape(night)
        self.line, self.noticed = Line(self.clock, self.world), Noticed()

    def play(self, policy: Script | Ours) -> None:
        """Let a policy work until it is done."""
        policy.begin()
        self.clock.run(EPOCH + _NEVER_S)

    def figures(self, policy: str) -> Figures:
        """Read the figures off the policy's notes and the world's books."""
        night, noticed, books = self.night, self.noticed, self.world.record
        makespan_s = max(noticed.values(), default=EPOCH) - EPOCH
        least_s = bound_s(night, noticed, relay=policy == "relay")
        polls = books.requests["describeImages"] + books.requests["describeImage"]
        return Figures(
            policy=policy,
            makespan_s=makespan_s,
            bound=makespan_s / least_s if least_s else 0.0,
            calls=books.requests["copyImages"] / fewest_calls(night),
            polls=polls / max(1, len(books.copies)),
            delay=median(self._delays() or [0.0]),
            missing=night.possible - len(noticed),
            broken=self._broken(),
            peak=max(books.peaks.values(), default=0),
        )

    def _delays(self) -> list[float]:
        """Say how late each noticed copy was noticed, as a share of its duration."""
        delays = []
        for entry in self.world.record.copies:
            at, to, ended = Region(entry["origin"]), Region(entry["destination"]), entry["ended"]
            original = self.world.original(ImageId(entry["source"]))
            seen_at = self.noticed.get(Copy(original, ORIGIN, to))
            if seen_at is not None and ended is not None:
                delays.append((seen_at - ended) / self.night.lasts_s(Copy(original, at, to)))
        return delays

    def _broken(self) -> int:
        """Count promises broken: what the books say, and copies made twice by different ways."""
        books = self.world.record
        originals = (self.world.original(ImageId(entry["source"])) for entry in books.copies)
        made = Counter(zip(originals, (entry["destination"] for entry in books.copies), strict=True))
        twice = sum(count - 1 for count in made.values())
        return twice + sum(not said.startswith("duplicate") for said in books.violations)
