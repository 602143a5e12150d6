"""What goes wrong with a carrier: another image carries its copy, the original at last; nothing fails."""

from __future__ import annotations

import pytest

from orchestrator.core.messages import Check
from orchestrator.core.model import Region, Resource, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, EAST1, NORTH, SOUTH, Story, story
from tests.core.schedule.test_story_relay import (
    COPIES,
    WHOLE,
    X,
    carrier_of,
    made,
    relayed_night,
    second_round,
    ways,
)


def full(tale: Story, *but: Region) -> None:
    """Leave no room anywhere else."""
    for region in (EAST, SOUTH, EAST1):
        if region not in but:
            tale.quotas[region, Resource.IMAGE] = 0
            tale.region(region).stale = set(Resource)


@pytest.mark.parametrize(
    "reason",
    [
        Reason.NOT_FOUND, Reason.SOURCE_STATUS, Reason.ENCRYPTED, Reason.NOT_PRIVATE, Reason.LOCAL_DISK,
        Reason.INVALID_REGION,
    ],
)  # fmt: skip
@pytest.mark.parametrize("named", [True, False])
def test_a_carrier_that_is_refused_fails_nothing(reason: Reason, named: bool) -> None:
    """It carries no more, and its copy is made of the original when that is free: nobody blamed that one."""
    tale = relayed_night()
    _, by_original, by_copy = second_round(tale)
    tale.accept(by_original)
    (copy,) = by_copy.chunk.copies
    tale.refuse(by_copy, reason, by_copy.sources[0] if named else None)
    assert tale.state(copy) == (State.WAITING, Reason.RELAY_REFUSED)
    assert tale.track(copy).attempts == 0
    tale.finish()
    (again,) = tale.wait(60)
    assert again.chunk.copies == (copy,)
    assert again.chunk.origin not in (by_copy.chunk.origin, copy.destination)
    assert made(tale, [again]) == []
    assert tale.states() == {State.READY}


def test_a_carrier_that_is_refused_for_no_known_reason_costs_no_attempt() -> None:
    """Once it was not the mark, it is the carrier: the attempts of its copy are not counted down by it."""
    tale = relayed_night()
    _, by_original, by_copy = second_round(tale)
    tale.refuse(by_copy, Reason.UNEXPLAINED)
    (unmarked,) = tale.go()
    assert (unmarked.chunk, unmarked.marked) == (by_copy.chunk, False)
    tale.refuse(unmarked, Reason.UNEXPLAINED)
    assert tale.state(by_copy.chunk.copies[0]) == (State.WAITING, Reason.RELAY_REFUSED)
    assert tale.track(by_copy.chunk.copies[0]).attempts == 0
    assert {call.chunk.via for call in made(tale, [by_original])} != {by_copy.chunk.via}


def test_a_carrier_that_is_said_to_be_gone_is_looked_up() -> None:
    """The refusal is about a copy that counts as ready: if it is gone, the night does not end green."""
    tale = relayed_night()
    region, _, by_copy = second_round(tale)
    gone = carrier_of(tale, region).image
    tale.shelves[region].clear()
    tale.refuse(by_copy, Reason.NOT_FOUND, gone)
    tale.go()
    assert Check(region, gone) in tale.asked
    (copy,) = [copy for copy in COPIES if copy.destination == region]
    assert tale.state(copy) == (State.FAILED, Reason.VANISHED)


def test_a_carrier_that_vanished_is_offered_to_nobody() -> None:
    """It is found gone while copies wait for room: they are made of the original."""
    tale = relayed_night()
    (first,) = tale.go()
    region = first.chunk.destination
    full(tale, region)
    assert made(tale, [first]) == []
    image = carrier_of(tale, region).image
    tale.shelves[region].clear()
    tale.region(region).to_check[image] = None
    tale.go()
    assert tale.state(first.chunk.copies[0]) == (State.FAILED, Reason.VANISHED)
    tale.quotas.clear()
    assert ways(tale.wait(1000)) == {NORTH}


def test_a_busy_carrier_pauses_alone() -> None:
    """Somebody works on the copy: it is tried again later, and meanwhile the original may take its turn."""
    tale = relayed_night()
    _, by_original, by_copy = second_round(tale)
    tale.refuse(by_copy, Reason.BUSY, by_copy.sources[0])
    assert tale.schedule.register.sources[NORTH, X].not_before == 0.0
    assert made(tale, [by_original])
    assert tale.state(by_copy.chunk.copies[0])[0] is State.CALLING


def test_a_refusal_of_the_original_fails_what_waits_and_leaves_what_is_under_way() -> None:
    """The original is gone: no copy that waits is made, the one that a ready copy carries goes on."""
    tale = relayed_night()
    _, by_original, by_copy = second_round(tale)
    tale.refuse(by_original, Reason.NOT_FOUND, X)
    assert tale.state(by_original.chunk.copies[0]) == (State.FAILED, Reason.NOT_FOUND)
    assert tale.state(by_copy.chunk.copies[0])[0] is State.CALLING
    assert made(tale, [by_copy]) == []
    assert tale.state(by_copy.chunk.copies[0])[0] is State.READY


def test_a_copy_that_hangs_holds_its_carrier_and_nobody_else() -> None:
    """A relayed copy stays pending past COPY_TIMEOUT: its carrier is out, the original makes the rest."""
    tale = story((), workers=8, copy_timeout_s=600)
    tale.sources[X] = WHOLE
    tale.begin(COPIES, run="night", relay=True)
    _, by_original, by_copy = second_round(tale)
    tale.accept(by_copy)
    tale.quotas[by_original.chunk.destination, Resource.IMAGE] = 0
    tale.refuse(by_original, Reason.QUOTA_IMAGE)
    assert tale.wait(650) == []
    assert tale.state(by_copy.chunk.copies[0]) == (State.FAILED, Reason.COPY_TIMEOUT)
    tale.quotas.clear()
    (again,) = tale.wait(1000)
    assert again.chunk.copies == by_original.chunk.copies
    assert again.chunk.via is None


def test_what_waits_for_a_held_original_is_carried_by_a_copy() -> None:
    """The cloud holds the original for a copy that hangs: what a ready copy can carry does not fail."""
    tale = story((), workers=8, copy_timeout_s=600)
    tale.sources[X] = WHOLE
    tale.begin(COPIES, run="night", relay=True)
    region, by_original, by_copy = second_round(tale)
    tale.accept(by_original)
    tale.quotas[by_copy.chunk.destination, Resource.IMAGE] = 0
    tale.refuse(by_copy, Reason.QUOTA_IMAGE)
    assert tale.wait(650) == []
    assert tale.state(by_original.chunk.copies[0]) == (State.FAILED, Reason.COPY_TIMEOUT)
    assert tale.state(by_copy.chunk.copies[0])[0] is State.WAITING
    tale.quotas.clear()
    (again,) = tale.wait(1000)
    if again.chunk.via is None:
        tale.refuse(again, Reason.BUSY, X)
        (again,) = tale.go()
    assert again.chunk.via == region
