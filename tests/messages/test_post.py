"""One message over real sockets: garbage, endless answers, TLS, proxy; what is said of it holds no URL."""

from __future__ import annotations

import asyncio

import pytest

from orchestrator.messages import post
from orchestrator.messages.post import Way, ping_target, send
from orchestrator.settings.secret import Secret
from tests.canary import PASSWORD
from tests.cloud.support import LOOPBACK, Reply, Seen, always, closing, http, loopback_tls, serving

OK = http(200, "OK")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once."""
    monkeypatch.setattr(post, "PAUSE_S", 0.0)


async def endless(request: Seen, writer: asyncio.StreamWriter) -> None:
    """Say yes, and then go on talking for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize(
    ("reply", "said", "times"),
    [
        (always(OK), "", 1),
        (always(http(204, "")), "", 1),
        (endless, "", 1),
        (always(http(200, "\x1f\x8b garbage", "Content-Encoding: gzip")), "", 1),
        (closing(), "no usable answer (", 3),
        (closing(b"SSH-2.0-OpenSSH\r\n"), "no usable answer (", 3),
        (closing(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000), "no usable answer (", 3),
        (always(http(400, PASSWORD)), "the answer is 400", 1),
        (always(http(500, PASSWORD)), "the answer is 500", 3),
        (
            always(http(308, "", f"Location: http://127.0.0.1:1/{PASSWORD}")),
            "the answer is a redirect (308)",
            1,
        ),
    ],
    ids=["ok", "empty", "endless", "broken-body", "closed", "ssh", "huge-head", "400", "500", "308"],
)
@pytest.mark.parametrize("body", [None, b'{"a": 1}'], ids=["ping", "post"])
async def test_any_answer_is_a_yes_or_a_few_words(
    reply: Reply, said: str, times: int, body: bytes | None
) -> None:
    """Only the status counts, nothing of a body is read; what cannot pass by itself is sent once."""
    async with serving(reply) as server:
        trouble = await send(Secret(f"{server.url}/{PASSWORD}"), Way(), body=body)
    assert (trouble == "") if not said else trouble.startswith(said)
    assert PASSWORD not in trouble
    assert [seen.method for seen in server.seen] == ["GET" if body is None else "POST"] * times
    assert all(seen.body == (body or b"") for seen in server.seen)
    assert all("authorization" not in seen.headers for seen in server.seen)


async def test_a_certificate_needs_somebody_who_vouches_for_it() -> None:
    """An unknown authority gets nothing; with the CA file the same server hears the message."""
    async with serving(always(OK), tls=loopback_tls()) as server:
        url = Secret(f"https://127.0.0.1:{server.port}/{PASSWORD}")
        trouble = await send(url, Way())
        assert trouble.startswith("no secure connection")
        assert server.seen == []
        assert await send(url, Way(ca_file=LOOPBACK)) == ""
    assert len(server.seen) == 1


async def test_the_proxy_is_used_with_its_password_and_not_for_this_machine() -> None:
    """What leads away goes through it; a receiver on this machine is reached directly."""
    async with serving(always(OK)) as proxy, serving(always(OK)) as here:
        way = Way(proxy=Secret(f"http://user:p%40ss@127.0.0.1:{proxy.port}"))
        assert await send(Secret("http://check.example/x?a=%2F"), way) == ""
        assert await send(Secret(f"{here.url}/x"), way) == ""
    assert [seen.target for seen in proxy.seen] == ["http://check.example/x?a=%2F"]
    assert proxy.seen[0].headers["proxy-authorization"] == "Basic dXNlcjpwQHNz"
    assert [seen.target for seen in here.seen] == ["/x"]


@pytest.mark.parametrize("url", ["https://check.example/x", "http://check.example/x"])
async def test_a_proxy_that_refuses_is_told_of_without_its_password(url: str) -> None:
    """Whatever the proxy says, the message is unsent and no more."""
    async with serving(always(http(407, "who are you?"))) as proxy:
        way = Way(proxy=Secret(f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}"))
        trouble = await send(Secret(url), way)
    assert trouble in ("the proxy let nothing through", "the answer is 407")
    assert PASSWORD not in f"{trouble}{way!r}"


async def test_a_password_in_the_url_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It becomes a header; the environment's proxies and credentials are not asked."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with serving(always(OK)) as server:
        url = Secret(f"http://user:p%40ss@127.0.0.1:{server.port}/x")
        assert await send(url, Way(), body=b"{}") == ""
    (seen,) = server.seen
    assert seen.headers["authorization"] == "Basic dXNlcjpwQHNz"
    assert seen.headers["content-type"] == "application/json; charset=utf-8"
    assert seen.headers["user-agent"].startswith("jdcloud-image-orchestrator/")


@pytest.mark.parametrize(
    ("url", "word", "target"),
    [
        ("https://h/uuid", "start", "https://h/uuid/start"),
        ("https://h/uuid/", "3", "https://h/uuid/3"),
        ("https://h/uuid/", "", "https://h/uuid/"),
        ("https://h/uuid?rid=1&x=a%20b", "143", "https://h/uuid/143?rid=1&x=a%20b"),
        ("https://u:p@h:8000", "start", "https://u:p@h:8000/start"),
        ("https://[::1]:1?q", "", "https://[::1]:1?q"),
    ],
)
def test_where_a_check_is_told(url: str, word: str, target: str) -> None:
    """The word comes last in the path, and the query keeps its place."""
    assert ping_target(Secret(url), word).reveal() == target
