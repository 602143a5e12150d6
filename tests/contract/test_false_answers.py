"""Answers that look sane and are false: what cannot be true is not believed, what people see is harmless."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest

from orchestrator.app import Screen, Wish
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.messages import Accepted
from orchestrator.core.reasons import Reason
from orchestrator.simulator.traits import Pace
from tests.contract.driving import Driver
from tests.contract.lying import Liar, Lie, Reply, always, changed, lying, raw, told
from tests.contract.running import QUICK, House, log_lines, plan_of
from tests.contract.test_night_over_http import check_made_once
from tests.contract.ways import access
from tests.nights import EAST, SOUTH, Cloud, copies_of, image_id

pytestmark = pytest.mark.looptime

COPIES = copies_of(12, EAST, SOUTH)
Pair = dict[str, Any]


def pairs(change: Callable[[list[Pair]], list[Any]]) -> Lie:
    """Tell other pairs than the true ones."""

    def lie(reply: Reply) -> bytes:
        result = {**reply["result"], "copyImages": change(reply["result"]["copyImages"])}
        return told({**reply, "result": result})

    return lie


def pair(source: object, made: object) -> Pair:
    """Write one pair."""
    return {"sourceImageId": source, "destinationImageId": made}


FALSE_PAIRS: dict[str, Lie] = {
    "a source we did not ask for": pairs(lambda p: [*p, pair("img-nobodyasked", "img-nobodymade")]),
    "only that": pairs(lambda p: [pair("img-nobodyasked", "img-nobodymade")]),
    "one destination for all": pairs(
        lambda p: [pair(q["sourceImageId"], p[0]["destinationImageId"]) for q in p]
    ),
    "the source as its own copy": pairs(lambda p: [pair(q["sourceImageId"], q["sourceImageId"]) for q in p]),
    "another source as the copy": pairs(lambda p: [pair(q["sourceImageId"], image_id(11)) for q in p[:1]]),
    "a copy of two calls": pairs(lambda p: [pair(q["sourceImageId"], "img-always1") for q in p[:1]]),
    "every pair twice": pairs(lambda p: [*p, *p]),
    "two copies of the first": pairs(lambda p: [*p, pair(p[0]["sourceImageId"], "img-second")]),
    "all but the last": pairs(lambda p: p[:-1]),
    "none": pairs(lambda p: []),
    "null": changed(copyImages=None),
    "missing": lambda reply: told({**reply, "result": {}}),
    "an object": changed(copyImages={"sourceImageId": "img-a1"}),
    "numbers": pairs(lambda p: [pair(1, 2)]),
    "lists": pairs(lambda p: [pair([q["sourceImageId"]], {}) for q in p]),
    "texts": pairs(lambda p: ["img-a1=img-b1", None, 7]),
    "a path": pairs(lambda p: [pair(q["sourceImageId"], "img-../../x") for q in p]),
    "no request id": lambda reply: told({"result": reply["result"]}),
}


@pytest.mark.parametrize("first", range(0, len(FALSE_PAIRS), 4))
async def test_false_pairs_mislead_nobody(first: int) -> None:
    """Whatever accepted calls are said to have made: each copy once, under its true id, verdict ok."""
    lies = list(FALSE_PAIRS.values())[first : first + 4]
    cloud, liar = Cloud(images=12), Liar({"copy": lies}, honest=False)
    async with lying(cloud, liar) as url, JdCloud(access(url)) as port:
        driver = Driver(port)
        assert await driver.run(COPIES) == ("ok", 0)
    check_made_once(cloud, COPIES)
    assert liar.told["copy"] == len(lies)
    true = {copy["source"] + copy["destination"]: copy["image"] for copy in cloud.world.books()["copies"]}
    for standing in driver.engine.schedule.standings():
        assert standing.image == true[standing.copy.source + standing.copy.destination]


def images(**change: object) -> Lie:
    """Change members of every image shown."""

    def lie(reply: Reply) -> bytes:
        shown = [{**image, **change} for image in reply["result"].get("images") or []]
        return told({**reply, "result": {**reply["result"], "images": shown}})

    return lie


FALSE_READS: dict[str, tuple[str, Lie]] = {
    "an unknown status": ("describe", images(status="teleporting")),
    "a status in capitals": ("describe", images(status="READY")),
    "a status that is a number": ("describe", images(status=1)),
    "a status that is null": ("describe", images(status=None)),
    "progress past all bounds": ("describe", images(progress="9" * 400)),
    "progress that is an object": ("describe", images(progress={"a": 1})),
    "images that we did not ask for": ("describe", images(imageId="img-nobodyasked")),
    "no image": ("describe", changed(images=None)),
    "images as an object": ("describe", changed(images={"img-a1": "ready"})),
    "a missing list": ("describe", lambda reply: told({**reply, "result": {}})),
    "sizes as text": ("describe", images(sizeMB="8192")),
    "names as lists": ("describe", images(name=["golden"])),
    "disks as text": ("describe", images(dataDisks="none")),
    "quotas as text": ("quota", changed(quotas=[{"resourceType": "image", "limit": "5", "used": "1"}])),
    "quotas below zero": ("quota", changed(quotas=[{"resourceType": "image", "limit": -1, "used": 0}])),
    "two quotas": ("quota", changed(quotas=[{"resourceType": "image", "limit": 5, "used": 1}] * 2)),
    "quotas null": ("quota", changed(quotas=None, quota=None)),
}


@pytest.mark.parametrize("seed", range(1))
async def test_false_reads_mislead_nobody(seed: int) -> None:
    """However sources, copies and quotas are described every second time: each copy once, verdict ok."""
    lies = Random(seed).sample(list(FALSE_READS.values()), len(FALSE_READS))
    liar = Liar({about: [lie for topic, lie in lies if topic == about] for about in ("describe", "quota")})
    cloud = Cloud(images=12, pace=Pace(copy_base_s=900))
    async with lying(cloud, liar) as url, JdCloud(access(url)) as port:
        driver = Driver(port)
        assert await driver.run(COPIES) == ("ok", 0)
    check_made_once(cloud, COPIES)
    assert liar.told["describe"] == len(liar.lies["describe"])
    assert liar.told["quota"] > 0


# --- what people see ------------------------------------------------------------------------------

SPELL = "\x1b[2J\x1b]0;owned\x07\r\n\u202e\u2066\u0000<b>[red]" + "ä" * 1_500_000
"""Clears the screen, renames the window, forges a line, turns the text around; three megabytes."""


async def test_no_word_of_the_cloud_acts_on_a_terminal_or_a_log(tmp_path: Path) -> None:
    """Control characters in names, messages and ids come out as text: one line, short, ASCII in the log."""
    house = House(tmp_path, Cloud(images=3, pace=QUICK))
    house.screen = Screen(stream=io.StringIO(), progress=False, verbose=True)
    refusal = f'{{"error": {{"code": 400, "status": "\\u001b[2J", "message": {_quoted(SPELL)}}}}}'
    failure = raw(500, f'{{"requestId": {_quoted(SPELL)}, "error": {{"message": {_quoted(SPELL)}}}}}')
    spelt = always(raw(400, refusal))
    liar = Liar({"copy": [always(failure)], "list": [always(failure), spelt], "describe": [spelt, spelt]})
    async with lying(house.cloud, liar) as url, house.orchestrator(url) as orchestrator:
        outcome = await orchestrator.run(Wish(plan=plan_of([image_id(n) for n in range(3)], EAST)))
    assert outcome.result.exit_code == 0, house.shown()
    assert liar.told.total() == 5
    assert all(line.isprintable() for line in house.shown().splitlines())
    assert max(map(len, house.shown().splitlines())) < 1000
    assert outcome.log.read_text("ascii").count("\n") == len(log_lines(outcome.log))
    assert outcome.log.stat().st_size < 200_000


def _quoted(text: str) -> str:
    """Write a JSON text as it is, with only what JSON needs escaped."""
    return json.dumps(text, ensure_ascii=False)


async def test_a_true_acceptance_is_an_event_with_its_pairs() -> None:
    """What the false ones are made from is believed at once."""
    cloud = Cloud(images=12)
    async with lying(cloud, Liar({})) as url, JdCloud(access(url)) as port:
        driver = Driver(port)
        assert await driver.run(COPIES) == ("ok", 0)
    told_of = [pair for event in driver.events if isinstance(event, Accepted) for pair in event.pairs]
    assert len(told_of) == len(COPIES)
    assert not any(standing.reason is Reason.ADOPTED for standing in driver.engine.schedule.standings())
