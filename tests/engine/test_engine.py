"""The shell around the schedule: what is on disk before a call leaves, who is told, and when it ends."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from signal import SIGTERM

import pytest

from orchestrator.core.apis import api_of
from orchestrator.core.marks import read_mark
from orchestrator.core.messages import (
    Accepted,
    Begun,
    Called,
    Change,
    Check,
    Event,
    Inspect,
    List,
    Listed,
    Look,
    Lost,
    Planned,
    Submit,
    Survey,
)
from orchestrator.core.model import Chunk, Copy, ImageId, Region, Resource, RunId
from orchestrator.core.reasons import Reason
from orchestrator.engine.halt import Halt
from orchestrator.errors import LedgerUnwritable
from tests.contract.driving import Row
from tests.contract.observing import rig
from tests.nights import EAST, EAST1, NORTH, SOUTH, check_books, copies_of, image_id, now

pytestmark = pytest.mark.looptime

GRACE_S = 10.0
"""How long open answers are awaited when a run is told to stop."""


def later(delay_s: float, halt: Halt) -> None:
    """Ask to stop after a while."""
    asyncio.get_running_loop().call_later(delay_s, halt.request, SIGTERM)


def soon(at: float) -> object:
    """Compare with a time to the millisecond."""
    return pytest.approx(at, abs=1e-3)


def kinds(events: Sequence[Event]) -> list[type]:
    """Name the kinds of events."""
    return [type(event) for event in events]


# --- the intent -----------------------------------------------------------------------------------


async def test_the_intent_is_on_disk_before_the_call_leaves() -> None:
    """When a request enters the port, the ledger holds its intent, the same copies, and no answer to it."""
    night = rig(30)
    await night.driver.run(copies_of(30, EAST, SOUTH))
    assert len(night.port.sent) == len(night.world.world.books()["calls"]) >= 6
    for sent in night.port.sent:
        about = [event for event in sent.ledger if getattr(event, "call", None) == sent.call]
        assert kinds(about) == [Called]
        assert isinstance(about[0], Called)
        assert about[0].copies == sent.copies
    assert len({sent.call for sent in night.port.sent}) == len(night.port.sent)


async def test_the_mark_names_ledger_and_call() -> None:
    """What a copy bears leads back to the intent that made it."""
    night = rig(12)
    await night.driver.run(copies_of(12, EAST))
    for sent in night.port.sent:
        mark = read_mark(sent.mark or "")
        assert mark is not None
        assert (mark.ledger, mark.call, mark.origin) == ("driverledger", sent.call, NORTH)


@pytest.mark.parametrize("number", [1, 2, 3])
async def test_an_intent_that_cannot_be_written_is_never_sent(number: int) -> None:
    """The disk is full at the n-th intent: its call does not leave, nor any after it, and the run ends."""
    night, met = rig(40, region_copies=100, workers=4), Counter[type]()

    def refuse(event: Event) -> None:
        met[type(event)] += 1
        if isinstance(event, Called) and met[Called] == number:
            raise LedgerUnwritable

    night.driver.refuse = refuse
    with pytest.RaisesGroup(LedgerUnwritable):
        await night.driver.run(copies_of(40, EAST))
    written = {event.call for event in night.events if isinstance(event, Called)}
    assert len(written) == number - 1
    assert {sent.call for sent in night.port.sent} <= written
    assert len(night.world.world.books()["calls"]) < number


async def test_an_answer_that_cannot_be_written_ends_the_run() -> None:
    """Nothing more is sent; the next night finds the copies by their marks and makes the rest."""
    night = rig(30, workers=1)

    def refuse(event: Event) -> None:
        if isinstance(event, Accepted):
            raise LedgerUnwritable

    night.driver.refuse = refuse
    with pytest.RaisesGroup(LedgerUnwritable):
        await night.driver.run(copies_of(30, EAST))
    assert len(night.port.sent) == 1
    night.driver.refuse = lambda event: None
    assert await night.driver.run(copies_of(30, EAST)) == ("ok", 0)
    assert len(night.world.world.books()["copies"]) == 30
    check_books(night.world)


# --- the beginning --------------------------------------------------------------------------------


async def test_a_run_opens_with_what_the_last_one_left() -> None:
    """Begun, then every open call is lost, then the copies are wanted: in this order."""
    night = rig(30, acceptance_s=25, workers=2)
    halt = Halt()
    later(5, halt)
    await night.driver.run(copies_of(30, EAST, SOUTH), halt=halt)
    opened = night.driver.engine.schedule.open_calls()
    first = len(night.events)
    await night.driver.run(copies_of(30, EAST, SOUTH), deadline_s=0)
    begun, *lost, planned = night.events[first:]
    assert isinstance(begun, Begun)
    assert [(event.call, event.reason) for event in lost if isinstance(event, Lost)] == [
        (call, Reason.INTERRUPTED) for call in opened
    ]
    assert len(lost) == len(opened) == 2
    assert isinstance(planned, Planned)


async def test_a_large_plan_is_written_in_rows_of_a_thousand() -> None:
    """2,500 copies are three rows, in the plan's order, none of them twice."""
    night = rig(1)
    copies = [Copy(ImageId(f"img-n{number}"), NORTH, EAST) for number in range(2500)]
    await night.driver.run(copies, deadline_s=0)
    batches = [event.copies for event in night.events if isinstance(event, Planned)]
    assert [len(batch) for batch in batches] == [1000, 1000, 500]
    assert [copy for batch in batches for copy in batch] == copies


