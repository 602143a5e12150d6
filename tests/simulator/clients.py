"""A signing client for the simulator's server, on real sockets, with a clock that tests turn by hand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import aiohttp
from aiohttp.test_utils import TestServer
from yarl import URL

from orchestrator.cloud.signing import DATE, NONCE, Scope, Version, sign, stamp
from orchestrator.simulator.faults import FaultPlan
from orchestrator.simulator.server import LINE_MAX, make_app
from orchestrator.simulator.world import World
from tests.canary import SECRET

KEY = "AKTEST"
START = 1_790_000_000.0
_NONCES = count()


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@dataclass
class Reply:
    """Status, text and parsed body of a reply."""

    status: int
    text: str

    @property
    def json(self) -> Any:
        """The parsed body."""
        return json.loads(self.text)

    @property
    def error(self) -> tuple[int, str, str]:
        """The error: HTTP status, status word, message."""
        error = self.json["error"]
        assert error["code"] == self.status
        return self.status, error["status"], error["message"]


@dataclass
class Client:
    """Sends signed requests to one server."""

    url: str
    session: aiohttp.ClientSession
    clock: Clock
    secret: str = SECRET

    async def send(
        self,
        method: str,
        target: str,
        body: object = None,
        *,
        service: str = "vm",
        region: str | None = None,
        version: Version = Version.JDCLOUD3,
        sign_date: bool = True,
        nonce: str | None = None,
        headers: Mapping[str, str] | None = None,
        key: str = KEY,
    ) -> Reply:
        """Sign and send one request; a body that is not text becomes JSON."""
        text = "" if body is None else body if isinstance(body, str) else json.dumps(body)
        at = stamp(self.clock())
        stamps = {DATE: at, NONCE: nonce or f"nonce-{next(_NONCES)}"}
        signed = {"Content-Type": "application/json"} | (stamps if sign_date else {})
        scope = Scope(at, region or target.split("/")[3], service, version)
        seal = sign(method, self.url + target, signed, text.encode(), scope, key, self.secret)
        sent = {"Content-Type": "application/json", **stamps, "Authorization": seal} | dict(headers or {})
        return await self.raw(method, target, text, sent)

    async def raw(self, method: str, target: str, text: str, headers: Mapping[str, str]) -> Reply:
        """Send a request as it is."""
        url = URL(self.url + target, encoded=True)
        async with self.session.request(method, url, data=text or None, headers=headers) as response:
            return Reply(response.status, await response.text())

    async def copy(self, *sources: str, region: str = "cn-north-1", to: str = "cn-east-2") -> Reply:
        """Send copyImages."""
        body = {"sourceImageIds": sources, "destinationRegion": to}
        return await self.send("POST", f"/v1/regions/{region}/images:copyImages", body)

    async def own(self, method: str, what: str, body: object = None) -> Reply:
        """Use one of the simulator's own routes."""
        return await self.raw(method, f"/_simulator/{what}", json.dumps(body) if body else "", {})


@asynccontextmanager
async def serving(world: World, faults: FaultPlan | None = None) -> AsyncIterator[Client]:
    """Serve a world on a free port and give a client for it."""
    clock = Clock()
    app = make_app(world, keys={KEY: SECRET}, clock=clock, faults=faults)
    server = TestServer(app)
    await server.start_server(max_line_size=LINE_MAX)
    connector = aiohttp.TCPConnector(force_close=True)
    try:
        async with aiohttp.ClientSession(connector=connector) as session:
            yield Client(str(server.make_url("")).rstrip("/"), session, clock)
    finally:
        await server.close()
