"""Replies that no sane server sends: each is an event with its own reason, and none raises."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from aioresponses import aioresponses

from orchestrator.cloud.document import TEXT_MAX, Node, Unreadable, parse
from orchestrator.cloud.errors import DETAIL_MAX, Fault
from orchestrator.cloud.http import BODY_MAX
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.cloud.replies import Answer, judge
from orchestrator.core.codec import from_json, kind_of, to_json
from orchestrator.core.messages import (
    Accepted,
    Checked,
    Inspected,
    Listed,
    Lost,
    ReadAnswer,
    Refused,
    Seen,
    Surveyed,
    Unanswered,
)
from orchestrator.core.reasons import Reason
from tests.cloud.support import CALL, CHECK, CHUNK, INSPECT, LIST, LOOK, MARK, SURVEY, URLS, access, ok

SANE = json.dumps(
    {
        "requestId": "r",
        "more": 1,
        "result": {
            "copyImages": [{"sourceImageId": "img-a1", "destinationImageId": "img-b1"}],
            "images": [],
            "totalCount": 0,
            "quotas": [{"resourceType": "image", "limit": 5, "used": 1}],
            "image": {"imageId": "img-b1", "status": "ready"},
        },
    }
).encode()


def _sane_but(more: bytes) -> bytes:
    """Put something in place of one number that nobody reads, in an otherwise sane answer."""
    return SANE.replace(b'"more": 1', more)


# each under 128 kB: aioresponses cannot feed more into aiohttp 3.14
INSANE: dict[str, bytes] = {
    "empty": b"",
    "blanks": b" \r\n ",
    "html": b"<html><body>502 Bad Gateway</body></html>",
    "half": b'{"requestId": "r", "result": {"copyIm',
    "not utf-8": b'{"requestId": "\xff\xfe"}',
    "utf-16": '{"requestId": "r"}'.encode("utf-16"),
    "nul bytes": bytes(1000),
    "null": b"null",
    "a list": b"[]",
    "a number": b"1",
    "nested too deeply": b"[" * 100_000,
    "nested objects": b'{"a":' * 20_000,
    "nested in a result": b'{"requestId":"r","result":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "a number of 5000 digits": b'{"requestId": "r", "result": {"totalCount": ' + b"9" * 5000 + b"}}",
    "a number of 20 digits": b'{"requestId": "r", "result": {"totalCount": ' + b"9" * 20 + b"}}",
    "a number past all numbers": b'{"requestId": "r", "result": {"totalCount": 1e999999}}',
    "NaN": b'{"requestId": "r", "result": {"totalCount": NaN}}',
    "Infinity": b'{"requestId": "r", "result": {"totalCount": -Infinity}}',
    "a key twice": b'{"requestId": "r", "result": {}, "result": {}}',
    "a key twice, deep": b'{"requestId": "r", "result": {"images": [{"imageId": "a", "imageId": "b"}]}}',
    "no result": b'{"requestId": "r"}',
    "result null": b'{"requestId": "r", "result": null}',
    "result a list": b'{"requestId": "r", "result": []}',
    "an error": b'{"requestId": "r", "error": {"code": 400, "message": "x", "status": "Y"}}',
    "an error that is a text": b'{"requestId": "r", "error": "no"}',
    "a result and an error": b'{"requestId": "r", "result": {"copyImages": []}, "error": {"code": 1}}',
    "numbers as names": b'{"requestId": "r", "result": {"images": 5, "copyImages": 5, "quotas": 5}}',
    "text as numbers": b'{"requestId": "r", "result": {"totalCount": "5", "images": "x"}}',
    "a flag as a number": b'{"requestId": "r", "result": {"totalCount": true, "images": [5]}}',
    "negative": b'{"requestId": "r", "result": {"totalCount": -1, "images": [{}]}}',
    "sane but for NaN": _sane_but(b'"more": NaN'),
    "sane but for 1e999999": _sane_but(b'"more": 1e999999'),
    "sane but for Infinity": _sane_but(b'"more": [-Infinity]'),
    "sane but for 20 digits": _sane_but(b'"more": ' + b"9" * 20),
    "sane but for 5000 digits": _sane_but(b'"more": {"x": ' + b"9" * 5000 + b"}"),
    "sane but for a key twice": _sane_but(b'"more": 1, "more": 1'),
    "sane but nested": _sane_but(b'"more": ' + b"[" * 30_000 + b"]" * 30_000),
    "sane but for an error": _sane_but(b'"error": {"code": 400, "status": "X", "message": "y"}'),
    "sane but for an empty error": _sane_but(b'"error": {}'),
    "sane but for a tail": SANE + b"{}",
    "elements null": b'{"requestId": "r", "result": {"images": [null], "copyImages": [null]}}',
}


async def _answers(body: bytes) -> list[Accepted | Refused | Lost | ReadAnswer]:
    """Answer every method with one body."""
    with aioresponses() as wire:
        wire.post(URLS["copy"], body=body)
        for name in ("inspect", "list", "survey", "look", "check"):
            wire.get(URLS[name], body=body)
        async with JdCloud(access()) as cloud:
            return [
                await cloud.copy(CALL, CHUNK, MARK),
                await cloud.inspect(INSPECT),
                await cloud.list(LIST),
                await cloud.survey(SURVEY),
                await cloud.look(LOOK),
                await cloud.check(CHECK),
            ]


async def test_the_sane_answer_is_read() -> None:
    """What the insane ones are made from answers every method, so each is refused for its own flaw."""
    answers = await _answers(SANE)
    assert [type(answer) for answer in answers] == [Accepted, Inspected, Listed, Surveyed, Seen, Checked]


@pytest.mark.parametrize("body", INSANE.values(), ids=INSANE.keys())
async def test_an_insane_success_is_unreadable(body: bytes) -> None:
    """For a call it is doubt, for every read no answer; the detail is short and says where."""
    for answer in await _answers(body):
        assert isinstance(answer, Lost | Unanswered)
        assert answer.reason is Reason.UNREADABLE
        assert answer.detail.startswith("200 ")
        assert len(answer.detail) <= DETAIL_MAX
        assert answer.detail.isprintable()


@pytest.mark.parametrize("body", INSANE.values(), ids=INSANE.keys())
def test_an_insane_refusal_is_doubt(body: bytes) -> None:
    """Under a 400, too, nothing of this is a refusal that can be believed, save the one real envelope."""
    fault = judge(Answer(400, body))
    assert isinstance(fault, Fault)
    readable = body == INSANE["an error"]
    assert fault.reason is (Reason.UNEXPLAINED if readable else Reason.UNREADABLE)


@pytest.mark.parametrize(
    "document",
    [
        {"error": {"status": "X", "message": "The image 'img-a1' is busy", "code": 500}},
        {"error": {"status": "X", "message": "The image 'img-a1' is busy", "code": 200}},
        {"error": {"status": "X", "message": "The image 'img-a1' is busy"}, "result": {"copyImages": [1]}},
        {"error": {"status": 5, "message": "The image 'img-a1' is busy"}},
        {"error": {"status": "", "message": "The image 'img-a1' is busy"}},
        {"error": {"message": "The image 'img-a1' is busy"}},
        {"error": {"status": "X", "message": ["The image 'img-a1' is busy"]}},
        {"error": "The image 'img-a1' is busy"},
        {"error": [{"status": "X", "message": "The image 'img-a1' is busy"}]},
        {"status": "X", "message": "The image 'img-a1' is busy"},
    ],
)
def test_an_envelope_that_contradicts_itself_is_doubt(document: dict[str, object]) -> None:
    """A refusal counts only in the documented envelope, with nothing in it that says otherwise."""
    fault = judge(Answer(400, json.dumps(document).encode()))
    assert isinstance(fault, Fault)
    assert fault.reason is Reason.UNREADABLE


def test_what_is_missing_around_a_refusal_does_not_matter() -> None:
    """An envelope without request id, code or with a null result is still a refusal."""
    error = {"status": "FAILED_PRECONDITION", "message": "The image 'img-a1' is busy"}
    for document in (
        {"error": error},
        {"error": error, "result": None, "requestId": 5},
        {"error": error, "result": {}},
    ):
        fault = judge(Answer(400, json.dumps(document).encode()))
        assert isinstance(fault, Fault)
        assert (fault.reason, fault.culprit, fault.request) == (Reason.BUSY, "img-a1", "")


def test_an_unreadable_body_is_shown_to_people() -> None:
    """The detail has the status, the complaint and how the body begins, on one printable line."""
    fault = judge(Answer(404, b"<html>\r\n\x1b[31mnginx" + b"x" * 5000))
    assert isinstance(fault, Fault)
    assert fault.detail.startswith("404 not JSON: <html>\\r\\n\\x1b[31mnginx")
    assert len(fault.detail) < 200


async def test_hostile_texts_pass_into_the_ledger_and_back() -> None:
    """Halves of surrogate pairs, control characters and a name without end make a storable event."""
    evil = {
        "imageId": "img-b1",
        "status": "\ud800 \x1b[2J",
        "name": "x" * 100_000,
        "desc": "\udfff\x00\n",
        "snapshotId": "\ud83d",
    }
    with aioresponses() as wire:
        wire.get(URLS["list"], body=ok({"images": [evil], "totalCount": 1}))
        async with JdCloud(access()) as cloud:
            event = await cloud.list(LIST)
    assert isinstance(event, Listed)
    assert len(event.images[0].name) == TEXT_MAX
    assert from_json(kind_of(event), to_json(event)) == event


def test_a_request_id_is_short_and_printable() -> None:
    """Whatever stands in requestId, what is kept can be shown."""
    body = judge(Answer(200, json.dumps({"requestId": "\x1b\n" * 500, "result": {}}).encode()))
    assert not isinstance(body, Fault)
    assert len(body.request) <= 64
    assert body.request.isprintable()


def test_an_object_with_very_many_keys_is_read_in_no_time() -> None:
    """Looking for a key that stands twice is linear: the double one may come last."""
    members = ",".join(f'"k{number}":1' for number in range(90_000))
    with pytest.raises(Unreadable, match="'k89999' twice"):
        parse(f'{{{members},"k89999":1}}'.encode())


@pytest.mark.parametrize("value", [b"{}", b"[]", b"0", b'{"a":1}', b'""'])
def test_very_many_values_cost_little(value: bytes) -> None:
    """A body of the largest size, full of the smallest values, is refused before each becomes an object."""
    body = b'{"requestId":"r","result":{"images":[' + (value + b",") * (BODY_MAX // (len(value) + 1))
    tracemalloc.start()
    try:
        fault = judge(Answer(200, body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(fault, Fault)
    assert fault.reason is Reason.UNREADABLE
    assert peak < 10 * 1024 * 1024


def test_complaints_name_the_place() -> None:
    """A person can find the value that was wrong."""
    node = Node({"images": [{"systemDisk": {"cloudDisk": 5}}]}, "result")
    place = node.at("images").items()[0].at("systemDisk").at("cloudDisk")
    with pytest.raises(Unreadable, match=r"^result\.images\[0\]\.systemDisk\.cloudDisk: not an object$"):
        place.at("snapshotId")
