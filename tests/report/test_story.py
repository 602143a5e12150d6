"""The story of a run is what its ledger says: nothing made up, nothing left out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Begun, Change, Event
from orchestrator.core.model import Copy, RunId, State
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Result
from orchestrator.ledger.reader import LedgerReader
from orchestrator.report.retelling import NAMELESS, retell
from orchestrator.report.story import Spell, Story
from orchestrator.watch.result import Running
from tests.nights import EAST, EAST1, SOUTH, Cloud, copies_of, image_id
from tests.report.nights import Keeper, rich_nights, story_of
from tests.report.samples import some_upkeep
from tests.watch.samples import NIGHT

pytestmark = pytest.mark.looptime


def reader_of(keeper: Keeper) -> LedgerReader:
    """Open the keeper's ledger for looking."""
    reader = LedgerReader.open(keeper.folder)
    assert reader is not None
    return reader


def moves(changes: list[Change], copy: Copy, after: float) -> list[tuple[State, float]]:
    """Tell from what a run was told of a copy into which states it went after a time, and when."""
    mine = (change for change in changes if change.copy == copy and change.before is not change.after)
    return [(change.after, change.at) for change in mine if change.at > after]


def told(story: Story, copy: Copy) -> list[Spell]:
    """Give the spells of one copy of a story."""
    (found,) = [each for each in story.copies if each.copy == copy]
    return list(found.spells)


async def test_every_copy_went_the_way_that_the_run_was_told(tmp_path: Path) -> None:
    """Told again from the ledger, each copy has the very states and times that the run itself saw."""
    keeper, result = await rich_nights(tmp_path / "state")
    story = story_of(keeper, result)
    number = 0
    for copy in copies_of(27, EAST, SOUTH, EAST1):
        wanted, *later = told(story, copy)
        assert [(spell.state, spell.since) for spell in later] == moves(keeper.changes, copy, wanted.since)
        number += len(later)
    assert number > 100


async def test_a_finished_run_stands_where_its_result_says(tmp_path: Path) -> None:
    """Verdict, counts, copies and requests are those of the result, which the ledger keeps."""
    keeper, result = await rich_nights(tmp_path / "state")
    story = story_of(keeper, result)
    assert (story.run, story.verdict, story.exit_code) == (result.run, result.verdict, result.exit_code)
    assert tuple(copy.standing for copy in story.copies) == result.copies
    assert story.counts == result.counts
    assert (story.started_at, story.until) == (result.started_at, result.finished_at)
    assert story.traffic is not None
    assert {api: sum(bars) for api, bars in story.traffic.counts.items()} == dict(result.calls)
    with reader_of(keeper) as reader:
        assert story.requests == reader.calls(result.run)
    last = {copy.copy: copy.spells[-1].state for copy in story.copies}
    assert last == {standing.copy: standing.state for standing in result.copies}


async def test_calls_are_told_with_their_answers(tmp_path: Path) -> None:
    """Every call of the run is there once, its answer with it; a copy names those that named it."""
    keeper, result = await rich_nights(tmp_path / "state")
    story = story_of(keeper, result)
    assert len(story.calls) == result.calls["copyImages"]
    answers = Counter(call.answer for call in story.calls)
    assert answers["accepted"] > 5
    assert answers["lost"] == 1
    assert all(call.answered_at is not None and call.answered_at >= call.at for call in story.calls)
    assert sum(call.copies for call in story.calls) == sum(len(copy.calls) for copy in story.copies)


async def test_relayed_copies_lead_back_to_their_original(tmp_path: Path) -> None:
    """The lineage of a relayed copy begins with the original and ends with the copy's own image."""
    keeper, result = await rich_nights(tmp_path / "state")
    relayed = [copy for copy in story_of(keeper, result).copies if copy.standing.carrier]
    assert relayed
    for copy in relayed:
        standing = copy.standing
        assert copy.lineage[0] == (copy.copy.origin, copy.copy.source)
        assert (standing.via, standing.carrier) in copy.lineage
        if standing.image is not None:
            assert copy.lineage[-1] == (copy.copy.destination, standing.image)