async def test_what_may_be_relayed_is_written_apart() -> None:
    """A row says of all its copies whether ready ones may carry them; the plan's order stays."""
    night = rig(1)
    await night.driver.run([], deadline_s=0)
    wanted = copies_of(3, EAST, SOUTH)
    night.driver.engine.begin(RunId("again"), "plan", wanted, relay=lambda copy: copy.destination == SOUTH)
    rows = [event for event in night.events if isinstance(event, Planned)]
    assert [copy for row in rows for copy in row.copies] == list(wanted)
    assert all(row.relay == (copy.destination == SOUTH) for row in rows for copy in row.copies)


async def test_a_plan_without_copies_is_done() -> None:
    """Nothing is asked of the cloud, verdict ok."""
    night = rig(1)
    assert await night.driver.run([]) == ("ok", 0)
    assert night.port.asked == []


# --- the workers and the pollers ------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 3])
async def test_no_more_calls_are_open_than_there_are_workers(workers: int) -> None:
    """Slow answers fill the pool and never more than that."""
    night = rig(60, acceptance_s=20, workers=workers, region_copies=100)
    assert await night.driver.run(copies_of(60, EAST, SOUTH)) == ("ok", 0)
    assert night.port.most["calls"] == workers


async def test_reads_of_one_region_never_overlap() -> None:
    """One read at a time in a region, listings of three pages among them; regions go side by side."""
    night = rig(250, latency_s=4)
    for number in range(250, 500):
        image = night.world.add(number)
        del night.world.world.stores[NORTH].images[image.id]
        night.world.world.add_image(EAST, image)
    copies = [*copies_of(30, EAST, SOUTH, EAST1), Copy(image_id(300), EAST, SOUTH)]
    assert await night.driver.run(copies) == ("ok", 0)
    pages = [event.page for event in night.events if isinstance(event, Listed) and event.region == EAST]
    assert pages == [1, 2, 3] * 2, "once before the first call, once for the audit"
    per_region = {name: most for name, most in night.port.most.items() if name.startswith("cn-")}
    assert per_region == dict.fromkeys((NORTH, EAST, SOUTH, EAST1), 1)
    assert night.port.most["reads"] >= 3


async def test_every_request_is_counted_by_its_api() -> None:
    """The report's counts are the requests that the world saw."""
    night = rig(30)
    await night.driver.run(copies_of(30, EAST, SOUTH))
    assert night.driver.engine.calls == night.world.world.books()["requests"]


def test_every_action_has_the_name_of_its_api() -> None:
    """The names are those of the official documentation; two quotas are two APIs."""
    image, region = ImageId("img-a"), Region("cn-east-2")
    chunk = Chunk((Copy(image, NORTH, region),))
    assert [
        api_of(action)
        for action in (
            Submit(chunk, marked=True),
            Inspect(region, (image,)),
            List(region, 1),
            Look(region, (image,)),
            Check(region, image),
            Survey(region, Resource.IMAGE),
            Survey(region, Resource.SNAPSHOT),
        )
    ] == ["copyImages", *["describeImages"] * 3, "describeImage", "describeQuotas", "describeQuota"]


# --- those who watch ------------------------------------------------------------------------------


@dataclass
class Listener:
    """Somebody who writes down what he is told, and how much was on disk then."""

    rows: list[Row]
    told: list[Row] = field(default_factory=list)
    on_disk: list[int] = field(default_factory=list)

    def event(self, event: Event, changes: Sequence[Change]) -> None:
        self.told.append((event, tuple(changes)))
        self.on_disk.append(len(self.rows))


