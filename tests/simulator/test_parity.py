"""The two ways to a world say the same: in memory, and over HTTP through the real client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from random import Random

import pytest
from aiohttp.test_utils import TestServer

from orchestrator.cloud.access import Access
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import (
    Accepted,
    Check,
    Inspect,
    List,
    Look,
    Lost,
    ReadAnswer,
    Refused,
    Survey,
    Unanswered,
)
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region, Resource
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from orchestrator.simulator.memory import MemoryCloud
from orchestrator.simulator.server import make_app
from orchestrator.simulator.world import World
from tests.canary import SECRET
from tests.simulator.clients import KEY, Clock
from tests.simulator.worlds import EAST, NORTH, SOUTH, add, make_world

Answer = Accepted | Refused | Lost | ReadAnswer


class _Hidden:
    """The test's secret."""

    def reveal(self) -> str:
        return SECRET


@dataclass(frozen=True)
class _Keys:
    """The test's credentials."""

    access_key: str = KEY
    secret_key: _Hidden = field(default_factory=_Hidden)
    session_token: _Hidden | None = None


@asynccontextmanager
async def _over_http(world: World, faults: FaultPlan, clock: Clock) -> AsyncIterator[Cloud]:
    """Serve a world and reach it with the real client."""
    server = TestServer(make_app(world, keys={KEY: SECRET}, clock=clock, faults=faults))
    await server.start_server()
    url, nonces = str(server.make_url("")).rstrip("/"), count()
    access = Access(
        vm_endpoint=url, disk_endpoint=url, keys=_Keys(), clock=clock, nonce=lambda: f"n{next(nonces)}"
    )
    try:
        async with JdCloud(access) as cloud:
            yield cloud
    finally:
        await server.close()


def _comparable(answer: Answer) -> Answer:
    """Take the request id out, which is chance, and the detail, which is words for people."""
    if isinstance(answer, Refused | Lost | Unanswered):
        return replace(answer, request="", detail="")
    return replace(answer, request="")


async def _story(cloud: Cloud, clock: Clock) -> list[Answer]:
    """Make every kind of request, good and bad, at fixed times."""

    def chunk(*sources: str, to: Region = EAST) -> Chunk:
        return Chunk(tuple(Copy(ImageId(source), NORTH, to) for source in sources))

    first = await cloud.copy(CallId("c1"), chunk("img-a1", "img-a2"), "our mark")
    made = [image for _, image in first.pairs] if isinstance(first, Accepted) else [ImageId("img-none")]
    clock.now += 40
    story: list[Answer] = [
        first,
        await cloud.copy(CallId("c2"), chunk("img-a1", to=SOUTH), None),
        await cloud.copy(CallId("c3"), chunk("img-a3", "img-none"), None),
        await cloud.copy(CallId("c4"), chunk("img-vault"), None),
        await cloud.inspect(Inspect(NORTH, tuple(map(ImageId, ("img-a1", "img-vault", "img-none"))))),
        await cloud.look(Look(EAST, tuple(made))),
        await cloud.list(List(EAST, 1)),
        await cloud.list(List(Region("mars-1"), 1)),
        await cloud.survey(Survey(EAST, Resource.IMAGE)),
        await cloud.survey(Survey(EAST, Resource.SNAPSHOT)),
        await cloud.check(Check(EAST, made[0])),
        await cloud.check(Check(EAST, ImageId("img-none"))),
    ]
    clock.now += 100
    return [_comparable(answer) for answer in [*story, await cloud.look(Look(EAST, tuple(made)))]]


async def _both(*rules: Rule) -> tuple[list[Answer], list[Answer]]:
    """Tell the same story to two equal worlds, one in memory and one over HTTP."""
    worlds = [make_world(3), make_world(3)]
    for world in worlds:
        add(world, "img-vault", snapshots=2, encrypted=True)
    plans = [FaultPlan(Random(5), rules, slow_s=0.01) for _ in worlds]
    clock = Clock()
    memory = await _story(MemoryCloud(worlds[0], clock=clock, faults=plans[0]), clock)
    clock = Clock()
    async with _over_http(worlds[1], plans[1], clock) as cloud:
        http = await _story(cloud, clock)
    assert {**worlds[0].books(), "requests": {}} == {**worlds[1].books(), "requests": {}}
    return memory, http


async def test_a_calm_story_is_the_same_both_ways() -> None:
    """Accepted, refused, described, listed, surveyed, checked: equal events and equal books."""
    memory, http = await _both()
    assert memory == http


@pytest.mark.parametrize("fault", list(Fault))
async def test_every_fault_is_the_same_both_ways(fault: Fault) -> None:
    """Whatever strikes, on every second request, both ways report the same events."""
    rules = [Rule(fault=fault, nth=frozenset(range(1, 30, 2)))]
    memory, http = await _both(*rules)
    assert memory == http
