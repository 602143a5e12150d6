"""Nights in which hours go wrong: silent regions, clocks that jump, machines that sleep, sources that go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import pytest

from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.messages import Lost, Seen, Unanswered
from orchestrator.core.model import Copy, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.engine.engine import Engine, Senses, Watcher
from orchestrator.engine.halt import Halt
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Pace
from tests.contract.driving import Driver
from tests.contract.lying import Liar, lying
from tests.contract.running import House, later
from tests.contract.ways import access, serving
from tests.nights import EAST, EPOCH, NORTH, SOUTH, Cloud, Operator, check_books, copies_of, image_id, now

pytestmark = pytest.mark.looptime

HOUR_S = 3600.0

HERE = [Copy(image_id(number), NORTH, EAST) for number in range(6)]
THERE = [Copy(image_id(number), NORTH, SOUTH) for number in range(6, 12)]


def made(cloud: Cloud) -> list[tuple[str, str]]:
    """Name source and destination of each copy that the cloud made."""
    return sorted((copy["source"], copy["destination"]) for copy in cloud.world.books()["copies"])


# --- a region that answers nothing ----------------------------------------------------------------


async def through_the_dark(region: Region, begins_s: float, nights: int = 1, what: str = "") -> Driver:
    """Run nights, the first with an hour in which a region answers nothing; the last must end ok."""
    cloud = Cloud(images=12)

    def silent(path: str) -> bool:
        return (
            f"/regions/{region}/" in path and what in path and begins_s <= now() - EPOCH < begins_s + HOUR_S
        )

    async with lying(cloud, Liar({}), silent=silent) as url, JdCloud(access(url)) as port:
        driver = Driver(port)
        verdicts = [await driver.run([*HERE, *THERE]) for _ in range(nights)]
    assert verdicts == [("partial", 3)] * (nights - 1) + [("ok", 0)], driver.engine.schedule.standings()
    assert made(cloud) == sorted((copy.source, copy.destination) for copy in (*HERE, *THERE))
    check_books(cloud)
    unanswered = [event for event in driver.events if isinstance(event, Unanswered)]
    assert {event.region for event in unanswered} <= {region}
    assert {event.reason for event in unanswered} <= {Reason.TIMEOUT}
    assert len(unanswered) < 60, "it is asked less and less often"
    return driver


def last_look(driver: Driver, region: Region) -> float:
    """Tell when the last look at copies of a region was answered, in seconds from the beginning."""
    looks = [event for event in driver.events if isinstance(event, Seen) and event.region == region]
    return max(look.at for look in looks) - EPOCH


async def test_a_region_that_falls_silent_holds_up_nobody_else() -> None:
    """With copies under way it is silent for an hour: the others are done in their own time, then these."""
    driver = await through_the_dark(EAST, 60.0)
    assert last_look(driver, SOUTH) < HOUR_S / 2
    assert last_look(driver, EAST) > HOUR_S


async def test_a_region_that_is_silent_from_the_start_is_left_to_the_next_night() -> None:
    """Nothing is known of it, so nothing is called there; after MAX_ATTEMPTS the run goes home without it."""
    driver = await through_the_dark(EAST, 0.0, nights=2)
    assert last_look(driver, SOUTH) < HOUR_S / 2


async def test_an_origin_that_falls_silent_puts_its_calls_in_doubt() -> None:
    """Calls go unanswered for an hour: each is settled by looking, and each copy made once."""
    driver = await through_the_dark(NORTH, 0.0, what=":copyImages")
    lost = [event for event in driver.events if isinstance(event, Lost)]
    assert {event.reason for event in lost} == {Reason.TIMEOUT}
    assert 4 <= len(lost) <= 40
    assert last_look(driver, EAST) > HOUR_S


# --- sources --------------------------------------------------------------------------------------


async def test_a_source_deleted_half_way() -> None:
    """Its copy that is under way is judged on its own; what was not called yet fails, nothing else does."""
    cloud, copies = Cloud(images=3), copies_of(3, EAST, SOUTH)
    later(60, lambda: cloud.world.remove(now(), NORTH, image_id(0)))
    night = await Operator(cloud).night(copies)
    states = {night.state(copy) for copy in copies if copy.source == image_id(0)}
    assert states == {(State.FAILED, Reason.NOT_FOUND), (State.READY, Reason.COPIED)}
    assert all(night.state(copy)[0] is State.READY for copy in copies if copy.source != image_id(0))
    assert (night.exit_code, len(made(cloud))) == (3, 5)
    check_books(cloud)


# --- clocks ---------------------------------------------------------------------------------------


@dataclass
class Shifted(Driver):
    """A driver whose clock is ahead of the cloud's by so many seconds; it may jump between two runs."""

    ahead_s: float = 0.0
    nonces: Iterator[int] = field(default_factory=count)

    def clock(self) -> float:
        """Show the time of the run."""
        return now() + self.ahead_s

    def _engine(self, watchers: Sequence[Watcher]) -> Engine:
        """Build an engine that reads this clock."""
        senses = Senses(clock=self.clock, chance=self._chance.random, call_ids=self._call_id)
        return Engine(
            Schedule(self.limits, "driverledger"), self.cloud, self._record, senses, watchers=watchers
        )


