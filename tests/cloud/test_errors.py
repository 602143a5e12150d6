"""Every documented refusal is understood, and what is not documented is never guessed."""

from __future__ import annotations

import pytest

from orchestrator.cloud.errors import DETAIL_MAX, TABLE, classify, row_for, tidy
from orchestrator.core.reasons import MEANINGS, Nature, Reason

COPY_PAGE = [
    (400, "INVALID_ARGUMENT", "Invalid region 'cn-mars-1'", Reason.INVALID_REGION),
    (400, "FAILED_PRECONDITION", "Only support cloudDisk image", Reason.LOCAL_DISK),
    (400, "FAILED_PRECONDITION", "Invalid image status 'pending'", Reason.SOURCE_PENDING),
    (400, "FAILED_PRECONDITION", "Invalid image status 'error'", Reason.SOURCE_STATUS),
    (400, "FAILED_PRECONDITION", "Invalid image status 'deleting'", Reason.SOURCE_STATUS),
    (400, "FAILED_PRECONDITION", "Can't use this image", Reason.NOT_PRIVATE),
    (400, "FAILED_PRECONDITION", "Conflict with underlay image task 'task-1'", Reason.CONFLICT),
    (400, "FAILED_PRECONDITION", "The image 'img-a1' is busy", Reason.BUSY),
    (400, "FAILED_PRECONDITION", "Copy encrypted snapshot 'snapshot-1' is not support.", Reason.ENCRYPTED),
    (429, "QUOTA_EXCEEDED", "Image quota limit exceeded", Reason.QUOTA_IMAGE),
    (429, "QUOTA_EXCEEDED", "Snapshot quota limit exceeded", Reason.QUOTA_SNAPSHOT),
    (404, "NOT_FOUND", "Image 'img-a1' not found", Reason.NOT_FOUND),
    (500, "INTERNAL", "Internal server error", Reason.SERVER_ERROR),
    (500, "UNKNOWN", "Unknown server error", Reason.SERVER_ERROR),
]
GATEWAY = [
    (400, "HTTP_BAD_REQUEST", "the request blocked by security rules", Reason.CONFIGURATION),
    (401, "ACCESS_ERROR", "Invalid authentication credentials", Reason.CREDENTIALS),
    (401, "ACCESS_ERROR", "Invalid accessKey", Reason.CREDENTIALS),
    (401, "ACCESS_ERROR", "lack of header authorization", Reason.CREDENTIALS),
    (401, "ACCESS_ERROR", "lack of credential in the header authorization", Reason.CREDENTIALS),
    (401, "ACCESS_ERROR", "lack of header x-jdcloud-date", Reason.CREDENTIALS),
    (401, "ACCESS_ERROR", "lack of header signedHeaders", Reason.CREDENTIALS),
    (401, "ACCESS_ERROR", "sign result is not same", Reason.CREDENTIALS),
    (401, "ACCESS_ERROR", "secret key is nul", Reason.CREDENTIALS),
    (403, "HTTP_FORBIDDEN", "Your IP address is not allowed", Reason.CREDENTIALS),
    (403, "HTTP_FORBIDDEN", "api is disabled", Reason.CREDENTIALS),
    (403, "HTTP_FORBIDDEN", "No permission", Reason.CREDENTIALS),
    (404, "NOT_FOUND", "no route and no API found with those values", Reason.CONFIGURATION),
    (413, "HTTP_REQUEST_ENTITY_TOO_LARGE", "Payload too large", Reason.UNEXPLAINED),
    (414, "HTTP_URI_TOO_LONG", "URI too long", Reason.CONFIGURATION),
    (429, "HTTP_RATE_LIMIT_EXCEEDED", "minute rate limit exceeded, role:ak", Reason.THROTTLED),
    (429, "HTTP_RATE_LIMIT_EXCEEDED", "minute rate limit exceeded, role:api", Reason.API_THROTTLED),
    (429, "HTTP_RATE_LIMIT_EXCEEDED", "minute rate limit exceeded, role:ak / role:api", Reason.THROTTLED),
    (500, "HTTP_INTERNAL_SERVER_ERROR", "An unexpected error occurred", Reason.SERVER_ERROR),
    (502, "HTTP_BAD_GATEWAY", "An invalid response was received from the upstream", Reason.SERVER_ERROR),
    (503, "HTTP_SERVICE_UNAVAILABLE", "The upstream server is unavailable", Reason.SERVER_ERROR),
    (504, "HTTP_SERVER_TIMING_OUT", "The upstream server is timing out", Reason.SERVER_ERROR),
]
OLDER = [
    (400, "INVALID_ARGUMENT", "something else", Reason.UNEXPLAINED),
    (400, "FAILED_PRECONDITION", "Parameter ImageSource missing", Reason.UNEXPLAINED),
    (400, "OUT_OF_RANGE", "PageSize out of range", Reason.UNEXPLAINED),
    (400, "CONFLICT", "whatever", Reason.UNEXPLAINED),
    (401, "UNAUTHENTICATED", "no", Reason.CREDENTIALS),
    (403, "PERMISSION_DENIED", "no", Reason.CREDENTIALS),
    (404, "NOT_FOUND", "Not found", Reason.UNEXPLAINED),
    (409, "ABORTED", "no", Reason.UNEXPLAINED),
    (409, "ALREADY_EXISTS", "no", Reason.UNEXPLAINED),
    (429, "RATE_LIMIT", "slow down", Reason.THROTTLED),
    (499, "CANCELLED", "gone", Reason.TIMEOUT),
    (501, "NOT_IMPLEMENTED", "no", Reason.SERVER_ERROR),
    (502, "SOURCE_UNAVAILABLE", "no", Reason.SERVER_ERROR),
    (503, "UNAVAILABLE", "no", Reason.SERVER_ERROR),
]
DELETE_PAGE = [
    (400, "FAILED_PRECONDITION", "Can't delete shared image", Reason.SHARED),
    (400, "FAILED_PRECONDITION", "Can't delete protected image", Reason.PROTECTED),
    (400, "FAILED_PRECONDITION", "Can't delete this image", Reason.PROTECTED),
    (400, "FAILED_PRECONDITION", "Can't delete community image", Reason.PROTECTED),
    (
        400,
        "FAILED_PRECONDITION",
        "Local-System-Disk image cannot be deleted if it has been used to create instances",
        Reason.PROTECTED,
    ),
]
"""The rows of the deleteImage page that copyImages does not have."""

