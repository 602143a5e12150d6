"""What `plan` says against what `run` does: the same world, looked at and then run, must agree."""

from __future__ import annotations

from asyncio import sleep
from dataclasses import dataclass
from hashlib import sha256
from math import inf
from pathlib import Path

import pytest

from orchestrator.cloud.read_only import ReadOnly
from orchestrator.core.diff import CODES, Basis, Code, Diff, Effect
from orchestrator.core.messages import List, Listed, Unanswered
from orchestrator.core.model import Region, RunId
from orchestrator.core.reasons import Reason
from orchestrator.engine.clock import Clock
from orchestrator.engine.halt import Halt
from orchestrator.errors import CloudSilent, CredentialsRefused, Interrupted
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.machine import Machine
from orchestrator.runs.planning import Planning
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from orchestrator.simulator.traits import Fates, Pace, Switches
from tests.canary import WRONG
from tests.contract.running import House, later, plan_of
from tests.nights import EAST, EAST1, NORTH, SOUTH, image_id, now
from tests.planned_worlds import (
    ABSENT,
    IMAGES,
    Stage,
    begun_by_others,
    codes,
    constructed,
    put,
    stage,
    there,
)

pytestmark = pytest.mark.looptime

SEEDS = range(24)
CALLS = frozenset({"copyImages"})
LOST_UNMADE = Rule(fault=Fault.RESET_BEFORE, on=CALLS, nth=frozenset({1}))
LOST_MADE = Rule(fault=Fault.RESET_AFTER, on=CALLS, nth=frozenset({1}))
NOTHING_TELLS = Switches(stores_description=False, writes_text=False)


async def agreed(scene: Stage) -> Diff:
    """Look, run, and hold the calls of the run against the look; return the look."""
    diff, since = await scene.diff(), scene.calls()
    await scene.night()
    sent = scene.submitted(since)
    for row in diff.rows:
        effect = CODES[row.code].effect
        if effect is Effect.SENDS:
            assert (row.copy.source, row.copy.destination) in sent, row
        elif effect is not Effect.DECIDES and not _may_find_room(diff, row.code, row.copy.destination):
            assert (row.copy.source, row.copy.destination) not in sent, row
    return diff


def _may_find_room(diff: Diff, code: Code, region: str) -> bool:
    """Tell whether a deferred copy may be sent after all, because one that has a place may not need it."""
    undecided = (row for row in diff.rows if CODES[row.code].effect is Effect.DECIDES)
    return code is Code.BLOCKED_QUOTA and any(row.copy.destination == region for row in undecided)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_run_does_what_the_plan_said(tmp_path: Path, seed: int) -> None:
    """Every copy planned to be sent is sent; none is that was said to be there, under way or blocked."""
    assert (await agreed(await constructed(tmp_path, seed))).rows


# --- each code, in a world of its own -------------------------------------------------------------


async def test_nothing_is_there(tmp_path: Path) -> None:
    """Thirty copies to send, in three calls; sizes and snapshots add up; the duration is assumed."""
    diff = await agreed(stage(tmp_path))
    assert codes(diff) == {"copy-missing": 30}
    assert [(need.images, need.snapshots, need.free_images, need.fit) for need in diff.needs] == [
        (10, 10, 1000, 10)
    ] * 3
    effort = diff.effort
    assert (len(effort.chunks), effort.moved_mb, effort.unsized) == (3, 30 * 8192, 0)
    assert (effort.basis, effort.takes_s > 600) == (Basis.ASSUMED, True)
    assert {look.sighting.status for look in diff.sources if look.sighting} == {"ready"}


async def test_everything_is_there(tmp_path: Path) -> None:
    """After a good night nothing is to be sent; history is there for the next forecast."""
    scene = stage(tmp_path)
    await scene.night()
    assert codes(await agreed(scene)) == {"skip-ready": 30}
    there(scene, EAST)[0].status = "deleting"
    scene.house.cloud.world.stores[SOUTH].images.clear()
    diff = await scene.diff()
    assert diff.effort.basis is Basis.HISTORY
    assert diff.effort.takes_s < 600


async def test_what_others_made_or_make_is_taken_over(tmp_path: Path) -> None:
    """The platform's own text names the source: neither a ready copy nor a pending one is made again."""
    scene = stage(tmp_path, images=3, regions=(EAST,))
    begun_by_others(scene, 0, EAST)
    put(scene, EAST, "img-byhand", name="golden-1", text=f"copied from {NORTH} {image_id(1)}")
    assert codes(await agreed(scene)) == {"adopt-in-progress": 1, "adopt-ready": 1, "copy-missing": 1}


