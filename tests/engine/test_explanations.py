"""Whole nights in which every copy is asked, again and again, why it stands where it stands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

import anyio
import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Change, Event
from orchestrator.core.model import CallId, Copy, RunId, State
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.core.retelling import retell
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.explaining import Explanation, explain
from orchestrator.core.schedule.tracks import Track
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Fates, Switches
from tests.nights import EAST, EAST1, SOUTH, Cloud, copies_of, image_id, now

pytestmark = pytest.mark.looptime

EVERYWHERE = (EAST, SOUTH, EAST1)


@dataclass
class Asker:
    """A watcher that asks for every copy after every event and between them; it counts what it heard."""

    schedule: Schedule
    copies: Sequence[Copy]
    heard: Counter[str] = field(default_factory=Counter)
    idle: Counter[str] = field(default_factory=Counter)

    def event(self, _event: Event, _changes: Sequence[Change]) -> None:
        """Ask for each copy at this moment."""
        self.heard.update(self.ask())

    async def stroll(self, every_s: float) -> None:
        """Ask between events, when the engine has nothing left to decide."""
        while True:
            await anyio.sleep(every_s)
            self.idle.update(self.ask())

    def ask(self) -> Iterator[str]:
        """Hold each copy's explanation to its state; give the phrases of those that wait."""
        for copy in self.copies:
            track = self.schedule.register.tracks.get(copy)
            if track is None:
                continue
            told = explain(self.schedule.register, copy, now())
            check(self.schedule, track, told)
            if told.state is State.WAITING:
                yield told.phrase


def check(schedule: Schedule, track: Track, told: Explanation) -> None:
    """Hold one explanation to what the schedule knows."""
    assert told.phrase.strip(), f"{track.copy} says nothing"
    assert told.phrase.isprintable()
    assert told.state is track.state
    assert told.since <= schedule.register.now
    assert told.until is None or told.until > schedule.register.now
    if told.state is not State.WAITING:
        assert told.reason is track.reason
        return
    destination = track.destination
    if "its source is being copied to" in told.phrase:
        holders = [t for t in schedule.register.tracks.values() if t.reserved and t.carrier is track.source]
        assert told.phrase.endswith(tuple(t.copy.destination for t in holders))
    if "are under way" in told.phrase:
        assert told.phrase.startswith(f"{destination.in_flight} copies to {track.copy.destination}")
    if MEANINGS[told.reason].nature is Nature.QUOTA:
        full = destination.park is not None or track.deferred
        assert full or "have taken the last" in told.phrase or track.reason is told.reason


async def ask_through(
    cloud: Cloud, copies: Sequence[Copy], limits: Limits, *, deadline_s: float, halt_s: float | None = None
) -> Asker:
    """Run a night with the asker beside it."""
    schedule = Schedule(limits, "testledger")
    asker, ids, halt = Asker(schedule, copies), count(), Halt()
    senses = Senses(clock=now, chance=Random(7).random, call_ids=lambda: CallId(f"call{next(ids):012d}"))
    engine = Engine(schedule, cloud.port(), lambda event, changes: None, senses, watchers=(asker,))
    engine.begin(RunId("run"), "test", copies)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(asker.stroll, 29.0)
        if halt_s is not None:
            tasks.start_soon(_stop, halt, halt_s)
        await engine.run(halt, deadline=now() + deadline_s)
        tasks.cancel_scope.cancel()
    asker.heard.update(asker.ask())
    return asker


async def _stop(halt: Halt, after_s: float) -> None:
    """Ask the run to stop after a while."""
    await anyio.sleep(after_s)
    halt.request(15)


