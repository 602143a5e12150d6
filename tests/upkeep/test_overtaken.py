"""A run that was overtaken, or whose ledger is gone, deletes and names nothing more, and says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.app import Outcome
from orchestrator.errors import LedgerUnwritable, Overtaken
from orchestrator.ledger.sqlite import Ledger
from tests.nights import now
from tests.upkeep.estate import EAST, Estate, ids, plan_of, settled

pytestmark = pytest.mark.looptime

KEEP_ONE = "keep: {latest: 1}"
LABEL = "label: {name: '{source_name}-x'}"


def overtake(estate: Estate) -> None:
    """Become the ledger's writer, as a run does that was told to take over."""
    with Ledger.open(estate.state, ids=lambda: "unused", now=now()) as ledger:
        ledger.take_epoch()


async def pruning_run(estate: Estate) -> Outcome:
    """Run where two old copies must go first."""
    store = estate.cloud.world.stores[EAST]
    store.image_quota = len(store.images)
    for number in (5, 6):
        estate.add(number, now())
    return await estate.run(plan_of("{name: 'golden-*', latest: 2}", KEEP_ONE), prune_first=True)


async def test_who_is_overtaken_deletes_nothing_more(tmp_path: Path) -> None:
    """Another run takes over while the first image is deleted: that one is the last."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    estate.before["DELETE"] = lambda: overtake(estate)
    outcome = await pruning_run(estate)
    assert isinstance(outcome.fault, Overtaken)
    assert (outcome.result.exit_code, estate.writes()) == (75, {"copyImages": 1, "deleteImage": 1})


async def test_who_is_overtaken_names_nothing_more(tmp_path: Path) -> None:
    """It is told as what it is, not as a name that could not be set."""
    estate = await settled(tmp_path, 3)
    estate.before["POST"] = lambda: overtake(estate)
    outcome = await estate.run(plan_of(ids(0, 1, 2), LABEL))
    assert isinstance(outcome.fault, Overtaken)
    assert outcome.result.exit_code == 75
    assert estate.writes()["modifyImageAttribute"] == 1


async def test_a_deletion_that_cannot_be_written_down_is_the_last(tmp_path: Path) -> None:
    """Every deletion is an event: where none can be recorded the run stops, with the ledger's own fault."""
    estate = await settled(tmp_path, policy=KEEP_ONE)
    estate.before["DELETE"] = (estate.state / "ledger.db").unlink
    outcome = await pruning_run(estate)
    assert isinstance(outcome.fault, LedgerUnwritable)
    assert estate.writes() == {"copyImages": 1, "deleteImage": 1}