@pytest.mark.parametrize("ready", [True, False])
async def test_a_copy_taken_over_says_nothing_of_how_long_others_take(tmp_path: Path, ready: bool) -> None:
    """Nobody saw it begin: the estimate for the other copies is as without it, be it ready or under way."""
    scene = stage(tmp_path, images=6, regions=(EAST,))
    assert (await scene.diff()).effort.takes_s > 300
    if ready:
        put(scene, EAST, "img-byhand", name="golden-1", text=f"copied from {NORTH} {image_id(1)}")
    else:
        begun_by_others(scene, 1, EAST)
        await sleep(20)
    diff = await scene.diff()
    assert codes(diff) == {"adopt-ready" if ready else "adopt-in-progress": 1, "copy-missing": 5}
    assert (diff.effort.basis, diff.effort.takes_s > 300) == (Basis.ASSUMED, True)


async def test_what_is_under_way_is_watched(tmp_path: Path) -> None:
    """A night that ended at its deadline left copies under way: the next one waits for them."""
    scene = stage(tmp_path, images=3, regions=(EAST,))
    await scene.night(deadline_s=10)
    assert codes(await agreed(scene)) == {"watch-on": 3}


async def test_what_was_deleted_is_made_again(tmp_path: Path) -> None:
    """A ready copy that is gone, and one that ended in error and was taken away since."""
    scene = stage(tmp_path, images=3, regions=(EAST,))
    scene.house.cloud.world.fates = Fates(error=frozenset({image_id(0)}))
    await scene.night()
    scene.house.cloud.world.fates = Fates()
    assert codes(await scene.diff()) == {"blocked-broken": 1, "skip-ready": 2}
    ready = [image for image in there(scene, EAST) if image.name == "golden-1"]
    broken = [image for image in there(scene, EAST) if image.status == "error"]
    for image in (*ready, *broken):
        scene.house.cloud.world.stores[EAST].drop(image.id, with_snapshots=True)
    assert codes(await agreed(scene)) == {"recopy-deleted": 1, "recopy-error": 1, "skip-ready": 1}


async def test_a_broken_copy_stays_until_somebody_deletes_it(tmp_path: Path) -> None:
    """Nothing is sent for it: the cloud would count one more image against the quota."""
    scene = stage(tmp_path, images=2, regions=(EAST,))
    scene.house.cloud.world.fates = Fates(error=frozenset({image_id(0)}))
    await scene.night()
    assert codes(await agreed(scene)) == {"blocked-broken": 1, "skip-ready": 1}


async def test_a_copy_that_is_being_deleted_is_awaited(tmp_path: Path) -> None:
    """It is not there any more, and not gone yet: the look does not wait for that, the run does."""
    scene = stage(tmp_path, images=2, regions=(EAST,))
    await scene.night()
    world = scene.house.cloud.world
    world.pace = Pace(deleting_s=300)
    world.delete_image(now(), EAST, there(scene, EAST)[0].id, delete_snapshot=True)
    began = now()
    assert codes(await scene.diff()) == {"settle-deleting": 1, "skip-ready": 1}
    assert now() - began < 60
    since = scene.calls()
    await scene.night()
    assert scene.calls() == since + 1


async def test_a_lost_call_is_in_doubt(tmp_path: Path) -> None:
    """Whether it was made only time can tell; the look does not take that time."""
    scene = stage(tmp_path, images=2, regions=(EAST,))
    scene.house.cloud.faults = FaultPlan(scene.house.chance, [LOST_UNMADE])
    await scene.night(deadline_s=10)
    scene.house.cloud.faults = FaultPlan(scene.house.chance)
    assert codes(await agreed(scene)) == {"settle-doubt": 2}


async def test_what_nothing_tells_needs_a_person(tmp_path: Path) -> None:
    """A lost call, no text, and an image of that name: nobody but a person can say."""
    scene = stage(tmp_path, images=1, regions=(EAST,), switches=NOTHING_TELLS)
    scene.house.cloud.faults = FaultPlan(scene.house.chance, [LOST_MADE])
    await scene.night()
    scene.house.cloud.faults = FaultPlan(scene.house.chance)
    assert codes(await agreed(scene)) == {"needs-person": 1}


async def test_a_copy_that_exists_twice_stops_everything_for_it(tmp_path: Path) -> None:
    """Two images with our mark of one copy: a person chooses; nothing is sent for it."""
    scene = stage(tmp_path, images=2, regions=(EAST,))
    await scene.night()
    first = there(scene, EAST)[0]
    put(scene, EAST, "img-twin", name=first.name, text=first.text)
    diff = await agreed(scene)
    assert codes(diff) == {"blocked-duplicate": 1, "skip-ready": 1}
    assert diff.having(Effect.STOPS)[0].detail == ", ".join(sorted([first.id, "img-twin"]))


