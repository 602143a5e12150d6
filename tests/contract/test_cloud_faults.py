"""The port in bad weather, in memory and over HTTP: what each fault looks like, and what the world did."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest

from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import (
    Accepted,
    Check,
    Inspect,
    List,
    Listed,
    Look,
    Lost,
    Refused,
    Survey,
    Unanswered,
)
from orchestrator.core.model import ImageId, Resource
from orchestrator.core.reasons import Reason
from orchestrator.simulator.books import BooksDict
from orchestrator.simulator.faults import Fault, Rule
from tests.contract.ways import CALL, MARK, WAYS, Answer, Way, chunk, ids, reach
from tests.nights import now
from tests.simulator.clients import Clock
from tests.simulator.worlds import EAST, NORTH, make_world

pytestmark = pytest.mark.looptime

COPY_ONLY = (Fault.CONFLICT, Fault.FEWER_PAIRS)


class Fate(NamedTuple):
    """What a call of two images comes to: kind of event, reason, and how many copies the world made."""

    kind: type[Accepted | Refused | Lost]
    reason: Reason | None
    made: int


FATES = {
    Fault.THROTTLE: Fate(Refused, Reason.THROTTLED, 0),
    Fault.FORBIDDEN: Fate(Refused, Reason.CREDENTIALS, 0),
    Fault.CONFLICT: Fate(Refused, Reason.CONFLICT, 0),
    Fault.INTERNAL: Fate(Lost, Reason.SERVER_ERROR, 0),
    Fault.LISTING_ERROR: Fate(Accepted, None, 2),  # not for this call
    Fault.GATEWAY_TIMEOUT: Fate(Lost, Reason.SERVER_ERROR, 2),
    Fault.BAD_GATEWAY: Fate(Lost, Reason.SERVER_ERROR, 0),
    Fault.RESET_BEFORE: Fate(Lost, Reason.DISCONNECTED, 0),
    Fault.RESET_AFTER: Fate(Lost, Reason.DISCONNECTED, 2),
    Fault.TRUNCATED: Fate(Lost, Reason.UNREADABLE, 2),
    Fault.NO_REQUEST_ID: Fate(Lost, Reason.SERVER_ERROR, 0),
    Fault.FEWER_PAIRS: Fate(Accepted, None, 2),
    Fault.SLOW: Fate(Accepted, None, 2),
}

READS: dict[str, Callable[[Cloud], Awaitable[Answer]]] = {
    "inspect": lambda cloud: cloud.inspect(Inspect(NORTH, ids("img-a1", "img-a2"))),
    "list": lambda cloud: cloud.list(List(NORTH, 1)),
    "look": lambda cloud: cloud.look(Look(NORTH, ids("img-a1", "img-none"))),
    "check": lambda cloud: cloud.check(Check(NORTH, ImageId("img-a1"))),
    "survey": lambda cloud: cloud.survey(Survey(EAST, Resource.IMAGE)),
    "survey of snapshots": lambda cloud: cloud.survey(Survey(EAST, Resource.SNAPSHOT)),
}
LISTINGS = ("inspect", "list", "look")


def always(fault: Fault) -> Rule:
    """Let a fault strike whenever it can."""
    return Rule(fault=fault, chance=1.0)


def once(fault: Fault) -> Rule:
    """Let a fault strike the first request that it fits."""
    return Rule(fault=fault, nth=frozenset({1}))


async def call(cloud: Cloud) -> Accepted | Refused | Lost:
    """Send a call of two images."""
    return await cloud.copy(CALL, chunk("img-a1", "img-a2"), MARK)


# --- calls ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", Fault)
async def test_a_call_in_bad_weather(way: Way, fault: Fault) -> None:
    """Refused only when surely nothing was made, Lost when nobody can know; sent exactly once either way."""
    world = make_world()
    async with reach(way, world, always(fault)) as cloud:
        answer = await call(cloud)
    reason = None if isinstance(answer, Accepted) else answer.reason
    assert Fate(type(answer), reason, len(world.books()["copies"])) == FATES[fault]
    assert world.books()["requests"] == {"copyImages": 1}
    assert world.books()["faults"] == ({} if fault is Fault.LISTING_ERROR else {fault.value: 1})


async def test_an_error_without_a_request_id_has_none(way: Way) -> None:
    """Nothing is invented where the cloud gave no id; the same error with an id keeps it."""
    requests = []
    for fault in (Fault.NO_REQUEST_ID, Fault.INTERNAL):
        async with reach(way, make_world(), always(fault)) as cloud:
            requests.append((await call(cloud)).request)
    assert requests[0] == ""
    assert requests[1]


async def test_a_pair_that_is_left_out_is_not_guessed(way: Way) -> None:
    """Only the pairs that were told are there; a call of one image without its pair is lost."""
    world = make_world()
    async with reach(way, world, always(Fault.FEWER_PAIRS)) as cloud:
        fewer = await call(cloud)
        none = await cloud.copy(CALL, chunk("img-a3"), MARK)
    made = [(copy["source"], copy["image"]) for copy in world.books()["copies"]]
    assert isinstance(fewer, Accepted)
    assert list(fewer.pairs) == made[:1]
    assert isinstance(none, Lost)
    assert none.reason is Reason.UNREADABLE
    assert len(made) == 3


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.GATEWAY_TIMEOUT, Fault.TRUNCATED])
async def test_what_the_world_refuses_no_fault_makes_doubtful(way: Way, fault: Fault) -> None:
    """A fault that strikes after the effect finds none: the refusal is seen."""
    async with reach(way, make_world(), always(fault)) as cloud:
        refused = await cloud.copy(CALL, chunk("img-none"), MARK)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.culprit) == (Reason.NOT_FOUND, "img-none")


# --- time -----------------------------------------------------------------------------------------


async def test_an_answer_in_time_is_stamped_when_it_came(way: Way) -> None:
    """`at` is when the request ended, `began` of a listing when it was sent."""
    async with reach(way, make_world(), always(Fault.SLOW), slow_s=20) as cloud:
        began = now()
        listed, ended = await READS["list"](cloud), now()
        accepted = await call(cloud)
    assert isinstance(listed, Listed)
    assert (listed.began, listed.at) == (began, ended)
    assert ended - began == pytest.approx(20)
    assert isinstance(accepted, Accepted)
    assert accepted.at - ended == pytest.approx(20)


async def test_a_late_answer_is_a_time_out_of_just_so_long(way: Way) -> None:
    """The call is lost after REQUEST_TIMEOUT, though its copies are made; a read is unanswered."""
    world = make_world()
    async with reach(way, world, always(Fault.SLOW), slow_s=31, timeout_s=30) as cloud:
        began = now()
        lost, ended = await call(cloud), now()
        unanswered = await READS["list"](cloud)
    assert isinstance(lost, Lost)
    assert isinstance(unanswered, Unanswered)
    assert lost.reason is unanswered.reason is Reason.TIMEOUT
    assert lost.at == ended
    assert ended - began == pytest.approx(30)
    assert unanswered.at - ended == pytest.approx(30)
    assert len(world.books()["copies"]) == 2


# --- reads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("fault", Fault)
async def test_a_read_in_bad_weather(way: Way, fault: Fault, name: str) -> None:
    """A fault makes a read unanswered, with the reason that a call would get; the next one is answered."""
    spared = fault in COPY_ONLY or (fault is Fault.LISTING_ERROR and name not in LISTINGS)
    world = make_world()
    async with reach(way, world, once(fault)) as cloud:
        struck, next_one = await READS[name](cloud), await READS[name](cloud)
    assert not isinstance(next_one, Unanswered)
    assert sum(world.books()["requests"].values()) == 2
    if spared or fault is Fault.SLOW:
        assert not isinstance(struck, Unanswered)
        return
    reason = Reason.SERVER_ERROR if fault is Fault.LISTING_ERROR else FATES[fault].reason
    assert isinstance(struck, Unanswered)
    assert (struck.read, struck.reason) == (name.partition(" ")[0], reason)


# --- both -----------------------------------------------------------------------------------------


async def weathered(way: Way, fault: Fault) -> BooksDict:
    """Send calls and reads through a fault at fixed times; return what the world wrote down."""
    world, clock = make_world(), Clock()
    async with reach(way, world, Rule(fault=fault, nth=frozenset({1, 3, 6})), clock=clock) as cloud:
        for name in ("img-a1", "img-a2", "img-a3"):
            await cloud.copy(CALL, chunk(name), MARK)
            clock.now += 40
            for read in READS.values():
                await read(cloud)
    clock.now += 1000
    world.settle(clock())
    return world.books()


@pytest.mark.parametrize("fault", Fault)
async def test_a_fault_leaves_the_same_books_both_ways(fault: Fault) -> None:
    """Requests, refusals, calls and copies with their times and ids: all as if there were one way only."""
    memory, http = [await weathered(way, fault) for way in WAYS]
    assert memory == http
    assert memory["faults"], "it struck"
    assert all(copy["ended"] is not None for copy in memory["copies"])


async def test_an_endless_answer_ends(way: Way) -> None:
    """However long the cloud holds an answer back, the port gives the caller one."""
    async with reach(way, make_world(), always(Fault.SLOW), slow_s=1e9, timeout_s=5) as cloud:
        assert isinstance(await call(cloud), Lost)
