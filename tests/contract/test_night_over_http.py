"""Whole nights over HTTP: engine, real client and served world in one loop, in virtual time."""

from __future__ import annotations

import pytest

from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.messages import Accepted, Called, Event, Lost
from orchestrator.core.model import Copy, State
from orchestrator.core.reasons import Reason
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Pace
from tests.canary import WRONG
from tests.contract.driving import Driver
from tests.contract.ways import access, serving
from tests.nights import EAST, SOUTH, Cloud, check_books, copies_of

pytestmark = pytest.mark.looptime

CALLS = frozenset({"copyImages"})
LOST = (Fault.RESET_AFTER, Fault.GATEWAY_TIMEOUT, Fault.TRUNCATED, Fault.FEWER_PAIRS, Fault.RESET_BEFORE)
STORM = [
    *(Rule(fault=fault, on=CALLS, nth=frozenset({number})) for number, fault in enumerate(LOST, 1)),
    Rule(fault=Fault.BAD_GATEWAY, on=CALLS, nth=frozenset({7})),
    Rule(fault=Fault.CONFLICT, nth=frozenset({6, 9})),
    Rule(fault=Fault.THROTTLE, chance=0.05),
    Rule(fault=Fault.SLOW, on=frozenset({"describeImages"}), nth=frozenset({4, 8})),
    Rule(fault=Fault.LISTING_ERROR, nth=frozenset({2, 5})),
    Rule(fault=Fault.TRUNCATED, on=frozenset({"describeQuotas"}), nth=frozenset({1})),
    Rule(fault=Fault.RESET_BEFORE, on=frozenset({"describeQuota"}), nth=frozenset({1})),
]
TWELVE = copies_of(12, EAST, SOUTH)


def check_made_once(cloud: Cloud, copies: list[Copy]) -> None:
    """Hold the world's account against the plan: each copy wanted was made once, and is there."""
    check_books(cloud)
    made = [(copy["source"], copy["origin"], copy["destination"]) for copy in cloud.world.books()["copies"]]
    assert sorted(made) == sorted(tuple(copy) for copy in copies)
    for region in (EAST, SOUTH):
        assert {image.status for image in cloud.made(region)} == {"ready"}


def counted(cloud: Cloud) -> dict[str, int]:
    """Show the requests that the world counted, by name."""
    return dict(sorted(cloud.world.books()["requests"].items()))


async def test_a_clear_night_over_http() -> None:
    """12 images to 2 regions: each copy once, and the report counts the requests that arrived."""
    cloud = Cloud(images=12)
    async with serving(cloud.world) as url, JdCloud(access(url)) as port:
        driver = Driver(port)
        assert await driver.run(TWELVE) == ("ok", 0)
    check_made_once(cloud, TWELVE)
    assert dict(sorted(driver.engine.calls.items())) == counted(cloud)


async def test_a_stormy_night_over_http() -> None:
    """Lost answers of every kind, throttles, conflicts, slow and spoilt reads: each copy once."""
    cloud = Cloud(images=12, rules=STORM, pace=Pace(copy_base_s=600, listing_lag_s=60))
    async with serving(cloud.world, cloud.faults) as url, JdCloud(access(url)) as port:
        driver = Driver(port)
        assert await driver.run(TWELVE) == ("ok", 0)
    check_made_once(cloud, TWELVE)
    assert set(cloud.world.books()["faults"]) >= {fault.value for fault in LOST}
    assert dict(sorted(driver.engine.calls.items())) == counted(cloud)


async def test_a_second_night_over_http_calls_nothing() -> None:
    """One listing per region confirms what is there."""
    cloud = Cloud(images=12)
    async with serving(cloud.world) as url, JdCloud(access(url)) as port:
        driver = Driver(port)
        await driver.run(TWELVE)
        assert await driver.run(TWELVE) == ("ok", 0)
    assert driver.engine.calls == {"describeImages": 2}
    check_made_once(cloud, TWELVE)


class PowerLoss(Exception):
    """The machine stopped."""


@pytest.mark.parametrize("kind", [Called, Accepted])
async def test_power_lost_between_call_and_answer(kind: type[Called | Accepted]) -> None:
    """Whichever side of the request the power fails on, the next night makes each copy once."""
    cloud, met = Cloud(images=12), 0

    def fail(event: Event) -> None:
        nonlocal met
        met += isinstance(event, kind)
        if met == 2:
            raise PowerLoss

    async with serving(cloud.world) as url, JdCloud(access(url)) as port:
        driver = Driver(port, refuse=fail)
        with pytest.RaisesGroup(PowerLoss):
            await driver.run(TWELVE)
        driver.refuse = lambda event: None
        assert await driver.run(TWELVE) == ("ok", 0)
    assert any(isinstance(event, Lost) and event.reason is Reason.INTERRUPTED for event in driver.events)
    check_made_once(cloud, TWELVE)


# --- credentials ----------------------------------------------------------------------------------


async def test_a_wrong_secret_costs_one_request() -> None:
    """However many regions there are to ask, the first request goes alone; refused, it stops the run."""
    cloud = Cloud(images=12)
    more = [Copy(copy.source, SOUTH, EAST) for copy in copies_of(3, EAST)]
    async with serving(cloud.world) as url, JdCloud(access(url, secret=WRONG)) as port:
        driver = Driver(port)
        assert await driver.run([*TWELVE, *more]) == ("credentials", 77)
    assert driver.engine.schedule.stopped is Reason.CREDENTIALS
    assert sum(driver.engine.calls.values()) == 1
    assert cloud.world.books()["refused"] == {"401 ACCESS_ERROR": 1}
    assert {standing.state for standing in driver.engine.schedule.standings()} == {State.WAITING}


async def test_a_secret_mended_the_next_night_goes_on() -> None:
    """A run that the credentials stopped leaves nothing behind that hinders the next one."""
    cloud = Cloud(images=12)
    async with serving(cloud.world) as url:
        async with JdCloud(access(url, secret=WRONG)) as port:
            driver = Driver(port)
            await driver.run(TWELVE)
        async with JdCloud(access(url)) as port:
            driver.cloud = port
            assert await driver.run(TWELVE) == ("ok", 0)
    check_made_once(cloud, TWELVE)
