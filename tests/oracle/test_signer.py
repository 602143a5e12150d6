"""Our signature equals the official SDK's, whatever the request; needs the SDK (group `oracle`)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.cloud.signing import Scope, sign, stamp, token_value

if TYPE_CHECKING:
    from jdcloud_sdk.core.credential import Credential
    from jdcloud_sdk.core.logger import FATAL, Logger
    from jdcloud_sdk.core.signer import Signer
else:
    _NEEDED = "jdcloud_sdk is not installed: the comparison with the official signer was NOT made"
    Credential = pytest.importorskip("jdcloud_sdk.core.credential", reason=_NEEDED).Credential
    FATAL = pytest.importorskip("jdcloud_sdk.core.logger", reason=_NEEDED).FATAL
    Logger = pytest.importorskip("jdcloud_sdk.core.logger", reason=_NEEDED).Logger
    Signer = pytest.importorskip("jdcloud_sdk.core.signer", reason=_NEEDED).Signer

pytestmark = pytest.mark.oracle

_words = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=12)
_keys = st.text("ABCDEFabcdef0123456789-+/=", min_size=1, max_size=40)
_hosts = st.sampled_from(["vm.jdcloud-api.com", "disk.jdcloud-api.com:443", "127.0.0.1:18080", "h:80"])
_regions = st.sampled_from(["cn-north-1", "cn-east-2", "jdcloud-api"])


@st.composite
def _urls(draw: st.DrawFn) -> str:
    """Draw a URL with a path and a query, escaped or partly so, as clients send them."""
    as_it_is = "".join(map(chr, range(33, 127))).translate(str.maketrans("", "", "?#;[]%\\"))
    safe = draw(st.sampled_from(["", "/:", as_it_is]))
    path = "/".join(quote(part, safe=safe) for part in draw(st.lists(_words, max_size=4)))
    pairs = draw(st.lists(st.tuples(_words, _words), max_size=4))
    query = "&".join(f"{quote(k, safe='')}={quote(v, safe='=')}" for k, v in pairs)
    return f"https://{draw(_hosts)}/v1/{path}?{query}"


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    url=_urls(),
    body=_words,
    at=st.integers(946_684_800, 4_102_444_800),
    region=_regions,
    service=st.sampled_from(["vm", "disk"]),
    keys=st.tuples(_keys, _keys),
    token=st.none() | _words,
)
@settings(max_examples=500, deadline=None, derandomize=True)
def test_our_signature_is_the_official_one(
    method: str,
    url: str,
    body: str,
    at: int,
    region: str,
    service: str,
    keys: tuple[str, str],
    token: str | None,
) -> None:
    """Date, nonce and token signed: both signers write the same Authorization header."""
    headers = {"Content-Type": "application/json", "x-jdcloud-date": stamp(at), "x-jdcloud-nonce": "n-1"}
    if token is not None:
        headers["x-jdcloud-security-token"] = token_value(token)
    ours = sign(method, url, headers, body.encode(), Scope(stamp(at), region, service), *keys)
    theirs = dict(headers)
    Signer(Logger(FATAL)).sign(method, service, region, url, theirs, body, Credential(*keys), None)
    assert ours == theirs["Authorization"]
