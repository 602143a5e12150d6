"""The door: signatures of both versions, the documented 401 texts, clock and nonce."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from orchestrator.cloud.signing import Version
from orchestrator.simulator.gate import Caller, Gate, Incoming
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.traits import Switches
from tests.canary import WRONG
from tests.simulator.clients import serving
from tests.simulator.worlds import EAST, NORTH, make_world

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parent.parent / "cloud" / "signing-vectors.json").read_text(encoding="utf-8")
)
IMAGES = f"/v1/regions/{NORTH}/images?imageSource=private"


def _incoming(vector: dict[str, Any]) -> Incoming:
    """Make the request that an official signer signed, with the headers its client really sends."""
    parts = urlsplit(vector["url"])
    headers = {name.lower(): value for name, value in vector["headers_before_signing"].items()}
    headers |= {
        "host": parts.netloc,
        "x-jdcloud-date": vector["date"],
        "x-jdcloud-nonce": vector["nonce"],
        "authorization": vector["authorization"],
    }
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    return Incoming(vector["method"], target, headers, vector["body"].encode())


def _at(vector: dict[str, Any]) -> float:
    """Tell when a vector was signed, as epoch seconds."""
    return datetime.strptime(vector["date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _gate(vector: dict[str, Any]) -> Gate:
    return Gate({vector["access_key"]: vector["secret_key"]})


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_requests_signed_by_official_clients_are_let_in(vector: dict[str, Any]) -> None:
    """What the official Python and Go signers made passes, date and nonce signed or not."""
    caller = _gate(vector).check(_incoming(vector), _at(vector))
    assert caller == Caller(vector["access_key"], vector["service"], vector["region"])


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["name"] for vector in VECTORS])
def test_a_touched_request_is_refused(vector: dict[str, Any]) -> None:
    """Another body, path, method or secret: sign result is not same."""
    request, at = _incoming(vector), _at(vector)
    touched = [
        replace(request, body=request.body + b" "),
        replace(request, target=request.target.replace("regions", "region")),
        replace(request, method="PATCH"),
    ]
    for forged in touched:
        with pytest.raises(Refusal, match="401 ACCESS_ERROR: sign result is not same"):
            _gate(vector).check(forged, at)
    with pytest.raises(Refusal, match="sign result is not same"):
        Gate({vector["access_key"]: "another"}).check(request, at)


VECTOR = VECTORS[1]
SEAL: str = VECTOR["authorization"]


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"authorization": ""}, "lack of header authorization"),
        ({"x-jdcloud-date": ""}, "lack of header x-jdcloud-date"),
        (
            {"authorization": SEAL.replace("Credential=", "Nothing=")},
            "lack of credential in the header authorization",
        ),
        ({"authorization": SEAL.replace("SignedHeaders=", "Nothing=")}, "lack of header signedHeaders"),
        ({"authorization": SEAL.replace("AKEXAMPLE0001", "AKOTHER")}, "Invalid accessKey"),
        ({"authorization": SEAL[:-1]}, "sign result is not same"),
        ({"authorization": SEAL.replace("JDCLOUD3-", "JDCLOUD9-")}, "Invalid authentication credentials"),
        ({"authorization": SEAL.replace("/vm/", "/rds/")}, "Invalid authentication credentials"),
        ({"authorization": SEAL.replace("/vm/", "/")}, "Invalid authentication credentials"),
        ({"authorization": SEAL.replace("host;", "")}, "Invalid authentication credentials"),
        ({"authorization": SEAL.replace("20260402", "20260403")}, "Invalid authentication credentials"),
        ({"authorization": "nonsense"}, "Invalid authentication credentials"),
        ({"x-jdcloud-date": "yesterday"}, "Invalid authentication credentials"),
    ],
)
def test_every_401_has_its_documented_text(headers: dict[str, str], message: str) -> None:
    """Each way to be unsigned is told in the gateway's own words."""
    request = _incoming(VECTOR)
    spoilt = replace(request, headers={**request.headers, **headers})
    with pytest.raises(Refusal) as caught:
        _gate(VECTOR).check(spoilt, _at(VECTOR))
    assert (caught.value.http, caught.value.message) == (401, message)


@pytest.mark.parametrize(("off_s", "welcome"), [(-900, True), (900, True), (-901, False), (901, False)])
def test_a_clock_may_be_off_by_the_window(off_s: float, welcome: bool) -> None:
    """15 minutes either way by default."""
    gate, request = _gate(VECTOR), _incoming(VECTOR)
    if welcome:
        assert gate.check(request, _at(VECTOR) + off_s)
    else:
        with pytest.raises(Refusal, match="Invalid authentication credentials"):
            gate.check(request, _at(VECTOR) + off_s)


def test_a_nonce_is_good_once() -> None:
    """A replay is refused, unless the world does not mind."""
    gate, request, at = _gate(VECTOR), _incoming(VECTOR), _at(VECTOR)
    gate.check(request, at)
    with pytest.raises(Refusal, match="Invalid authentication credentials"):
        gate.check(request, at + 1)
    assert gate.check(request, at + 1, refuses_replays=False)


def test_a_forged_request_does_not_use_up_a_nonce() -> None:
    """Only what was signed well counts as seen."""
    gate, request, at = _gate(VECTOR), _incoming(VECTOR), _at(VECTOR)
    with pytest.raises(Refusal):
        gate.check(replace(request, body=b"forged"), at)
    assert gate.check(request, at)


def test_the_gate_shows_no_secret() -> None:
    """Its repr holds neither keys nor secrets."""
    assert "SKEXAMPLE" not in repr(_gate(VECTOR))


@pytest.mark.parametrize("version", list(Version))
@pytest.mark.parametrize("sign_date", [True, False])
async def test_both_versions_pass_over_http(version: Version, sign_date: bool) -> None:
    """JDCLOUD2 and JDCLOUD3, with date and nonce signed and unsigned."""
    async with serving(make_world()) as client:
        reply = await client.send("GET", IMAGES, version=version, sign_date=sign_date)
    assert reply.status == 200


async def test_a_wrong_secret_is_refused_over_http() -> None:
    """401 with the documented envelope, and the world was asked nothing."""
    world = make_world()
    async with serving(world) as client:
        client.secret = WRONG
        reply = await client.copy("img-a1")
    assert reply.error == (401, "ACCESS_ERROR", "sign result is not same")
    assert world.books()["requests"] == {}


async def test_a_signature_is_good_for_its_region_only() -> None:
    """Scope cn-east-2 on a path of cn-north-1: refused."""
    async with serving(make_world()) as client:
        reply = await client.send("GET", IMAGES, region=EAST)
    assert reply.error == (401, "ACCESS_ERROR", "Invalid authentication credentials")


async def test_replays_over_http_follow_the_switch() -> None:
    """The same nonce twice: 401, or 200 where the switch is off."""
    world = make_world()
    async with serving(world) as client:
        assert (await client.send("GET", IMAGES, nonce="once")).status == 200
        assert (await client.send("GET", IMAGES, nonce="once")).status == 401
        world.switches = Switches(refuses_replays=False)
        assert (await client.send("GET", IMAGES, nonce="once")).status == 200


async def test_the_gateway_suffix_marks_a_401() -> None:
    """With the switch, messages end in [gw] as some in the documents do."""
    async with serving(make_world(switches=Switches(gateway_suffix=True))) as client:
        reply = await client.raw("GET", IMAGES, "", {})
    assert reply.error == (401, "ACCESS_ERROR", "lack of header authorization[gw]")
