"""A week of an operator: new builds every night, quotas of five, retention, an outage, a poisoned image."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.app import Outcome
from orchestrator.cli.check import check
from orchestrator.core.freshness import freshness
from orchestrator.core.limits import Limits
from orchestrator.core.model import ImageId, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.ledger.remembering import remembered
from orchestrator.report.reading import read_story
from orchestrator.report.story import Story
from orchestrator.simulator.things import Image
from tests.contract.running import reading
from tests.nights import EPOCH, check_books, now
from tests.upkeep.estate import DAY_S, EAST, NORTH, SOUTH, Cloud, Estate, image_id, parsed

pytestmark = pytest.mark.looptime

PLAN = """\
version: 1
defaults:
  source: cn-north-1
  keep: {latest: 2}
replications:
- name: near
  destinations: [cn-east-2]
  images: [{name: 'golden-*', latest: 2}]
- name: far
  destinations: [cn-south-1]
  images: [{name: 'golden-*', latest: 2}]
  best_effort: {fail_after_nights: 3}
"""
FAMILIES = ("golden-centos", "golden-ubuntu")
IMAGES, SNAPSHOTS, DISKS = 5, 15, 3
"""The documented quotas of a new account, and images that fill both at once."""


@dataclass(frozen=True)
class Night:
    """What a night must come to: copies, exit code, what monitoring hears in the morning, notices.

    `fresh` is the night in which the newest copy became ready: centos near and far, ubuntu near and far.
    """

    ready: int
    missing: int
    code: int
    check: int
    notices: frozenset[str]
    fresh: tuple[int, int, int, int]


CALM = frozenset[str]()
AWAY = frozenset({"tolerated", "prune"})
"""The far region is down: what is missing there is tolerated, and no room is made there."""

WEEK = {
    1: Night(4, 0, 0, 0, CALM, (1, 1, 1, 1)),
    2: Night(8, 0, 0, 0, CALM, (2, 2, 2, 2)),
    3: Night(4, 4, 0, 1, AWAY, (3, 2, 3, 2)),
    4: Night(4, 4, 0, 1, AWAY, (4, 2, 4, 2)),
    5: Night(6, 2, 3, 2, CALM, (5, 5, 4, 5)),
    6: Night(8, 0, 0, 0, CALM, (6, 6, 6, 6)),
    7: Night(8, 0, 0, 0, CALM, (7, 7, 7, 7)),
}
OUTAGE, POISONED = (3, 4), 5


class Week:
    """One account through seven nights."""

    def __init__(self, folder: Path) -> None:
        self.estate = Estate(
            folder, cloud=Cloud(images=0, disks=DISKS), number=0, plan=parsed(PLAN),
            options={"quota_interval": 60.0},
        )  # fmt: skip
        for region in (EAST, SOUTH):
            self.estate.cloud.world.add_region(region, images=IMAGES, snapshots=SNAPSHOTS)

    async def night(self, number: int) -> Outcome:
        """Build both families anew, then run at the same hour of the next day."""
        await asyncio.sleep(EPOCH + number * DAY_S - now())
        self.estate.down = frozenset({SOUTH}) if number in OUTAGE else frozenset()
        if number == POISONED + 1:
            del self.estate.cloud.world.stores[NORTH].images[build(POISONED, 1)]
        for place, family in enumerate(FAMILIES):
            self.estate.add(
                10 * number + place, now() - 3600, name=f"{family}-{number:02d}",
                encrypted=number == POISONED and place == 1,
            )  # fmt: skip
        return await self.estate.run(prune_first=True)

    def check_stores(self) -> None:
        """No quota was ever exceeded, and no call was sent that met a full one."""
        for region in (EAST, SOUTH):
            store = self.estate.cloud.world.stores[region]
            assert len(store.images) <= IMAGES
            assert len(store.snapshots) <= SNAPSHOTS
        assert not any(code.startswith("429") for code in self.estate.cloud.world.books()["refused"])

    def freshest(self, outcome: Outcome) -> tuple[int, ...]:
        """Tell for each family and destination in which night its newest copy became ready."""
        schedule = remembered(self.estate.state, Limits())
        assert schedule is not None
        cells = {(c.family, c.destination): c for c in freshness(schedule, outcome.result.copies)}
        order = [(family, region) for family in FAMILIES for region in (EAST, SOUTH)]
        return tuple(int(((cells[place].ready_at or 0.0) - EPOCH) // DAY_S) for place in order)

    def story(self, outcome: Outcome) -> Story:
        """Read what the report tells."""
        with reading(self.estate) as reader:
            return read_story(reader, outcome.result, now())


def build(night: int, place: int) -> ImageId:
    """Name a night's build of a family."""
    return image_id(10 * night + place)


