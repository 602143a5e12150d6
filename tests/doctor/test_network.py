"""The way to the cloud: names, connections and certificates, and two clocks compared."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import EAI_NONAME, gaierror

import pytest

from orchestrator.cloud.http import tls_context
from orchestrator.core.diagnosis import Level
from orchestrator.doctor.network import Clocks, endpoint_findings, unreached
from tests.cloud.support import LOOPBACK, access, loopback_tls


async def _nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hang up: nobody should want an answer."""
    writer.close()


@asynccontextmanager
async def listening(context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Listen on a free port; give it."""
    server = await asyncio.start_server(_nothing, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_server_that_answers_is_in_order() -> None:
    """One connection, no request, and one finding for two services at one place."""
    async with listening() as port:
        url = f"http://127.0.0.1:{port}"
        (finding,) = await endpoint_findings((url, url), None, proxied=False)
    assert (finding.level, finding.where) == (Level.OK, "127.0.0.1")


async def test_a_certificate_that_nobody_trusts_is_named() -> None:
    """Without CA_FILE it fails and says so; with it the same server is in order."""
    async with listening(loopback_tls()) as port:
        url = f"https://127.0.0.1:{port}"
        plain, trusting = tls_context(access(url)), tls_context(access(url, ca_file=LOOPBACK))
        (refused,) = await endpoint_findings((url,), plain, proxied=False)
        (taken,) = await endpoint_findings((url,), trusting, proxied=False)
    assert (refused.level, "CA_FILE" in refused.mend) == (Level.FAIL, True)
    assert "certificate" in refused.found
    assert taken.level is Level.OK


async def test_nothing_is_tried_past_a_proxy() -> None:
    """A proxy may be the only way out: a direct connection would fail, and say nothing of it."""
    urls = ("https://vm.jdcloud-api.com", "https://disk.jdcloud-api.com")
    findings = await endpoint_findings(urls, None, proxied=True)
    assert [(f.level, f.where) for f in findings] == [
        (Level.OK, "vm.jdcloud-api.com"),
        (Level.OK, "disk.jdcloud-api.com"),
    ]


@pytest.mark.parametrize(
    ("error", "said", "mend"),
    [
        (gaierror(EAI_NONAME, "Name or service not known"), "name is not found", "name servers"),
        (TimeoutError(), "within 10 s", "firewall"),
        (ConnectionRefusedError(111, "Connection refused"), "Connection refused", "firewall"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER]"), "no TLS", "CA_FILE"),
    ],
)
def test_each_step_that_fails_has_its_own_remedy(error: Exception, said: str, mend: str) -> None:
    """Name, connection and certificate are told apart."""
    finding = unreached("vm.jdcloud-api.com", 443, error)
    assert (said in finding.found, mend in finding.mend) == (True, True)


def test_the_header_that_fits_best_counts() -> None:
    """One answer took two minutes on its way, the next one did not: the clock is right."""
    clocks = Clocks(lambda: 1_775_131_320.0)
    clocks.hear("Thu, 02 Apr 2026 12:00:00 GMT")
    assert clocks.finding().level is Level.WARN
    clocks.hear("Thu, 02 Apr 2026 12:02:00 GMT")
    assert clocks.finding().level is Level.OK


@pytest.mark.parametrize("date", ["", "yesterday", "Thu, 99 Apr 2026 12:00:00 GMT", "\x1b[2J"])
def test_what_is_no_date_says_nothing(date: str) -> None:
    """A hostile or missing header is passed over; that nobody told the time is a warning, not a fault."""
    clocks = Clocks(lambda: 0.0)
    clocks.hear(date)
    assert clocks.finding().level is Level.WARN
