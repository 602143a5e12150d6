"""Right before the send: the ledger still has one writer, and the intent is of this moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from random import Random

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Called, Change, Event, Refused
from orchestrator.core.model import CallId, RunId
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.errors import Overtaken
from tests.nights import EAST, SOUTH, Cloud, check_books, copies_of, now

pytestmark = pytest.mark.looptime


@dataclass
class Sleeper:
    """An engine on a machine that sleeps `nap_s` after the n-th intent; the ledger may be taken meanwhile."""

    cloud: Cloud
    nap_s: float
    nth: int = 1
    overtaken: bool = False
    slept_s: float = 0.0
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        ids = count()
        schedule, self.taken = Schedule(Limits(), "sleeper"), False
        senses = Senses(clock=self.clock, chance=Random(1).random, call_ids=lambda: CallId(f"c{next(ids)}"))
        self.engine = Engine(schedule, self.cloud.port(), self._record, senses, confirm=self._confirm)

    def clock(self) -> float:
        """Tell the time of a machine that has slept."""
        return now() + self.slept_s

    def _record(self, event: Event, changes: Sequence[Change]) -> None:
        self.events.append(event)
        if isinstance(event, Called) and sum(isinstance(e, Called) for e in self.events) == self.nth:
            self.slept_s += self.nap_s
            self.taken = self.overtaken

    def _confirm(self) -> None:
        if self.taken:
            raise Overtaken

    def refused(self) -> list[Refused]:
        """Return the calls that made nothing."""
        return [event for event in self.events if isinstance(event, Refused)]

    async def night(self) -> None:
        """Copy twelve images to two regions."""
        self.engine.begin(RunId("r1"), "test", copies_of(12, EAST, SOUTH))
        await self.engine.run(Halt())


async def test_an_intent_that_slept_is_not_sent() -> None:
    """After a minute of sleep the call is closed as surely not sent, decided anew, and all ends well."""
    cloud = Cloud(images=12)
    sleeper = Sleeper(cloud, nap_s=60, nth=2)
    await sleeper.night()
    refused = sleeper.refused()
    assert {(event.reason, event.detail) for event in refused} == {(Reason.STALE_INTENT, "decided 60 s ago")}
    called = [event.call for event in sleeper.events if isinstance(event, Called)]
    calls = cloud.world.books()["calls"]
    assert len(calls) == len(called) - len(refused)
    assert sleeper.engine.schedule.settled()
    assert len(cloud.made(EAST)) == len(cloud.made(SOUTH)) == 12
    check_books(cloud)


async def test_a_short_pause_is_none() -> None:
    """A call decided some seconds ago is sent."""
    cloud = Cloud(images=12)
    sleeper = Sleeper(cloud, nap_s=9)
    await sleeper.night()
    assert sleeper.refused() == []
    check_books(cloud)


@pytest.mark.parametrize("nap_s", [0.0, 60.0])
@pytest.mark.parametrize("nth", [1, 3])
async def test_who_was_overtaken_sends_nothing_more(nth: int, nap_s: float) -> None:
    """Another process took the ledger over after the n-th intent: neither that call nor any read leaves."""
    cloud = Cloud(images=12)
    sleeper = Sleeper(cloud, nap_s=nap_s, nth=nth, overtaken=True)
    requests: list[int] = []
    confirm = sleeper.engine._confirm

    def counting() -> None:
        if sleeper.taken and not requests:
            requests.append(sum(cloud.world.books()["requests"].values()))
        confirm()

    sleeper.engine._confirm = counting
    with pytest.raises(BaseExceptionGroup) as raised:
        await sleeper.night()
    assert raised.group_contains(Overtaken)
    assert raised.value.split(Overtaken)[1] is None, "nothing else went wrong"
    assert len(cloud.world.books()["calls"]) <= nth - 1
    assert requests == [sum(cloud.world.books()["requests"].values())]
    check_books(cloud)
