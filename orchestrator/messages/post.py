"""Sends one message over HTTP, a few times if need be; says in words that hold no URL why it could not."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import anyio

from orchestrator import __version__
from orchestrator.settings.messages import leads_here
from orchestrator.settings.secret import Secret

if TYPE_CHECKING:
    import aiohttp

TRIES = 3
TRY_S = 10.0
"""Longest that one try may take, from the name's resolution to the answer's head."""

PAUSE_S = 1.0
"""Pause after the first failed try; it doubles."""

_AGAIN = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How requests leave this machine: the settings `proxy` and `ca_file`."""

    proxy: Secret | None = field(default=None, repr=False)
    ca_file: Path | None = None


def ping_target(url: Secret, word: str) -> Secret:
    """Name what a check is told by: `start`, an exit code, nothing for success. A query keeps its place."""
    parts = urlsplit(url.reveal())
    path = f"{parts.path.rstrip('/')}/{word}" if word else parts.path
    return Secret(urlunsplit(parts._replace(path=path)))


async def send(url: Secret, way: Way, *, body: bytes | None = None, tries: int = TRIES) -> str:
    """GET a URL, or POST a JSON body to it; return "" when it was taken, else why not.

    Any answer from 200 to 299 is a yes. What may pass is tried again: no connection, no answer, 408,
    425, 429 and 5xx. A redirect is not followed: it would carry the message to somebody else.
    Takes at most `tries` * TRY_S and the pauses between. A cancellation passes through.
    """
    trouble = ""
    for attempt in range(tries):
        if attempt:
            await anyio.sleep(PAUSE_S * 2 ** (attempt - 1))
        trouble, again = await _try(url, way, body)
        if not again:
            break
    return trouble


async def _try(url: Secret, way: Way, body: bytes | None) -> tuple[str, bool]:
    """Send once; return the trouble, and whether another try may end better."""
    try:
        with anyio.fail_after(TRY_S):
            status = await _status(url, way, body)
    except TimeoutError:
        return f"no answer within {TRY_S:.0f} s", True
    except Exception as error:  # whatever a library raises: its text may hold the URL, its name does not
        return _named(error), True
    if 200 <= status < 300:
        return "", False
    if 300 <= status < 400:
        return f"the answer is a redirect ({status}), which is not followed", False
    return f"the answer is {status}", status >= 500 or status in _AGAIN


async def _status(url: Secret, way: Way, body: bytes | None) -> int:
    """Send once and return the status; nothing of the answer's body is read."""
    from yarl import URL

    target = URL(url.reveal(), encoded=True)
    headers = {"User-Agent": f"jdcloud-image-orchestrator/{__version__}"}
    if body is not None:
        headers["Content-Type"] = "application/json; charset=utf-8"
    async with (
        _session(url, way) as session,
        session.request(
            "GET" if body is None else "POST", target, data=body, headers=headers, allow_redirects=False
        ) as response,
    ):
        return response.status


def _session(url: Secret, way: Way) -> aiohttp.ClientSession:
    """Make a session for one request; it takes nothing from the environment. This machine needs no proxy."""
    import aiohttp

    from orchestrator.cloud.http import never_again

    proxy = way.proxy.reveal() if way.proxy and not leads_here(url) else None
    secure = any(address.startswith("https:") for address in (url.reveal().lower(), proxy or ""))
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=_context(way) if secure else True, force_close=True),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        proxy=proxy,
        middlewares=[never_again],
    )


def _context(way: Way) -> ssl.SSLContext:
    """Trust the system's authorities and those of the CA file; TLS 1.2 at least."""
    context = ssl.create_default_context(cafile=None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if way.ca_file is not None:
        context.load_verify_locations(cafile=way.ca_file)
    return context


def _named(error: Exception) -> str:
    """Say what went wrong by the kind of error alone."""
    import aiohttp

    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError):
        return "no secure connection: the certificate is not trusted, or TLS is not spoken there"
    if isinstance(error, aiohttp.ClientHttpProxyError | aiohttp.ClientProxyConnectionError):
        return "the proxy let nothing through"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "no connection"
    return f"no usable answer ({type(error).__name__})"
