"""A server that tells lies: the world acts, and something else is answered. No test is here."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from orchestrator.simulator.server import LINE_MAX, make_app
from tests.canary import SECRET
from tests.contract.ways import KEY
from tests.nights import Cloud, now

Reply = dict[str, Any]
Lie = Callable[[Reply], bytes]
"""Makes of the true answer the bytes that go out instead of it."""

OPERATIONS = ("copy", "list", "describe", "check", "quota")


def operation(request: web.Request) -> str:
    """Name what a request asks for, as lies are counted."""
    path = request.path
    if request.method == "POST":
        return "copy"
    if path.endswith("/quotas"):
        return "quota"
    if not path.endswith("/images"):
        return "check"
    return "list" if "imageSource" in request.query else "describe"


@dataclass
class Liar:
    """Tells lie after lie about an operation, and every second time the truth; counts what it told.

    Without `honest` every answer is a lie until there are no more of them.
    """

    lies: Mapping[str, Sequence[Lie]]
    honest: bool = True
    told: Counter[str] = field(default_factory=Counter)
    _met: Counter[str] = field(default_factory=Counter)

    def spoil(self, about: str, reply: Reply) -> bytes | None:
        """Choose what goes out; None for the truth."""
        self._met[about] += 1
        lies = self.lies.get(about, ())
        if self.told[about] >= len(lies) or (self.honest and self._met[about] % 2 == 0):
            return None
        self.told[about] += 1
        return lies[self.told[about] - 1](reply)


@asynccontextmanager
async def lying(
    cloud: Cloud, liar: Liar, *, silent: Callable[[str], bool] = lambda path: False
) -> AsyncIterator[str]:
    """Serve a world through a liar, in the running loop; give the URL. What is `silent` is never answered."""

    @web.middleware
    async def answer(request: web.Request, handler: Callable[..., Any]) -> web.StreamResponse:
        """Let the world act, then say something else, or say nothing and do nothing."""
        if silent(request.path):
            await asyncio.Event().wait()
        response: web.Response = await handler(request)
        text = response.text if isinstance(response, web.Response) else None
        spoilt = liar.spoil(operation(request), json.loads(text)) if text and response.status == 200 else None
        if spoilt is not None and request.transport is not None:
            request.transport.write(spoilt)
            request.transport.close()
        return response

    app = make_app(cloud.world, keys={KEY: SECRET}, clock=now, faults=cloud.faults)
    app.middlewares.append(answer)
    server = TestServer(app)
    await server.start_server(max_line_size=LINE_MAX)
    try:
        yield str(server.make_url("")).rstrip("/")
    finally:
        await server.close()


def raw(status: int, body: bytes | str, *headers: str) -> bytes:
    """Write an answer as it goes over the wire, with its true length."""
    data = body if isinstance(body, bytes) else body.encode()
    head = "\r\n".join((f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", *headers, "", ""))
    return head.encode() + data


def told(reply: Reply) -> bytes:
    """Send an answer as JSON, as the cloud does."""
    return raw(200, json.dumps(reply))


def always(data: bytes) -> Lie:
    """Answer with these bytes, whatever was true."""
    return lambda reply: data


def changed(**result: object) -> Lie:
    """Tell the truth but for these members of the result."""
    return lambda reply: told({**reply, "result": {**reply["result"], **result}})