def morning(week: Week, monkeypatch: pytest.MonkeyPatch) -> int:
    """Ask as monitoring does, four hours later."""
    with monkeypatch.context() as patched:
        patched.setattr("time.time", lambda: now() + 4 * 3600)
        return check(week.estate.state, None, 26 * 3600.0)


def check_report(story: Story, outcome: Outcome, number: int) -> None:
    """Hold the report to the same night: counts, verdict, each copy, the nights before, the upkeep."""
    result = outcome.result
    assert (story.verdict, story.exit_code, story.counts) == (result.verdict, result.exit_code, result.counts)
    assert {c.copy: c.standing.state for c in story.copies} == {s.copy: s.state for s in result.copies}
    assert {c.family for c in story.copies} <= set(FAMILIES)
    assert [run.verdict for run in story.earlier] == [
        "partial" if night == POISONED else "ok" for night in range(number - 1, 0, -1)
    ]
    told = Counter(type(event).__name__ for event in story.upkeep)
    assert told["Selected"] == 2
    assert bool(told["Pruned"]) == (number >= 3)


def why(outcome: Outcome) -> set[tuple[Region, Reason]]:
    """Say which destinations miss something, and why."""
    return {(s.copy.destination, s.reason) for s in outcome.result.copies if s.state is not State.READY}


async def test_seven_nights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdict, exit code, freshness, report and answer to monitoring are right; nothing is made twice."""
    week = Week(tmp_path)
    for number, expected in WEEK.items():
        outcome = await week.night(number)
        counts, result = outcome.result.counts, outcome.result
        assert (counts.ready, counts.wanted - counts.ready) == (expected.ready, expected.missing), number
        assert (result.exit_code, frozenset(n.kind for n in result.notices)) == (
            expected.code,
            expected.notices,
        ), number
        assert result.strangers == ()
        assert week.freshest(outcome) == expected.fresh, number
        assert morning(week, monkeypatch) == expected.check, capsys.readouterr().out
        check_report(week.story(outcome), outcome, number)
        if number == POISONED:
            assert why(outcome) == {(EAST, Reason.ENCRYPTED), (SOUTH, Reason.ENCRYPTED)}
        week.check_stores()
    check_end(week)


def check_end(week: Week) -> None:
    """After the week: each destination holds the newest two of each family; each copy was made once."""
    estate = week.estate
    check_books(estate.cloud)
    made = [(entry["root"], entry["destination"]) for entry in estate.cloud.world.books()["copies"]]
    assert len(made) == len(set(made))
    assert not any(image in (build(POISONED, 1),) for image, _ in made), "the poisoned image was never sent"
    for region in (EAST, SOUTH):
        names = {image.name for image in _ready(estate, region)}
        assert names >= {f"{family}-{night:02d}" for family in FAMILIES for night in (6, 7)}
    assert set(estate.writes()) == {"copyImages", "deleteImage"}


def _ready(estate: Estate, region: Region) -> list[Image]:
    return [image for image in estate.cloud.world.stores[region].images.values() if image.status == "ready"]
