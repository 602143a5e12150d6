"""Copies that were deleted on purpose: no stranger, no twin, no alarm, and not made again by themselves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from orchestrator.core.messages import Begun, Check
from orchestrator.core.model import Copy, ImageId, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.heritage import copy_images, heritage, pruned
from orchestrator.core.upkeep import Pruned
from tests.core.schedule.stories import EAST, LEDGER, Story, copies_of, story
from tests.core.schedule.test_story_nights import again, first_night, set_status
from tests.core.schedule.twins import after_begun
from tests.core.schedule.walks import written

COPIES = copies_of(3, EAST)
GONE = COPIES[1]
OTHERS = (COPIES[0], COPIES[2])


def image_of(tale: Story, copy: Copy) -> ImageId:
    """Return the image of a copy."""
    image = tale.track(copy).image
    assert image is not None
    return image


def prune(
    tale: Story, copy: Copy = GONE, *, reason: Reason = Reason.PRUNED, lingers: str = "", broken: bool = False
) -> ImageId:
    """Delete a copy on purpose; it may be shown for a while, with this status."""
    image = image_of(tale, copy)
    tale.tell(Pruned(at=tale.now, region=EAST, image=image, copy=copy, reason=reason, broken=broken))
    if reason is Reason.PRUNED:
        shelf = tale.shelves[EAST]
        seen = shelf.pop(image)
        shelf |= {image: replace(seen, status=lingers)} if lingers else {}
    return image


def replayed(tale: Story) -> None:
    """Die, and come back from what was written."""
    tale.schedule = Schedule(tale.limits, LEDGER)
    tale.schedule.recover(map(written, tale.told))


def compacted(tale: Story) -> None:
    """Die, and come back from what a compaction kept; a snapshot is made of the same."""
    kept = list(map(written, tale.schedule.remember()))
    tale.schedule = Schedule(tale.limits, LEDGER)
    tale.schedule.recover(kept)


RETURNS = pytest.mark.parametrize(
    "comes_back", [lambda tale: None, replayed, compacted], ids=["", "replay", "compact"]
)
Return = Callable[[Story], None]


@RETURNS
@pytest.mark.parametrize("lingers", ["", "deleting", "ready", "error"])
def test_nothing_is_said_of_it_any_more(comes_back: Return, lingers: str) -> None:
    """The next night wants the others: one listing, no call, no check, no stranger, no twin.

    So it is while the image is still shown, as `deleting` or, by a listing that lags, as it was.
    """
    tale = first_night()
    prune(tale, lingers=lingers)
    comes_back(tale)
    again(tale, OTHERS)
    assert tale.go() == []
    assert (tale.schedule.strangers(), tale.reads(Check)) == ((), 0)
    assert {s.copy: (s.state, s.reason) for s in tale.schedule.standings()} == dict.fromkeys(
        OTHERS, (State.READY, Reason.CONFIRMED)
    )
    assert tale.finished()
    assert pruned(tale.schedule.register) == {GONE}


@RETURNS
@pytest.mark.parametrize("lingers", ["", "deleting", "ready"])
def test_wanted_by_name_it_is_made_once_more(comes_back: Return, lingers: str) -> None:
    """Whoever asks for it gets a new one, and not the image that is just going taken for it."""
    tale = first_night()
    old = prune(tale, lingers=lingers)
    comes_back(tale)
    again(tale)
    (call,) = tale.go()
    assert call.numbers == [1]
    tale.accept(call)
    tale.finish()
    tale.wait(600)
    assert tale.states() == {State.READY}
    assert image_of(tale, GONE) != old
    assert pruned(tale.schedule.register) == frozenset()
    assert Reason.DELETED not in {change.reason for change in tale.changes}
    assert tale.finished()


@RETURNS
def test_made_again_it_is_a_copy_like_any_other(comes_back: Return) -> None:
    """Once it is there again, that somebody else deletes it is told and mended."""
    tale = first_night()
    prune(tale)
    again(tale).accept(*tale.go())
    tale.finish()
    tale.wait(600)
    del tale.shelves[EAST][image_of(tale, GONE)]
    comes_back(tale)
    again(tale)
    assert [call.numbers for call in tale.go()] == [[1]]
    assert Reason.DELETED in {change.reason for change in tale.changes}


def test_a_deletion_that_failed_changes_nothing() -> None:
    """The image is still there, and still the copy."""
    tale = first_night()
    prune(tale, reason=Reason.SHARED)
    again(tale)
    assert tale.go() == []
    assert {s.reason for s in tale.schedule.standings()} == {Reason.CONFIRMED}
    assert pruned(tale.schedule.register) == frozenset()


@RETURNS
def test_a_broken_copy_that_was_deleted_is_made_anew(comes_back: Return) -> None:
    """The next run makes it anew if the plan wants it: it was deleted for its room, not because it is old."""
    tale = first_night()
    set_status(tale, GONE, "error")
    again(tale).go()
    assert tale.state(GONE) == (State.FAILED, Reason.COPY_ERROR)
    prune(tale, broken=True)
    assert pruned(tale.schedule.register) == frozenset()
    comes_back(tale)
    again(tale)
    assert [call.numbers for call in tale.go()] == [[1]]


def test_a_broken_copy_deleted_in_its_own_run_is_made_in_it() -> None:
    """Room that is made first is room for the copy itself."""
    tale = first_night()
    set_status(tale, GONE, "error")
    again(tale).go()
    again(tale)
    prune(tale, broken=True)
    calls = tale.go()
    assert [call.numbers for call in calls] == [[1]]
    tale.accept(*calls)
    tale.finish()
    tale.wait(600)
    assert tale.states() == {State.READY}


def test_no_selector_means_it_and_no_label_is_due() -> None:
    """It is no copy with an image any more."""
    tale = first_night()
    image = prune(tale)
    register = tale.schedule.register
    assert image not in copy_images(register)
    assert [each.copy for each in heritage(register)] == list(OTHERS)


def test_a_stranger_with_our_mark_may_be_deleted_too() -> None:
    """An image that only its mark proves ours is an alarm before, and none after it was pruned."""
    tale = first_night()
    seen = tale.shelves[EAST][image_of(tale, GONE)]
    extra = ImageId("img-extra")
    text = f"orchestrator/1 ledger={LEDGER} call=lostcall from=cn-north-1 of=img-lost"
    tale.shelves[EAST][extra] = replace(seen, image=extra, text=text, name="lost")
    again(tale).go()
    assert tale.schedule.strangers() == ((EAST, extra),)
    tale.tell(Pruned(at=tale.now, region=EAST, image=extra, reason=Reason.PRUNED))
    again(tale).go()
    assert tale.schedule.strangers() == ()
    assert tale.finished()


def test_nothing_under_way_is_forgotten() -> None:
    """A Pruned that speaks of a copy under way (a bug of ours, or a foreign hand) leaves it watched."""
    tale = story(COPIES)
    tale.accept(*tale.go())
    image = image_of(tale, GONE)
    tale.tell(Pruned(at=tale.now, region=EAST, image=image, copy=GONE, reason=Reason.PRUNED))
    assert (tale.track(GONE).state, tale.track(GONE).image) == (State.COPYING, image)
    tale.tell(Begun(at=tale.now, run=RunId("run2"), limits=tale.limits))
    assert pruned(tale.schedule.register) == frozenset()


@pytest.mark.parametrize("broken", [False, True])
@pytest.mark.parametrize("lingers", ["", "ready"])
def test_a_compaction_keeps_all_of_it(lingers: str, broken: bool) -> None:
    """Field by field the records after the next Begun are those of the whole ledger."""
    tale = first_night()
    prune(tale, lingers=lingers, broken=broken)
    whole, short = Schedule(tale.limits, LEDGER), Schedule(tale.limits, LEDGER)
    whole.recover(map(written, tale.told))
    short.recover(map(written, whole.remember()))
    assert after_begun(short) == after_begun(whole)
