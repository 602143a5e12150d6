"""Selectors in a run: what matched is on record, what they forbid stops everything before any call."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from orchestrator.app import Outcome, Wish
from orchestrator.core.freshness import freshness
from orchestrator.core.limits import Limits
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.upkeep import Selected
from orchestrator.core.verdict import Verdict
from orchestrator.errors import CloudSilent, PlanError
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from tests.contract.running import log_lines, reading
from tests.nights import EPOCH, check_books
from tests.upkeep.estate import DAY_S, EAST, NORTH, SOUTH, Cloud, Estate, ids, image_id, parsed, plan_of

pytestmark = pytest.mark.looptime

LISTS = frozenset({"describeImages"})


def estate_in(folder: Path, number: int = 3) -> Estate:
    """Make an estate of golden images on a cloud with much room."""
    return Estate(folder, cloud=Cloud(images=0), number=number)


def wanted(outcome: Outcome) -> list[str]:
    """Name the sources that a run wanted."""
    return [standing.copy.source for standing in outcome.result.copies]


def runs(estate: Estate) -> list[tuple[str, int]]:
    """List the runs that the ledger has, newest first: verdict and exit code."""
    with reading(estate) as reader:
        return [(row.verdict or "", -1 if row.exit_code is None else row.exit_code) for row in reader.runs()]


async def test_what_matched_is_in_ledger_and_log(tmp_path: Path) -> None:
    """Selector, replication, region and every image, newest first."""
    estate = estate_in(tmp_path)
    outcome = await estate.run(plan_of("{name: 'golden-*', latest: 2}"))
    assert outcome.result.exit_code == 0
    (event,) = [event for event in estate.upkeep() if isinstance(event, Selected)]
    assert (event.replication, event.region, event.images) == ("golden", NORTH, (image_id(2), image_id(1)))
    assert event.selector == "name golden-*, latest 2"
    (line,) = [line for line in log_lines(outcome.log) if line["event"] == "images.selected"]
    assert (line["level"], line["images"]) == ("info", [image_id(2), image_id(1)])
    assert sorted(estate.copies()) == [1, 2]


async def test_a_new_build_is_wanted_and_the_old_one_no_more(tmp_path: Path) -> None:
    """Next night's image has another id: it is copied, the one of before is neither missed nor made again."""
    estate = estate_in(tmp_path)
    await estate.run()
    estate.add(3, EPOCH)
    outcome = await estate.run()
    assert (wanted(outcome), outcome.result.exit_code) == ([image_id(3)], 0)
    assert sorted(estate.copies()) == [2, 3]
    assert (await estate.run()).result.exit_code == 0
    assert estate.writes() == {"copyImages": 2}
    check_books(estate.cloud)


async def test_copies_are_not_selected_back(tmp_path: Path) -> None:
    """Two regions that replicate to each other settle down after one night, with or without marks."""
    text = """\
version: 1
replications:
- {name: there, source: cn-north-1, destinations: [cn-east-2], images: [{name: 'golden-*'}]}
- {name: back, source: cn-east-2, destinations: [cn-north-1], images: [{name: 'golden-*'}]}
"""
    estate = estate_in(tmp_path)
    for _ in range(3):
        outcome = await estate.run(parsed(text))
        assert (outcome.result.exit_code, outcome.result.counts.wanted) == (0, 3)
    assert estate.writes() == {"copyImages": 1}
    assert [notice.kind for notice in outcome.result.notices] == ["selection"], "the way back finds nothing"


async def test_a_source_that_is_being_made_is_waited_for(tmp_path: Path) -> None:
    """Selected while it is pending, copied when it is ready."""
    estate = estate_in(tmp_path, 1)
    image = estate.cloud.world.stores[NORTH].images[image_id(0)]
    image.status = "pending"
    outcome = await estate.run(plan_of(), submit_s=1.0)
    assert {standing.reason for standing in outcome.result.copies} <= {
        Reason.SOURCE_PENDING, Reason.SUBMITS_OVER
    }  # fmt: skip
    image.status = "ready"
    assert (await estate.run()).result.exit_code == 0


async def test_a_selector_that_matches_nothing_is_a_warning(tmp_path: Path) -> None:
    """The night goes on with the rest, ends green, and says which selector, with near misses."""
    estate = estate_in(tmp_path)
    outcome = await estate.run(plan_of("{name: 'golden-*', latest: 1}, {name: 'golden-1', max_age: 1h}"))
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.OK, 0)
    (notice,) = outcome.result.notices
    assert notice.kind == "selection"
    assert f"{image_id(1)} (golden-1): made 2027-01-13" in notice.says


@pytest.mark.parametrize(
    ("images", "says"),
    [
        ("{name: 'golden-*', at_most: 2}", "matches 3 images, more than at_most: 2"),
        ("{name: 'silver-*', required: true}", "matches nothing, and it is required"),
    ],
)
async def test_what_a_selector_forbids_stops_before_any_call(tmp_path: Path, images: str, says: str) -> None:
    """Exit 2, one listing and nothing else, and the run is on record as failed."""
    estate = estate_in(tmp_path)
    outcome = await estate.run(plan_of(images))
    assert isinstance(outcome.fault, PlanError)
    assert says in str(outcome.fault)
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.FAILED, 2)
    assert runs(estate) == [("failed", 2)]
    assert estate.requests() == {"describeImages": 1}


