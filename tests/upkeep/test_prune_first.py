"""`run --prune-first`: room for tonight's copies, no more of it than they need, by the plan's own rules."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from orchestrator.simulator.traits import Fates
from tests.nights import EPOCH, check_books
from tests.upkeep.estate import EAST, NORTH, SOUTH, Cloud, Estate, ids, image_id, plan_of, settled

pytestmark = pytest.mark.looptime

KEEP_ONE = "keep: {latest: 1}"
NEW = "{name: 'golden-*', latest: 2}"


def confine(estate: Estate, images: int, snapshots: int = 1000) -> None:
    """Give the east these quotas, and watch them from now on."""
    store = estate.cloud.world.stores[EAST]
    store.image_quota, store.snapshot_quota = images, snapshots


def build(estate: Estate, number: int, *, disks: int = 1, encrypted: bool = False) -> None:
    """Build one more golden image, with so many disks."""
    names = tuple(f"snap-{number}-{disk}" for disk in range(disks))
    estate.cloud.add(number, encrypted=encrypted)
    store = estate.cloud.world.stores[NORTH]
    image = store.images.pop(image_id(number))
    image.created_s, image.snapshots = EPOCH, names
    estate.cloud.world.add_image(NORTH, image, encrypted=encrypted)


def quota_refusals(estate: Estate) -> int:
    """Count the calls that met a quota that had no room."""
    return estate.cloud.world.books()["refused"].get("429 QUOTA_EXCEEDED", 0)


async def test_no_more_goes_than_tonight_needs(tmp_path: Path) -> None:
    """Four could go and one new image comes: the oldest one goes, before the call, and the night is green."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 5)
    build(estate, 5)
    outcome = await estate.run(plan_of("{name: 'golden-*', latest: 1}", KEEP_ONE), prune_first=True)
    assert outcome.result.exit_code == 0
    assert sorted(estate.copies()) == [1, 2, 3, 4, 5]
    assert (estate.writes()["deleteImage"], quota_refusals(estate)) == (1, 0)
    check_books(estate.cloud)


async def test_where_there_is_room_nothing_goes(tmp_path: Path) -> None:
    """Old copies that could go stay: `--prune-first` is no prune."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 6)
    build(estate, 5)
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert (outcome.result.exit_code, "deleteImage" in estate.writes()) == (0, False)
    assert sorted(estate.copies()) == [0, 1, 2, 3, 4, 5]


async def test_nothing_to_copy_nothing_to_delete(tmp_path: Path) -> None:
    """A region over its quota, with all that is wanted there: no deletion."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 3)
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert (outcome.result.exit_code, "deleteImage" in estate.writes()) == (0, False)


async def test_room_is_made_for_snapshots_too(tmp_path: Path) -> None:
    """A new image of three disks needs three snapshots: as many old copies of one disk go."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 100, snapshots=5)
    build(estate, 5, disks=3)
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert (outcome.result.exit_code, estate.writes()["deleteImage"]) == (0, 3)
    assert sorted(estate.copies()) == [3, 4, 5]
    assert quota_refusals(estate) == 0


async def test_an_old_copy_gives_back_all_its_snapshots(tmp_path: Path) -> None:
    """Images of three disks each: one old copy that goes is room enough for a new one."""
    estate = Estate(tmp_path, cloud=Cloud(images=0, disks=3), number=4)
    assert (await estate.run(plan_of(ids(*range(4)), KEEP_ONE))).result.exit_code == 0
    confine(estate, 100, snapshots=12)
    build(estate, 4, disks=3)
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert (outcome.result.exit_code, sorted(estate.copies())) == (0, [1, 2, 3, 4])


async def test_no_room_is_made_for_what_cannot_be_copied(tmp_path: Path) -> None:
    """An encrypted source is refused whatever room there is: nothing is deleted for it."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 5)
    build(estate, 5, encrypted=True)
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert {standing.reason for standing in outcome.result.copies} == {Reason.ENCRYPTED}
    assert "deleteImage" not in estate.writes()
    assert sorted(estate.copies()) == [0, 1, 2, 3, 4]


async def test_what_tonight_wants_is_not_deleted_for_it(tmp_path: Path) -> None:
    """All five are wanted and a sixth: nothing may go, the sixth waits for room, exit 3."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 5)
    build(estate, 5)
    outcome = await estate.run(plan_of(ids(*range(6)), KEEP_ONE), prune_first=True)
    assert (outcome.result.exit_code, "deleteImage" in estate.writes()) == (3, False)
    assert outcome.result.counts.ready == 5


async def test_a_deletion_that_fails_is_a_notice(tmp_path: Path) -> None:
    """The room is not there, the copy waits for it, and the run says both."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 5)
    build(estate, 5)
    estate.cloud.faults = FaultPlan(
        Random(1), [Rule(fault=Fault.FORBIDDEN, on=frozenset({"deleteImage"}), chance=1.0)]
    )
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert outcome.result.exit_code == 3
    assert [notice.kind for notice in outcome.result.notices] == ["prune"]
    assert {standing.state for standing in outcome.result.copies} == {State.WAITING}
    assert len(estate.copies()) == 5


