"""The world behind the port, without a network: latency, time-outs and what a cancelled call leaves."""

from __future__ import annotations

import asyncio
from random import Random

import anyio
import pytest

from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import (
    Accepted,
    Check,
    Checked,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    Lost,
    Refused,
    Seen,
    Survey,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region, Resource
from orchestrator.core.reasons import Reason
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from orchestrator.simulator.memory import MemoryCloud
from orchestrator.simulator.traits import Pace
from orchestrator.simulator.world import World
from tests.simulator.worlds import EAST, NORTH, make_world

pytestmark = pytest.mark.looptime

CALL = CallId("c1")


def _chunk(*sources: str) -> Chunk:
    return Chunk(tuple(Copy(ImageId(source), NORTH, EAST) for source in sources))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _cloud(world: World, *rules: Rule, latency_s: float = 0.0, slow_s: float = 5.0) -> MemoryCloud:
    faults = FaultPlan(Random(1), rules, slow_s=slow_s)
    return MemoryCloud(world, clock=_now, latency_s=latency_s, faults=faults)


async def test_a_night_in_four_answers() -> None:
    """Inspect, survey, copy, look: each answered by its event, stamped with the time it ended."""
    cloud: Cloud = _cloud(make_world(), latency_s=2.0)
    began = _now()
    inspected = await cloud.inspect(Inspect(NORTH, (ImageId("img-a1"), ImageId("img-none"))))
    assert isinstance(inspected, Inspected)
    assert [image.image for image in inspected.images] == ["img-a1"]
    assert inspected.at == began + 2
    surveyed = await cloud.survey(Survey(EAST, Resource.SNAPSHOT))
    assert isinstance(surveyed, Surveyed)
    assert (surveyed.limit, surveyed.used) == (400, 0)
    accepted = await cloud.copy(CALL, _chunk("img-a1"), "mark")
    assert isinstance(accepted, Accepted)
    ((_, made),) = accepted.pairs
    await anyio.sleep(100)
    seen = await cloud.look(Look(EAST, (made,)))
    assert isinstance(seen, Seen)
    assert [(image.status, image.text) for image in seen.images] == [("ready", "mark")]


async def test_a_listing_tells_when_it_was_asked() -> None:
    """`began` is when the request was sent, `at` when it ended; totals and pages as the world says."""
    cloud = _cloud(make_world(120), latency_s=2.0)
    began = _now()
    page = await cloud.list(List(NORTH, 2))
    assert isinstance(page, Listed)
    assert (page.began, page.at) == (began, began + 2)
    assert (page.total, page.shown, len(page.images)) == (120, 20, 20)


async def test_a_single_look_says_that_an_image_is_gone() -> None:
    """404 is an answer to a check; an unknown region is none."""
    cloud = _cloud(make_world())
    checked = await cloud.check(Check(EAST, ImageId("img-none")))
    assert isinstance(checked, Checked)
    assert checked.sighting is None
    unanswered = await cloud.check(Check(Region("mars-1"), ImageId("img-none")))
    assert isinstance(unanswered, Unanswered)
    assert unanswered.reason is Reason.INVALID_REGION


async def test_a_refusal_names_its_culprit() -> None:
    """What the error table reads out of the world's words reaches the event."""
    refused = await _cloud(make_world()).copy(CALL, _chunk("img-a1", "img-none"), None)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.culprit) == (Reason.NOT_FOUND, "img-none")


@pytest.mark.parametrize(("after_s", "copies"), [(0.5, 0), (1.5, 1)])
async def test_a_cancelled_call_was_made_or_not(after_s: float, copies: int) -> None:
    """Half of the latency lies before the effect, half after: a crash can hit either."""
    world = make_world()
    with anyio.move_on_after(after_s):
        await _cloud(world, latency_s=2.0).copy(CALL, _chunk("img-a1"), None)
    assert len(world.books()["copies"]) == copies


async def test_an_answer_that_is_too_late_is_a_time_out() -> None:
    """The work is done, the caller knows nothing, and has waited exactly its time-out."""
    world = make_world()
    cloud = _cloud(world, Rule(fault=Fault.SLOW, chance=1.0), slow_s=31)
    began = _now()
    lost = await cloud.copy(CALL, _chunk("img-a1"), None)
    assert isinstance(lost, Lost)
    assert (lost.reason, lost.at - began) == (Reason.TIMEOUT, 30)
    assert len(world.books()["copies"]) == 1


async def test_a_slow_acceptance_delays_the_answer_not_the_effect() -> None:
    """`acceptance_s` is divided by the speed."""
    world = make_world(pace=Pace(acceptance_s=20, speed=2))
    began = _now()
    assert isinstance(await _cloud(world).copy(CALL, _chunk("img-a1"), None), Accepted)
    assert _now() - began == 10
    assert world.books()["copies"][0]["started"] == began


async def test_the_rate_limit_holds_here_too() -> None:
    """Requests over the limit are throttled until the minute has passed."""
    cloud = _cloud(make_world(rate_per_minute=1))
    survey = Survey(EAST, Resource.IMAGE)
    assert isinstance(await cloud.survey(survey), Surveyed)
    throttled = await cloud.survey(survey)
    assert isinstance(throttled, Unanswered)
    assert throttled.reason is Reason.THROTTLED
    await anyio.sleep(60)
    assert isinstance(await cloud.survey(survey), Surveyed)
