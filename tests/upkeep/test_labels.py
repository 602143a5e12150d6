"""Names and descriptions of ready copies: set once, mark kept, mended by the next run; and `verify`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import pytest

from orchestrator.app import Outcome, Wish
from orchestrator.core.marks import read_mark
from orchestrator.core.model import Copy, ImageId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Labelled, Verified
from orchestrator.core.verdict import Verdict
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from orchestrator.simulator.things import Image
from orchestrator.simulator.traits import Fates, Switches
from tests.nights import check_books
from tests.upkeep.estate import EAST, NORTH, SOUTH, Cloud, Estate, ids, image_id, plan_of

pytestmark = pytest.mark.looptime

LABEL = "label: {name: '{source_name}-{date}', description: 'copy of {source_name} from {source_region}'}"
RENAMES = frozenset({"modifyImageAttribute"})
TWO = plan_of(ids(0, 1), LABEL, EAST, SOUTH)


def estate_in(folder: Path, *rules: Rule, switches: Switches | None = None, number: int = 2) -> Estate:
    """Make an estate of two golden images, whose cloud may misbehave."""
    cloud = Cloud(images=0, rules=rules, switches=switches or Switches())
    return Estate(folder, cloud=cloud, number=number, plan=TWO)


def labelled(estate: Estate) -> list[Labelled]:
    """Read what the ledger has of names."""
    return [event for event in estate.upkeep() if isinstance(event, Labelled)]


def kinds(outcome: Outcome) -> list[str]:
    """Name the kinds of a run's notices."""
    return [notice.kind for notice in outcome.result.notices]


async def test_each_copy_is_named_once_and_keeps_its_mark(tmp_path: Path) -> None:
    """Name, words and mark in one request for each copy; the next night sends nothing."""
    estate = estate_in(tmp_path)
    assert (await estate.run()).result.exit_code == 0
    assert estate.writes()["modifyImageAttribute"] == 4
    for region in (EAST, SOUTH):
        for number, image in estate.copies(region).items():
            assert image.name == f"golden-{number}-20270115"
            assert image.text.startswith(f"copy of golden-{number} from {NORTH} | orchestrator/1 ledger=")
            mark = read_mark(image.text)
            assert mark is not None
            assert mark.originals == ((NORTH, image_id(number)),)
    assert {event.reason for event in labelled(estate)} == {Reason.LABELLED}
    writes = estate.writes()
    outcome = await estate.run()
    assert (outcome.result.exit_code, estate.writes(), outcome.result.strangers) == (0, writes, ())
    check_books(estate.cloud)


async def test_a_name_that_could_not_be_set_is_no_failed_copy(tmp_path: Path) -> None:
    """Ready, exit 3 with a notice, and the next run sets what is missing and nothing else."""
    estate = estate_in(tmp_path, Rule(fault=Fault.INTERNAL, on=RENAMES, nth=frozenset(range(2, 6))))
    outcome = await estate.run()
    assert {standing.state for standing in outcome.result.copies} == {State.READY}
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.PARTIAL, 3)
    assert kinds(outcome) == ["label"]
    assert [event.reason is Reason.LABELLED for event in labelled(estate)].count(False) == 1
    estate.cloud.faults = FaultPlan(Random(1))
    before = estate.writes()
    assert (await estate.run()).result.exit_code == 0
    assert estate.writes()["modifyImageAttribute"] == before["modifyImageAttribute"] + 1
    assert estate.writes()["copyImages"] == before["copyImages"]
    assert {image.name for image in estate.copies(EAST).values()} == {
        "golden-0-20270115",
        "golden-1-20270115",
    }


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.RESET_BEFORE, Fault.THROTTLE, Fault.TRUNCATED])
async def test_a_lost_answer_is_asked_for_again(tmp_path: Path, fault: Fault) -> None:
    """To name an image twice changes nothing more: the run ends green."""
    estate = estate_in(tmp_path, Rule(fault=fault, on=RENAMES, nth=frozenset({1, 3})))
    assert (await estate.run()).result.exit_code == 0
    assert {event.reason for event in labelled(estate)} == {Reason.LABELLED}


async def test_who_may_not_rename_has_copies_all_the_same(tmp_path: Path) -> None:
    """Without the permission every copy is ready, the run says that the names are missing: exit 3."""
    estate = estate_in(tmp_path, Rule(fault=Fault.FORBIDDEN, on=RENAMES, chance=1.0))
    outcome = await estate.run()
    assert (outcome.result.counts.ready, outcome.result.exit_code) == (4, 3)
    assert set(kinds(outcome)) == {"label"}


async def test_a_source_renamed_later(tmp_path: Path) -> None:
    """Its copies keep the name under which they were made; none is made again, none is a stranger."""
    estate = estate_in(tmp_path)
    await estate.run()
    estate.cloud.world.stores[NORTH].images[image_id(0)].name = "silver-0"
    calls = estate.writes()["copyImages"]
    outcome = await estate.run()
    assert (outcome.result.exit_code, outcome.result.strangers) == (0, ())
    assert estate.writes()["copyImages"] == calls
    assert estate.copies()[0].name == "golden-0-20270115"


