"""Crashes at any moment: the next run takes over, and nothing is made twice or lost."""

from __future__ import annotations

from random import Random

import pytest

from orchestrator.core.codec import from_json
from orchestrator.core.limits import Limits
from orchestrator.core.model import Copy
from orchestrator.core.schedule import Schedule
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Fates, Pace
from tests.nights import EAST, EAST1, SOUTH, Cloud, Killed, Night, Operator, check_books, copies_of, image_id

pytestmark = pytest.mark.looptime


async def until_done(operator: Operator, copies: list[Copy], kills: list[int]) -> Night:
    """Run again and again, dying after the given numbers of events, then once to the end."""
    for kill_after in kills:
        try:
            return await operator.night(copies, kill_after=kill_after)
        except* Killed:
            pass
    return await operator.night(copies)


@pytest.mark.long
async def test_killed_after_any_event_the_next_run_finishes() -> None:
    """Whatever the last thing on disk was: the rerun ends ok, each copy exactly once."""
    copies = copies_of(12, EAST, SOUTH)
    whole = len((await Operator(Cloud(images=12)).night(copies)).events)
    for kill_after in range(0, whole, 7):
        cloud = Cloud(images=12)
        night = await until_done(Operator(cloud), copies, [kill_after])
        assert night.verdict == "ok", kill_after
        assert len(cloud.world.books()["copies"]) == 24, kill_after
        check_books(cloud)


@pytest.mark.parametrize("seed", range(12))
async def test_a_stormy_night_with_crashes(seed: int) -> None:
    """Lost answers, throttles, conflicts, lag, doomed copies and kills: never two, never none unsaid."""
    chance = Random(seed)
    cloud = stormy(chance, seed)
    copies = copies_of(16, EAST, SOUTH, EAST1)
    operator = Operator(cloud, Limits(region_copies=chance.choice((3, 8, 20))), seed=seed)
    kills = [chance.randrange(1, 120) for _ in range(chance.randrange(4))]
    night = await until_done(operator, copies, kills)
    check_books(cloud)
    failed = {copy.source for copy in copies if night.state(copy)[0].value == "failed"}
    assert failed <= {image_id(3), image_id(5)}, f"seed {seed}"
    assert night.counts.ready + night.counts.failed == len(copies), f"seed {seed}"
    for region in (EAST, SOUTH, EAST1):
        assert len({image.name for image in cloud.made(region)}) == len(cloud.made(region))


def stormy(chance: Random, seed: int) -> Cloud:
    """Make a cloud with every kind of trouble, all of it from one seed."""
    copying = frozenset({"copyImages"})
    lost = [Fault.RESET_AFTER, Fault.RESET_BEFORE, Fault.GATEWAY_TIMEOUT, Fault.TRUNCATED, Fault.FEWER_PAIRS]
    rules = [Rule(fault=fault, on=copying, chance=0.08) for fault in lost]
    rules += [Rule(fault=Fault.CONFLICT, chance=0.1), Rule(fault=Fault.THROTTLE, chance=0.05)]
    rules += [Rule(fault=fault, chance=0.03) for fault in (Fault.BAD_GATEWAY, Fault.LISTING_ERROR)]
    pace = Pace(copy_base_s=300, copy_spread=0.6, listing_lag_s=chance.choice((0, 60, 500)))
    fates = Fates(error=frozenset({image_id(3)}), vanish=frozenset({image_id(5)}))
    return Cloud(images=16, seed=seed, rules=rules, pace=pace, fates=fates)


async def test_a_replay_gives_the_same_state() -> None:
    """Recovering a ledger, at any length, gives the state that the run had there."""
    operator = Operator(stormy(Random(1), 1), seed=1)
    night = await operator.night(copies_of(16, EAST, SOUTH))
    replayed = Schedule(operator.limits, "testledger1")
    replayed.recover(from_json(kind, body) for kind, body in operator.ledger)
    assert replayed.standings() == night.schedule.standings()
    assert replayed.states() == night.schedule.states()
