"""The signature equals what the official signers make."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.cloud.signing import (
    Scope,
    Version,
    canonical_path,
    canonical_query,
    canonical_request,
    host_of,
    sign,
    signature,
    stamp,
    string_to_sign,
    token_value,
)

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "signing-vectors.json").read_bytes())


@pytest.mark.parametrize("vector", VECTORS, ids=[v["name"] for v in VECTORS])
def test_every_vector_of_the_official_signers(vector: dict[str, Any]) -> None:
    """Canonical request, string to sign and Authorization equal the official signers', letter by letter."""
    scope = Scope(vector["date"], vector["region"], vector["service"], Version(vector["algorithm"]))
    path, _, query = vector["url"].split("://")[1].partition("/")[2].partition("?")
    body = vector["body"].encode()
    headers = vector["headers_before_signing"] | {"Host": host_of(vector["url"])}
    canonical = canonical_request(vector["method"], f"/{path}", query, headers, body)
    assert canonical == vector["canonical_request"]
    assert string_to_sign(scope, canonical) == vector["string_to_sign"]
    made = sign(
        vector["method"],
        vector["url"],
        vector["headers_before_signing"],
        body,
        scope,
        vector["access_key"],
        vector["secret_key"],
    )
    assert made == vector["authorization"]


def test_the_vectors_are_all_there() -> None:
    """The vectors cover both versions, both services and the session token."""
    assert len(VECTORS) == 14
    assert {v["algorithm"] for v in VECTORS} == {"JDCLOUD2", "JDCLOUD3"}
    assert {v["service"] for v in VECTORS} == {"vm", "disk"}
    assert any("x-jdcloud-security-token" in v["headers_before_signing"] for v in VECTORS)


def test_the_session_token_is_sent_in_base64() -> None:
    """The token's header value is the vector's."""
    assert token_value("session-token-raw") == "c2Vzc2lvbi10b2tlbi1yYXc="


def test_the_date_is_utc_to_the_second() -> None:
    """A time is written in UTC, fractions dropped."""
    assert stamp(1775093445.99) == "20260402T013045Z"


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://vm.jdcloud-api.com/v1", "vm.jdcloud-api.com"),
        ("https://vm.jdcloud-api.com:443/v1", "vm.jdcloud-api.com"),
        ("http://h:80/", "h"),
        ("http://127.0.0.1:18080/v1", "127.0.0.1:18080"),
        ("http://[::1]:18080/v1", "[::1]:18080"),
        ("http://[::1]/v1", "[::1]"),
        ("http://u:p@h:8443/", "h:8443"),
    ],
)
def test_the_host_is_signed_as_the_official_signer_does(url: str, host: str) -> None:
    """The ports 80 and 443 and a user never get into the signed host."""
    assert host_of(url) == host


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("", "/"),
        ("v1", "/v1"),
        ("//v1///a:b", "/v1/a%3Ab"),
        ("/a%3Ab~c", "/a%3Ab~c"),
        ("/a+b%2Bc", "/a%20b%2Bc"),
        ("/a%2F%2Fb", "/a/b"),
    ],
)
def test_a_path_has_one_signed_form(path: str, canonical: str) -> None:
    """Escaped or not, a path is signed in one form, so a proxy that re-escapes it does no harm."""
    assert canonical_path(path) == canonical


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("&&b=2&a=1&", "a=1&b=2"),
        ("a=b=c", "a=b%3Dc"),
        ("bare&=x&e=", "e="),
        ("ids.2=b&ids.10=c&ids.1=a", "ids.1=a&ids.10=c&ids.2=b"),
        ("x=a+b&y=%7E", "x=a%20b&y=~"),
    ],
)
def test_a_query_has_one_signed_form(query: str, canonical: str) -> None:
    """Parameters are sorted as text and encoded in one way; nameless ones are dropped."""
    assert canonical_query(query) == canonical


def test_the_signature_depends_on_every_part_of_the_scope() -> None:
    """A signature for one day, region, service or version is none for another."""
    scopes = [
        Scope("20260402T013045Z", "cn-north-1", "vm"),
        Scope("20260403T013045Z", "cn-north-1", "vm"),
        Scope("20260402T013045Z", "cn-east-2", "vm"),
        Scope("20260402T013045Z", "cn-north-1", "disk"),
        Scope("20260402T013045Z", "cn-north-1", "vm", Version.JDCLOUD2),
    ]
    assert len({signature("secret", scope, "text") for scope in scopes}) == len(scopes)
