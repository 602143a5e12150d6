"""Every method's answers, good and bad, are the right event with the right contents (aioresponses)."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from aioresponses import aioresponses

from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import (
    Accepted,
    Checked,
    Inspected,
    Listed,
    Lost,
    Refused,
    Seen,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import Resource, Sighting
from orchestrator.core.reasons import Reason
from tests.cloud.support import (
    A1,
    A2,
    B1,
    B2,
    CALL,
    CHECK,
    CHUNK,
    EAST,
    INSPECT,
    LIST,
    LOOK,
    MARK,
    NOON,
    NORTH,
    SURVEY,
    SURVEY_SNAPSHOTS,
    URLS,
    accepted,
    access,
    image,
    ok,
    refusal,
)


@pytest.fixture
def wire() -> Iterator[aioresponses]:
    with aioresponses() as mocked:
        yield mocked


@pytest.fixture
async def cloud() -> AsyncIterator[Cloud]:
    ticks = itertools.count(int(NOON))
    async with JdCloud(access(clock=lambda: float(next(ticks)))) as made:
        yield made


async def test_an_accepted_call_gives_its_pairs(cloud: Cloud, wire: aioresponses) -> None:
    """Pairs, call, request id and the time the request ended are in the event."""
    wire.post(URLS["copy"], body=ok(accepted((A2, B2), (A1, B1))))
    answer = await cloud.copy(CALL, CHUNK, MARK)
    assert answer == Accepted(at=NOON + 1, call=CALL, pairs=((A2, B2), (A1, B1)), request="req-1")


async def test_only_pairs_that_can_be_believed_are_given(cloud: Cloud, wire: aioresponses) -> None:
    """Sources that we did not ask for are dropped, and a contradicted one is in doubt."""
    wire.post(URLS["copy"], body=ok(accepted((A1, B1), ("img-foreign", "img-x"), (A2, "img-y"), (A2, B2))))
    answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Accepted)
    assert answer.pairs == ((A1, B1),)


async def test_a_success_without_a_request_id_is_doubt(cloud: Cloud, wire: aioresponses) -> None:
    """The documented answer to a copy call has a request id; another answer is not believed."""
    wire.post(URLS["copy"], body='{"result": {"copyImages": []}}')
    answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Lost)
    assert (answer.reason, answer.detail) == (Reason.UNREADABLE, "200 requestId: missing")


async def test_a_refusal_names_its_culprit(cloud: Cloud, wire: aioresponses) -> None:
    """The image that the message names is the culprit, and the message is the detail."""
    wire.post(
        URLS["copy"], status=400, body=refusal(400, "FAILED_PRECONDITION", "The image 'img-a2' is busy")
    )
    assert await cloud.copy(CALL, CHUNK, MARK) == Refused(
        at=NOON + 1,
        call=CALL,
        reason=Reason.BUSY,
        culprit=A2,
        detail="400 FAILED_PRECONDITION: The image 'img-a2' is busy",
        request="req-1",
    )


@pytest.mark.parametrize(
    "message", ["The image 'img-other' is busy", "The image 'no id' is busy", "Can't use this image"]
)
async def test_nobody_else_is_a_culprit(cloud: Cloud, wire: aioresponses, message: str) -> None:
    """An image that is not in the chunk, or no image, is never the culprit."""
    wire.post(URLS["copy"], status=400, body=refusal(400, "FAILED_PRECONDITION", message))
    answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Refused)
    assert answer.culprit is None


async def test_an_encrypted_snapshot_is_in_the_detail(cloud: Cloud, wire: aioresponses) -> None:
    """The message names a snapshot, not an image: nobody is the culprit, people see the snapshot."""
    said = "Copy encrypted snapshot 'snapshot-s1' is not support."
    wire.post(URLS["copy"], status=400, body=refusal(400, "FAILED_PRECONDITION", said))
    answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Refused)
    assert (answer.reason, answer.culprit) == (Reason.ENCRYPTED, None)
    assert "snapshot-s1" in answer.detail


async def test_only_a_mark_that_was_sent_can_be_refused(cloud: Cloud, wire: aioresponses) -> None:
    """Without a mark in the call, an answer about a description has no explanation."""
    body = refusal(400, "INVALID_ARGUMENT", "Unknown parameter 'description'")
    wire.post(URLS["copy"], status=400, body=body, repeat=2)
    wire.get(URLS["list"], status=400, body=body)
    marked, bare = await cloud.copy(CALL, CHUNK, MARK), await cloud.copy(CALL, CHUNK, None)
    read = await cloud.list(LIST)
    assert isinstance(marked, Refused)
    assert isinstance(bare, Refused)
    assert isinstance(read, Unanswered)
    assert (marked.reason, bare.reason, read.reason) == (
        Reason.MARK_REFUSED,
        Reason.UNEXPLAINED,
        Reason.UNEXPLAINED,
    )


@pytest.mark.parametrize(
    ("status", "body", "expected", "reason"),
    [
        (429, refusal(429, "QUOTA_EXCEEDED", "Image quota limit exceeded"), Refused, Reason.QUOTA_IMAGE),
        (429, refusal(429, "QUOTA_EXCEEDED", "Snapshot quota"), Refused, Reason.QUOTA_SNAPSHOT),
        (429, "<html>slow down</html>", Refused, Reason.THROTTLED),
        (401, "", Refused, Reason.CREDENTIALS),
        (403, "<html>", Refused, Reason.CREDENTIALS),
        (409, refusal(409, "ABORTED", "no"), Refused, Reason.UNEXPLAINED),
        (404, "<html>nginx</html>", Lost, Reason.UNREADABLE),
        (408, refusal(408, "TIMEOUT", "late"), Lost, Reason.TIMEOUT),
        (499, refusal(499, "CANCELLED", "gone"), Lost, Reason.TIMEOUT),
        (502, "<html>", Lost, Reason.SERVER_ERROR),
        (500, refusal(500, "UNKNOWN", "Unknown server error"), Lost, Reason.SERVER_ERROR),
        (202, ok(accepted(("img-a1", "img-b1"))), Lost, Reason.UNREADABLE),
        (302, "", Lost, Reason.REDIRECTED),
    ],
)
async def test_what_a_status_means_for_a_call(
    cloud: Cloud,
    wire: aioresponses,
    status: int,
    body: str,
    expected: type[Refused] | type[Lost],
    reason: Reason,
) -> None:
    """Only what surely made nothing is a refusal; the rest is doubt. Reads have the same reason."""
    wire.post(URLS["copy"], status=status, body=body)
    wire.get(URLS["look"], status=status, body=body)
    call, read = await cloud.copy(CALL, CHUNK, MARK), await cloud.look(LOOK)
    assert type(call) is expected
    assert isinstance(read, Unanswered)
    assert call.reason is read.reason is reason


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (aiohttp.ServerDisconnectedError(), Reason.DISCONNECTED),
        (aiohttp.ClientOSError(104, "reset"), Reason.DISCONNECTED),
        (aiohttp.ClientPayloadError("half"), Reason.DISCONNECTED),
        (ConnectionResetError(104, "reset"), Reason.DISCONNECTED),
        (aiohttp.SocketTimeoutError("late"), Reason.TIMEOUT),
        (TimeoutError(), Reason.TIMEOUT),
    ],
)
async def test_an_error_that_may_have_come_after_the_send_is_doubt(
    cloud: Cloud, wire: aioresponses, error: Exception, reason: Reason
) -> None:
    """Where nothing proves that the request was not sent, it may have been: also a bare time-out."""
    wire.post(URLS["copy"], exception=error)
    answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Lost)
    assert answer.reason is reason


async def test_a_connect_timeout_is_no_doubt(cloud: Cloud, wire: aioresponses) -> None:
    """A time-out while connecting is a call that was not sent."""
    wire.post(URLS["copy"], exception=aiohttp.ConnectionTimeoutError("no route"))
    answer = await cloud.copy(CALL, CHUNK, MARK)
    assert isinstance(answer, Refused)
    assert answer.reason is Reason.UNREACHABLE


async def test_inspect_and_look_show_what_was_asked_for(cloud: Cloud, wire: aioresponses) -> None:
    """Images that we did not ask for are dropped, the missing are missing."""
    wire.get(URLS["inspect"], body=ok({"images": [image("img-a2"), image("img-other")]}))
    wire.get(URLS["look"], body=ok({"images": [image("img-b1", "pending", progress="80")]}))
    ready = Sighting(image=A2, status="ready")
    assert await cloud.inspect(INSPECT) == Inspected(
        at=NOON + 1,
        origin=NORTH,
        asked=(A1, A2),
        images=(ready,),
        request="req-1",
    )
    pending = Sighting(image=B1, status="pending", progress=80)
    assert await cloud.look(LOOK) == Seen(
        at=NOON + 3, region=EAST, asked=(B1, B2), images=(pending,), request="req-1"
    )


async def test_a_listing_says_when_it_began_and_what_it_showed(cloud: Cloud, wire: aioresponses) -> None:
    """The time before the send, the total over all pages and the number shown are in the event."""
    wire.get(URLS["list"], body=ok({"images": [image("img-b1"), image("img-b2")], "totalCount": 120}))
    both = tuple(Sighting(image=made, status="ready") for made in (B1, B2))
    assert await cloud.list(LIST) == Listed(
        at=NOON + 2, began=NOON, region=EAST, page=1, total=120, images=both, shown=2, request="req-1"
    )


async def test_no_images_may_be_null(cloud: Cloud, wire: aioresponses) -> None:
    """`images: null` is an empty page."""
    wire.get(URLS["list"], body=ok({"images": None, "totalCount": 0}))
    answer = await cloud.list(LIST)
    assert isinstance(answer, Listed)
    assert (answer.images, answer.total, answer.shown) == ((), 0, 0)


async def test_both_quotas_are_read(cloud: Cloud, wire: aioresponses) -> None:
    """Image quotas come in a list, snapshot quotas as one object."""
    quotas = [
        {"resourceType": "instance", "limit": 1, "used": 1},
        {"resourceType": "image", "limit": 5, "used": 2},
    ]
    wire.get(URLS["survey"], body=ok({"quotas": quotas}))
    wire.get(URLS["snapshots"], body=ok({"quota": {"limit": 15, "used": 15}}))
    assert await cloud.survey(SURVEY) == Surveyed(
        at=NOON + 1, region=EAST, resource=Resource.IMAGE, limit=5, used=2, request="req-1"
    )
    assert await cloud.survey(SURVEY_SNAPSHOTS) == Surveyed(
        at=NOON + 3, region=EAST, resource=Resource.SNAPSHOT, limit=15, used=15, request="req-1"
    )


async def test_a_check_sees_the_image_or_its_absence(cloud: Cloud, wire: aioresponses) -> None:
    """An image that is there is shown; a 404 that speaks of it says that it is gone."""
    wire.get(URLS["check"], body=ok({"image": image("img-b1", "error")}))
    gone = refusal(404, "NOT_FOUND", "Image 'img-b1' not found")
    wire.get(URLS["check"], status=404, body=gone)
    wire.get(URLS["check"], status=404, body=refusal(404, "NOT_FOUND", "image not found[gw]"))
    there = Sighting(image=B1, status="error")
    answers = [await cloud.check(CHECK) for _ in range(3)]
    assert answers == [
        Checked(at=NOON + 1, region=EAST, image=B1, sighting=there, request="req-1"),
        Checked(at=NOON + 3, region=EAST, image=B1, sighting=None, request="req-1"),
        Checked(at=NOON + 5, region=EAST, image=B1, sighting=None, request="req-1"),
    ]


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, refusal(404, "NOT_FOUND", "no route and no API found"), Reason.CONFIGURATION),
        (404, refusal(404, "NOT_FOUND", "Image 'img-b2' not found"), Reason.UNREADABLE),
        (404, refusal(404, "NOT_FOUND", "not found"), Reason.UNEXPLAINED),
        (404, "<html>Image 'img-b1' not found", Reason.UNREADABLE),
        (403, refusal(403, "HTTP_FORBIDDEN", "No permission"), Reason.CREDENTIALS),
        (200, ok({"image": image("img-b2")}), Reason.UNREADABLE),
        (200, ok({"image": None}), Reason.UNREADABLE),
    ],
)
async def test_nothing_else_says_that_an_image_is_gone(
    cloud: Cloud, wire: aioresponses, status: int, body: str, reason: Reason
) -> None:
    """No route, another image, a page of HTML: the image may still be there."""
    wire.get(URLS["check"], status=status, body=body)
    answer = await cloud.check(CHECK)
    assert isinstance(answer, Unanswered)
    assert (answer.read, answer.reason) == ("check", reason)


async def test_an_unanswered_read_names_itself(cloud: Cloud, wire: aioresponses) -> None:
    """Each read says which it was, where, why, and the request id to give to the cloud's support."""
    for name in ("inspect", "list", "survey", "look", "check"):
        wire.get(URLS[name], status=503, body=refusal(503, "UNAVAILABLE", "later"))
    reads = [
        await cloud.inspect(INSPECT),
        await cloud.list(LIST),
        await cloud.survey(SURVEY),
        await cloud.look(LOOK),
        await cloud.check(CHECK),
    ]
    names, regions = ["inspect", "list", "survey", "look", "check"], [NORTH] + [EAST] * 4
    for answer, name, region in zip(reads, names, regions, strict=True):
        assert isinstance(answer, Unanswered)
        assert (answer.read, answer.region, answer.reason) == (name, region, Reason.SERVER_ERROR)
        assert (answer.detail, answer.request) == ("503 UNAVAILABLE: later", "req-1")
