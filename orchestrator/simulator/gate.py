"""The gateway's door: lets in what is signed by a known key, just now, and for the first time.

It knows nothing of what the request asks.

Verifies JDCLOUD2 and JDCLOUD3 over whatever `SignedHeaders` lists: the official Python SDK leaves
date and nonce unsigned and is let in by the real gateway.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from orchestrator.cloud.signing import (
    DATE,
    NONCE,
    Scope,
    Version,
    canonical_request,
    signature,
    string_to_sign,
)
from orchestrator.simulator.refusals import Refusal, unauthenticated

SERVICES = frozenset({"vm", "disk"})
WINDOW_S = 15 * 60.0
"""How far a client's clock may be off; no document says."""

_ALGORITHMS = {version.algorithm: version for version in Version}
_HEX = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Incoming:
    """One request as it came: `target` is path and query untouched, header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The path, escapes as sent."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """The query, escapes as sent."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is let in, and what the signature is good for."""

    access_key: str
    service: str
    region: str


@dataclass(frozen=True, slots=True)
class _Seal:
    """The Authorization header, taken apart."""

    version: Version
    access_key: str
    scope: tuple[str, ...]
    signed: tuple[str, ...]
    signature: str


class Gate:
    """Holds the keys (access key -> secret) and the nonces seen within the window."""

    def __init__(self, keys: Mapping[str, str], *, window_s: float = WINDOW_S) -> None:
        self._keys = dict(keys)
        self._window_s = window_s
        self._nonces: dict[str, float] = {}

    def __repr__(self) -> str:
        """Show no secret."""
        return f"Gate({len(self._keys)} keys)"

    def replace(self, keys: Mapping[str, str]) -> None:
        """Know these keys from now on and no others, as when temporary ones end."""
        self._keys = dict(keys)

    def check(self, request: Incoming, at: float, *, refuses_replays: bool = True) -> Caller:
        """Let a request in, or raise the documented 401."""
        seal = _read_seal(request.headers.get("authorization"))
        date = request.headers.get(DATE)
        if not date:
            raise unauthenticated("lack of header x-jdcloud-date")
        self._check_date(date, at)
        caller = _caller(seal, date)
        secret = self._keys.get(caller.access_key)
        if secret is None:
            raise unauthenticated("Invalid accessKey")
        if not hmac.compare_digest(_signature(secret, seal, date, caller, request), seal.signature):
            raise unauthenticated("sign result is not same")
        self._check_nonce(request.headers.get(NONCE), at, refuses=refuses_replays)
        return caller

    def _check_date(self, date: str, at: float) -> None:
        """Refuse a date outside the window; the text for it is not documented."""
        try:
            sent_s = datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        except ValueError:
            raise _invalid("x-jdcloud-date is not of the form YYYYMMDDTHHMMSSZ") from None
        if abs(sent_s - at) > self._window_s:
            raise _invalid(f"x-jdcloud-date is {abs(sent_s - at):.0f} s off")

    def _check_nonce(self, nonce: str | None, at: float, *, refuses: bool) -> None:
        """Refuse a nonce for the second time within the window; the text is not documented either."""
        if len(self._nonces) > 10_000:
            self._nonces = {old: seen for old, seen in self._nonces.items() if seen > at - self._window_s}
        if nonce is None:
            return
        if refuses and self._nonces.get(nonce, at - 2 * self._window_s) > at - self._window_s:
            raise _invalid("x-jdcloud-nonce was used before")
        self._nonces[nonce] = at


def _invalid(details: str) -> Refusal:
    """Word the general 401, with details for whoever debugs a client."""
    return unauthenticated("Invalid authentication credentials", details)


def _read_seal(header: str | None) -> _Seal:
    """Take the Authorization header apart; each missing part has its documented text."""
    if not header:
        raise unauthenticated("lack of header authorization")
    algorithm, _, rest = header.partition(" ")
    parts = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if algorithm not in _ALGORITHMS:
        raise _invalid("unknown algorithm")
    if not parts.get("Credential"):
        raise unauthenticated("lack of credential in the header authorization")
    if not parts.get("SignedHeaders"):
        raise unauthenticated("lack of header signedHeaders")
    access_key, *scope = parts["Credential"].split("/")
    signed = tuple(parts["SignedHeaders"].lower().split(";"))
    seal = parts.get("Signature", "")
    return _Seal(
        _ALGORITHMS[algorithm], access_key, tuple(scope), signed, seal if _HEX.fullmatch(seal) else ""
    )


def _caller(seal: _Seal, date: str) -> Caller:
    """Read the scope, which must be of this day and of a service that exists."""
    if len(seal.scope) != 4:
        raise _invalid("the credential scope has not four parts")
    day, region, service, terminator = seal.scope
    if day != date[:8] or terminator != seal.version.terminator:
        raise _invalid("the credential scope does not fit date and algorithm")
    if service not in SERVICES:
        raise _invalid(f"no service {service}")
    return Caller(seal.access_key, service, region)


def _signature(secret: str, seal: _Seal, date: str, caller: Caller, request: Incoming) -> str:
    """Sign the request anew, over the headers that its own signature lists."""
    if "host" not in seal.signed:
        raise _invalid("host is not signed")
    headers = {name: request.headers.get(name, "") for name in seal.signed}
    headers["host"] = re.sub(r":(80|443)$", "", headers["host"])
    canonical = canonical_request(request.method, request.path, request.query, headers, request.body)
    scope = Scope(date, caller.region, caller.service, seal.version)
    return signature(secret, scope, string_to_sign(scope, canonical))
