"""`prune`: a dry run changes nothing, `--apply` deletes what it said and nothing else, each an event."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from orchestrator.core.marks import read_mark
from orchestrator.core.messages import Planned
from orchestrator.core.model import ImageId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Pruned
from orchestrator.engine.halt import Halt
from orchestrator.errors import CloudSilent, CredentialsRefused, Interrupted, LockHeld, PlanError
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from orchestrator.simulator.things import Image
from tests.contract.running import log_lines
from tests.nights import EPOCH
from tests.upkeep.estate import EAST, NORTH, SOUTH, Cloud, Estate, fates, ids, image_id, plan_of, settled

pytestmark = pytest.mark.looptime

DELETES = frozenset({"deleteImage"})


def contents(folder: Path) -> dict[str, str]:
    """Take the fingerprint of every file of a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): sha256(path.read_bytes()).hexdigest() for path in files}


def spoil(estate: Estate, *rules: Rule) -> None:
    """Let requests meet these faults from now on."""
    estate.cloud.faults = FaultPlan(Random(1), rules)


async def test_a_dry_run_sends_no_deletion_and_writes_nothing(tmp_path: Path) -> None:
    """Five builds are there, the newest is wanted and two are kept: three may go, and all stay."""
    estate = await settled(tmp_path)
    before, writes = contents(estate.state), estate.writes()
    assert fates(await estate.dooms()) == {
        "golden-4": "keep-wanted",
        "golden-3": "keep-latest",
        "golden-2": "delete-superseded",
        "golden-1": "delete-superseded",
        "golden-0": "delete-superseded",
    }
    assert estate.writes() == writes
    assert contents(estate.state) == before
    assert sorted(estate.copies()) == [0, 1, 2, 3, 4]


async def test_apply_deletes_exactly_what_was_said_with_its_snapshots(tmp_path: Path) -> None:
    """Three deletions, three events that are written first; neither images nor snapshots are left."""
    estate = await settled(tmp_path)
    store = estate.cloud.world.stores[EAST]
    gone = [estate.copies()[number].id for number in (0, 1, 2)]
    kept = {snapshot for number in (3, 4) for snapshot in estate.copies()[number].snapshots}
    left, told = await estate.prune()
    assert (left, {event.image for event in told}) == (0, set(gone))
    assert estate.writes() == {"copyImages": 1, "deleteImage": 3}
    assert sorted(estate.copies()) == [3, 4]
    assert set(store.snapshots) == kept, "a snapshot that stays goes on counting and costing"
    assert [event for event in estate.upkeep() if isinstance(event, Pruned)] == told
    assert {event.reason for event in told} == {Reason.PRUNED}


async def test_pruned_copies_are_no_alarm_and_not_made_again(tmp_path: Path) -> None:
    """The next night is green without a call; `plan` says of each of them that it was pruned."""
    estate = await settled(tmp_path)
    everything = plan_of(ids(*range(5)))
    await estate.prune()
    writes = estate.writes()
    outcome = await estate.run(everything)
    assert (outcome.result.exit_code, outcome.result.counts.wanted) == (0, 2)
    assert (outcome.result.strangers, estate.writes()) == ((), writes)
    rows = {row.copy.source: row.code.value for row in (await estate.look(everything)).rows}
    assert rows == {
        **dict.fromkeys(map(image_id, (0, 1, 2)), "skip-pruned"),
        **dict.fromkeys(map(image_id, (3, 4)), "skip-ready"),
    }


async def test_a_compacted_ledger_remembers_what_was_pruned(tmp_path: Path) -> None:
    """Nights later, when the prune's events are gone from the ledger, its copies are still not missed."""
    estate = await settled(tmp_path)
    estate.options = {"ledger_nights": 1}
    everything = plan_of(ids(*range(5)))
    await estate.prune()
    for _ in range(3):
        assert (await estate.run(everything)).result.exit_code == 0
    assert not [event for event in estate.events() if isinstance(event, Pruned)]
    codes = sorted(row.code.value for row in (await estate.look(everything)).rows)
    assert codes == ["skip-pruned"] * 3 + ["skip-ready"] * 2
    assert estate.writes() == {"copyImages": 1, "deleteImage": 3}


async def test_a_pruned_copy_is_made_again_when_it_is_asked_for_by_name(tmp_path: Path) -> None:
    """`run --only IMAGE` wants it back, and from then on it is a copy like any other."""
    estate = await settled(tmp_path)
    await estate.prune()
    everything = plan_of(ids(*range(5)))
    outcome = await estate.run(everything, only=frozenset({image_id(1)}))
    assert outcome.result.exit_code == 0
    assert sorted(estate.copies()) == [1, 3, 4]
    rows = {row.copy.source: row.code.value for row in (await estate.look(everything)).rows}
    assert (rows[image_id(1)], rows[image_id(0)]) == ("skip-ready", "skip-pruned")


