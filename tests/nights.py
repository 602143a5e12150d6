"""A whole night in a test: the real engine and schedule on a simulated world, in virtual time.

Everything random comes from one seed; nothing here is a mock. Use inside a test marked `looptime`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf
from random import Random

from orchestrator.core.codec import from_json, kind_of, to_json
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Change, Event
from orchestrator.core.model import CallId, Copy, ImageId, Region, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Counts, Verdict, judge
from orchestrator.core.verdict import count as count_copies
from orchestrator.engine.engine import Engine, Senses, Watcher
from orchestrator.engine.halt import Halt
from orchestrator.simulator.faults import FaultPlan, Rule
from orchestrator.simulator.memory import MemoryCloud
from orchestrator.simulator.things import Image, Snapshot
from orchestrator.simulator.traits import Fates, Pace, Switches
from orchestrator.simulator.world import World

NORTH, EAST, SOUTH, EAST1 = (Region(name) for name in ("cn-north-1", "cn-east-2", "cn-south-1", "cn-east-1"))
EPOCH = 1_800_000_000.0
"""Virtual nights begin here, so that times look like times."""


def image_id(number: int) -> ImageId:
    """Make the n-th source image's id."""
    return ImageId(f"img-src{number:07d}")


def copies_of(images: int, *destinations: Region, origin: Region = NORTH) -> list[Copy]:
    """Want the first n images in every destination."""
    return [Copy(image_id(i), origin, to) for i in range(images) for to in destinations]


def now() -> float:
    """Tell the virtual time as UTC epoch seconds."""
    return EPOCH + asyncio.get_running_loop().time()


@dataclass
class Cloud:
    """The simulated cloud of a test: a world full of sources, and how it misbehaves."""

    images: int = 10
    seed: int = 0
    quota: int = 1000
    snapshots: int = 5000
    disks: int = 1
    names: Callable[[int], str] = "golden-{}".format
    pace: Pace = field(default_factory=lambda: Pace(copy_base_s=600, copy_per_gb_s=30))
    switches: Switches = field(default_factory=Switches)
    fates: Fates = field(default_factory=Fates)
    rules: Sequence[Rule] = ()
    latency_s: float = 0.2

    def __post_init__(self) -> None:
        self.world = World(Random(self.seed), pace=self.pace, switches=self.switches, fates=self.fates)
        for region in (NORTH, EAST, SOUTH, EAST1):
            self.world.add_region(region, images=self.quota, snapshots=self.snapshots)
        for number in range(self.images):
            self.add(number)
        self.faults = FaultPlan(Random(self.seed + 1), self.rules)

    def add(self, number: int, *, encrypted: bool = False, **traits: object) -> Image:
        """Put a source image into the north."""
        disks = tuple(f"snap-{number:07d}-{disk}" for disk in range(self.disks))
        image = Image(id=image_id(number), name=self.names(number), size_mb=8192, snapshots=disks)
        for name, value in traits.items():
            setattr(image, name, value)
        return self.world.add_image(NORTH, image, encrypted=encrypted)

    def port(self) -> MemoryCloud:
        """Return the port that the engine drives."""
        return MemoryCloud(self.world, clock=now, latency_s=self.latency_s, faults=self.faults)

    def made(self, region: Region) -> list[Image]:
        """Return the live copies in a region: everything pending or ready that is no source."""
        held = self.world.stores[region].images.values()
        return [image for image in held if image.status in ("pending", "ready") and "src" not in image.id]


@dataclass
class Night:
    """What one run did."""

    schedule: Schedule
    events: list[Event]
    changes: list[Change]
    verdict: Verdict
    exit_code: int
    counts: Counts
    calls: dict[str, int]
    took_s: float

    def state(self, copy: Copy) -> tuple[State, Reason]:
        """Tell where a copy stands and why."""
        track = self.schedule.register.tracks[copy]
        return track.state, self.schedule.why(copy, 0.0)[0]


@dataclass
class Operator:
    """Runs night after night on one ledger (a list of events that went through JSON)."""

    cloud: Cloud
    limits: Limits = field(default_factory=Limits)
    seed: int = 0
    ledger: list[tuple[str, str]] = field(default_factory=list)
    runs: Iterable[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed + 2)
        self._runs = iter(self.runs)
        self._ids = count()

    async def night(
        self,
        copies: Sequence[Copy],
        *,
        deadline_s: float = inf,
        halt: Halt | None = None,
        kill_after: int | None = None,
        watchers: Sequence[Watcher] = (),
    ) -> Night:
        """Run one night; with `kill_after` the process dies when that many events are on disk."""
        schedule = Schedule(self.limits, f"testledger{self.seed}")
        schedule.recover(from_json(kind, body) for kind, body in self.ledger)
        seen = _Seen(self.ledger, kill_after)
        senses = Senses(clock=now, chance=self._chance.random, call_ids=self._call_id)
        engine = Engine(schedule, self.cloud.port(), seen.record, senses, watchers=watchers)
        run, began, halt = RunId(f"run{next(self._runs)}"), now(), halt or Halt()
        engine.begin(run, "test", copies)
        late = await engine.run(halt, deadline=began + deadline_s)
        counts = count_copies(schedule.standings())
        verdict, code = judge(
            counts, settled=schedule.settled(), stopped=schedule.stopped, late=late, signal=halt.signal
        )
        calls = dict(engine.calls)
        return Night(schedule, seen.events, seen.changes, verdict, code, counts, calls, now() - began)

    def _call_id(self) -> CallId:
        return CallId(f"call{self.seed}x{next(self._ids):08d}")


class Killed(Exception):
    """The simulated process died."""


class _Seen:
    """The ledger of a test: keeps JSON, and can die like a process."""

    def __init__(self, ledger: list[tuple[str, str]], kill_after: int | None) -> None:
        self.ledger, self.kill_after = ledger, kill_after
        self.events: list[Event] = []
        self.changes: list[Change] = []

    def record(self, event: Event, changes: Sequence[Change]) -> None:
        if self.kill_after is not None and len(self.events) >= self.kill_after:
            raise Killed
        self.ledger.append((kind_of(event), to_json(event)))
        self.events.append(event)
        self.changes.extend(changes)


def check_books(cloud: Cloud) -> None:
    """Hold the world's own account against the promises: nothing twice, no source in two places."""
    books = cloud.world.books()
    assert books["violations"] == []
    assert books["peak_destinations_per_source"] <= 1
    assert books["largest_call"] <= 10


__all__ = ["EAST", "EAST1", "EPOCH", "NORTH", "SOUTH", "Cloud", "Killed", "Night", "Operator", "Snapshot"]