async def test_a_broken_copy_goes_first(tmp_path: Path) -> None:
    """Of what may go the broken one holds room for nothing: it goes before the oldest."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    estate.copies()[3].status = "error"
    confine(estate, 5)
    build(estate, 5)
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert (outcome.result.exit_code, sorted(estate.copies())) == (0, [0, 1, 2, 4, 5])


async def test_a_plain_run_neither_deletes_nor_renames(tmp_path: Path) -> None:
    """With `keep` in the plan and no room: the run waits for room, and touches nothing."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 5)
    build(estate, 5)
    outcome = await estate.run(plan_of(policy=KEEP_ONE))
    assert outcome.result.exit_code == 3
    assert set(estate.writes()) == {"copyImages"}
    assert sorted(estate.copies()) == [0, 1, 2, 3, 4]


async def test_what_was_pruned_first_is_not_copied_again(tmp_path: Path) -> None:
    """Night after night with one place too few: each copy is made once, and the quota never overflows."""
    estate = await settled(tmp_path, 3, policy=KEEP_ONE)
    confine(estate, 3, snapshots=3)
    for number in range(3, 7):
        build(estate, number)
        estate.cloud.world.stores[NORTH].images[image_id(number)].created_s += number
        assert (await estate.run(plan_of(NEW, KEEP_ONE), prune_first=True)).result.exit_code == 0
        assert len(estate.copies()) == 3
    made = [entry["root"] for entry in estate.cloud.world.books()["copies"]]
    assert sorted(made) == sorted(set(made))
    assert quota_refusals(estate) == 0


async def test_room_that_comes_late_is_waited_for(tmp_path: Path) -> None:
    """A deletion takes two minutes, in which the image still counts: the run tries again, and is green."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 5)
    build(estate, 5)
    estate.cloud.world.pace = replace(estate.cloud.world.pace, deleting_s=120.0)
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert (outcome.result.exit_code, sorted(estate.copies())) == (0, [1, 2, 3, 4, 5])
    assert estate.writes()["deleteImage"] == 1


ROLLING = "{name: 'golden-*', latest: 2, family: '^golden-[a-z]+'}"


async def test_room_follows_what_becomes_ready(tmp_path: Path) -> None:
    """Two families, two builds of each kept, five places: each new build lets one old copy of its family go.

    When the night begins `keep: {latest: 2}` speaks for all four, and there is one place for two new builds.
    """
    estate = Estate(tmp_path, cloud=Cloud(images=0), number=0)
    plan = plan_of(ROLLING, "keep: {latest: 2}")
    confine(estate, 5, snapshots=5)
    for night in range(4):
        for family, number in (("ubuntu", night), ("centos", 100 + night)):
            estate.add(number, EPOCH + night, name=f"golden-{family}-{night}")
        outcome = await estate.run(plan, prune_first=True)
        assert (outcome.result.exit_code, outcome.result.notices) == (0, ())
        assert len(estate.copies()) <= 5
    assert sorted(estate.copies()) == [1, 2, 3, 102, 103]
    assert estate.writes()["deleteImage"] == 3, "no more than the fifth place made necessary"
    assert quota_refusals(estate) == 0
    check_books(estate.cloud)


async def test_a_build_that_fails_lets_no_copy_go(tmp_path: Path) -> None:
    """The new build ends in an error: the two older copies stay, as `keep: {latest: 2}` says."""
    estate = Estate(tmp_path, cloud=Cloud(images=0), number=2)
    plan = plan_of("{name: 'golden-*', latest: 2}", "keep: {latest: 2}")
    confine(estate, 2)
    assert (await estate.run(plan)).result.exit_code == 0
    build(estate, 2)
    outcome = await estate.run(plan, prune_first=True)
    assert (outcome.result.exit_code, sorted(estate.copies())) == (3, [0, 1])
    confine(estate, 3)
    estate.cloud.world.fates = Fates(error=frozenset({image_id(2)}))
    outcome = await estate.run(plan, prune_first=True)
    assert outcome.result.exit_code == 3
    assert {number: image.status for number, image in estate.copies().items()} == {
        0: "ready", 1: "ready", 2: "error"
    }  # fmt: skip


async def test_a_silent_destination_hinders_no_other(tmp_path: Path) -> None:
    """One destination gives no list: nothing is deleted there, and room is made in the other."""
    estate = Estate(tmp_path, cloud=Cloud(images=0), number=3)
    both = plan_of(ids(0, 1, 2), KEEP_ONE, EAST, SOUTH)
    assert (await estate.run(both)).result.exit_code == 0
    confine(estate, 3)
    build(estate, 3)
    estate.down = frozenset({SOUTH})
    outcome = await estate.run(plan_of(NEW, KEEP_ONE, EAST, SOUTH), prune_first=True)
    assert sorted(estate.copies()) == [1, 2, 3]
    assert sorted(estate.copies(SOUTH)) == [0, 1, 2]
    (notice,) = outcome.result.notices
    assert (notice.kind, SOUTH in notice.says) == ("prune", True)
    assert {s.copy.destination for s in outcome.result.copies if s.state is not State.READY} == {SOUTH}