ROWS = COPY_PAGE + DELETE_PAGE + GATEWAY + OLDER


@pytest.mark.parametrize(("http", "word", "message", "reason"), ROWS)
def test_every_documented_row(http: int, word: str, message: str, reason: Reason) -> None:
    """Each row of the API's page and of both gateway vocabularies has its reason."""
    assert classify(http, word, message).reason is reason


@pytest.mark.parametrize(("http", "word", "message", "reason"), ROWS)
def test_small_changes_of_the_text_do_not_matter(http: int, word: str, message: str, reason: Reason) -> None:
    """Case, a full stop, the gateway's suffix and blanks around the message change nothing."""
    bare = message.rstrip(".")
    for said in (bare, f"{bare}.", f"{bare}[gw]", f"{bare}.[gw]", f"  {bare} [gw]\n", bare.upper()):
        assert classify(http, word.lower(), said).reason is reason, said


def test_every_row_of_the_table_is_reached() -> None:
    """No row of the table is dead: each is the answer to some documented or foreseen reply."""
    more = [
        (400, "INVALID_ARGUMENT", "Unknown parameter 'description'"),
        (407, None, ""),
        (408, None, ""),
    ]
    reached = {row_for(h, w, m) for h, w, m in [row[:3] for row in ROWS] + more}
    assert reached - {None} == set(TABLE)


def test_the_culprit_is_named_where_the_message_names_it() -> None:
    """Busy and not found name the image, encrypted names the snapshot, the others nobody."""
    assert classify(400, "FAILED_PRECONDITION", "The image 'img-a1' is busy").culprit == "img-a1"
    assert classify(404, "NOT_FOUND", "Image 'img-a1' not found[gw]").culprit == "img-a1"
    fault = classify(400, "FAILED_PRECONDITION", "Copy encrypted snapshot 'snapshot-x1' is not support.")
    assert (fault.culprit, fault.snapshot) == (None, "snapshot-x1")
    assert "snapshot-x1" in fault.detail
    assert classify(400, "FAILED_PRECONDITION", "Conflict with underlay image task 'img-a1'").culprit is None


def test_a_name_that_is_no_image_id_is_no_culprit() -> None:
    """Only text of the form of an image id can become one."""
    fault = classify(404, "NOT_FOUND", "Image 'IMG-A1' not found")
    assert (fault.reason, fault.culprit) == (Reason.NOT_FOUND, None)


@pytest.mark.parametrize(
    "message",
    [
        "Unknown parameter 'description'",
        "Invalid description",
        "unrecognized field",
        "Unexpected property: description",
    ],
)
def test_a_refused_description_is_recognised(message: str) -> None:
    """A 400 about the description or an unknown parameter means: go on without the mark."""
    assert classify(400, "INVALID_ARGUMENT", message).reason is Reason.MARK_REFUSED


@pytest.mark.parametrize("http", [200, 204, 301, 307, 308, 400, 404, 408, 409, 418, 499, 500, 502, 504, 600])
def test_without_a_readable_envelope_there_is_doubt(http: int) -> None:
    """HTML, an empty body or garbage never counts as a refusal, whatever the status."""
    for said in ("", "<html>no route, description blocked by security rules", "Image 'img-a' not found"):
        assert MEANINGS[classify(http, None, said).reason].nature is Nature.DOUBT


@pytest.mark.parametrize("http", [401, 403, 407, 414, 429])
def test_some_statuses_speak_for_themselves(http: int) -> None:
    """These are refusals before the call is looked at, with or without a readable body."""
    assert MEANINGS[classify(http, None, "").reason].nature is not Nature.DOUBT


@pytest.mark.parametrize("http", [500, 502, 503, 504, 599])
def test_no_message_makes_a_server_error_a_refusal(http: int) -> None:
    """A refusal's text under a 5xx status is still an unknown outcome."""
    for _, word, message, _ in COPY_PAGE:
        assert classify(http, word, message).reason is Reason.SERVER_ERROR


def test_a_rate_limit_is_never_a_quota() -> None:
    """Only the word QUOTA_EXCEEDED makes a 429 a quota; a quota of unknown kind is the images'."""
    assert classify(429, "RATE_LIMIT", "Image quota limit exceeded").reason is Reason.THROTTLED
    assert classify(429, None, "").reason is Reason.THROTTLED
    assert classify(429, "QUOTA_EXCEEDED", "").reason is Reason.QUOTA_IMAGE


def test_details_are_short_and_printable() -> None:
    """Foreign text cannot forge a log line or flood it."""
    fault = classify(400, "A\x1b[2J\n", "evil\r\nline \u202e\ud800" + "\x00" * 9000)
    assert len(fault.detail) <= DETAIL_MAX
    assert fault.detail.isprintable()
    assert tidy("plain, 中文 too") == "plain, 中文 too"
