"""The cloud's request signature, pure: text in, text out; it knows no clock, no chance and no network.

The steps are those of the official SDK's signer (jdcloud_sdk/core/signer.py), which resemble AWS
signature version 4. JDCLOUD3 is what the Python SDK sends today, JDCLOUD2 what the Go SDK sends.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from urllib.parse import quote, unquote_plus, urlsplit

AUTHORIZATION = "Authorization"
DATE = "x-jdcloud-date"
NONCE = "x-jdcloud-nonce"
TOKEN = "x-jdcloud-security-token"  # noqa: S105  the name of a header
UNSIGNED = frozenset({"authorization", "user-agent"})
"""Headers that are never part of a signature."""

_SLASHES = re.compile("/+")


class Version(Enum):
    """The two signature versions in use; they differ in three strings only."""

    JDCLOUD2 = "JDCLOUD2"
    JDCLOUD3 = "JDCLOUD3"

    @property
    def algorithm(self) -> str:
        """The first word of the Authorization header."""
        return f"{self.value}-HMAC-SHA256"

    @property
    def terminator(self) -> str:
        """The last part of the credential scope."""
        return f"{self.value.lower()}_request"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is good for. `date` is the request's, as `stamp` writes it."""

    date: str
    region: str
    service: str
    version: Version = Version.JDCLOUD3

    @property
    def text(self) -> str:
        """The scope as the Authorization header and the string to sign write it."""
        return "/".join((self.date[:8], self.region, self.service, self.version.terminator))


def stamp(at: float) -> str:
    """Write a time (UTC epoch seconds) as `x-jdcloud-date` wants it: 20260402T013045Z."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")


def token_value(token: str) -> str:
    """Encode a session token for its header: base64, as both official SDKs do."""
    return b64encode(token.encode()).decode()


def host_of(url: str) -> str:
    """Name the host of a URL as it is signed: no user, no port when that is 80 or 443."""
    netloc = urlsplit(url).netloc.rpartition("@")[2]
    return re.sub(r":(80|443)$", "", netloc)


def canonical_path(path: str) -> str:
    """Bring a path into the signed form, whatever its escapes were: `:` becomes `%3A`."""
    encoded = quote(_SLASHES.sub("/", unquote_plus(path)), safe="/~")
    return encoded if encoded.startswith("/") else f"/{encoded}"


def canonical_query(query: str) -> str:
    """Bring a query into the signed form: decoded once, encoded again, sorted as text.

    Parameters without a name or without `=` are dropped.
    """
    pairs = (part.partition("=") for part in query.split("&"))
    kept = sorted((_requote(name), _requote(value)) for name, equals, value in pairs if name and equals)
    return "&".join(f"{name}={value}" for name, value in kept)


def canonical_request(method: str, path: str, query: str, headers: Mapping[str, str], body: bytes) -> str:
    """Write a request in its signed form; every header given is signed, and `host` must be among them.

    `path` and `query` are taken as sent (or in any other escaping), `body` is the exact bytes.
    """
    lines = sorted((name.lower(), value.strip()) for name, value in headers.items())
    return "\n".join(
        (
            method,
            canonical_path(path),
            canonical_query(query),
            *(f"{name}:{value}" for name, value in lines),
            "",
            signed_names(headers),
            hashlib.sha256(body).hexdigest(),
        )
    )


def signed_names(names: Iterable[str]) -> str:
    """Write the list of signed headers: lower case, sorted, joined by `;`."""
    return ";".join(sorted(name.lower() for name in names))


def string_to_sign(scope: Scope, canonical: str) -> str:
    """Write what is signed in the end: algorithm, date, scope and the hash of the canonical request."""
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    return "\n".join((scope.version.algorithm, scope.date, scope.text, digest))


def signature(secret: str, scope: Scope, text: str) -> str:
    """Sign a text (from `string_to_sign`) with the key that is good for this scope only: lower hex."""
    key = (scope.version.value + secret).encode()
    for part in scope.text.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    scope: Scope,
    access_key: str,
    secret: str,
) -> str:
    """Make the Authorization header of a request: all its headers and its host are signed."""
    signed = {name: value for name, value in headers.items() if name.lower() not in UNSIGNED}
    signed["host"] = host_of(url)
    parts = urlsplit(url)
    canonical = canonical_request(method, parts.path, parts.query, signed, body)
    seal = signature(secret, scope, string_to_sign(scope, canonical))
    return (
        f"{scope.version.algorithm} Credential={access_key}/{scope.text}, "
        f"SignedHeaders={signed_names(signed)}, Signature={seal}"
    )


def _requote(text: str) -> str:
    """Decode a name or value (`+` is a blank) and encode it in the one signed way."""
    return quote(unquote_plus(text), safe="~")
