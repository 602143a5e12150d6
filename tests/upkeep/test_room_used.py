"""A run that makes room uses it: it neither ends before nor sleeps over a deletion of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.reasons import Reason
from tests.nights import EPOCH, check_books, now
from tests.upkeep.estate import Cloud, Estate, plan_of, settled
from tests.upkeep.test_prune_first import KEEP_ONE, ROLLING, build, confine, quota_refusals

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize("deleting_s", [0.0, 35.0])
@pytest.mark.parametrize("interval_s", [1.0, 11.0, 900.0])
async def test_room_is_used_whenever_the_quota_is_read(
    tmp_path: Path, interval_s: float, deleting_s: float
) -> None:
    """Two families, five places: both new builds are there, however retries and deletions fall together."""
    estate = Estate(
        tmp_path, cloud=Cloud(images=0), number=0, options={"quota_interval": interval_s},
        plan=plan_of(ROLLING, "keep: {latest: 2}"),
    )  # fmt: skip
    confine(estate, 5, snapshots=5)
    estate.cloud.world.pace = replace(estate.cloud.world.pace, deleting_s=deleting_s)
    for night in range(4):
        for family, number in (("ubuntu", night), ("centos", 100 + night)):
            estate.add(number, EPOCH + night, name=f"golden-{family}-{night}")
        outcome = await estate.run(prune_first=True)
        assert (night, outcome.result.exit_code, outcome.result.notices) == (night, 0, ())
    assert estate.writes()["deleteImage"] == 3, "no more than the fifth place made necessary"
    assert quota_refusals(estate) == 0
    check_books(estate.cloud)


async def test_no_interval_is_slept_over_room_of_our_own(tmp_path: Path) -> None:
    """The deletion takes 20 s and QUOTA_INTERVAL is an hour: the night is over long before that hour."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    estate.options = {"quota_interval": 3600.0}
    confine(estate, 5)
    build(estate, 5)
    estate.cloud.world.pace = replace(estate.cloud.world.pace, deleting_s=20.0)
    began = now()
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert (outcome.result.exit_code, sorted(estate.copies())) == (0, [1, 2, 3, 4, 5])
    assert now() - began < 600


async def test_what_is_going_already_is_not_deleted_for_twice(tmp_path: Path) -> None:
    """One place is needed and four copies may go: while the first one goes, no other does."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    confine(estate, 5)
    build(estate, 5)
    estate.cloud.world.pace = replace(estate.cloud.world.pace, deleting_s=35.0)
    wanted = plan_of("{name: 'golden-*', latest: 2}", KEEP_ONE)
    outcome = await estate.run(wanted, prune_first=True)
    assert (outcome.result.exit_code, estate.writes()["deleteImage"]) == (0, 1)


@pytest.mark.parametrize("interval_s", [3.0, 60.0, 900.0])
async def test_room_that_never_comes_does_not_hold_the_run(tmp_path: Path, interval_s: float) -> None:
    """The image is seen as deleting for ever: the run ends all the same, and says what lacks room."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    estate.options = {"quota_interval": interval_s}
    confine(estate, 5)
    build(estate, 5)
    estate.cloud.world.pace = replace(estate.cloud.world.pace, deleting_s=1e9)
    began = now()
    outcome = await estate.run(plan_of(policy=KEEP_ONE), prune_first=True)
    assert outcome.result.exit_code == 3
    assert {standing.reason for standing in outcome.result.copies} == {Reason.QUOTA_IMAGE}
    assert now() - began < 40 + 3 * interval_s + 60


async def test_three_families_share_five_places(tmp_path: Path) -> None:
    """One build of each is kept: the first new one that is ready makes room for the third."""
    one_each = ROLLING.replace("latest: 2", "latest: 1")
    estate = Estate(tmp_path, cloud=Cloud(images=0), number=0, plan=plan_of(one_each, KEEP_ONE))
    confine(estate, 5, snapshots=5)
    for night in range(2):
        for place, family in enumerate(("centos", "ubuntu", "windows")):
            estate.add(100 * place + night, EPOCH + night, name=f"golden-{family}-{night}")
        assert (await estate.run(prune_first=True)).result.exit_code == 0
    assert {1, 101, 201} <= set(estate.copies())
    assert estate.writes()["deleteImage"] == 1