async def test_what_stays_and_why(tmp_path: Path) -> None:
    """Shared, foreign, adopted, pending, marked by another ledger: none of them goes, and it is said."""
    estate = await settled(tmp_path)
    store = estate.cloud.world.stores[EAST]
    estate.copies()[0].shared = True
    store.images[ImageId("img-hand")] = Image(
        id=ImageId("img-hand"), name="golden-hand", size_mb=8192, created_s=1.0
    )
    mark = f"orchestrator/1 ledger=another call=x from={NORTH} of={image_id(2)}"
    twin = Image(id=ImageId("img-twin"), name="golden-twin", size_mb=8192, text=mark, created_s=1.0)
    store.images[twin.id] = twin
    store.images[ImageId("img-slow")] = Image(
        id=ImageId("img-slow"), name="golden-slow", size_mb=8192, status="pending", created_s=1.0
    )
    said = fates(await estate.dooms())
    assert said["golden-0"] == "keep-shared"
    assert {said[name] for name in ("golden-hand", "golden-twin", "golden-slow")} == {"keep-not-ours"}
    left, told = await estate.prune()
    assert (left, len(told)) == (0, 2)
    assert {image.name for image in store.images.values()} == {
        "golden-0", "golden-3", "golden-4", "golden-hand", "golden-twin", "golden-slow"
    }  # fmt: skip


async def test_a_source_of_the_plan_stays(tmp_path: Path) -> None:
    """A copy that tonight's plan copies on to another region is nobody's to delete."""
    estate = await settled(tmp_path)
    carried = estate.copies()[0].id
    more = f"\n- {{name: on, source: {EAST}, destinations: [{SOUTH}], images: [{carried}]}}"
    plan = plan_of(policy=f"keep: {{latest: 1}}{more}")
    assert fates(await estate.dooms(plan))["golden-0"] == "keep-a-source"


async def test_the_newest_stays_when_nothing_is_wanted(tmp_path: Path) -> None:
    """The source region lost its golden images: the last good copy is kept whatever `keep` says."""
    estate = await settled(tmp_path)
    estate.cloud.world.stores[NORTH].images.clear()
    plan = plan_of(policy="keep: {latest: 1}")
    assert fates(await estate.dooms(plan))["golden-4"] == "keep-newest"
    await estate.prune(plan)
    assert sorted(estate.copies()) == [4]


async def test_what_changed_since_it_was_agreed_is_judged_again(tmp_path: Path) -> None:
    """Between the question and the deletion somebody shared one: it stays, the others go."""
    estate = await settled(tmp_path)
    told: list[Pruned] = []
    async with estate.open() as orchestrator:
        going = [doom for doom in await orchestrator.prunable(estate.plan) if doom.goes]
        estate.copies()[1].shared = True
        assert await orchestrator.prune(estate.plan, going, told.append) == 0
    assert sorted(estate.copies()) == [1, 3, 4]
    assert len(told) == 2


async def test_a_broken_copy_goes_and_is_made_anew(tmp_path: Path) -> None:
    """It holds quota; once it is gone the next run makes the copy again, as the plan wants it."""
    estate = await settled(tmp_path, 2)
    estate.copies()[1].status = "error"
    assert (await estate.run()).result.exit_code == 3
    left, told = await estate.prune()
    assert (left, [event.broken for event in told]) == (0, [True])
    outcome = await estate.run()
    assert (outcome.result.exit_code, estate.copies()[1].status) == (0, "ready")


# --- deletions that go wrong ----------------------------------------------------------------------


async def test_a_refused_deletion_is_told_and_left(tmp_path: Path) -> None:
    """One of three may not be deleted: two go, one is left, the ledger has why, and nothing else changes."""
    estate = await settled(tmp_path)
    spoil(estate, Rule(fault=Fault.FORBIDDEN, on=DELETES, nth=frozenset({2})))
    left, told = await estate.prune()
    assert (left, [event.reason is Reason.PRUNED for event in told].count(False)) == (1, 1)
    (still,) = [event.image for event in told if event.reason is not Reason.PRUNED]
    assert still in estate.cloud.world.stores[EAST].images
    assert (await estate.run(plan_of(ids(*range(5))))).result.counts.ready == 3
    spoil(estate)
    left, told = await estate.prune()
    assert (left, [event.image for event in told]) == (0, [still])


