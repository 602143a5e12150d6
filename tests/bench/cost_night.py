"""One night through the pure core, timed: `python -m tests.bench.cost_night COPIES` prints its figures.

The cloud is as cheap as one can be: it accepts every chunk, whatever is looked at is ready, listings
show what was made, quotas are huge. Only the core's own calls are timed, in CPU time, by the order in
which the engine makes them; garbage collection is as Python sets it, and its time counts.
"""

from __future__ import annotations

import json
import resource
import sys
from collections import deque
from dataclasses import asdict, dataclass, field, replace
from math import inf
from os import sysconf
from pathlib import Path
from time import thread_time_ns
from typing import assert_never

from orchestrator.core.limits import Limits
from orchestrator.core.messages import (
    Accepted,
    Action,
    Begun,
    Called,
    Check,
    Checked,
    Event,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    Planned,
    Seen,
    Submit,
    Survey,
    Surveyed,
)
from orchestrator.core.model import PAGE_SIZE, CallId, Copy, ImageId, Region, RunId, Sighting, State
from orchestrator.core.schedule import Schedule

LEDGER = "benchledger1"
ORIGIN = Region("cn-north-1")
DESTINATIONS = tuple(map(Region, ("cn-east-1", "cn-east-2", "cn-south-1")))
LIMITS = Limits(requests_per_minute=1000)

_BEGAN = 1_790_000_000.0
_LATENCY_S = 0.02
_BATCH = 1000
_TOGETHER = 30_000
"""Copies that a process should hold at least: a small night is repeated, or its bytes are lost in a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What a night cost; times are CPU microseconds of the core alone, without the cloud and the loop.

    `changes` counts what the events did to copies: a call is one event and moves ten. `again_us` is
    per copy in the night after, which confirms them all. `bytes` is per copy, at the peak, the plan
    included; `peak_mb` (MiB) is that of the whole process.
    """

    copies: int
    events: int
    changes: int
    decides: int
    event_us: float
    decide_us: float
    copy_us: float
    again_us: float = 0.0
    bytes: float = 0.0
    peak_mb: float = 0.0

    @property
    def events_s(self) -> float:
        """Events a second on one core."""
        return 1e6 / self.event_us

    @property
    def changes_s(self) -> float:
        """Changes of copies a second on one core."""
        return self.changes / self.copies * 1e6 / self.copy_us


class Cloud:
    """Answers each action at once; it holds the images it made, by destination, and their sources."""

    def __init__(self) -> None:
        self.made: dict[Region, list[ImageId]] = {region: [] for region in DESTINATIONS}
        self._number = 0

    def answer(self, action: Action, call: CallId, at: float) -> Event:
        """Answer one action."""
        match action:
            case Submit():
                return Accepted(at=at, call=call, pairs=tuple(map(self._make, action.chunk.copies)))
            case Inspect():
                images = tuple(map(_source, action.images))
                return Inspected(at=at, origin=action.region, asked=action.images, images=images)
            case List():
                return self._list(action, at)
            case Survey():
                room = 10**9
                return Surveyed(at=at, region=action.region, resource=action.resource, limit=room, used=0)
            case Look():
                images = tuple(map(_copy, action.images))
                return Seen(at=at, region=action.region, asked=action.images, images=images)
            case Check():
                return Checked(at=at, region=action.region, image=action.image, sighting=_copy(action.image))
            case _:
                assert_never(action)

    def _make(self, copy: Copy) -> tuple[ImageId, ImageId]:
        self._number += 1
        image = ImageId(f"img-d{self._number:09d}")
        self.made[copy.destination].append(image)
        return copy.source, image

    def _list(self, action: List, at: float) -> Listed:
        made = self.made[action.region]
        shown = tuple(map(_copy, made[(action.page - 1) * PAGE_SIZE : action.page * PAGE_SIZE]))
        return Listed(
            at=at, began=at, region=action.region, page=action.page, total=len(made), images=shown,
            shown=len(shown),
        )  # fmt: skip


def _source(image: ImageId) -> Sighting:
    return Sighting(
        image=image, status="ready", name=f"name of {image}", size_mb=8192, snapshots=(f"snap-{image}",),
        root_device="cloudDisk", image_source="private", owner="somebody",
    )  # fmt: skip


def _copy(image: ImageId) -> Sighting:
    """Show a copy with a mark: the call that it names is none, but its image is known anyway."""
    text = f"orchestrator/1 ledger={LEDGER} call=c from={ORIGIN}"
    return Sighting(image=image, status="ready", name=f"of {image}", text=text, size_mb=8192)


@dataclass(slots=True)
class Spent:
    """Nanoseconds and calls of one kind."""

    ns: int = 0
    calls: int = 0

    def since(self, began: int) -> None:
        """Add one call, less what reading the clock twice takes."""
        self.ns += max(0, thread_time_ns() - began - _CLOCK_NS)
        self.calls += 1


