"""Faults over real sockets: what a client sees, and whether the service did the work."""

from __future__ import annotations

import json
from random import Random

import aiohttp
import pytest

from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from tests.simulator.clients import Client, Reply, serving
from tests.simulator.worlds import make_world


async def _strike(fault: Fault) -> tuple[Reply | None, int, dict[str, int]]:
    """Send one copy call of two images into a fault: reply (None: connection broke), copies, faults."""
    world = make_world()
    rule = Rule(fault=fault, on=frozenset({"copyImages"}), nth=frozenset({1}))
    async with serving(world, FaultPlan(Random(1), [rule], slow_s=0.01)) as client:
        reply = await _copy(client)
        assert (await client.copy("img-a3")).status == 200
    return reply, len(world.books()["copies"]) - 1, world.books()["faults"]


async def _copy(client: Client) -> Reply | None:
    """Send the call; None when the connection broke."""
    try:
        return await client.copy("img-a1", "img-a2")
    except aiohttp.ClientError:
        return None


@pytest.mark.parametrize(
    ("fault", "words", "copies"),
    [
        (Fault.THROTTLE, (429, "HTTP_RATE_LIMIT_EXCEEDED", "minute rate limit exceeded, role:ak"), 0),
        (
            Fault.CONFLICT,
            (400, "FAILED_PRECONDITION", "Conflict with underlay image task 'task-foreign'"),
            0,
        ),
        (Fault.INTERNAL, (500, "INTERNAL", "Internal server error"), 0),
        (Fault.NO_REQUEST_ID, (500, "INTERNAL", "Internal server error"), 0),
        (Fault.GATEWAY_TIMEOUT, (504, "HTTP_SERVER_TIMING_OUT", "The upstream server is timing out"), 2),
    ],
)
async def test_faults_with_an_envelope(fault: Fault, words: tuple[int, str, str], copies: int) -> None:
    """The error is as documented, and only a late one comes after the effect."""
    reply, made, faults = await _strike(fault)
    assert reply is not None
    assert reply.error == words
    assert ("requestId" in reply.json) is (fault is not Fault.NO_REQUEST_ID)
    assert made == copies
    assert faults == {fault.value: 1}


@pytest.mark.parametrize(("fault", "copies"), [(Fault.RESET_BEFORE, 0), (Fault.RESET_AFTER, 2)])
async def test_resets_break_the_connection(fault: Fault, copies: int) -> None:
    """No answer at all, before or after the effect."""
    reply, made, _ = await _strike(fault)
    assert reply is None
    assert made == copies


async def test_a_bad_gateway_answers_in_html() -> None:
    """502, no JSON, nothing made."""
    reply, made, _ = await _strike(Fault.BAD_GATEWAY)
    assert reply is not None
    assert reply.status == 502
    assert reply.text.startswith("<html>")
    assert made == 0


async def test_a_truncated_answer_is_half_a_json_text() -> None:
    """200, unreadable, everything made."""
    reply, made, _ = await _strike(Fault.TRUNCATED)
    assert reply is not None
    assert reply.status == 200
    with pytest.raises(json.JSONDecodeError):
        _ = reply.json
    assert made == 2


async def test_an_answer_can_leave_a_pair_out() -> None:
    """Two copies made, one of them told."""
    reply, made, _ = await _strike(Fault.FEWER_PAIRS)
    assert reply is not None
    assert [pair["sourceImageId"] for pair in reply.json["result"]["copyImages"]] == ["img-a1"]
    assert made == 2


async def test_a_slow_answer_is_whole() -> None:
    """It only comes later."""
    reply, made, _ = await _strike(Fault.SLOW)
    assert reply is not None
    assert len(reply.json["result"]["copyImages"]) == made == 2


async def test_a_refused_call_is_refused_whatever_strikes_after_it() -> None:
    """A fault after the effect of a call that the world refuses shows the refusal."""
    rule = Rule(fault=Fault.RESET_AFTER, chance=1.0)
    async with serving(make_world(), FaultPlan(Random(1), [rule])) as client:
        assert (await client.copy("img-none")).status == 404


async def test_a_listing_error_strikes_listings_only() -> None:
    """DescribeImages fails, describeImage does not."""
    rule = Rule(fault=Fault.LISTING_ERROR, chance=1.0)
    async with serving(make_world(), FaultPlan(Random(1), [rule])) as client:
        listing = await client.send("GET", "/v1/regions/cn-north-1/images?imageSource=private")
        assert listing.error[:2] == (500, "INTERNAL")
        assert (await client.send("GET", "/v1/regions/cn-north-1/images/img-a1")).status == 200