async def run_shifted(driver: Shifted, url: str, copies: Sequence[Copy], halt: Halt | None = None) -> object:
    """Run on a cloud of the true time; signatures follow the true time too, events the run's."""
    keys = replace(access(url, clock=driver.clock), wall=now, nonce=lambda: f"nonce-{next(driver.nonces)}")
    async with JdCloud(keys) as port:
        driver.cloud = port
        return await driver.run(copies, halt=halt)


def stop_after(seconds: float) -> Halt:
    """Make a halt that is requested after a while."""
    halt = Halt()
    later(seconds, lambda: halt.request(15))
    return halt


async def test_a_clock_that_jumped_between_runs_settles_no_doubt() -> None:
    """Set forward by ten hours, it shortens no SETTLE_TIME: a late copy is waited for and made once."""
    reset = Rule(fault=Fault.RESET_AFTER, on=frozenset({"copyImages"}), nth=frozenset({1}))
    cloud = Cloud(images=3, pace=Pace(copy_base_s=1200, listing_lag_s=600), rules=[reset])
    driver, copies = Shifted(cloud.port()), copies_of(3, EAST)
    async with serving(cloud.world, cloud.faults) as url:
        assert await run_shifted(driver, url, copies, stop_after(30)) == ("interrupted", 143)
        assert {standing.state for standing in driver.engine.schedule.standings()} == {State.DOUBTFUL}
        driver.ahead_s = 10 * HOUR_S
        assert await run_shifted(driver, url, copies) == ("ok", 0)
    assert len(made(cloud)) == 3
    check_books(cloud)


async def test_a_clock_that_jumped_between_runs_ends_no_patience() -> None:
    """Set forward by a year, it makes no copy under way look stuck: each is watched to its end."""
    cloud = Cloud(images=3, pace=Pace(copy_base_s=HOUR_S))
    driver, copies = Shifted(cloud.port()), copies_of(3, EAST)
    async with serving(cloud.world, cloud.faults) as url:
        assert await run_shifted(driver, url, copies, stop_after(60)) == ("interrupted", 143)
        driver.ahead_s = 365 * 24 * HOUR_S
        assert await run_shifted(driver, url, copies) == ("ok", 0)
    assert len(made(cloud)) == 3


async def wake_after(house: House, change: Callable[[], None]) -> None:
    """Let something happen to the clocks while copies are under way; the run must not mind."""
    later(20, change)
    began = now()
    outcome = await house.night()
    assert outcome.result.exit_code == 0
    assert house.cloud.world.books()["refused"] == {}
    assert len(made(house.cloud)) == 24
    assert outcome.result.finished_at - outcome.result.started_at == pytest.approx(now() - began, abs=1)
    check_books(house.cloud)


async def test_a_machine_that_slept(tmp_path: Path) -> None:
    """Eight hours pass for the cloud, none for the monotonic clock: only signatures follow the wall clock."""
    house = House(tmp_path)
    await wake_after(house, lambda: setattr(house, "set_back_s", -8 * HOUR_S))
