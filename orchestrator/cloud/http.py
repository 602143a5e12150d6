"""One signed request over aiohttp and what became of it: sent once, read with a cap, judged by nobody here.

Every request has a connection of its own. So no call is in doubt only because the server had just
closed a kept one, and nothing that a server or a gateway says unasked between two requests is
taken for the answer to the second. aiohttp by itself sends a GET again when a connection breaks.
That would be a second request with the same nonce, unseen by the count of calls, so `never_again`
prevents it: the read is unanswered and is asked again later, signed anew.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import SimpleNamespace, TracebackType
from typing import Self

import aiohttp
from aiohttp.http_exceptions import ContentEncodingError, HttpProcessingError
from yarl import URL

from orchestrator import __version__
from orchestrator.cloud import signing
from orchestrator.cloud.access import Access, Keys
from orchestrator.cloud.errors import Fault, tidy
from orchestrator.cloud.replies import Answer
from orchestrator.cloud.requests import Request
from orchestrator.core.reasons import Reason
from orchestrator.errors import SettingsError

BODY_MAX = 4 * 1024 * 1024
"""Most bytes of a body, counted after decompression; 100 images need about 200 kB."""

_CONNECT_S = 15.0
_SOCK_CONNECT_S = 10.0
_SECRET_MIN = 8  # a shorter "secret" is a test's, and would cut holes into honest text
_OBJECT = re.compile(r" ssl:(?:\w+|<[^<>]*>)(?= \[)")
"""How aiohttp's own words show the TLS context, also where no TLS is spoken."""

_NOT_SENT = (
    aiohttp.ClientConnectorError,  # name resolution, refused, TLS, the proxy refused
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,  # the proxy would not open a tunnel
    aiohttp.InvalidURL,
)


@dataclass(slots=True)
class _Progress:
    """How far a request got. Only what the trace hooks saw counts: without them nothing is sure."""

    before_send: Callable[[], object]
    begun: bool = False
    connected: bool = False

    @property
    def surely_not_sent(self) -> bool:
        """Tell whether it ended before it had a connection."""
        return self.begun and not self.connected