async def test_a_source_region_that_cannot_be_listed(tmp_path: Path) -> None:
    """Exit 3 after some tries, nothing is sent, the run is on record; the next one makes the copy."""
    estate = estate_in(tmp_path)
    estate.cloud.faults = FaultPlan(Random(1), [Rule(fault=Fault.LISTING_ERROR, on=LISTS, chance=1.0)])
    outcome = await estate.run()
    assert isinstance(outcome.fault, CloudSilent)
    assert NORTH in str(outcome.fault)
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.FAILED, 3)
    assert estate.writes() == {}
    estate.cloud.faults = FaultPlan(Random(1))
    assert (await estate.run()).result.exit_code == 0
    assert runs(estate) == [("ok", 0), ("failed", 3)]


async def test_refused_credentials_stop_it_as_such(tmp_path: Path) -> None:
    """Exit 77, whoever notices first."""
    estate = estate_in(tmp_path)
    estate.secret = "wrong-" + "secret"
    outcome = await estate.run()
    assert (outcome.result.exit_code, runs(estate)) == (77, [("failed", 77)])
    assert estate.writes() == {}


async def test_looking_sends_reads_only_and_writes_nothing(tmp_path: Path) -> None:
    """`plan` on a plan with everything in it: selector, keep, label, verify, best effort."""
    policy = (
        "keep: {latest: 1}\n  label: {name: '{source_name}'}\n  verify: true\n"
        "  best_effort: {fail_after_nights: 3}"
    )
    estate = estate_in(tmp_path)
    diff = await estate.look(plan_of(policy=policy))
    assert [row.code.value for row in diff.rows] == ["copy-missing"]
    assert estate.writes() == {}
    assert not (estate.state / "ledger.db").exists()


# --- until when calls are sent --------------------------------------------------------------------


async def test_after_submit_until_nothing_is_sent_and_all_is_watched(tmp_path: Path) -> None:
    """What is under way is watched to its end, the rest is handed on: exit 4, and the next run makes it."""
    estate = estate_in(tmp_path)
    plan = plan_of(ids(0, 1, 2), "", EAST, SOUTH)
    outcome = await estate.run(plan, submit_s=20.0)
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.DEADLINE, 4)
    assert (outcome.result.counts.ready, outcome.result.counts.pending) == (3, 3)
    began = outcome.result.started_at
    calls = estate.cloud.world.books()["calls"]
    assert all(call["at"] <= began + 20.0 for call in calls)
    assert estate.cloud.world.books()["in_flight"] == {}, "nothing is left under way"
    assert outcome.result.finished_at > began + 30.0
    assert {s.reason for s in outcome.result.copies} == {Reason.COPIED, Reason.SUBMITS_OVER}
    assert (await estate.run(plan)).result.exit_code == 0
    check_books(estate.cloud)


async def test_submit_until_that_is_never_reached_changes_nothing(tmp_path: Path) -> None:
    """A night that is over before is green."""
    estate = estate_in(tmp_path)
    assert (await estate.run(submit_s=DAY_S)).result.exit_code == 0


async def test_a_lost_ledger_is_rebuilt_for_what_is_selected(tmp_path: Path) -> None:
    """The plan names no image, yet the rebuild looks for the copies of those that it selects."""
    estate = estate_in(tmp_path)
    plan = plan_of("{name: 'golden-*', latest: 2}")
    await estate.run(plan)
    before = {image.id for image in estate.copies().values()}
    for file in estate.state.glob("ledger.db*"):
        file.unlink()
    async with estate.open() as orchestrator:
        rebuilt = await orchestrator.rebuild(Wish(plan=plan))
    assert {standing.image for standing in rebuilt.outcome.result.copies} == before
    assert rebuilt.inherited
    writes = estate.writes()
    outcome = await estate.run(plan)
    assert (outcome.result.exit_code, outcome.result.strangers, estate.writes()) == (0, (), writes)


async def test_families_are_those_of_the_plan(tmp_path: Path) -> None:
    """Freshness groups images as `family` says, in the night itself and out of what a compaction keeps."""
    estate = estate_in(tmp_path)
    await estate.run(plan_of("{name: 'golden-*', latest: 2, family: '^gold'}"))
    events = estate.events()
    schedule = Schedule(Limits(), "l")
    schedule.recover(events)
    again = Schedule(Limits(), "l")
    again.recover(schedule.remember())
    for known in (schedule, again):
        assert {cell.family for cell in freshness(known, ())} == {"gold"}
    await estate.run(plan_of("{name: 'golden-*', latest: 2}"))
    after = Schedule(Limits(), "l")
    after.recover(estate.events())
    assert {cell.family for cell in freshness(after, ())} == {"golden"}
