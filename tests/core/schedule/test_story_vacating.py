"""Room of our own making: looked for soon and again, believed in for a while, and never for ever."""

from __future__ import annotations

import pytest

from orchestrator.core.messages import Survey
from orchestrator.core.model import ImageId, Resource, Sighting
from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Pruned
from tests.core.schedule.stories import EAST, EPOCH, Story, copies_of, story

OLD = [ImageId(f"img-old{number}") for number in range(3)]


def crowded(*, quota_interval_s: float = 900.0, settle_s: float = 900.0) -> Story:
    """Two copies want to go where three old images fill the quota of three; the region is parked."""
    tale = story(copies_of(2, EAST), quota_interval_s=quota_interval_s, settle_s=settle_s)
    tale.shelves[EAST] = {image: Sighting(image=image, status="ready", name=image) for image in OLD}
    tale.quotas[EAST, Resource.IMAGE] = tale.quotas[EAST, Resource.SNAPSHOT] = len(OLD)
    assert tale.go() == []
    return tale


def delete(tale: Story, image: ImageId = OLD[0], *, reason: Reason = Reason.PRUNED) -> None:
    """Delete an old image; the cloud is still at it."""
    tale.tell(Pruned(at=tale.now, region=EAST, image=image, reason=reason))


def surveys(tale: Story, seconds: float) -> int:
    """Let time pass without a call; count the surveys."""
    before = tale.reads(Survey)
    assert tale.wait(seconds) == []
    return tale.reads(Survey) - before


def test_quotas_are_read_again_with_pauses_that_double() -> None:
    """Both after 30 s, then after 60, 120, 240 and 480 s more; not once before."""
    tale = crowded()
    delete(tale)
    for pause_s in (30, 60, 120, 240, 480):
        assert (surveys(tale, pause_s - 1), surveys(tale, 1)) == (0, 2)


def test_the_pauses_are_no_longer_than_the_interval() -> None:
    """With QUOTA_INTERVAL 100 s: after 30, 60, and then each 100 s."""
    tale = crowded(quota_interval_s=100.0)
    delete(tale)
    for pause_s in (30, 60, 100, 100):
        assert (surveys(tale, pause_s - 1), surveys(tale, 1)) == (0, 2)


def test_room_is_used_when_it_shows() -> None:
    """The deletion takes 80 s: at the look after 90 s a copy goes, long before QUOTA_INTERVAL."""
    tale = crowded()
    delete(tale)
    assert tale.wait(80) == []
    del tale.shelves[EAST][OLD[0]]
    (call,) = tale.wait(10)
    assert call.numbers == [0]


def test_a_deletion_that_failed_gives_no_hope() -> None:
    """The image is still there: nothing is asked before QUOTA_INTERVAL."""
    tale = crowded()
    delete(tale, reason=Reason.SHARED)
    assert (surveys(tale, 899), surveys(tale, 1)) == (0, 2)
    assert tale.finished()


@pytest.mark.parametrize(("interval_s", "settle_s"), [(20.0, 900.0), (900.0, 900.0), (900.0, 10.0)])
def test_the_run_ends_when_nothing_moves(interval_s: float, settle_s: float) -> None:
    """Not before the longer of SETTLE_TIME and QUOTA_INTERVAL is over, and within one more QUOTA_INTERVAL."""
    tale = crowded(quota_interval_s=interval_s, settle_s=settle_s)
    delete(tale)
    tale.wait(898)
    assert not tale.finished()
    tale.wait(interval_s + 30)
    assert tale.finished()


def test_a_run_that_was_about_to_end_goes_on() -> None:
    """The last try had failed when the deletion was told of."""
    tale = crowded()
    tale.wait(900)
    assert tale.finished()
    delete(tale)
    assert not tale.finished()
    del tale.shelves[EAST][OLD[0]]
    assert [call.numbers for call in tale.wait(30)] == [[0]]


def test_once_all_has_shown_the_interval_holds_again() -> None:
    """The room is there and used; what is left is tried after QUOTA_INTERVAL, and the run may end."""
    tale = crowded()
    delete(tale)
    del tale.shelves[EAST][OLD[0]]
    tale.accept(*tale.wait(30))
    assert surveys(tale, 890) == 0
    tale.finish()
    tale.wait(1000)
    assert tale.finished()


def test_the_second_of_two_deletions_is_still_looked_for() -> None:
    """One has shown and is used: the other one is not left to QUOTA_INTERVAL."""
    tale = crowded()
    delete(tale)
    delete(tale, OLD[1])
    del tale.shelves[EAST][OLD[0]]
    tale.accept(*tale.wait(30))
    del tale.shelves[EAST][OLD[1]]
    assert [call.numbers for call in tale.wait(240)] == [[1]]


def test_the_next_run_begins_with_its_own_quotas() -> None:
    """What a run hopes for ends with it: the next one reads the quotas and parks the region as always."""
    tale = crowded()
    delete(tale)
    tale.go()
    tale.begin(copies_of(2, EAST), "run2").go()
    assert (surveys(tale, 899), surveys(tale, 1)) == (0, 2)
    assert tale.now == EPOCH + 900