async def test_a_listing_that_hides_images_confirms_nothing(tmp_path: Path) -> None:
    """The quota counts an image that the listing does not show: what it would say is not believed."""
    scene = stage(tmp_path, images=1, regions=(EAST,))
    await scene.night()
    there(scene, EAST)[0].visible_s = inf
    assert codes(await agreed(scene)) == {"blocked-unconfirmed": 1}


async def test_a_run_that_goes_on_is_named(tmp_path: Path) -> None:
    """The look takes no lock and is taken all the same; it says whose calls it may see half-way."""
    scene = stage(tmp_path, images=1, regions=(EAST,))
    await scene.night()
    owner = LockOwner(run=RunId("r1"), pid=1, host="elsewhere", started_at=now())
    with RunLock.attempt(scene.house.state, owner=owner):
        assert (await scene.diff()).running == "r1"
    assert (await scene.diff()).running is None


async def test_what_resembles_a_copy_is_asked_about(tmp_path: Path) -> None:
    """The mark of a ledger that is lost names two sources: perhaps it is the copy, made earlier."""
    scene = stage(tmp_path, images=2, regions=(EAST,), switches=NOTHING_TELLS)
    mark = f"orchestrator/1 ledger=other call=c1 from={NORTH} of={image_id(0)},{image_id(7)}"
    put(scene, EAST, "img-there", name="its-old-name", text=mark)
    diff = await agreed(scene)
    assert codes(diff) == {"copy-missing": 1, "settle-lookalike": 1}
    assert [row.detail for row in diff.rows if row.code is Code.SETTLE_LOOKALIKE] == ["img-there"]


async def test_sources_that_cannot_be_copied_are_never_sent(tmp_path: Path) -> None:
    """All four obstacles are seen before the first call: no call of the run names them or is refused."""
    scene = stage(tmp_path, images=6, regions=(EAST, SOUTH))
    store = scene.house.cloud.world.stores[NORTH].images
    scene.house.cloud.add(0, encrypted=True)
    store[image_id(1)].root_device = "localDisk"
    store[image_id(2)].image_source = "shared"
    store[image_id(3)].status = "error"
    diff = await agreed(scene)
    assert codes(diff) == {
        "blocked-encrypted": 2, "blocked-local-disk": 2, "blocked-not-private": 2, "blocked-status": 2,
        "copy-missing": 4,
    }  # fmt: skip
    assert {call["outcome"] for call in scene.house.cloud.world.books()["calls"]} == {"accepted"}
    assert {source for source, _ in scene.submitted(0)} == {image_id(4), image_id(5)}


async def test_a_source_that_is_not_shown_costs_one_call_by_itself(tmp_path: Path) -> None:
    """Deleted or hidden, nobody can tell: it takes no other image's call down with it."""
    scene = stage(tmp_path, images=9, regions=(EAST,))
    scene.images = (*IMAGES[:9], ABSENT)
    assert codes(await agreed(scene)) == {"copy-missing": 9, "source-missing": 1}
    calls = scene.house.cloud.world.books()["calls"]
    assert [call["sources"] for call in calls if call["outcome"] != "accepted"] == [[ABSENT]]


async def test_a_source_that_is_not_ready_holds_no_other_up(tmp_path: Path) -> None:
    """It is looked at again until it is ready, and called then; the other nine travel at once."""
    scene = stage(tmp_path, regions=(EAST,))
    source = scene.house.cloud.world.stores[NORTH].images[image_id(0)]
    source.status = "pending"
    assert codes(await scene.diff()) == {"copy-missing": 9, "wait-source": 1}
    later(100, lambda: setattr(source, "status", "ready"))
    began = now()
    assert (await scene.night()).result.exit_code == 0
    first, last = scene.house.cloud.world.books()["calls"]
    assert (len(first["sources"]), last["sources"]) == (9, [image_id(0)])
    assert (first["outcome"], last["outcome"]) == ("accepted", "accepted")
    assert 100 <= last["at"] - began <= 115


async def test_a_source_that_never_becomes_ready_is_given_up(tmp_path: Path) -> None:
    """After COPY_TIMEOUT, with the reason, and without a single call."""
    scene = stage(tmp_path, images=1, regions=(EAST, SOUTH))
    scene.house.options = {"copy_timeout": 300.0}
    scene.house.cloud.world.stores[NORTH].images[image_id(0)].status = "pending"
    result = (await scene.night()).result
    assert (result.exit_code, scene.calls()) == (3, 0)
    assert {standing.reason for standing in result.copies} == {Reason.SOURCE_PENDING}
    assert result.finished_at - result.started_at < 330


