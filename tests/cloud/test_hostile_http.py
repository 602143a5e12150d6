"""Servers that want to exhaust the client: whatever they send, a request costs little and ends in time."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from zlib import compressobj

import pytest

from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.messages import Lost, Unanswered
from orchestrator.core.reasons import Reason
from tests.cloud.support import CALL, CHUNK, LIST, MARK, Reply, Seen, Server, access, serving

MEGABYTE = 1024 * 1024
HEAD = b"HTTP/1.1 200 OK\r\n"


CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def packed() -> bytes:
    """Pack 64 MB of blanks into some kilobytes, and break off before their end."""
    packer = compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * MEGABYTE) for _ in range(64))


ENDLESS: dict[str, tuple[bytes, bytes, Reason]] = {
    "a body": (HEAD + b"\r\n", b" " * 65536, Reason.OVERSIZED),
    "a body that was announced": (
        HEAD + b"Content-Length: 9000000000\r\n\r\n",
        b" " * 65536,
        Reason.OVERSIZED,
    ),
    "chunks": (
        CHUNKED,
        b"8000\r\n" + b" " * 32768 + b"\r\n",
        Reason.OVERSIZED,
    ),
    "gzip": (HEAD + b"Content-Encoding: gzip\r\n\r\n" + packed(), b"\0" * 65536, Reason.OVERSIZED),
    "header lines": (HEAD, b"X-Bomb: y\r\n" * 3000, Reason.UNREADABLE),
    "one header line": (HEAD + b"X-Bomb: ", b"y" * 65536, Reason.UNREADABLE),
    "the status line": (b"HTTP/1.1 200 ", b"y" * 65536, Reason.UNREADABLE),
    "trailers": (CHUNKED + b"0\r\n", b"X: y\r\n" * 5000, Reason.UNREADABLE),
    "the name of a chunk": (CHUNKED + b"5;", b"y" * 65536, Reason.TIMEOUT),
    "tiny chunks": (CHUNKED, b"1\r\n \r\n" * 500, Reason.TIMEOUT),
    "promises to go on": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 500, Reason.TIMEOUT),
}


@asynccontextmanager
async def flood(first: bytes, again: bytes) -> AsyncIterator[Server]:
    """Answer every request with bytes that never end."""

    async def pour(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(again)
            await writer.drain()
            await asyncio.sleep(0)

    reply: Reply = pour
    async with serving(reply) as server:
        yield server


@pytest.mark.parametrize("name", ENDLESS)
async def test_what_never_ends_costs_little_and_ends(name: str) -> None:
    """A call is lost and a read unanswered for the fitting reason, below ten megabytes and in time."""
    first, again, reason = ENDLESS[name]
    async with flood(first, again) as server, JdCloud(access(server.url, timeout_s=0.25)) as cloud:
        began = asyncio.get_running_loop().time()
        tracemalloc.start()
        try:
            call, read = await cloud.copy(CALL, CHUNK, MARK), await cloud.list(LIST)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        took_s = asyncio.get_running_loop().time() - began
    assert isinstance(call, Lost)
    assert isinstance(read, Unanswered)
    assert (call.reason, read.reason) == (reason, reason), (call.detail, read.detail)
    assert peak < 10 * MEGABYTE
    assert took_s < 10, "two requests of a quarter of a second, on a busy machine"
    assert len(call.detail) <= 300