async def test_watchers_are_told_everything_in_order_once_it_is_on_disk() -> None:
    """Each watcher hears each event with its changes right after it was written, never before."""
    night = rig(25)
    listeners = [Listener(night.driver.rows), Listener(night.driver.rows)]
    await night.driver.run(copies_of(25, EAST, SOUTH), watchers=listeners)
    for listener in listeners:
        assert listener.told == night.driver.rows
        assert listener.on_disk == list(range(1, len(night.driver.rows) + 1))
    assert sum(len(changes) for _, changes in night.driver.rows) >= 4 * 50


async def test_events_are_written_in_the_order_of_their_times() -> None:
    """No row of the ledger is older than the one before it."""
    night = rig(25)
    await night.driver.run(copies_of(25, EAST, SOUTH))
    times = [event.at for event in night.events]
    assert times == sorted(times)


# --- stopping -------------------------------------------------------------------------------------


async def test_a_halt_stops_calls_at_once_and_awaits_open_answers() -> None:
    """After the signal no request leaves; the calls under way get their answers; exit 143."""
    night, halt = rig(60, acceptance_s=6, workers=2), Halt()
    asked_at, began = now() + 4, now()
    later(4, halt)
    assert await night.driver.run(copies_of(60, EAST, SOUTH), halt=halt) == ("interrupted", 143)
    assert len(night.port.sent) == 2
    assert max(night.port.asked) < asked_at
    assert night.driver.engine.schedule.open_calls() == ()
    assert [type(event) for event in night.events if event.at > asked_at].count(Accepted) == 2
    assert 6 < now() - began < 4 + GRACE_S


async def test_a_halt_does_not_await_reads() -> None:
    """A listing that takes its time is dropped: it can be asked again."""
    night, halt = rig(5, latency_s=20), Halt()
    began = now()
    later(25, halt)
    await night.driver.run(copies_of(5, EAST), halt=halt)
    assert now() == soon(began + 25)
    assert night.port.open["reads"] == 0


async def test_an_answer_that_stays_out_is_left_to_the_next_run() -> None:
    """After ten seconds the run leaves; the intent stays without an answer; nothing is made twice."""
    night, halt = rig(10, acceptance_s=25), Halt()
    began = now()
    later(5, halt)
    await night.driver.run(copies_of(10, EAST), halt=halt)
    assert now() == soon(began + 5 + GRACE_S)
    (sent,) = night.port.sent
    assert night.driver.engine.schedule.open_calls() == (sent.call,)
    assert kinds([e for e in night.events if getattr(e, "call", None) == sent.call]) == [Called]
    assert await night.driver.run(copies_of(10, EAST)) == ("ok", 0)
    assert len(night.world.world.books()["copies"]) == 10


async def test_the_second_halt_leaves_at_once() -> None:
    """Open answers are no longer awaited."""
    night, halt = rig(10, acceptance_s=25), Halt()
    began = now()
    later(5, halt)
    later(7, halt)
    assert await night.driver.run(copies_of(10, EAST), halt=halt) == ("interrupted", 143)
    assert now() == soon(began + 7)
    assert len(night.driver.engine.schedule.open_calls()) == 1


async def test_a_halt_before_the_run_sends_nothing() -> None:
    """A signal that came while the ledger was read is obeyed all the same."""
    night, halt = rig(10), Halt()
    halt.request(SIGTERM)
    assert await night.driver.run(copies_of(10, EAST), halt=halt) == ("interrupted", 143)
    assert night.port.asked == []


# --- the deadline ---------------------------------------------------------------------------------


async def test_after_the_deadline_nothing_is_sent() -> None:
    """The run ends when it comes, with exit 4 and the rest handed over."""
    night = rig(60, region_copies=5)
    deadline = now() + 2000
    assert await night.driver.run(copies_of(60, EAST), deadline_s=2000) == ("deadline", 4)
    assert max(night.port.asked) < deadline
    assert now() == soon(deadline)
    assert night.driver.engine.schedule.open_calls() == ()


async def test_the_deadline_awaits_open_answers_briefly() -> None:
    """A call that left in time may answer within the grace; then the run leaves without it."""
    for acceptance_s, left_open in ((8.0, 0), (25.0, 1)):
        night = rig(10, acceptance_s=acceptance_s)
        assert await night.driver.run(copies_of(10, EAST), deadline_s=5) == ("deadline", 4)
        assert len(night.port.sent) == 1
        assert len(night.driver.engine.schedule.open_calls()) == left_open


async def test_a_deadline_in_the_past_sends_nothing() -> None:
    """The plan is written down, the cloud is not asked."""
    night = rig(10)
    assert await night.driver.run(copies_of(10, EAST), deadline_s=-1) == ("deadline", 4)
    assert night.port.asked == []
    assert kinds(night.events) == [Begun, Planned]
