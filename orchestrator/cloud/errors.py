"""The error table: what an answer that is not a success means. Data and one lookup; it decides nothing else.

Sources: the error rows of the official copyImages page, and the gateway's two vocabularies (the
"public error codes" page and the older common table). The message decides, for status and word
do not tell transient from permanent; a row names the word only where it makes a difference.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.model import ImageId
from orchestrator.core.reasons import Reason

DETAIL_MAX = 300
_MESSAGE_MAX = 2000  # no documented message is longer than 100; a longer one would only cost time
_IMAGE = re.compile(r"img-[a-z0-9]{1,32}")


@dataclass(frozen=True, slots=True)
class Fault:
    """Why there is no good answer. Only the reason decides; `detail` is for people.

    `culprit` and `snapshot` are what the message names, if it names one; `request` is the
    cloud's request id, where it gave one.
    """

    reason: Reason
    detail: str = ""
    culprit: ImageId | None = None
    snapshot: str | None = None
    request: str = ""


class Row(NamedTuple):
    """One row: HTTP status, status word (None: any), how the message begins, and what it means."""

    http: int
    word: str | None
    message: re.Pattern[str]
    reason: Reason


def _row(http: int, word: str | None, message: str, reason: Reason) -> Row:
    """Make a row whose message is matched from its beginning, in any case."""
    return Row(http, word, re.compile(message, re.IGNORECASE | re.DOTALL), reason)


_ANY = ""
_UNKNOWN = r"(unknown|unexpected|unsupported|unrecogni[sz]ed) (parameter|field|property)"

TABLE: tuple[Row, ...] = (
    # copyImages, the rows of its page
    _row(400, None, r"invalid region\b", Reason.INVALID_REGION),
    _row(400, None, r"only support cloud ?disk image", Reason.LOCAL_DISK),
    _row(400, None, r"invalid image status '?pending\b", Reason.SOURCE_PENDING),
    _row(400, None, r"invalid image status\b", Reason.SOURCE_STATUS),
    _row(400, None, r"can.?t use this image", Reason.NOT_PRIVATE),
    _row(400, None, r"conflict with underlay (image )?task\b", Reason.CONFLICT),
    _row(400, None, r"(the )?image '?(?P<image>[\w-]+)'? is busy", Reason.BUSY),
    _row(400, None, r"copy encrypted snapshot '?(?P<snapshot>[\w-]+)'? is not support", Reason.ENCRYPTED),
    _row(404, None, r"image( '?(?P<image>[\w-]+)'?)? (is )?not found", Reason.NOT_FOUND),
    # deleteImage
    _row(400, None, r"can.?t delete shared image", Reason.SHARED),
    _row(400, None, r"can.?t delete (protected|community|this) image", Reason.PROTECTED),
    _row(400, None, r"local-?system-?disk image cannot be deleted", Reason.PROTECTED),
    # 429 has two meanings; the word tells them apart
    _row(429, "QUOTA_EXCEEDED", r".*snapshot", Reason.QUOTA_SNAPSHOT),
    _row(429, "QUOTA_EXCEEDED", _ANY, Reason.QUOTA_IMAGE),
    _row(429, None, r"(?!.*\brole: ?ak\b).*\brole: ?api\b", Reason.API_THROTTLED),
    _row(429, None, _ANY, Reason.THROTTLED),
    # the gateway; these hold whatever the body says, and without one
    _row(400, None, r".*blocked by security rules", Reason.CONFIGURATION),
    _row(401, None, _ANY, Reason.CREDENTIALS),
    _row(403, None, _ANY, Reason.CREDENTIALS),
    _row(404, None, r".*no route\b", Reason.CONFIGURATION),
    _row(407, None, _ANY, Reason.UNREACHABLE),  # the proxy's own refusal: nothing went further
    _row(414, None, _ANY, Reason.CONFIGURATION),
    # `description` is in the official SDK, but not on the API's page
    _row(400, None, rf".*(\bdescription\b|{_UNKNOWN})", Reason.MARK_REFUSED),
    # what leaves the outcome open
    _row(408, None, _ANY, Reason.TIMEOUT),
    _row(499, None, _ANY, Reason.TIMEOUT),
)


def classify(http: int, word: str | None, message: str) -> Fault:
    """Look an answer up: its HTTP status, its status word and its message.

    `word` is None when the body was no readable error envelope. Then the message is for people
    only: except for a few statuses that speak for themselves, nobody knows what the call did,
    while a readable 4xx surely made nothing.
    """
    said = message[:_MESSAGE_MAX].strip()
    detail = tidy(f"{http} {word}: {said}" if word else f"{http} {said}".strip())
    row = row_for(http, word, said if word is not None else "")
    if row is None:
        return Fault(_unlisted(http, word is not None), detail)
    found = row.message.match(said)
    named = found.groupdict() if found else {}
    return Fault(row.reason, detail, image_id(named.get("image")), named.get("snapshot"))


def row_for(http: int, word: str | None, said: str) -> Row | None:
    """Find the first row that fits, if any."""
    words = (None, (word or "").upper())
    rows = (row for row in TABLE if row.http == http and row.word in words and row.message.match(said))
    return next(rows, None)


def _unlisted(http: int, readable: bool) -> Reason:
    """Say what a status means that the table does not have."""
    if 300 <= http < 400:
        return Reason.REDIRECTED
    if 500 <= http < 600:
        return Reason.SERVER_ERROR
    return Reason.UNEXPLAINED if readable and 400 <= http < 500 else Reason.UNREADABLE


def image_id(text: object) -> ImageId | None:
    """Take a text for an image id if it is written like one: `img-` and 1 to 32 of a-z and 0-9."""
    return ImageId(text) if isinstance(text, str) and _IMAGE.fullmatch(text) else None


def tidy(text: str) -> str:
    """Make foreign text fit for a log line: printable characters only, 300 of them at most."""
    short = text if len(text) <= DETAIL_MAX else text[: DETAIL_MAX - 1] + "…"
    if short.isprintable():
        return short
    escaped = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in short)
    return escaped if len(escaped) <= DETAIL_MAX else escaped[: DETAIL_MAX - 1] + "…"
