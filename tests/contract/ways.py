"""Two ways to one simulated world: in memory, and on loopback through the real client. It asserts nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count
from random import Random
from typing import Literal

from aiohttp.test_utils import TestServer

from orchestrator.cloud.access import Access
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import Accepted, Listed, Lost, ReadAnswer, Refused
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region
from orchestrator.settings.credentials import Credentials
from orchestrator.settings.secret import Secret
from orchestrator.simulator.faults import FaultPlan, Rule
from orchestrator.simulator.memory import MemoryCloud
from orchestrator.simulator.server import LINE_MAX, make_app
from orchestrator.simulator.world import World
from tests.canary import SECRET
from tests.nights import now
from tests.simulator.worlds import EAST, NORTH

Way = Literal["memory", "http"]
WAYS: tuple[Way, ...] = ("memory", "http")
Answer = Accepted | Refused | Lost | ReadAnswer

KEY = "AKCONTRACT"
CALL = CallId("c1")
MARK = "orchestrator/1 ledger=l1 call=c1 from=cn-north-1"


def chunk(*sources: str, to: str = EAST, origin: str = NORTH) -> Chunk:
    """Put copies of these sources into one chunk."""
    return Chunk(tuple(Copy(ImageId(source), Region(origin), Region(to)) for source in sources))


def ids(*images: str) -> tuple[ImageId, ...]:
    """Write image ids."""
    return tuple(map(ImageId, images))


@asynccontextmanager
async def serving(
    world: World, faults: FaultPlan | None = None, clock: Callable[[], float] = now
) -> AsyncIterator[str]:
    """Serve a world on a free port of this machine, in the running loop; give its URL."""
    server = TestServer(make_app(world, keys={KEY: SECRET}, clock=clock, faults=faults))
    await server.start_server(max_line_size=LINE_MAX)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


def access(
    url: str, *, clock: Callable[[], float] = now, timeout_s: float = 30.0, secret: str = SECRET
) -> Access:
    """Make the access of the account that the served world knows."""
    nonces = count(1)
    return Access(
        vm_endpoint=url,
        disk_endpoint=url,
        keys=Credentials(KEY, Secret(secret)),
        clock=clock,
        nonce=lambda: f"nonce-{next(nonces)}",
        request_timeout_s=timeout_s,
    )


@asynccontextmanager
async def reach(
    way: Way,
    world: World,
    *rules: Rule,
    clock: Callable[[], float] = now,
    slow_s: float = 5.0,
    timeout_s: float = 30.0,
) -> AsyncIterator[Cloud]:
    """Give the port to a world, one way or the other; `rules` are its bad luck."""
    faults = FaultPlan(Random(1), rules, slow_s=slow_s)
    if way == "memory":
        yield MemoryCloud(world, clock=clock, faults=faults, timeout_s=timeout_s)
        return
    async with (
        serving(world, faults, clock) as url,
        JdCloud(access(url, clock=clock, timeout_s=timeout_s)) as cloud,
    ):
        yield cloud


def bare(answer: Answer) -> Answer:
    """Take out what may differ between two ways: times and request ids."""
    if isinstance(answer, Listed):
        return replace(answer, at=0.0, began=0.0, request="")
    return replace(answer, at=0.0, request="")
