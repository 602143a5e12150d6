"""Replies by mutation, read by the real adapter without a network: each is a proper event, whatever came."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from random import Random
from typing import Any

from orchestrator.cloud.errors import Fault
from orchestrator.cloud.http import Http
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.cloud.replies import Answer
from orchestrator.cloud.requests import Request
from orchestrator.core.messages import (
    Event,
)
from tests.cloud import support
from tests.fuzz.events import CHUNK, judge
from tests.fuzz.spoiling import flow, grown, spoil_bytes, spoil_tree
from tests.fuzz.words import JSON

_MADE = {
    "requestId": "q" * 32,
    "result": support.accepted(*((f"img-a{n}", f"img-b{n}") for n in range(1, 11))),
}
_IMAGE = {
    "imageId": "img-b1", "name": "golden", "desc": support.MARK, "status": "pending", "progress": "42",
    "sizeMB": 40960, "rootDeviceType": "cloudDisk", "imageSource": "private", "snapshotId": "snapshot-1",
    "systemDisk": {"cloudDisk": {"snapshotId": "snapshot-1", "encrypted": False}},
    "dataDisks": [{"cloudDisk": {"snapshotId": "snapshot-2", "encrypt": "true"}}],
}  # fmt: skip
_LISTED = [{**_IMAGE, "imageId": image} for image in ("img-a1", "img-a2", "img-b1", "img-b2")]
_IMAGES = {"requestId": "r", "result": {"images": _LISTED, "totalCount": 4}}
_QUOTAS = {"requestId": "r", "result": {"quotas": [{"resourceType": "image", "limit": 5, "used": 1}]}}
_QUOTA = {"requestId": "r", "result": {"quota": {"resourceType": "snapshot", "limit": 15, "used": 3}}}
_ONE = {"requestId": "r", "result": {"image": _IMAGE}}
_REFUSALS = [
    json.loads(support.refusal(code, status, message))
    for code, status, message in (
        (400, "FAILED_PRECONDITION", "The image 'img-a1' is busy"),
        (400, "INVALID_ARGUMENT", "unknown parameter description"),
        (400, "FAILED_PRECONDITION", "Conflict with underlay task task-1"),
        (404, "NOT_FOUND", "Image 'img-a2' not found"),
        (429, "QUOTA_EXCEEDED", "Snapshot quota exceeded"),
        (401, "UNAUTHENTICATED", "Invalid authentication credentials"),
        (500, "INTERNAL", "Internal server error"),
    )
]
_STATUSES = (
    *range(100, 104), 201, 204, 206, 301, 302, 307, 308, *range(400, 418), 429, 451, 499, *range(500, 505),
)  # fmt: skip
_ODD = (0, 199, 299, 600, 999)


class _Scripted(Http):
    """A transport that has one answer to everything and never touches a socket."""

    answer = Answer(200, b"")

    async def send(self, request: Request) -> Answer | Fault:
        return self.answer


_HTTP = _Scripted(support.access())
_CLOUD = JdCloud(support.access())
_CLOUD._http = _HTTP

Asking = Callable[[], Coroutine[Any, Any, Event]]
_ASKED: tuple[tuple[object, Asking], ...] = (
    (_MADE, lambda: _CLOUD.copy(support.CALL, CHUNK, support.MARK)),
    (_MADE, lambda: _CLOUD.copy(support.CALL, CHUNK, None)),
    (_IMAGES, lambda: _CLOUD.inspect(support.INSPECT)),
    (_IMAGES, lambda: _CLOUD.list(support.LIST)),
    (_IMAGES, lambda: _CLOUD.look(support.LOOK)),
    (_QUOTAS, lambda: _CLOUD.survey(support.SURVEY)),
    (_QUOTA, lambda: _CLOUD.survey(support.SURVEY_SNAPSHOTS)),
    (_ONE, lambda: _CLOUD.check(support.CHECK)),
)


def try_reply(chance: Random) -> str:
    """Spoil a reply to one of the six requests, let the adapter read it, and judge the event."""
    sane, asking = chance.choice(_ASKED)
    answer = Answer(
        _status(chance), _spoilt(chance.choice(_REFUSALS) if chance.random() < 0.3 else sane, chance)
    )
    event = read(answer, asking)
    judge(event, answer.http)
    return type(event).__name__.lower()


def read(answer: Answer, asking: Asking) -> Event:
    """Ask, get this answer, and return the event that the adapter makes of it."""
    _HTTP.answer = answer
    try:
        asking().send(None)
    except StopIteration as done:
        event: Event = done.value
        return event
    raise AssertionError("the adapter waited for something that is not the network")


def _status(chance: Random) -> int:
    """Choose an HTTP status, often 200."""
    return 200 if chance.random() < 0.6 else chance.choice(chance.choice((_STATUSES, _STATUSES, _ODD)))


def _spoilt(sane: object, chance: Random) -> bytes:
    """Write a reply: spoilt as a tree, as bytes, as both, or sane under a strange status."""
    tree = grown(sane, json.dumps)
    luck = chance.random()
    if luck < 0.6:
        spoil_tree(tree, JSON, chance)
    data = flow(tree).encode()
    return spoil_bytes(data, JSON, chance) if 0.5 < luck < 0.95 else data