def cloud_of(weather: str) -> tuple[Cloud, Limits]:
    """Make a cloud with some weather, and limits that make it felt."""
    match weather:
        case "clear":
            return Cloud(images=12), Limits()
        case "narrow":
            return Cloud(images=12), Limits(region_copies=3, workers=1)
        case "slow gate":
            return Cloud(images=12), Limits(requests_per_minute=20)
        case "no room":
            return Cloud(images=12, quota=9), Limits(quota_interval_s=600)
        case "few snapshots":
            return Cloud(images=12, snapshots=7, disks=2), Limits(quota_interval_s=600)
        case "throttled":
            return Cloud(images=12, rules=(Rule(fault=Fault.THROTTLE, chance=0.3),)), Limits()
        case "refused":
            return Cloud(images=12, rules=(Rule(fault=Fault.CONFLICT, chance=0.6),)), Limits()
        case "lost":
            rules = (
                Rule(fault=Fault.RESET_AFTER, chance=0.3, on=frozenset({"copyImages"})),
                Rule(fault=Fault.RESET_BEFORE, chance=0.2, on=frozenset({"copyImages"})),
                Rule(fault=Fault.LISTING_ERROR, chance=0.2),
            )
            return Cloud(images=12, rules=rules), Limits(settle_s=300)
        case _:
            fates = Fates(error=frozenset({image_id(1)}), stuck=frozenset({image_id(2)}))
            cloud = Cloud(images=11, fates=fates, switches=Switches(writes_text=False))
            cloud.add(11, encrypted=True)
            return cloud, Limits(copy_timeout_s=3600)


WEATHERS = {
    "clear": ("not been looked at yet", "has not been listed yet", "is being copied to"),
    "narrow": ("3 copies to cn-east-2 are under way", "WORKERS"),
    "slow gate": ("REQUESTS_PER_MINUTE",),
    "no room": ("image quota is used up", "it is tried again", "quotas of"),
    "few snapshots": ("snapshot quota is used up", "fit in"),
    "throttled": ("calls pause",),
    "refused": ("another task of the cloud works on the image; it is tried again", "apart from others"),
    "lost": ("is listed first",),
    "bad ends": ("fuller call",),
}
"""What some copy must have said in each weather, or the night would prove little."""


@pytest.mark.parametrize("weather", WEATHERS)
async def test_every_copy_can_say_why_at_every_moment(weather: str) -> None:
    """No phrase is empty or contradicts the state; between events no waiting copy says it goes next."""
    cloud, limits = cloud_of(weather)
    asker = await ask_through(cloud, copies_of(12, *EVERYWHERE), limits, deadline_s=2 * 3600)
    heard = asker.heard + asker.idle
    assert asker.idle
    assert not [phrase for phrase in asker.idle if "one of the next calls" in phrase]
    missing = [words for words in WEATHERS[weather] if not any(words in phrase for phrase in heard)]
    assert not missing, "\n".join(sorted(heard))


async def test_a_run_that_stops_says_so() -> None:
    """After a stop each copy still has a phrase; one that the cloud makes is told to be under way."""
    asker = await ask_through(
        Cloud(images=12), copies_of(12, *EVERYWHERE), Limits(), deadline_s=6 * 3600, halt_s=200
    )
    told = [explain(asker.schedule.register, copy, now()) for copy in asker.copies]
    assert {State.COPYING, State.WAITING} <= {each.state for each in told}
    assert all(each.reason in Reason and each.phrase for each in told)


@pytest.mark.parametrize("weather", ["clear", "narrow", "no room", "throttled", "lost"])
async def test_whoever_reads_the_ledger_says_the_same(weather: str) -> None:
    """From the events alone, as `orchestrator why` has them, each copy says what the running one says."""
    cloud, limits = cloud_of(weather)
    copies, compared = copies_of(12, *EVERYWHERE), Counter[bool]()
    schedule, events, ids = Schedule(limits, "testledger"), list[Event](), count()
    senses = Senses(clock=now, chance=Random(7).random, call_ids=lambda: CallId(f"call{next(ids):012d}"))
    engine = Engine(schedule, cloud.port(), lambda event, changes: events.append(event), senses)
    engine.begin(RunId("run"), "test", copies)

    async def compare() -> None:
        while True:
            await anyio.sleep(97.0)
            twin = retell(list(events), RunId("run"), "testledger").schedule
            twin.decide(now())
            for copy in copies:
                ours, theirs = explain(twin.register, copy, now()), explain(schedule.register, copy, now())
                assert (ours.state, ours.since) == (theirs.state, theirs.since)
                compared[ours.phrase == theirs.phrase] += 1

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(compare)
        await engine.run(Halt(), deadline=now() + 2 * 3600)
        tasks.cancel_scope.cancel()
    assert compared[True]
    assert not compared[False]
