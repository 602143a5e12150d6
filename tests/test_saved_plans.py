"""A saved plan is run exactly as it was seen, or refused by name of what moved; never is more sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.app import Outcome, Wish
from orchestrator.core.diff import Code
from orchestrator.core.saved import SavedPlan, saved_plan
from orchestrator.errors import PlanMoved, UsageError
from orchestrator.settings.endpoints import endpoint_name
from orchestrator.watch.plan_file import is_saved, saved_from_json, saved_json, write_saved
from tests.contract.running import plan_of
from tests.contract.ways import serving
from tests.nights import EAST, NORTH, SOUTH, image_id
from tests.planned_worlds import IMAGES, Stage, begun_by_others, put, stage, there

pytestmark = pytest.mark.looptime

Move = Callable[[Stage], object]
HAND = f"copied from {NORTH} {image_id(1)}"


async def saved_then_run(scene: Stage, move: Move = lambda scene: None) -> tuple[SavedPlan, Outcome]:
    """Look, save, read back, let the world move, run what was saved."""
    house, plan = scene.house, plan_of(scene.images, *scene.regions)
    async with serving(house.cloud.world, house.cloud.faults, house.wall) as url:
        async with house.orchestrator(url) as orchestrator:
            diff = await orchestrator.diff(plan)
        saved = saved_plan(diff, "nightly.yaml", endpoint_name(url))
        saved = saved_from_json(saved_json(saved).encode(), "saved")
        move(scene)
        scene.before = scene.calls()
        async with house.orchestrator(url) as orchestrator:
            return saved, await orchestrator.run(Wish(plan=plan, saved=saved))


async def test_an_unmoved_world_gets_exactly_what_was_saved(tmp_path: Path) -> None:
    """Every copy of the file is sent and ready; what was blocked then is not even wanted."""
    scene = stage(tmp_path, regions=(EAST, SOUTH))
    scene.house.cloud.world.stores[EAST].image_quota = 4
    saved, outcome = await saved_then_run(scene)
    assert scene.submitted(0) == {(copy.source, copy.destination) for copy in saved.sent()}
    assert (outcome.result.exit_code, outcome.result.counts.wanted) == (0, 14)


async def test_what_is_there_by_now_is_not_sent_and_no_move(tmp_path: Path) -> None:
    """Made by hand, or begun by another tool: less is sent, and the run ends well."""
    scene = stage(tmp_path, images=3, regions=(EAST,))

    def by_others(scene: Stage) -> None:
        put(scene, EAST, "img-byhand", name="golden-1", text=HAND)
        begun_by_others(scene, 2, EAST)

    _, outcome = await saved_then_run(scene, by_others)
    assert scene.submitted(scene.before) == {(image_id(0), EAST)}
    assert outcome.result.exit_code == 0


def _rename(scene: Stage) -> None:
    scene.house.cloud.world.stores[NORTH].images[image_id(0)].name = "golden-new"


def _resize(scene: Stage) -> None:
    scene.house.cloud.world.stores[NORTH].images[image_id(0)].size_mb = 9000


def _break(scene: Stage) -> None:
    scene.house.cloud.world.stores[NORTH].images[image_id(0)].status = "error"


def _lose(scene: Stage) -> None:
    del scene.house.cloud.world.stores[NORTH].images[image_id(0)]


def _fill(scene: Stage) -> None:
    scene.house.cloud.world.stores[EAST].image_quota = 2


def _fill_all(scene: Stage) -> None:
    for store in scene.house.cloud.world.stores.values():
        store.image_quota = 0


MOVES: dict[str, tuple[Move, str]] = {
    "renamed": (_rename, "img-src0000000 in cn-north-1: name was golden-0 and is golden-new"),
    "resized": (_resize, "img-src0000000 in cn-north-1: size_mb was 8192 and is 9000"),
    "broken": (_break, "img-src0000000 > cn-east-2: was to be sent, is blocked-status now"),
    "lost": (_lose, "img-src0000000 > cn-east-2: was to be sent, is source-missing now"),
    "full": (_fill, "img-src0000002 > cn-east-2: was to be sent, is blocked-quota now: 2 of 3 fit"),
}


@pytest.mark.parametrize("name", MOVES)
async def test_a_world_that_moved_is_refused_by_name(tmp_path: Path, name: str) -> None:
    """Exit 2, what moved in words, no call, no run in the ledger."""
    scene, (move, words) = stage(tmp_path, images=3, regions=(EAST,)), MOVES[name]
    with pytest.raises(PlanMoved) as refused:
        await saved_then_run(scene, move)
    assert any(line.startswith(words) for line in refused.value.moved)
    assert (refused.value.exit_code, scene.calls()) == (2, 0)


async def test_more_than_was_saved_is_never_sent(tmp_path: Path) -> None:
    """A copy that was there then and is gone now would be made by a plain run: here it is a move."""
    scene = stage(tmp_path, images=3, regions=(EAST,))
    await scene.night()

    def delete(scene: Stage) -> None:
        scene.house.cloud.world.stores[EAST].drop(there(scene, EAST)[0].id, with_snapshots=True)

    with pytest.raises(PlanMoved, match=r"was skip-ready, would be sent now \(recopy-deleted\)"):
        await saved_then_run(scene, delete)
    assert scene.calls() == scene.before


async def test_many_moves_are_not_all_named(tmp_path: Path) -> None:
    """Twenty are, and the rest is counted."""
    scene = stage(tmp_path)
    with pytest.raises(PlanMoved, match="and 10 more") as refused:
        await saved_then_run(scene, _fill_all)
    assert len(refused.value.moved) == 21


@pytest.mark.parametrize(
    ("field", "words"), [("digest", "nightly.yaml or a list"), ("endpoint", "the endpoint was other")]
)
async def test_another_plan_or_cloud_is_refused_before_anything_is_asked(
    tmp_path: Path, field: str, words: str
) -> None:
    """The text of the plan, its lists and the endpoint are those of then."""
    scene = stage(tmp_path, images=2, regions=(EAST,))
    saved, _ = await saved_then_run(scene)
    asked = scene.house.cloud.world.books()["requests"]
    async with (
        serving(scene.house.cloud.world, None, scene.house.wall) as url,
        scene.house.orchestrator(url) as orchestrator,
    ):
        same = replace(saved, endpoint=endpoint_name(url))
        other = replace(same, digest="other") if field == "digest" else replace(same, endpoint="other")
        with pytest.raises(PlanMoved, match=words):
            await orchestrator.run(Wish(plan=plan_of(scene.images, EAST), saved=other))
    assert scene.house.cloud.world.books()["requests"] == asked


# --- the file -------------------------------------------------------------------------------------


async def written(tmp_path: Path) -> tuple[Path, SavedPlan]:
    """Save a look into a file."""
    diff = await stage(tmp_path, images=2, regions=(EAST,)).diff()
    saved, path = saved_plan(diff, "/etc/plans/nightly.yaml", "somewhere"), tmp_path / "tonight.json"
    path.write_text("what was there before", encoding="utf-8")
    write_saved(path, saved)
    return path, saved


async def test_the_file_is_private_and_says_what_was_saved(tmp_path: Path) -> None:
    """0600, nothing beside it, and what is read back is what was written."""
    path, saved = await written(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    text = path.read_bytes()
    assert is_saved(text[:100])
    assert saved_from_json(text, path.name) == saved
    assert {row.code for row in saved.rows} == {Code.COPY_MISSING}
    assert [source.image for source in saved.sources] == list(IMAGES[:2])


@pytest.mark.parametrize("spoil", ["cut", "edited", "deep", "other"])
async def test_a_file_that_was_changed_is_refused(tmp_path: Path, spoil: str) -> None:
    """Cut short, edited, or never one of ours: named, with what to do."""
    path, _ = await written(tmp_path)
    text = path.read_bytes()
    spoilt = {
        "cut": text[:200],
        "edited": text.replace(b"img-src0000001", b"img-src0000007"),
        "deep": b'{"saved_plan":' + b"[" * 100_000,
        "other": b'{"saved_plan": 1}',
    }[spoil]
    with pytest.raises(UsageError, match=r"tonight.json: this saved plan is not as it was written.*--out"):
        saved_from_json(spoilt, "tonight.json")


async def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """The reason and the option; no draft is left."""
    _, saved = await written(tmp_path)
    with pytest.raises(UsageError, match=r"none/x: No such file or directory.*--out"):
        write_saved(tmp_path / "none" / "x", saved)
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="directory"):
        write_saved(tmp_path / "folder", saved)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["folder", "tonight.json"]
