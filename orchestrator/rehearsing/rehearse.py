"""Plays one night on a stage, from its first request to its last, and adds up what it came to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Change, Event
from orchestrator.core.model import CallId, Copy, ImageId, Region, RunId, State
from orchestrator.core.plan import Plan
from orchestrator.core.reasons import MEANINGS, Nature
from orchestrator.core.rehearsed import Arrivals, Rehearsal, Room
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Standing, judge
from orchestrator.core.verdict import count as count_copies
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.rehearsing.known import Live, Past, wanted
from orchestrator.rehearsing.stage import Quota, Stage, invented, mirrored, needs, source_of
from orchestrator.simulator.books import CopyEntry
from orchestrator.simulator.faults import FaultPlan
from orchestrator.simulator.memory import MemoryCloud
from orchestrator.simulator.virtual_time import run_virtually
from orchestrator.simulator.weather import CLIMATES, Weather

BEGIN_AT = 1_800_000_000.0
"""A night that needs no real one begins here (epoch seconds), so that it is the same every time."""

_RUN = RunId("rehearsal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be rehearsed. `seed` None: the plan's own, so that the same plan gives the same night."""

    plan: Plan
    weather: Weather = Weather.CLEAR
    seed: int | None = None
    quota: Quota | None = None

    def chosen_seed(self) -> int:
        """Return the seed that counts."""
        return int(self.plan.digest[:8], 16) if self.seed is None else self.seed


@dataclass(slots=True)
class Diary:
    """The ledger of a rehearsal, in memory: how many events there were, and when each copy became ready."""

    events: int = 0
    ready_at: dict[Copy, float] = field(default_factory=dict)

    def record(self, event: Event, changes: Sequence[Change]) -> None:
        """Write one event down."""
        self.events += 1
        for change in changes:
            if change.after is State.READY and change.before is not State.READY:
                self.ready_at[change.copy] = change.at


def rehearse(wish: Wish, limits: Limits, past: Past) -> Rehearsal:
    """Rehearse a plan on an invented cloud; `past` is what the ledger remembers of real ones."""
    copies, seed = wanted(wish.plan, None), wish.chosen_seed()
    stage = invented(copies, weather=wish.weather, seed=seed, at=BEGIN_AT, past=past, quota=wish.quota)
    schedule = Schedule(limits, "rehearsal")
    if past.routes is not None:
        schedule.apply(past.routes)
    return _play(wish, copies, stage, schedule)


def rehearse_tonight(
    wish: Wish, limits: Limits, live: Live, known: Schedule | None, past: Past, *, now: float
) -> Rehearsal:
    """Rehearse a plan on a copy of the cloud as it is `now` (epoch seconds), from where the ledger stands.

    `known` is used up.
    """
    copies, seed = wanted(wish.plan, live), wish.chosen_seed()
    schedule = known or Schedule(limits, "rehearsal")
    at = max(now, schedule.register.now)
    stage = mirrored(copies, live, weather=wish.weather, seed=seed, at=at, past=past)
    return _play(wish, copies, stage, schedule)


def _play(wish: Wish, copies: Sequence[Copy], stage: Stage, schedule: Schedule) -> Rehearsal:
    """Play the night in virtual time and judge it as a run is judged."""
    diary, seed = Diary(), wish.chosen_seed()
    engine, took_s = run_virtually(lambda: _night(wish, copies, stage, schedule, diary))
    standings = schedule.standings()
    counts = count_copies(standings)
    verdict, code = judge(
        counts, settled=schedule.settled(), stopped=schedule.stopped, late=False, signal=None
    )
    made = stage.world.books()["copies"]
    return Rehearsal(
        plan=wish.plan.name,
        digest=wish.plan.digest,
        weather=wish.weather.value,
        seed=seed,
        verdict=verdict,
        exit_code=code,
        took_s=took_s,
        peak=_peak(made),
        counts=counts,
        calls=dict(sorted(engine.calls.items())),
        refused=dict(sorted(stage.world.record.refused.items())),
        destinations=tuple(_arrivals(stage, standings, made, diary)),
        copies=tuple(standing for standing in standings if standing.state is not State.READY),
        assumed=stage.assumed,
    )


