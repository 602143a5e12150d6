"""Whole nights with a cloud that lies: whatever it says, each copy is made once and the end state is true."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from random import Random

import pytest

from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.messages import Lost, Unanswered
from orchestrator.core.model import Copy
from orchestrator.core.reasons import Reason
from tests.contract.driving import Driver
from tests.contract.lying import OPERATIONS, Liar, Lie, Reply, always, lying, raw, told
from tests.contract.test_night_over_http import check_made_once
from tests.contract.ways import access
from tests.nights import EAST, SOUTH, Cloud, copies_of

pytestmark = pytest.mark.looptime

COPIES = copies_of(12, EAST, SOUTH)


def same_names(number: int) -> str:
    """Name all sources alike, so that each travels in a call of its own."""
    return "golden"


def half(reply: Reply) -> bytes:
    """Announce all of it and break off in the middle."""
    whole = told(reply)
    return whole[: -len(whole) // 3]


def short_length(reply: Reply) -> bytes:
    """Announce less than is sent."""
    text = json.dumps(reply)
    return f"HTTP/1.1 200 OK\r\nContent-Length: {len(text) - 7}\r\n\r\n{text}".encode()


def twice(reply: Reply) -> bytes:
    """Say every key of the result twice."""
    inner = json.dumps(reply["result"])[1:-1]
    return raw(200, f'{{"requestId": "r", "result": {{{inner}, {inner}}}}}')


def noted(member: str) -> Lie:
    """Tell the truth with one more member that no JSON may have."""
    return lambda reply: raw(200, json.dumps(reply)[:-1] + f', "note": {member}}}')


UNREADABLE: dict[str, Lie] = {
    "empty": always(raw(200, "")),
    "html": always(raw(200, "<html>Welcome</html>", "Content-Type: text/html")),
    "null": always(raw(200, "null")),
    "deep": noted("[" * 100_000 + "]" * 100_000),
    "5000 digits": noted("9" * 5000),
    "NaN": noted("NaN"),
    "Infinity": noted("-Infinity"),
    "1e999999": noted("1e999999"),
    "a key twice": twice,
    "a success with an error": lambda reply: told({**reply, "error": {"code": 500, "status": "INTERNAL"}}),
    "result a list": lambda reply: told({**reply, "result": [reply["result"]]}),
    "400 in html": always(raw(400, "<html>what?</html>")),
    "404 in html": always(raw(404, "<html>where?</html>")),
    "413": always(raw(413, "<html>Request Entity Too Large</html>")),
    "600": always(raw(600, "{}")),
    "204": always(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "no http": always(b"\x16\x03\x01\x02\x00\x01\x00 hello\r\n\r\n"),
    "less announced": short_length,
    "two lengths": always(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} "),
    "a header bomb": always(b"HTTP/1.1 200 OK\r\n" + b"X-Bomb: y\r\n" * 9000 + b"\r\n{}"),
    "a line without end": always(b"HTTP/1.1 200 OK\r\nX-Bomb: " + b"y" * 90_000 + b"\r\n\r\n{}"),
}
OTHER: dict[str, tuple[Reason, Lie]] = {
    "half": (Reason.DISCONNECTED, half),
    "nothing": (Reason.DISCONNECTED, always(b"")),
    "302": (Reason.REDIRECTED, always(raw(302, "", "Location: http://192.0.2.1/"))),
    "307": (Reason.REDIRECTED, always(raw(307, "", "Location: /v1/again"))),
    "408": (Reason.TIMEOUT, always(raw(408, ""))),
    "499": (Reason.TIMEOUT, always(raw(499, ""))),
    "500": (Reason.SERVER_ERROR, always(raw(500, ""))),
    "503": (Reason.SERVER_ERROR, always(raw(503, "try later", "Retry-After: 1"))),
    "5 MB": (Reason.OVERSIZED, always(raw(200, b" " * 5_000_000))),
}
LIES = [(name, Reason.UNREADABLE, lie) for name, lie in UNREADABLE.items()]
LIES += [(name, reason, lie) for name, (reason, lie) in OTHER.items()]


async def night(cloud: Cloud, liar: Liar, copies: Sequence[Copy] = COPIES) -> Driver:
    """Run one night through the liar; it must end ok."""
    async with lying(cloud, liar) as url, JdCloud(access(url)) as port:
        driver = Driver(port)
        assert await driver.run(copies) == ("ok", 0)
    return driver


@pytest.mark.parametrize("seed", range(1))
async def test_no_answer_that_is_none_misleads_a_night(seed: int) -> None:
    """Every second answer is no answer, of 30 kinds and to every request: each its reason, each copy once."""
    chance = Random(seed)
    mixed = {about: chance.sample(LIES, len(LIES)) for about in OPERATIONS}
    liar = Liar({about: [lie for _, _, lie in lies] for about, lies in mixed.items()})
    cloud = Cloud(images=12, names=same_names)
    driver = await night(cloud, liar)
    check_made_once(cloud, COPIES)
    lost = [event.reason for event in driver.events if isinstance(event, Lost)]
    assert Counter(lost) == Counter(reason for _, reason, _ in mixed["copy"][: len(lost)])
    assert liar.told["copy"] == len(lost) > 10
    assert min(liar.told[about] for about in ("list", "describe", "quota")) > 0
    reads = [event.reason for event in driver.events if isinstance(event, Unanswered)]
    assert len(reads) == liar.told.total() - len(lost)