@pytest.mark.parametrize(
    "fault", [Fault.RESET_AFTER, Fault.GATEWAY_TIMEOUT, Fault.RESET_BEFORE, Fault.THROTTLE]
)
async def test_a_lost_answer_is_asked_for_again(tmp_path: Path, fault: Fault) -> None:
    """Whether or not the deletion was done: asked again it is, and it counts once."""
    estate = await settled(tmp_path)
    spoil(estate, Rule(fault=fault, on=DELETES, nth=frozenset({1, 3})))
    left, told = await estate.prune()
    assert (left, {event.reason for event in told}) == (0, {Reason.PRUNED})
    assert sorted(estate.copies()) == [3, 4]


async def test_an_image_that_lingers_raises_no_alarm(tmp_path: Path) -> None:
    """A deletion takes an hour: while it is shown as `deleting` nobody misses, finds or deletes it."""
    estate = await settled(tmp_path)
    estate.cloud.world.pace = replace(estate.cloud.world.pace, deleting_s=3600.0)
    await estate.prune()
    assert {image.status for image in estate.copies().values()} == {"deleting", "ready"}
    writes = estate.writes()
    outcome = await estate.run(plan_of(ids(*range(5))))
    assert (outcome.result.exit_code, outcome.result.strangers) == (0, ())
    assert await estate.prune() == (0, [])
    assert estate.writes() == writes
    assert not [line for line in log_lines(outcome.log) if line["level"] in ("warning", "error")]


# --- what forbids it ------------------------------------------------------------------------------


async def test_a_run_that_goes_on_keeps_prune_out(tmp_path: Path) -> None:
    """Two that change one ledger would contradict each other: it is refused, and nothing is sent."""
    estate = await settled(tmp_path)
    dooms = [doom for doom in await estate.dooms() if doom.goes]
    owner = LockOwner(run=(await estate.run()).result.run, pid=1, host="test-host", started_at=EPOCH)
    before = estate.requests()
    with RunLock.attempt(estate.state, owner=owner):
        async with estate.open() as orchestrator:
            with pytest.raises(LockHeld):
                await orchestrator.prune(estate.plan, dooms, lambda event: None)
    assert estate.requests() == before


@pytest.mark.parametrize(
    ("fault", "error"), [(Fault.LISTING_ERROR, CloudSilent), (Fault.FORBIDDEN, CredentialsRefused)]
)
async def test_what_cannot_be_read_is_not_deleted(
    tmp_path: Path, fault: Fault, error: type[Exception]
) -> None:
    """A region that gives no list, source or destination: nothing is judged."""
    estate = await settled(tmp_path)
    spoil(estate, Rule(fault=fault, on=frozenset({"describeImages"}), chance=1.0))
    with pytest.raises(error):
        await estate.prune()
    assert "deleteImage" not in estate.writes()


async def test_a_selector_that_forbids_the_run_forbids_pruning(tmp_path: Path) -> None:
    """A selector that suddenly matches too much would call everything old unwanted."""
    estate = await settled(tmp_path)
    with pytest.raises(PlanError):
        await estate.prune(plan_of("{name: '*', at_most: 3}"))
    assert "deleteImage" not in estate.writes()


async def test_pruning_without_a_ledger_goes_by_the_marks(tmp_path: Path) -> None:
    """A state folder that was lost and begun anew knows no copy of ours: nothing is proved, nothing goes."""
    estate = await settled(tmp_path / "old")
    assert all(read_mark(image.text) for image in estate.copies().values())
    new = Estate(tmp_path / "new", cloud=Cloud(images=0), number=0)
    new.folder.mkdir()
    new.cloud.world = estate.cloud.world
    assert set(fates(await new.dooms()).values()) == {"keep-not-ours"}


async def test_the_ledger_knows_what_is_wanted_after_a_prune(tmp_path: Path) -> None:
    """A prune is no run: the plan's wishes of the last night stand as they were."""
    estate = await settled(tmp_path)
    runs = sum(isinstance(event, Planned) for event in estate.events())
    await estate.prune()
    assert sum(isinstance(event, Planned) for event in estate.events()) == runs
    outcome = await estate.run()
    assert {standing.state for standing in outcome.result.copies} == {State.READY}


async def test_a_signal_stops_it_between_two_deletions(tmp_path: Path) -> None:
    """What was deleted is told and in the ledger, the rest stays, and the exit code is the signal's."""
    estate = await settled(tmp_path)
    halt, told = Halt(), list[Pruned]()

    def tell(event: Pruned) -> None:
        told.append(event)
        halt.request(15)

    async with estate.open() as orchestrator:
        dooms = await orchestrator.prunable(estate.plan)
        with pytest.raises(Interrupted) as caught:
            await orchestrator.prune(estate.plan, dooms, tell, halt)
    assert (caught.value.exit_code, len(told), estate.writes()["deleteImage"]) == (143, 1, 1)
    assert [event for event in estate.upkeep() if isinstance(event, Pruned)] == told
