"""The checks of the way to the cloud: names, connections, certificates, and how far the two clocks are apart.

It sends no request: the clock is read from answers that others got.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from socket import SOCK_STREAM, gaierror
from urllib.parse import urlsplit

import anyio
from anyio.streams.tls import TLSStream

from orchestrator.core.diagnosis import Finding, fail, ok, warn
from orchestrator.watch.text import span

ENDPOINT, CLOCK = "endpoint", "clock"
SKEW_WARN_S, SKEW_FAIL_S = 60.0, 300.0
_EXACT_S = 2.0
"""The header has whole seconds, and an answer takes a while: less than this is no difference."""

_PATIENCE_S = 10.0
_PORTS = {"http": 80, "https": 443}
_SET = "Let this machine's time service run, for example `timedatectl set-ntp true`."


async def endpoint_findings(
    endpoints: Sequence[str], context: ssl.SSLContext | None, *, proxied: bool
) -> list[Finding]:
    """Try each endpoint once: its name, a connection, its certificate. Nothing is tried past a proxy."""
    different = tuple(dict.fromkeys(endpoints))
    if proxied:
        return [
            ok(ENDPOINT, "reached through the proxy; the reads below tell", where=_host(e)) for e in different
        ]
    return [await _reach(endpoint, context) for endpoint in different]


async def _reach(endpoint: str, context: ssl.SSLContext | None) -> Finding:
    """Try one endpoint."""
    parts, host = urlsplit(endpoint), _host(endpoint)
    port = parts.port or _PORTS[parts.scheme]
    try:
        with anyio.fail_after(_PATIENCE_S):
            await anyio.getaddrinfo(host, port, type=SOCK_STREAM)
            async with await anyio.connect_tcp(host, port) as stream:
                if parts.scheme == "https":
                    await TLSStream.wrap(
                        stream, hostname=host, ssl_context=context, standard_compatible=False
                    )
    except (OSError, ssl.SSLError, anyio.BrokenResourceError, anyio.EndOfStream) as error:
        return unreached(host, port, error)
    return ok(ENDPOINT, f"answers on port {port}", where=host)


def unreached(host: str, port: int, error: Exception) -> Finding:
    """Say at which step it failed, and what helps there."""
    if isinstance(error, gaierror):
        mend = "Check this machine's name servers, VM_ENDPOINT and DISK_ENDPOINT; perhaps PROXY is needed."
        return fail(ENDPOINT, f"its name is not found ({error.strerror})", mend, where=host)
    if isinstance(error, ssl.SSLError):
        mend = "If a proxy reads along, name its certificates with CA_FILE; else see that the clock is right."
        found = f"no TLS ({error})"
        if isinstance(error, ssl.SSLCertVerificationError):
            found = f"its certificate is not trusted ({error.verify_message})"
        return fail(ENDPOINT, found, mend, where=host)
    mend = "Check firewall and route; perhaps PROXY is needed."
    if isinstance(error, TimeoutError):
        return fail(ENDPOINT, f"no connection on port {port} within {_PATIENCE_S:.0f} s", mend, where=host)
    return fail(ENDPOINT, f"no connection on port {port} ({_words(error)})", mend, where=host)


def _words(error: Exception) -> str:
    """Put a network error into words: the system's, where it has some."""
    text = error.strerror if isinstance(error, OSError) else ""
    return text or str(error) or type(error).__name__


def _host(endpoint: str) -> str:
    return urlsplit(endpoint).hostname or ""


# --- the clock ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Clocks:
    """Compares this machine's wall clock (UTC epoch seconds) with the Date headers that it hears."""

    wall: Callable[[], float]
    ahead_s: list[float] = field(default_factory=list)

    def hear(self, date: str) -> None:
        """Take one header in; what is no date says nothing."""
        try:
            self.ahead_s.append(self.wall() - parsedate_to_datetime(date).timestamp())
        except (ValueError, OverflowError, TypeError):
            return

    def finding(self) -> Finding:
        """Judge by the header that fits best: a slow answer makes a clock look ahead, never exact."""
        if not self.ahead_s:
            return warn(CLOCK, "no answer told the cloud's time", "Mend what is above, then look again.")
        ahead_s = min(self.ahead_s, key=abs)
        if abs(ahead_s) <= _EXACT_S:
            return ok(CLOCK, f"agrees with the cloud's to within {_EXACT_S:.0f} s")
        direction = "ahead of" if ahead_s > 0 else "behind"
        said = f"this machine is {span(abs(ahead_s), spoken=True)} {direction} the cloud"
        if abs(ahead_s) > SKEW_FAIL_S:
            return fail(CLOCK, f"{said}, which may refuse what is signed by such a clock", _SET)
        return warn(CLOCK, said, _SET) if abs(ahead_s) > SKEW_WARN_S else ok(CLOCK, said)