class Http:
    """The connections to the cloud; an asynchronous context manager."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._used = [access.keys]
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the session. Raises SettingsError when the CA file cannot be used."""
        context = tls_context(self._access)
        self._session = await self._stack.enter_async_context(_session(self._access, context))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the session and its connections."""
        await self._stack.aclose()

    @property
    def keys(self) -> Keys:
        """The keys that the next request is signed with."""
        return self._used[-1]

    def renew(self, refused: Keys) -> bool:
        """Take note that keys were refused; tell whether requests are signed with others from now on."""
        keys = self._access.renew(refused)
        if keys is not None and keys != self.keys:
            self._used.append(keys)
        return keys is not None

    async def send(self, request: Request) -> Answer | Fault:
        """Send a request once. Whatever the network does is a Fault; a cancellation passes through."""
        url = self._access.endpoint(request.service) + request.target
        headers = signed_headers(self._access, self.keys, request, url)
        hide = (*self._access.secrets(self._used), headers[signing.AUTHORIZATION].rpartition("=")[2])
        progress = _Progress(_nothing if request.method == "GET" else self._access.before_call)
        try:
            async with self._session.request(
                request.method,
                URL(url, encoded=True),
                data=request.body or None,
                headers=headers,
                allow_redirects=False,
                trace_request_ctx=progress,
            ) as response:
                self._access.hear_date(response.headers.get("Date", ""))
                return await _read(response, hide)
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:  # TimeoutError is an OSError
            return Fault(_reason(error, progress), tidy(_hidden(_explain(error), hide)))


def signed_headers(access: Access, keys: Keys, request: Request, url: str) -> dict[str, str]:
    """Make the headers of a request, with a date and a nonce of its own, both signed."""
    scope = signing.Scope(signing.stamp(access.signing_time()), request.region, request.service.value)
    headers = {
        "Content-Type": "application/json",
        signing.DATE: scope.date,
        signing.NONCE: access.nonce(),
    }
    if keys.session_token is not None:
        headers[signing.TOKEN] = signing.token_value(keys.session_token.reveal())
    headers[signing.AUTHORIZATION] = signing.sign(
        request.method, url, headers, request.body, scope, keys.access_key, keys.secret_key.reveal()
    )
    return headers | {
        "Host": signing.host_of(url),
        "Accept-Encoding": "identity",
        "User-Agent": f"jdcloud-image-orchestrator/{__version__}",
    }


def tls_context(access: Access) -> ssl.SSLContext | None:
    """Trust the system's authorities and, if given, those of the CA file; TLS 1.2 at least.

    None where neither an endpoint nor the proxy speaks TLS: loading the authorities takes a while.
    Raises SettingsError when the file cannot be used.
    """
    urls = (access.vm_endpoint, access.disk_endpoint, access.proxy or "")
    if not any(url.startswith("https:") for url in urls):
        return None
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if access.ca_file is not None:
        try:
            context.load_verify_locations(cafile=access.ca_file)
        except OSError as error:  # ssl.SSLError is one
            raise SettingsError(
                f"CA_FILE: {access.ca_file} cannot be used ({error.strerror or error}). "
                "Name a readable file of certificates in PEM form."
            ) from None
    return context


def _session(access: Access, context: ssl.SSLContext | None) -> aiohttp.ClientSession:
    """Make a session that takes nothing from the environment and stores nothing.

    Its pool has no limit: how many requests run at a time is ruled elsewhere.
    """
    total_s = access.request_timeout_s
    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(_on_begun)
    trace.on_connection_create_end.append(_on_connected)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(
            ssl=True if context is None else context, limit=0, ttl_dns_cache=60, force_close=True
        ),
        timeout=aiohttp.ClientTimeout(
            total=total_s, connect=min(_CONNECT_S, total_s), sock_connect=min(_SOCK_CONNECT_S, total_s)
        ),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        proxy=access.proxy,
        trace_configs=[trace],
        middlewares=[never_again],
    )


async def _on_begun(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
    """Note that the hooks are at work."""
    context.trace_request_ctx.begun = True


async def _on_connected(session: aiohttp.ClientSession, context: SimpleNamespace, params: object) -> None:
    """Ask for the last time whether to send; note that from here on it may have been."""
    context.trace_request_ctx.before_send()
    context.trace_request_ctx.connected = True


def _nothing() -> None:
    """Ask nobody: a read may be sent at any time."""


async def never_again(
    request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
) -> aiohttp.ClientResponse:
    """Turn the errors on which aiohttp would send a GET again into one on which it does not."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except aiohttp.ServerDisconnectedError as error:  # its text may be half a head, bytes and all
        whole = isinstance(error.message, str)
        text = error.message if whole else "Server disconnected in the middle of its answer"
        raise aiohttp.ClientConnectionError(text) from error
    except aiohttp.ClientOSError as error:
        raise aiohttp.ClientConnectionError(str(error)) from error


async def _read(response: aiohttp.ClientResponse, hide: tuple[str, ...]) -> Answer | Fault:
    """Read a body up to the cap, and cut out what a hostile server might have echoed."""
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > BODY_MAX:
            response.close()
            return Fault(Reason.OVERSIZED, f"{response.status} a body of more than {BODY_MAX} bytes")
    clean = bytes(body)
    for text in hide:
        if len(text) >= _SECRET_MIN:
            clean = clean.replace(text.encode(), b"***")
    return Answer(response.status, clean)


def _reason(error: Exception, progress: _Progress) -> Reason:
    """Say what an error means for the request. What was not surely unsent may have arrived."""
    if isinstance(error, _NOT_SENT) or progress.surely_not_sent:
        return Reason.UNREACHABLE
    if isinstance(error, TimeoutError):
        return Reason.TIMEOUT
    garbled = (aiohttp.ClientResponseError, HttpProcessingError)
    if isinstance(error, garbled) or isinstance(error.__cause__, ContentEncodingError):
        return Reason.UNREADABLE
    return Reason.DISCONNECTED


def _explain(error: Exception) -> str:
    """Put an error into words; a response error's own text may hold the proxy's URL."""
    name = type(error).__name__
    if isinstance(error, aiohttp.ClientResponseError):
        return f"{name}: {error.status} {error.message}"
    said = _OBJECT.sub("", str(error))
    return f"{name}: {said}" if said else name


def _hidden(text: str, hide: tuple[str, ...]) -> str:
    """Cut secrets out of a text."""
    for secret in hide:
        if len(secret) >= _SECRET_MIN:
            text = text.replace(secret, "***")
    return text
