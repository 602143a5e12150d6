"""What the network does to one request and its answer, drawn from chance. Values only: no byte moves here."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from enum import Enum
from random import Random

from orchestrator.core.model import Region


class Fate(Enum):
    """How a request or an answer travels."""

    WHOLE = "whole"
    DROPPED = "dropped"  # nothing arrives, the connection breaks
    CUT = "cut"  # the first bytes arrive, then the connection breaks
    SILENT = "silent"  # nothing arrives, the connection stays
    DRIP = "drip"  # byte after byte
    GARBAGE = "garbage"  # something else arrives (answers only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mischief:
    """What becomes of one request. `hard` tells a reset from an end of file; delays are in seconds."""

    request: Fate = Fate.WHOLE
    answer: Fate = Fate.WHOLE
    request_s: float = 0.01
    answer_s: float = 0.01
    share: float = 0.0
    drip_s: float = 0.0
    garbage: bytes = b""
    hard: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How bad the network is: chances per request, and the longest delay of a request on its way.

    `crawl` is the share of calls that take at least half of that delay, whatever else happens.
    `dark` are (region, from, until): requests to a region that answers nothing, in virtual time.
    """

    post: float = 0.0
    get: float = 0.0
    dial: float = 0.0
    delay_max_s: float = 0.0
    crawl: float = 0.0
    dark: tuple[tuple[Region, float, float], ...] = field(default=())

    def is_dark(self, target: bytes, now: float) -> bool:
        """Tell whether a request, of which this is the beginning, is sent into a dark region."""
        for region, since, until in self.dark:
            if since <= now < until and f"/regions/{region}/".encode() in target:
                return True
        return False


CALM = Weather()


def draw(chance: Random, weather: Weather, *, post: bool) -> Mischief:
    """Draw what happens to one request."""
    there_s, back_s = chance.uniform(0.002, 0.2), chance.uniform(0.002, 0.2)
    if post and weather.crawl and chance.random() < weather.crawl:
        return Mischief(request_s=chance.uniform(0.5, 1.0) * weather.delay_max_s, answer_s=back_s)
    if chance.random() >= (weather.post if post else weather.get):
        return Mischief(request_s=there_s, answer_s=back_s)
    hard, share, late_s = chance.random() < 0.5, chance.random(), chance.random() * weather.delay_max_s
    kind = chance.randrange(10)
    if kind == 0:
        return Mischief(request=Fate.DROPPED, request_s=there_s, hard=hard)
    if kind == 1:
        return Mischief(request=Fate.CUT, request_s=there_s, share=share, hard=hard)
    if kind == 2:
        return Mischief(request=Fate.SILENT)
    if kind in (3, 4):
        return Mischief(request_s=late_s, answer_s=back_s)
    answers = (Fate.DROPPED, Fate.CUT, Fate.SILENT, Fate.DRIP, Fate.GARBAGE)
    answer = answers[kind - 5]
    return Mischief(
        answer=answer,
        request_s=there_s,
        answer_s=late_s if chance.random() < 0.2 else back_s,
        share=share,
        drip_s=chance.choice((0.005, 0.05, 5.0)),
        garbage=chance.choice(GARBAGE) if answer is Fate.GARBAGE else b"",
        hard=hard,
    )


def reply(status: str, body: bytes, *headers: str) -> bytes:
    """Write an answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


_JSON = "Content-Type: application/json"
_PAIR = b'{"sourceImageId":"img-nobodyasked","destinationImageId":"img-nobodymade0"}'

GARBAGE: tuple[bytes, ...] = (
    b"\x00\xff\x16\x03\x01 no HTTP at all",
    b"ICY 200 OK\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
    b'HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{"requestId":"x","result":{}}',
    reply("200 OK", b"<html><body>Welcome</body></html>", "Content-Type: text/html"),
    reply("302 Found", b"", "Location: http://elsewhere.test/"),
    reply("307 Temporary Redirect", b"", "Location: /v1/again"),
    reply("408 Request Timeout", b""),
    reply("500 Internal Server Error", b""),
    reply("503 Service Unavailable", b"try later", "Retry-After: 1"),
    reply("200 OK", b"", _JSON),
    reply("200 OK", b"null", _JSON),
    reply("200 OK", b"[" * 50_000, _JSON),
    reply("200 OK", b'{"requestId":"x","result":{"totalCount":' + b"9" * 5000 + b',"images":[]}}', _JSON),
    reply("200 OK", b'{"requestId":"x","result":{"totalCount":NaN,"images":[]}}', _JSON),
    reply("200 OK", b'{"requestId":"x","result":{"totalCount":0,"images":null}}', _JSON),
    reply("200 OK", b'{"requestId":"x","result":{"copyImages":null}}', _JSON),
    reply("200 OK", b'{"requestId":"x","result":{"copyImages":[]},"result":{"copyImages":[]}}', _JSON),
    reply("200 OK", b'{"requestId":"x","result":{"copyImages":[' + _PAIR + b"]}}", _JSON),
    reply("200 OK", b'{"requestId":7,"result":{"copyImages":{"a":1},"images":"none"}}', _JSON),
    reply("200 OK", b'{"result":{},"error":{"code":500,"status":"INTERNAL","message":"x"}}', _JSON),
    reply("400 Bad Request", b"<html>what?</html>", "Content-Type: text/html"),
    reply("200 OK", gzip.compress(b" " * 6_000_000, mtime=0), _JSON, "Content-Encoding: gzip"),
)
"""What no sane server says. None of it names an image that the world did not make."""
