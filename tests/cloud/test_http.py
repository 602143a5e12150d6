"""One method is one request on the wire, and what the network does to it becomes an event: real sockets."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import random
import socket
import ssl
import tracemalloc
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from orchestrator.cloud.http import BODY_MAX, tls_context
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.cloud.port import Cloud
from orchestrator.cloud.signing import Scope, canonical_request, signature, string_to_sign
from orchestrator.core.codec import to_json
from orchestrator.core.messages import Accepted, Listed, Lost, Refused, Unanswered
from orchestrator.core.reasons import Reason
from orchestrator.errors import SettingsError
from tests.canary import PASSWORD, SECRET, TOKEN
from tests.cloud.support import (
    A1,
    CALL,
    CHECK,
    CHUNK,
    INSPECT,
    LIST,
    LOOK,
    LOOPBACK,
    MARK,
    NOON,
    SURVEY,
    SURVEY_SNAPSHOTS,
    Account,
    Seen,
    Text,
    accepted,
    access,
    always,
    closing,
    http,
    image,
    loopback_tls,
    ok,
    refusal,
    serving,
)

LISTING = http(200, ok({"totalCount": 1, "images": [image("img-b1")]}))
NIGHT = http(200, ok(accepted(("img-a1", "img-b1"))))


def _signature_on_arrival(seen: Seen, region: str, service: str) -> str:
    """Compute the signature over what arrived, as the cloud does."""
    names = seen.headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    parts = urlsplit(seen.target)
    signed = {name: seen.headers[name] for name in names}
    canonical = canonical_request(seen.method, parts.path, parts.query, signed, seen.body)
    scope = Scope(seen.headers["x-jdcloud-date"], region, service)
    return signature(SECRET, scope, string_to_sign(scope, canonical))


async def _all_methods(cloud: Cloud) -> None:
    await cloud.copy(CALL, CHUNK, MARK)
    await cloud.inspect(INSPECT)
    await cloud.list(LIST)
    await cloud.survey(SURVEY)
    await cloud.survey(SURVEY_SNAPSHOTS)
    await cloud.look(LOOK)
    await cloud.check(CHECK)


async def test_what_arrives_is_what_was_signed() -> None:
    """Every method sends one request whose signature fits what arrived: path, query, headers and body."""
    async with serving(always(http(200, ok({})))) as server, JdCloud(access(server.url)) as cloud:
        await _all_methods(cloud)
    assert len(server.seen) == 7
    regions = ["cn-north-1", "cn-north-1"] + ["cn-east-2"] * 5
    services = ["vm"] * 4 + ["disk"] + ["vm"] * 2
    for seen, region, service in zip(server.seen, regions, services, strict=True):
        assert seen.headers["authorization"].endswith(_signature_on_arrival(seen, region, service))
        assert f"/20260402/{region}/{service}/jdcloud3_request" in seen.headers["authorization"]
        assert "host;x-jdcloud-date;x-jdcloud-nonce;x-jdcloud-security-token" in seen.headers["authorization"]
        assert seen.headers["host"] == f"127.0.0.1:{server.port}"
        assert seen.headers["accept-encoding"] == "identity"


async def test_no_two_requests_share_a_nonce_and_dates_follow_the_clock() -> None:
    """Every request has a nonce of its own and the date of its own moment."""
    ticks = itertools.count(int(NOON), 7)
    async with (
        serving(always(http(200, ok({})))) as server,
        JdCloud(access(server.url, clock=lambda: float(next(ticks)))) as cloud,
    ):
        await _all_methods(cloud)
        await _all_methods(cloud)
    assert len({seen.headers["x-jdcloud-nonce"] for seen in server.seen}) == 14
    dates = [seen.headers["x-jdcloud-date"] for seen in server.seen]
    assert dates == sorted(dates)
    assert len(set(dates)) == 14


async def test_credentials_are_asked_for_every_request() -> None:
    """Keys that change under way are used at once; without a session token none is sent."""
    keys = Account()
    async with serving(always(LISTING)) as server, JdCloud(access(server.url, keys=keys)) as cloud:
        await cloud.list(LIST)
        keys.access_key, keys.secret_key, keys.session_token = "AK2", Text("other"), None
        await cloud.list(LIST)
    first, second = server.seen
    assert "AKEXAMPLE0001/" in first.headers["authorization"]
    assert "AK2/" in second.headers["authorization"]
    assert "x-jdcloud-security-token" not in second.headers


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", b"HTTP/1.1 200 OK\r\n"])
async def test_a_dropped_copy_call_is_lost_and_sent_once(data: bytes) -> None:
    """A connection that breaks after the send leaves doubt, and the server saw one request."""
    async with serving(closing(data)) as server, JdCloud(access(server.url)) as cloud:
        answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Lost)
    assert answer.reason is Reason.DISCONNECTED
    assert len(server.seen) == 1


async def test_a_reset_leaves_doubt() -> None:
    """A reset in place of an answer is no refusal."""

    async def reset(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with serving(reset) as server, JdCloud(access(server.url)) as cloud:
        answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Lost)
    assert (answer.reason, len(server.seen)) == (Reason.DISCONNECTED, 1)


async def test_half_a_body_leaves_doubt() -> None:
    """A body shorter than announced is lost, even where what came reads like an answer."""
    whole = http(200, ok(accepted(("img-a1", "img-b1"))) + " ")
    async with serving(closing(whole[:-1])) as server, JdCloud(access(server.url)) as cloud:
        answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Lost)
    assert (answer.reason, len(server.seen)) == (Reason.DISCONNECTED, 1)


async def test_half_a_head_is_told_in_words() -> None:
    """Cut off among the headers: lost, and the log is not given what came of them."""
    head = http(200, ok(accepted(("img-a1", "img-b1")))).split(b"\r\n\r\n")[0] + b"\r\n"
    async with serving(closing(head)) as server, JdCloud(access(server.url)) as cloud:
        answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Lost)
    words = "ClientConnectionError: Server disconnected in the middle of its answer"
    assert (answer.reason, answer.detail) == (Reason.DISCONNECTED, words)


async def test_every_request_has_a_connection_of_its_own() -> None:
    """Nothing rides on a kept connection, which the server may just have closed, and each says so."""
    async with serving(always(NIGHT)) as server, JdCloud(access(server.url)) as cloud:
        for _ in range(2):
            assert isinstance(await cloud.copy(CALL, CHUNK, MARK), Accepted)
        for _ in range(3):
            await cloud.list(LIST)
        assert server.connections == 5
    assert [seen.headers.get("connection") for seen in server.seen] == ["close"] * 5


async def test_an_answer_that_nobody_asked_for_is_nobodys() -> None:
    """What a server says unasked, after its answer, is not taken for the answer to the next request."""

    async def chatter(request: Seen, writer: asyncio.StreamWriter) -> None:
        empty = http(200, ok({"totalCount": 0, "images": []}))
        writer.write(LISTING + empty)
        await asyncio.sleep(0)
        writer.write(empty)

    async with serving(chatter) as server, JdCloud(access(server.url)) as cloud:
        for _ in range(5):
            answer = await cloud.list(LIST)
            assert isinstance(answer, Listed)
            assert answer.total == 1
            await asyncio.sleep(0.01)
    assert len(server.seen) == 5


async def test_a_broken_read_is_not_sent_twice() -> None:
    """Aiohttp's own repetition of a GET is off: one method, one request, one nonce."""

    async def abort(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    async with serving(abort) as server, JdCloud(access(server.url)) as cloud:
        answer = await cloud.list(LIST)
    assert isinstance(answer, Unanswered)
    assert answer.reason is Reason.DISCONNECTED
    assert (len(server.seen), server.connections) == (1, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_not_followed(status: int) -> None:
    """A signed request, with its token, never goes to another place than the endpoint."""
    async with serving(always(NIGHT)) as elsewhere:
        reply = always(http(status, "", f"Location: {elsewhere.url}/v1"))
        async with serving(reply) as server, JdCloud(access(server.url)) as cloud:
            call, read = await cloud.copy(CALL, CHUNK, MARK), await cloud.list(LIST)
    assert isinstance(call, Lost)
    assert isinstance(read, Unanswered)
    assert call.reason is read.reason is Reason.REDIRECTED
    assert (len(server.seen), elsewhere.connections) == (2, 0)


async def test_silence_ends_at_the_timeout() -> None:
    """A server that takes the request and says nothing leaves doubt."""

    async def silence(request: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with serving(silence) as server, JdCloud(access(server.url, timeout_s=0.25)) as cloud:
        call, read = await cloud.copy(CALL, CHUNK, MARK), await cloud.list(LIST)
    assert isinstance(call, Lost)
    assert isinstance(read, Unanswered)
    assert call.reason is read.reason is Reason.TIMEOUT
    assert len(server.seen) == 2


async def test_a_slow_drip_ends_at_the_total_timeout() -> None:
    """A byte now and then does not keep a request alive."""

    async def drip(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with serving(drip) as server, JdCloud(access(server.url, timeout_s=0.25)) as cloud:
        answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Lost)
    assert answer.reason is Reason.TIMEOUT


async def test_a_timeout_before_there_is_a_connection_is_no_doubt() -> None:
    """A TLS handshake that never ends: nothing was sent, and the call counts as refused."""
    async with serving(None) as server:
        endpoint = f"https://127.0.0.1:{server.port}"
        async with JdCloud(access(endpoint, timeout_s=0.25)) as cloud:
            answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.UNREACHABLE
    assert server.connections == 1


async def test_a_failed_handshake_is_no_doubt() -> None:
    """A server that does not speak TLS got nothing, and there is no fallback to plain text."""
    async with serving(None, greeting=b"HTTP/1.1 400 no\r\n\r\n") as server:
        endpoint = f"https://127.0.0.1:{server.port}"
        async with JdCloud(access(endpoint)) as cloud:
            answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.UNREACHABLE
    assert "[SSL" in answer.detail
    assert "ssl:" not in answer.detail, "no object of ours is shown to people"


async def test_a_certificate_that_nobody_vouches_for_gets_nothing() -> None:
    """An unknown authority ends before the request; the detail says that it was the certificate."""
    async with serving(always(NIGHT), tls=loopback_tls()) as server:
        endpoint = f"https://127.0.0.1:{server.port}"
        async with JdCloud(access(endpoint)) as cloud:
            answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.UNREACHABLE
    assert "certificate" in answer.detail.lower()
    assert "ssl:" not in answer.detail
    assert server.seen == []


async def test_the_ca_file_vouches_for_a_certificate() -> None:
    """With the authority's certificate in CA_FILE the same server is talked to, for its name only."""
    async with serving(always(NIGHT), tls=loopback_tls()) as server:
        for name, reached in (("127.0.0.1", True), ("localhost", False)):
            endpoint = f"https://{name}:{server.port}"
            async with JdCloud(access(endpoint, ca_file=LOOPBACK)) as cloud:
                answer = await cloud.copy(CALL, CHUNK, MARK)
            assert isinstance(answer, Accepted) is reached
    assert len(server.seen) == 1


@pytest.mark.parametrize("endpoint", ["https://vm.jdcloud-api.com", "http://127.0.0.1:1"])
def test_tls_is_never_weakened(endpoint: str) -> None:
    """TLS 1.2 at least, certificates and names checked; no context where nothing speaks TLS."""
    context = tls_context(access(endpoint))
    if endpoint.startswith("http:"):
        assert context is None
    else:
        assert context is not None
        assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname


async def test_a_refused_connection_is_no_doubt() -> None:
    """Nobody listens: a call is surely not sent, a read is unanswered."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        async with JdCloud(access(f"http://127.0.0.1:{taken.getsockname()[1]}")) as cloud:
            call, read = await cloud.copy(CALL, CHUNK, MARK), await cloud.check(CHECK)
    assert isinstance(call, Refused)
    assert isinstance(read, Unanswered)
    assert call.reason is read.reason is Reason.UNREACHABLE
    assert "refused" in call.detail.lower() or "Connect call failed" in call.detail
    assert "ssl" not in f"{call.detail} {read.detail}", "nobody asked for TLS at an http address"


async def test_a_name_that_does_not_resolve_is_no_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an address nothing is sent."""

    async def nowhere(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", nowhere)
    async with JdCloud(access("http://no-such-host.example")) as cloud:
        answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.UNREACHABLE


async def test_a_gzip_bomb_costs_less_than_ten_megabytes() -> None:
    """A body that grows a thousandfold is cut off at the cap, whatever was asked for."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024), 9)
    async with (
        serving(always(http(200, bomb, "Content-Encoding: gzip"))) as server,
        JdCloud(access(server.url)) as cloud,
    ):
        tracemalloc.start()
        try:
            call = await cloud.copy(CALL, CHUNK, MARK)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert isinstance(call, Lost)
    assert call.reason is Reason.OVERSIZED
    assert peak < 10 * 1024 * 1024


async def test_a_body_without_end_is_cut_off() -> None:
    """More than the cap is not read, with or without an announced length."""

    async def endless(request: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()

    async with serving(endless) as server, JdCloud(access(server.url)) as cloud:
        answer = await cloud.list(LIST)
    assert isinstance(answer, Unanswered)
    assert answer.reason is Reason.OVERSIZED


async def test_a_body_up_to_the_cap_is_read() -> None:
    """The cap is no smaller than it says, and compressed answers are understood."""
    text = ok(accepted(("img-a1", "img-b1")))
    packed = gzip.compress(text.ljust(BODY_MAX).encode())
    async with (
        serving(always(http(200, packed, "Content-Encoding: gzip"))) as server,
        JdCloud(access(server.url)) as cloud,
    ):
        assert isinstance(await cloud.copy(CALL, CHUNK, MARK), Accepted)


async def test_cookies_are_ignored() -> None:
    """Nothing that a server says is sent back to it."""
    reply = http(200, ok({"totalCount": 0, "images": None}), "Set-Cookie: a=b; Path=/", "Set-Cookie: ;;=\x80")
    async with serving(always(reply)) as server, JdCloud(access(server.url)) as cloud:
        for _ in range(2):
            assert isinstance(await cloud.list(LIST), Listed)
    assert all("cookie" not in seen.headers for seen in server.seen)


async def test_the_environment_sets_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxy variables and ~/.netrc of whoever runs the program change nothing."""
    async with serving(always(LISTING)) as proxy, serving(always(LISTING)) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        async with JdCloud(access(server.url)) as cloud:
            assert isinstance(await cloud.list(LIST), Listed)
    assert (proxy.connections, server.connections) == (0, 1)


async def test_a_proxy_that_is_set_is_used_with_its_password() -> None:
    """An explicit proxy gets the request and its own credentials."""
    async with serving(always(LISTING)) as proxy:
        through = f"http://user:p%40ss-word@127.0.0.1:{proxy.port}"
        async with JdCloud(access("http://127.0.0.1:9", proxy=through)) as cloud:
            assert isinstance(await cloud.list(LIST), Listed)
    assert proxy.seen[0].target.startswith("http://127.0.0.1:9/v1/regions/")
    assert proxy.seen[0].headers["proxy-authorization"] == "Basic dXNlcjpwQHNzLXdvcmQ="


async def test_a_proxy_that_refuses_is_no_doubt() -> None:
    """A tunnel that was not opened carried nothing, and the proxy's password is not told."""
    reply = always(http(407, "who are you?"))
    async with serving(reply) as proxy:
        through = f"http://user:{PASSWORD}@127.0.0.1:{proxy.port}"
        for endpoint in ("https://127.0.0.1:9", "http://127.0.0.1:9"):
            async with JdCloud(access(endpoint, proxy=through)) as cloud:
                answer = await cloud.copy(CALL, CHUNK, MARK)
            assert isinstance(answer, Refused)
            assert answer.reason is Reason.UNREACHABLE
            assert PASSWORD not in to_json(answer)


async def test_a_cancelled_call_is_cancelled() -> None:
    """A cancellation is no event of the cloud: it passes through."""
    asked = asyncio.Event()

    async def silence(request: Seen, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    async with serving(silence) as server, JdCloud(access(server.url)) as cloud:
        task = asyncio.create_task(cloud.copy(CALL, CHUNK, MARK))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_a_server_that_echoes_secrets_does_not_get_them_into_events() -> None:
    """Whatever of the request comes back in an answer, no token and no signature reaches an event."""

    async def echo(request: Seen, writer: asyncio.StreamWriter) -> None:
        said = f"{request.headers['authorization']} {request.headers['x-jdcloud-security-token']} {TOKEN}"
        body = refusal(400, "ECHO", said) if "check" not in request.target else said
        writer.write(http(400, body))

    async with serving(echo) as server, JdCloud(access(server.url)) as cloud:
        events = [await cloud.copy(CALL, CHUNK, MARK), await cloud.list(LIST), await cloud.check(CHECK)]
    for event, seen in zip(events, server.seen, strict=True):
        text = to_json(event)
        assert "***" in text
        assert TOKEN not in text
        assert seen.headers["x-jdcloud-security-token"] not in text
        assert seen.headers["authorization"].rpartition("=")[2] not in text


def test_access_does_not_show_what_it_holds() -> None:
    """Neither keys nor the proxy's password are in its repr."""
    shown = repr(access(proxy=f"http://user:{PASSWORD}@proxy:3128"))
    assert PASSWORD not in shown
    assert "AKEXAMPLE0001" not in shown


async def test_a_ca_file_that_cannot_be_used_is_a_clear_error(tmp_path: Path) -> None:
    """A missing file and a file that holds no certificate are named, with what to do."""
    (tmp_path / "empty.pem").write_text("no certificate")
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(SettingsError, match=rf"CA_FILE: .*{name}.*PEM"):
            async with JdCloud(access(ca_file=tmp_path / name)):
                pass


async def test_broken_replies_never_raise() -> None:
    """Replies with bytes changed, cut out and doubled are all events: 400 seeded mutations."""
    chance = random.Random(20260402)
    whole = [
        NIGHT,
        LISTING,
        http(400, refusal(400, "FAILED_PRECONDITION", "The image 'img-a1' is busy")),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n5\r\nhello\r\n0",
    ]

    async def broken(request: Seen, writer: asyncio.StreamWriter) -> None:
        data = bytearray(chance.choice(whole))
        for _ in range(chance.randint(0, 4)):
            at = chance.randrange(len(data))
            data[at : at + chance.choice((0, 1, 1, 8))] = chance.randbytes(chance.choice((0, 1, 1, 3)))
        writer.write(data)
        writer.close()

    believed = 0
    async with serving(broken) as server, JdCloud(access(server.url)) as cloud:
        for _ in range(200):
            answer = await cloud.copy(CALL, CHUNK, MARK)
            assert isinstance(answer, Accepted | Refused | Lost)
            believed += isinstance(answer, Accepted) and answer.pairs[0][0] == A1
            to_json(await cloud.list(LIST))
    assert len(server.seen) == 400
    assert 0 < believed < 100