def _clock_ns() -> int:
    """Measure what two readings of the clock take, at least."""
    return min(-thread_time_ns() + thread_time_ns() for _ in range(1000))


_CLOCK_NS = _clock_ns()


@dataclass(slots=True)
class Night:
    """A schedule, its cloud, and what the schedule has cost so far."""

    copies: tuple[Copy, ...]
    cloud: Cloud = field(default_factory=Cloud)
    schedule: Schedule = field(default_factory=lambda: Schedule(LIMITS, LEDGER))
    applied: Spent = field(default_factory=Spent)
    decided: Spent = field(default_factory=Spent)
    changes: int = 0
    calls: int = 0
    now: float = _BEGAN

    def learn(self, event: Event) -> None:
        """Take a fact in, as the engine does."""
        began = thread_time_ns()
        known = self.schedule.timed(self.schedule.essence(event), 0.5)
        changes = self.schedule.apply(known)
        self.applied.since(began)
        self.changes += len(changes)
        self.note(known)

    def note(self, event: Event) -> None:
        """Do with an event what the ledger would: nothing here."""

    def run(self, name: str) -> None:
        """Pass one night, from its beginning until nothing is left to do."""
        self.learn(Begun(at=self.now, run=RunId(name), limits=self.schedule.limits))
        for start in range(0, len(self.copies), _BATCH):
            self.learn(Planned(at=self.now, copies=self.copies[start : start + _BATCH]))
        under_way: deque[tuple[Action, CallId]] = deque()
        while (wake := self._decide(under_way)) is not None:
            if under_way:
                action, call = under_way.popleft()
                self.now += _LATENCY_S
                self.learn(self.cloud.answer(action, call, self.now))
            else:
                self.now = max(self.now, wake)

    def _decide(self, under_way: deque[tuple[Action, CallId]]) -> float | None:
        """Decide until there is nothing more to begin; return when to ask again, None at the end."""
        while True:
            began = thread_time_ns()
            if self.schedule.finished(waits_for_room=False):
                return None
            decision = self.schedule.decide(self.now)
            self.decided.since(began)
            for action in decision.actions:
                under_way.append((action, self._intend(action)))
            if not decision.actions:
                if decision.wake == inf and not under_way:
                    raise RuntimeError("the night does not end")
                return decision.wake

    def _intend(self, action: Action) -> CallId:
        """Write a call down before it is sent."""
        if not isinstance(action, Submit):
            return CallId("")
        self.calls += 1
        call = CallId(f"{self.calls:016x}")
        self.learn(Called(at=self.now, call=call, copies=action.chunk.copies, marked=action.marked))
        return call

    @property
    def spent_ns(self) -> int:
        """What the core has taken so far."""
        return self.applied.ns + self.decided.ns

    def check(self) -> None:
        """Make sure that the night was one."""
        states = self.schedule.states()
        if len(states) != len(self.copies) or set(states.values()) != {State.READY}:
            raise RuntimeError("a copy was not made")


def plan(copies: int) -> tuple[Copy, ...]:
    """Want a third of so many images in each destination."""
    images = [ImageId(f"img-s{number:09d}") for number in range(copies // len(DESTINATIONS))]
    return tuple(Copy(image, ORIGIN, region) for region in DESTINATIONS for image in images)


def measure(copies: int, *, together: int = _TOGETHER) -> Figures:
    """Pass nights of one size in this process; the cheapest counts, the bytes are of all together."""
    before, nights = _resident(), list[Night]()
    best: Figures | None = None
    for _ in range(max(1, together // copies)):
        nights.append(Night(plan(copies)))
        figures = _pass(nights[-1])
        best = figures if best is None or figures.copy_us < best.copy_us else best
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    held = (peak - before) / sum(len(night.copies) for night in nights)
    if best is None:
        raise ValueError("a night needs copies")
    return replace(best, bytes=held, peak_mb=peak / 2**20)


def _pass(night: Night) -> Figures:
    """Pass a night and the one after it."""
    night.run("first")
    night.check()
    copies, events, spent_ns = len(night.copies), night.applied.calls, night.spent_ns
    figures = Figures(
        copies=copies,
        events=events,
        changes=night.changes,
        decides=night.decided.calls,
        event_us=spent_ns / events / 1e3,
        decide_us=night.decided.ns / night.decided.calls / 1e3,
        copy_us=spent_ns / copies / 1e3,
    )
    night.run("second")
    night.check()
    return replace(figures, again_us=(night.spent_ns - spent_ns) / copies / 1e3)


def _resident() -> int:
    """Tell how many bytes of memory this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    print(json.dumps(asdict(measure(int(sys.argv[1])))))