async def test_a_label_added_later_names_the_copies_of_before(tmp_path: Path) -> None:
    """Copies of earlier nights get their names too, as soon as the plan asks for them."""
    estate = estate_in(tmp_path)
    await estate.run(plan_of(ids(0, 1), "", EAST, SOUTH))
    assert "modifyImageAttribute" not in estate.writes()
    assert (await estate.run()).result.exit_code == 0
    assert estate.writes()["modifyImageAttribute"] == 4


@pytest.mark.parametrize("text", ["", f"copied from {NORTH} {image_id(0)}"], ids=["bare", "platform's"])
async def test_an_adopted_copy_is_never_renamed(tmp_path: Path, text: str) -> None:
    """Somebody else made it: it is used as it is, and its name and words are theirs."""
    estate = estate_in(tmp_path, switches=Switches(stores_description=False))
    hand = Image(id=ImageId("img-hand"), name="golden-0", size_mb=8192, text=text, root=(NORTH, image_id(0)))
    estate.cloud.world.add_image(EAST, hand)
    await estate.run(plan_of(ids(0), LABEL, EAST))
    assert (hand.name, hand.text) == ("golden-0", text)


async def test_words_of_the_platform_stay_where_no_mark_is_kept(tmp_path: Path) -> None:
    """Where the cloud stored no description of ours, naming writes the mark that was missing."""
    estate = estate_in(tmp_path, switches=Switches(stores_description=False))
    assert (await estate.run()).result.exit_code == 0
    marks = [read_mark(image.text) for image in estate.copies().values()]
    assert all(mark is not None for mark in marks)
    writes = estate.writes()
    assert ((await estate.run()).result.exit_code, estate.writes()) == (0, writes)


async def test_a_rebuilt_ledger_knows_every_named_copy(tmp_path: Path) -> None:
    """The state folder is lost after naming: each image is recognised as the copy that it is."""
    estate = estate_in(tmp_path)
    await estate.run()
    before = {region: {n: i.id for n, i in estate.copies(region).items()} for region in (EAST, SOUTH)}
    for file in estate.state.glob("ledger.db*"):
        file.unlink()
    writes = estate.writes()
    async with estate.open() as orchestrator:
        rebuilt = await orchestrator.rebuild(Wish(plan=TWO))
    assert rebuilt.outcome.result.exit_code == 0
    outcome = await estate.run()
    assert (outcome.result.exit_code, outcome.result.strangers) == (0, ())
    known = {standing.copy: standing.image for standing in outcome.result.copies}
    assert known == {
        Copy(image_id(number), NORTH, region): image
        for region, images in before.items()
        for number, image in images.items()
    }
    assert estate.writes()["copyImages"] == writes["copyImages"]
    check_books(estate.cloud)


# --- verify ---------------------------------------------------------------------------------------

VERIFY = plan_of(ids(0, 1), "verify: true", EAST)


def verified(estate: Estate) -> Sequence[tuple[ImageId, tuple[str, ...]]]:
    """Read what the ledger has of comparisons, by source."""
    return [(e.copy.source, e.differs) for e in estate.upkeep() if isinstance(e, Verified)]


async def test_equal_copies_are_told_once(tmp_path: Path) -> None:
    """The run that made them says that they are equal; later runs are silent about it."""
    estate = estate_in(tmp_path)
    assert kinds(await estate.run(VERIFY)) == []
    assert verified(estate) == [(image_id(0), ()), (image_id(1), ())]
    await estate.run(VERIFY)
    assert len(verified(estate)) == 2
    assert set(estate.writes()) == {"copyImages"}


async def test_a_copy_that_differs_is_told_every_night(tmp_path: Path) -> None:
    """Its size is not the source's: the copy stays ready and as it is, and the run exits 3 and says why."""
    estate = estate_in(tmp_path)
    await estate.run(VERIFY)
    estate.copies()[1].size_mb = 4096
    for _ in range(2):
        outcome = await estate.run(VERIFY)
        assert (outcome.result.exit_code, outcome.result.counts.ready) == (3, 2)
        (notice,) = outcome.result.notices
        assert notice.kind == "difference"
        assert "differs from its source in size (4096 there, 8192 at the source)" in notice.says
    assert set(estate.writes()) == {"copyImages"}


async def test_what_is_not_ready_is_neither_named_nor_compared(tmp_path: Path) -> None:
    """A copy that ended in an error has no name to set."""
    estate = estate_in(tmp_path)
    estate.cloud.world.fates = Fates(error=frozenset({f"{image_id(1)}@{EAST}"}))
    both = plan_of(ids(0, 1), f"{LABEL}\n  verify: true", EAST)
    outcome = await estate.run(both)
    assert (outcome.result.exit_code, kinds(outcome)) == (3, [])
    assert [event.copy.source for event in labelled(estate)] == [image_id(0)]
    assert verified(estate) == [(image_id(0), ())]
