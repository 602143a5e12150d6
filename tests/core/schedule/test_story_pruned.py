"""What prune deleted: an old copy stays away until it is asked for by name, a broken one is made again."""

from __future__ import annotations

from orchestrator.core.model import Copy, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.heritage import pruned
from orchestrator.core.upkeep import Pruned
from tests.core.schedule.stories import EAST, Story, copies_of, story

COPIES = copies_of(2, EAST)


def night_that_ended(status: str) -> Story:
    """Tell a night whose copies all ended in this status."""
    tale = story(COPIES)
    tale.accept(*tale.go())
    tale.finish(status)
    tale.wait(600)
    return tale


def prune(tale: Story, copy: Copy) -> None:
    """Delete the image of a copy, as `prune --apply` does."""
    image = tale.track(copy).image
    assert image is not None
    del tale.shelves[EAST][image]
    tale.tell(Pruned(at=tale.now, region=EAST, image=image, copy=copy, reason=Reason.PRUNED))


def test_an_old_copy_is_not_wanted_back() -> None:
    """A ready copy that was pruned is left out of the next night's wishes."""
    tale = night_that_ended("ready")
    prune(tale, COPIES[0])
    assert pruned(tale.schedule.register) == {COPIES[0]}


def test_a_broken_copy_is_made_again() -> None:
    """A copy in status error that was pruned is no pruned copy: the next night makes it."""
    tale = night_that_ended("error")
    assert tale.states() == {State.FAILED}
    prune(tale, COPIES[0])
    assert pruned(tale.schedule.register) == frozenset()
    tale.now += 86_400
    tale.begin(COPIES, run="run2")
    assert [call.numbers for call in tale.go()] == [[0]]