async def test_quotas_defer_what_does_not_fit(tmp_path: Path) -> None:
    """Both are read; the copies that fit are the first of the plan, the others are not sent."""
    scene = stage(tmp_path, regions=(EAST, SOUTH))
    scene.house.cloud.world.stores[EAST].image_quota = 4
    scene.house.cloud.world.stores[SOUTH].snapshot_quota = 7
    diff = await agreed(scene)
    assert codes(diff) == {"blocked-quota": 9, "copy-missing": 11}
    east, south = diff.needs
    assert (east.images, east.free_images, east.free_snapshots, east.fit) == (10, 4, 5000, 4)
    assert (south.snapshots, south.free_images, south.free_snapshots, south.fit) == (10, 1000, 7, 7)
    deferred = [row for row in diff.rows if row.code is Code.BLOCKED_QUOTA]
    assert {row.detail for row in deferred if row.copy.destination == EAST} == {
        "4 of 10 fit in cn-east-2, images are 6 short"
    }


async def test_a_region_that_the_cloud_does_not_know(tmp_path: Path) -> None:
    """Copies to it are blocked; the others are sent."""
    scene = stage(tmp_path, images=2, regions=(EAST, EAST1))
    del scene.house.cloud.world.stores[EAST1]
    assert codes(await agreed(scene)) == {"blocked-route": 2, "copy-missing": 2}


# --- troubles -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Deaf(ReadOnly):
    """A cloud one of whose regions answers no listing."""

    region: Region = EAST

    async def list(self, action: List) -> Listed | Unanswered:
        """Say nothing there."""
        if action.region == self.region:
            return Unanswered(at=now(), read="list", region=action.region, reason=Reason.TIMEOUT)
        return await self.cloud.list(action)


async def test_a_region_that_gives_no_answer_is_not_waited_for_long(tmp_path: Path) -> None:
    """After three tries the look goes on: what is there is unread, and the whole counts as incomplete."""
    scene, began = stage(tmp_path, images=2, regions=(EAST, SOUTH)), now()
    house = scene.house
    work = Planning(
        folder=house.state,
        plan=plan_of(scene.images, *scene.regions),
        settings=house.settings("http://127.0.0.1:9"),
        machine=Machine(wall=now, monotonic=now, chance=house.chance),
        clock=Clock(wall=now, monotonic=now),
        cloud=Deaf(house.cloud.port()),
    )
    diff = await work.look(Halt())
    assert codes(diff) == {"copy-missing": 2, "unread-region": 2}
    assert now() - began < 60
    assert (diff.unread, diff.exit_code(detailed=False), diff.exit_code(detailed=True)) == (True, 3, 1)


async def test_a_cloud_that_gives_no_answer_at_all_is_an_error(tmp_path: Path) -> None:
    """A region and what it said are named; a plan of nothing but unknowns would help nobody."""
    scene = stage(tmp_path)
    silence = Rule(fault=Fault.INTERNAL, on=frozenset({"describeImages"}), chance=1.0)
    scene.house.cloud.faults = FaultPlan(scene.house.chance, [silence])
    with pytest.raises(CloudSilent, match=r"could not be read: .* \(server-error\)"):
        await scene.diff()


async def test_refused_credentials_end_it_at_the_first_request(tmp_path: Path) -> None:
    """One request, and the error that `run` would give."""
    scene = stage(tmp_path)
    scene.house.secret = WRONG
    with pytest.raises(CredentialsRefused):
        await scene.diff()


async def test_a_signal_ends_the_look(tmp_path: Path) -> None:
    """As with a run: the exit code is 128 plus the signal's number."""
    halt = Halt()
    halt.request(2)
    house = House(tmp_path)
    async with house.orchestrator("http://127.0.0.1:9") as orchestrator:
        with pytest.raises(Interrupted) as raised:
            await orchestrator.diff(plan_of(IMAGES, EAST), halt)
    assert raised.value.exit_code == 130


async def test_a_look_changes_nothing(tmp_path: Path) -> None:
    """No request but reads, the ledger and every other file of the state folder byte for byte as before."""
    scene = stage(tmp_path)
    await scene.diff()
    assert not scene.house.state.exists()
    await scene.night(deadline_s=10)
    files, before = _files(scene.house.state), scene.house.cloud.world.books()["requests"]
    diff = await scene.diff()
    after = scene.house.cloud.world.books()["requests"]
    asked = {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
    assert asked == diff.reads
    assert set(asked) <= {"describeImages", "describeImage", "describeQuotas", "describeQuota"}
    assert _files(scene.house.state) == files


def _files(folder: Path) -> dict[str, str]:
    """Sum up every file of a folder; what SQLite makes for readers holds nothing: -shm, and an empty -wal."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.stat().st_size and not path.name.endswith("-shm")
    }
