"""What a compaction keeps is all that decides later: the same requests for the same answers."""

from __future__ import annotations

import pytest

from orchestrator.core.codec import to_json
from orchestrator.core.schedule import Schedule
from tests.core.schedule.stories import EAST, LEDGER, copies_of, story
from tests.core.schedule.twins import after_begun, twins
from tests.core.schedule.walks import walk, written

TEXTS = ("mark", "platform", "none")


@pytest.mark.parametrize("relay", [False, True])
@pytest.mark.parametrize("seed", range(45))
def test_a_compacted_ledger_decides_like_the_whole_one(seed: int, relay: bool) -> None:
    """Through lost calls, crashes and further nights: every request, wake and change is the same.

    At each restart all events but the memory of them are forgotten, so memories are made of memories.
    """
    tale = twins(seed, TEXTS[seed % 3], walk(seed, TEXTS[seed % 3], relay=relay))
    for step in range(60):
        tale.step()
        if step % 15 == 14:
            tale.restart()
    tale.restart()
    tale.end()


@pytest.mark.parametrize("relay", [False, True])
@pytest.mark.parametrize("seed", range(45))
def test_every_record_is_the_same_when_the_next_run_begins(seed: int, relay: bool) -> None:
    """Whatever moment the events end at: states, images, calls, evidence, names and times, field by field."""
    tale = walk(seed, TEXTS[seed % 3], relay=relay)
    for step in range(40):
        tale.step()
        if step % 8 == 7:
            whole, short = Schedule(tale.limits, LEDGER), Schedule(tale.limits, LEDGER)
            whole.recover(map(written, tale.told))
            short.recover(map(written, whole.remember()))
            assert after_begun(short) == after_begun(whole)


def test_a_memory_comes_in_rows_of_bounded_size() -> None:
    """Ten thousand copies are not one row: each event holds a thousand records at most."""
    tale = story(copies_of(2500, EAST))
    events = list(tale.schedule.remember())
    assert sum(len(event.copies) for event in events) == 2500
    assert max(len(event.copies) + len(event.sources) for event in events) == 1000
    assert max(len(to_json(event)) for event in events) < 1_000_000
