"""A server that hears messages and answers as it is told, in the loop of the test; it asserts nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.canary import PASSWORD

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]

CHECK = f"/ping/{PASSWORD}"
HOOK = f"/hook/{PASSWORD}"
"""Where messages go; whoever knows these paths can use them, so they hold the canary."""


@dataclass
class Ear:
    """What was heard: method and path with query of each request, and the JSON that was posted."""

    url: str = ""
    heard: list[str] = field(default_factory=list)
    posted: list[dict[str, Any]] = field(default_factory=list)
    types: list[str] = field(default_factory=list)

    @property
    def pings(self) -> list[str]:
        """The pings, as what follows the check's own path."""
        return [one.removeprefix(f"GET {CHECK}") for one in self.heard if one.startswith("GET")]

    def options(self, **more: object) -> dict[str, object]:
        """Make settings that lead here."""
        return {"ping_url": self.url + CHECK, "webhook_url": self.url + HOOK, **more}


async def taken(request: web.Request) -> web.StreamResponse:
    """Say yes."""
    return web.Response(text="OK")


def status(code: int, **headers: str) -> Answer:
    """Answer with a status and headers."""

    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=code, headers=headers)

    return answer


async def never(request: web.Request) -> web.StreamResponse:
    """Take the request and say nothing for a day."""
    await asyncio.sleep(86_400)
    return web.Response()


@asynccontextmanager
async def listening(answer: Answer = taken) -> AsyncIterator[Ear]:
    """Listen on a free port of this machine as long as the block lasts."""
    ear = Ear()

    async def hear(request: web.Request) -> web.StreamResponse:
        ear.heard.append(f"{request.method} {request.path_qs}")
        if request.method == "POST":
            ear.types.append(request.headers["Content-Type"])
            ear.posted.append(json.loads(await request.text()))
        return await answer(request)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", hear)
    server = TestServer(app)
    await server.start_server(access_log=None, shutdown_timeout=0.1)
    ear.url = str(server.make_url("")).rstrip("/")
    try:
        yield ear
    finally:
        await server.close()