async def _night(
    wish: Wish, copies: Sequence[Copy], stage: Stage, schedule: Schedule, diary: Diary
) -> tuple[Engine, float]:
    """Run the engine from the beginning of the stage's night; return it and the seconds that passed."""
    loop, climate, ids = asyncio.get_running_loop(), CLIMATES[wish.weather], count()
    chance = Random(f"{wish.chosen_seed()}/engine")  # noqa: S311  reproducible, not secret
    luck = Random(f"{wish.chosen_seed()}/faults")  # noqa: S311

    def clock() -> float:
        return stage.at + loop.time()

    cloud = MemoryCloud(
        stage.world, clock=clock, latency_s=climate.latency_s, faults=FaultPlan(luck, climate.rules)
    )
    senses = Senses(clock=clock, chance=chance.random, call_ids=lambda: CallId(f"rehearsal{next(ids)}"))
    engine = Engine(schedule, cloud, diary.record, senses)
    engine.begin(_RUN, wish.plan.name, copies, relay=wish.plan.relays())
    await engine.run(Halt())
    return engine, loop.time()


# --- what it came to ------------------------------------------------------------------------------


def _arrivals(
    stage: Stage, standings: Sequence[Standing], made: Sequence[CopyEntry], diary: Diary
) -> Iterable[Arrivals]:
    """Add the night up for each destination, in the order of the plan."""
    new = {entry["image"] for entry in made}
    by_region: dict[Region, list[Standing]] = {}
    for standing in standings:
        by_region.setdefault(standing.copy.destination, []).append(standing)
    for region, here in by_region.items():
        ready = [standing for standing in here if standing.state is State.READY]
        there = {standing.copy for standing in ready if standing.image not in new}
        mine = [standing.copy for standing in ready if standing.image in new]
        images, snapshots = _rooms(stage, region, [s.copy for s in here if s.copy not in there])
        yield Arrivals(
            region=region,
            wanted=len(here),
            there=len(there),
            made=len(mine),
            deferred=sum(_finds_no_room(standing) for standing in here),
            failed=sum(standing.state is State.FAILED for standing in here),
            moved_mb=sum(_size_mb(stage, entry) for entry in made if entry["destination"] == region),
            peak=stage.world.record.peaks[region],
            finished_s=max((diary.ready_at[copy] - stage.at for copy in mine), default=None),
            images=images,
            snapshots=snapshots,
        )


def _finds_no_room(standing: Standing) -> bool:
    """Tell whether a copy waits for a quota."""
    return standing.state is State.WAITING and MEANINGS[standing.reason].nature is Nature.QUOTA


def _rooms(stage: Stage, region: Region, missing: Sequence[Copy]) -> tuple[Room, Room]:
    """Hold what the missing copies take against both quotas of a destination, as they were in the evening."""
    quotas = stage.rooms[region]
    images, snapshots = needs(stage.world, missing)
    if quotas is None:
        return Room(needs=images), Room(needs=snapshots)
    (image_limit, images_used), (snapshot_limit, snapshots_used) = quotas
    return (
        Room(needs=images, limit=image_limit, used=images_used),
        Room(needs=snapshots, limit=snapshot_limit, used=snapshots_used),
    )


def _size_mb(stage: Stage, entry: CopyEntry) -> int:
    """Look up how large a copy is: as large as the image at the beginning of its line."""
    root = Copy(ImageId(entry["root"]), Region(entry["root_region"]), Region(entry["destination"]))
    source = source_of(stage.world, root)
    return source.size_mb if source else 0


def _peak(made: Sequence[CopyEntry]) -> int:
    """Find the most copies under way at one time, over all destinations; one that ends makes room first."""
    steps: Counter[tuple[float, int]] = Counter()
    for entry in made:
        steps[entry["started"], 1] += 1
        if entry["ended"] is not None:
            steps[entry["ended"], -1] += 1
    under_way = most = 0
    for (_, sign), number in sorted(steps.items()):
        under_way += sign * number
        most = max(most, under_way)
    return most
