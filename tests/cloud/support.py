"""What the client's tests share: an account, a chunk, and a server that sends whatever bytes a test wants."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from orchestrator.cloud.access import Access
from orchestrator.core.messages import Check, Inspect, List, Look, Survey
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region, Resource
from tests.canary import SECRET, TOKEN

NORTH, EAST = Region("cn-north-1"), Region("cn-east-2")
A1, A2, B1, B2 = (ImageId(image) for image in ("img-a1", "img-a2", "img-b1", "img-b2"))
CALL = CallId("c1")
CHUNK = Chunk((Copy(A1, NORTH, EAST), Copy(A2, NORTH, EAST)))
MARK = "orchestrator/1 ledger=l1 call=c1 from=cn-north-1"
NOON = 1775131200.0

INSPECT, LIST, LOOK = Inspect(NORTH, (A1, A2)), List(EAST, 1), Look(EAST, (B1, B2))
SURVEY, SURVEY_SNAPSHOTS = Survey(EAST, Resource.IMAGE), Survey(EAST, Resource.SNAPSHOT)
CHECK = Check(EAST, B1)

VM, DISK = "https://vm.jdcloud-api.com", "https://disk.jdcloud-api.com"
URLS = {
    "copy": f"{VM}/v1/regions/cn-north-1/images:copyImages",
    "inspect": f"{VM}/v1/regions/cn-north-1/images?ids.1=img-a1&ids.2=img-a2&pageNumber=1&pageSize=10",
    "list": f"{VM}/v1/regions/cn-east-2/images?imageSource=private&pageNumber=1&pageSize=100",
    "look": f"{VM}/v1/regions/cn-east-2/images?ids.1=img-b1&ids.2=img-b2&pageNumber=1&pageSize=10",
    "survey": f"{VM}/v1/regions/cn-east-2/quotas?filters.1.name=resourceTypes&filters.1.values.1=image",
    "snapshots": f"{DISK}/v1/regions/cn-east-2/quotas?type=snapshot",
    "check": f"{VM}/v1/regions/cn-east-2/images/img-b1",
}


LOOPBACK = Path(__file__).parent / "loopback.pem"
"""A certificate for 127.0.0.1 that signs itself, good until 2120, with its key: for tests only."""


def loopback_tls() -> ssl.SSLContext:
    """Make the TLS side of a test server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(LOOPBACK)
    return context


@dataclass(frozen=True)
class Text:
    """A text that shows itself when asked to."""

    text: str

    def reveal(self) -> str:
        return self.text


@dataclass
class Account:
    """Credentials that a test may change under way."""

    access_key: str = "AKEXAMPLE0001"
    secret_key: Text = Text(SECRET)
    session_token: Text | None = Text(TOKEN)


def access(
    endpoint: str | None = None,
    *,
    timeout_s: float = 5.0,
    keys: Account | None = None,
    clock: Callable[[], float] = lambda: NOON,
    proxy: str | None = None,
    ca_file: Path | None = None,
) -> Access:
    """Make an account's access, to the real names or to one test server for both services."""
    numbers = count(1)
    return Access(
        vm_endpoint=endpoint or VM,
        disk_endpoint=endpoint or DISK,
        keys=keys or Account(),
        clock=clock,
        nonce=lambda: f"nonce-{next(numbers)}",
        request_timeout_s=timeout_s,
        proxy=proxy,
        ca_file=ca_file,
    )


def ok(result: object) -> str:
    """Write a success."""
    return json.dumps({"requestId": "req-1", "result": result})


def refusal(code: int, status: str, message: str) -> str:
    """Write an error envelope."""
    return json.dumps({"requestId": "req-1", "error": {"code": code, "status": status, "message": message}})


def image(image_id: str, status: str = "ready", **more: object) -> dict[str, object]:
    """Make an image as the cloud shows it."""
    return {"imageId": image_id, "status": status, **more}


def accepted(*pairs: tuple[object, object]) -> dict[str, object]:
    """Make the result of an accepted call."""
    return {"copyImages": [{"sourceImageId": s, "destinationImageId": d} for s, d in pairs]}


@dataclass
class Seen:
    """One request as the server saw it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Server:
    """A test server: what it saw, and where it is."""

    port: int = 0
    connections: int = 0
    seen: list[Seen] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


Reply = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(
    reply: Reply | None, *, greeting: bytes = b"", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Serve connections with `reply`, after a greeting that nobody asked for; with None, stay silent."""
    server, writers = Server(), list[asyncio.StreamWriter]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server.connections += 1
        writers.append(writer)
        writer.write(greeting)
        with suppress(OSError, EOFError):
            while reply is not None:
                request = await _receive(reader)
                server.seen.append(request)
                await reply(request, writer)

    listener = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for writer in writers:
            writer.transport.abort()
        await listener.wait_closed()
        await asyncio.sleep(0)


async def _receive(reader: asyncio.StreamReader) -> Seen:
    """Read one request."""
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Seen(method, target, headers, body)


def http(status: int, body: bytes | str, *headers: str) -> bytes:
    """Write a whole response."""
    data = body if isinstance(body, bytes) else body.encode()
    head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", *headers]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + data


def always(data: bytes) -> Reply:
    """Answer every request with these bytes."""

    async def reply(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return reply


def closing(data: bytes = b"") -> Reply:
    """Answer with these bytes and close."""

    async def reply(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()

    return reply