async def test_quotas_and_deferred_copies_have_numbers(tmp_path: Path) -> None:
    """Used, made since and needed account for all that a full destination was asked for."""
    keeper = Keeper(tmp_path / "state", Cloud(images=30, quota=25))
    story = story_of(keeper, await keeper.night(copies_of(30, EAST)))
    (images,) = [quota for quota in story.quotas if quota.resource.value == "image"]
    assert (images.limit, images.used + images.made, images.needed) == (25, 25, 5)
    (overview,) = story.overviews
    assert overview.shortage is not None
    assert (overview.shortage.fit, overview.shortage.deferred) == (25, 5)


async def test_a_run_without_an_end_is_told_as_far_as_it_came(tmp_path: Path) -> None:
    """A killed run has no result: its copies stand where its events left them, and it ends with the last."""
    keeper = Keeper(tmp_path / "state", Cloud(images=4))
    result = await keeper.night(copies_of(4, EAST), ends=False)
    running = _view(result, killed=False)
    story = story_of(keeper, running)
    assert story.sentence == "running: 4 of 4 copies ready yet"
    assert (story.finished_at, story.exit_code, story.until) == (None, None, story.told_at)
    dead = story_of(keeper, _view(result, killed=True))
    assert dead.sentence == "killed: 4 of 4 copies ready; the next run takes its copies over"
    assert result.started_at < dead.until <= result.finished_at
    assert {copy.standing.state for copy in dead.copies} == {State.READY}


def _view(result: Result, *, killed: bool) -> Running:
    """See a run as one without an end."""
    return Running(
        run=result.run, plan=result.plan, started_at=result.started_at, counts=result.counts,
        calls=result.calls, copies=(), killed=killed,
    )  # fmt: skip


async def test_only_earlier_runs_of_the_same_plan_are_compared(tmp_path: Path) -> None:
    """The comparison holds the runs of this plan before this one, the newest first, and no other."""
    keeper = Keeper(tmp_path / "state", Cloud(images=2))
    results = [await keeper.night(copies_of(2, EAST)) for _ in range(3)]
    keeper.plan = "other.yaml"
    await keeper.night(copies_of(2, SOUTH))
    story = story_of(keeper, results[1])
    assert [run.run for run in story.earlier] == [results[0].run]
    assert story.earlier[0].counts == results[0].counts
    assert story.earlier[0].took_s == pytest.approx(results[0].finished_at - results[0].started_at)
    assert story_of(keeper, results[0]).earlier == ()


async def test_families_are_those_of_the_names(tmp_path: Path) -> None:
    """Copies belong to the family of their image's name; one that nobody named says so."""
    cloud = Cloud(images=3, names="golden-2026112{}".format)
    keeper = Keeper(tmp_path / "state", cloud)
    wanted = [*copies_of(3, EAST), Copy(image_id(99), copies_of(1, EAST)[0].origin, EAST)]
    story = story_of(keeper, await keeper.night(wanted))
    assert [copy.family for copy in story.copies] == ["golden", "golden", "golden", NAMELESS]
    assert story.copies[1].name == "golden-20261121"


async def test_a_run_that_was_compacted_away_keeps_its_result(tmp_path: Path) -> None:
    """Without the events of a run its copies still stand where the result says; the rest is left out."""
    keeper = Keeper(tmp_path / "state", Cloud(images=3))
    result = await keeper.night(copies_of(3, EAST))
    with reader_of(keeper) as reader:
        assert retell(reader.events(), result.run, Schedule(Limits(), reader.ledger_id)) is not None
        assert retell([], result.run, Schedule(Limits(), reader.ledger_id)) is None


def test_upkeep_belongs_to_the_story() -> None:
    """What happened to images beside their copying is told as it was recorded, in its order."""
    run = RunId("r1")
    events: list[Event] = [Begun(at=NIGHT, run=run), *some_upkeep(), Begun(at=NIGHT + 9, run=RunId("r2"))]
    retold = retell([*events, *some_upkeep("later")], run, Schedule(Limits(), "testledger01"))
    assert retold is not None
    assert list(retold.upkeep) == some_upkeep()
