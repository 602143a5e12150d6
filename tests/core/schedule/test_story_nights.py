"""The second night: nothing is believed unseen, nothing is made twice, everybody gets a new chance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.messages import Check, List, Settled, Survey
from orchestrator.core.model import Copy, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Story, copies_of, image_id, story

COPIES = copies_of(3, EAST)


def first_night(copies: tuple[Copy, ...] = COPIES) -> Story:
    """Tell a night in which everything became ready."""
    tale = story(copies)
    for _ in range(4):
        tale.accept(*tale.go())
        tale.finish()
        tale.accept(*tale.wait(600))
    assert tale.states() == {State.READY}
    return tale


def again(tale: Story, copies: tuple[Copy, ...] = COPIES) -> Story:
    """Begin the next night, with nothing asked so far."""
    tale.now += 86_400
    tale.asked.clear()
    tale.changes.clear()
    return tale.begin(copies, run="run2")


def set_status(tale: Story, copy: Copy, status: str) -> None:
    image = tale.track(copy).image
    assert image is not None
    tale.shelves[EAST][image] = replace(tale.shelves[EAST][image], status=status)


def delete(tale: Story, copy: Copy) -> None:
    image = tale.track(copy).image
    assert image is not None
    del tale.shelves[EAST][image]


def test_what_is_ready_is_confirmed_by_one_listing() -> None:
    """One read for the whole region; no inspection, no quota, no call."""
    tale = again(first_night())
    assert not tale.finished(), "a ready copy of last night is not believed unseen"
    assert tale.go() == []
    assert [type(action) for action in tale.asked] == [List]
    assert {s.reason for s in tale.schedule.standings()} == {Reason.CONFIRMED}
    assert tale.finished()


def test_one_that_somebody_deleted_is_made_again() -> None:
    """The listing does not show it, describeImage says 404: its source is inspected, and it is called."""
    tale = first_night()
    delete(tale, COPIES[1])
    again(tale)
    assert [call.numbers for call in tale.go()] == [[1]]
    assert tale.reads(Check) == 1
    assert Reason.DELETED in {change.reason for change in tale.changes}


def test_one_that_the_listing_misses_but_exists_is_confirmed() -> None:
    """Only a 404 of its own says that an image is gone."""
    tale = again(first_night())
    image = tale.track(COPIES[1]).image
    tale.veil = lambda page: replace(
        page, total=page.total - 1, images=tuple(s for s in page.images if s.image != image)
    )
    assert tale.go() == []
    assert tale.states() == {State.READY}
    assert tale.finished()


def test_a_listing_that_shows_nothing_proves_no_deletion() -> None:
    """The quota counts three images and the listing none: nothing is made again, and it is said."""
    tale = again(first_night())
    tale.veil = lambda page: replace(page, images=(), total=0, shown=0)
    assert tale.wait(3600) == []
    assert tale.reads(Survey) == 1
    assert {tale.state(copy) for copy in COPIES} == {(State.FAILED, Reason.UNCONFIRMED)}
    assert tale.finished()


def test_one_that_broke_since_is_failed() -> None:
    """Ready last night, in status error now."""
    tale = first_night()
    set_status(tale, COPIES[0], "error")
    again(tale)
    tale.go()
    assert tale.state(COPIES[0]) == (State.FAILED, Reason.COPY_ERROR)


@pytest.mark.parametrize(
    ("reason", "culprit"),
    [(Reason.NOT_FOUND, True), (Reason.LOCAL_DISK, False), (Reason.INVALID_REGION, False)],
)
def test_a_failed_copy_gets_a_new_chance(reason: Reason, culprit: bool) -> None:
    """Nothing was made last night: tonight it is called like any other."""
    tale = story(COPIES[:1])
    (call,) = tale.go()
    tale.refuse(call, reason, call.sources[0] if culprit else None)
    assert tale.states() == {State.FAILED}
    again(tale, COPIES[:1])
    assert [call.numbers for call in tale.go()] == [[0]]


def failed_with_image(status: str) -> Story:
    """Tell a night in which a copy failed and left an image behind."""
    tale = story(COPIES[:1], copy_timeout_s=3600)
    tale.accept(*tale.go())
    tale.finish(status)
    tale.wait(7200)
    assert tale.states() == {State.FAILED}
    return tale


def test_an_image_in_error_is_not_repeated_while_it_exists() -> None:
    """It still takes its place in the quota; a person has to look at it."""
    tale = again(failed_with_image("error"), COPIES[:1])
    assert tale.wait(3600) == []
    assert tale.state(COPIES[0]) == (State.FAILED, Reason.COPY_ERROR)
    assert tale.finished()


def test_an_image_in_error_that_was_deleted_is_made_again() -> None:
    """The place is free: it gets its new chance."""
    tale = failed_with_image("error")
    delete(tale, COPIES[0])
    again(tale, COPIES[:1])
    assert [call.numbers for call in tale.wait(60)] == [[0]]


def test_a_stuck_copy_is_watched_on_and_not_made_again() -> None:
    """Past COPY_TIMEOUT last night, pending still: it has a whole COPY_TIMEOUT tonight."""
    tale = again(failed_with_image("pending"), COPIES[:1])
    assert tale.wait(3000) == []
    assert tale.state(COPIES[0])[0] is State.COPYING
    tale.finish()
    tale.wait(60)
    assert tale.state(COPIES[0]) == (State.READY, Reason.COPIED)


def test_a_stuck_copy_that_became_ready_meanwhile_is_ready() -> None:
    """Nobody watched; the listing tells."""
    tale = failed_with_image("pending")
    tale.finish()
    again(tale, COPIES[:1])
    assert tale.go() == []
    assert tale.states() == {State.READY}


def test_copies_under_way_are_taken_over() -> None:
    """The run was interrupted: the next one watches them and calls nothing again."""
    tale = story(COPIES)
    tale.accept(*tale.go())
    again(tale)
    assert tale.wait(60) == []
    assert tale.states() == {State.COPYING}
    tale.finish()
    tale.wait(60)
    assert tale.states() == {State.READY}


def test_a_vanished_copy_is_made_again_the_next_night() -> None:
    """For the run in which it vanished it has failed."""
    tale = story(COPIES[:1])
    tale.accept(*tale.go())
    tale.wait(1)
    delete(tale, COPIES[0])
    tale.wait(300)
    assert tale.state(COPIES[0]) == (State.FAILED, Reason.VANISHED)
    again(tale, COPIES[:1])
    assert [call.numbers for call in tale.go()] == [[0]]


def test_old_counts_and_pauses_end_with_their_night() -> None:
    """Attempts, busy images, parked regions, throttles, refused keys: all forgotten."""
    tale = story(COPIES, max_attempts=2)
    (call,) = tale.go()
    tale.refuse(call, Reason.QUOTA_IMAGE)
    for call in tale.go():
        tale.refuse(call, Reason.BUSY, call.sources[0])
    for call in tale.go():
        tale.refuse(call, Reason.CREDENTIALS)
    again(tale)
    assert [call.numbers for call in tale.go()] == [[0, 1, 2]]


def test_a_ledger_that_was_lost_is_not_an_empty_cloud() -> None:
    """A new ledger, the old copies: the first listing adopts them by their marks, nothing is called."""
    old = first_night()
    new = Story()
    new.shelves = old.shelves
    new.begin(COPIES)
    assert new.go() == []
    assert {new.state(copy) for copy in COPIES} == {(State.READY, Reason.ADOPTED)}


def test_what_tonights_plan_does_not_want_is_nobodys_concern() -> None:
    """A narrowed run is finished when its own copies are."""
    tale = first_night((*COPIES, *copies_of(1, SOUTH)))
    again(tale, COPIES[:1])
    tale.go()
    assert tale.finished()
    assert [standing.copy for standing in tale.schedule.standings()] == [COPIES[0]]


def test_a_copy_under_way_for_another_plan_keeps_its_source() -> None:
    """Tonight wants only SOUTH, and EAST's copy of the same image is not ready yet: SOUTH waits for it."""
    to_east, to_south = copies_of(1, EAST, SOUTH)
    tale = story((to_east,))
    tale.accept(*tale.go())
    again(tale, (to_south,))
    assert tale.wait(3600) == []
    tale.finish()
    assert [call.chunk.destination for call in tale.wait(120)] == [SOUTH]


def needs_person() -> Story:
    """Tell a night that leaves one copy for a person."""
    tale = story(COPIES[:1], texts="none")
    (call,) = tale.go()
    tale.wait(1)
    tale.lose(call, made=True)
    tale.wait(7200)
    assert tale.state(COPIES[0]) == (State.DOUBTFUL, Reason.NEEDS_PERSON)
    assert tale.finished()
    return tale


def test_a_copy_for_a_person_is_looked_for_again_the_next_night() -> None:
    """Doubtful still, never called by itself; a mark that shows up late is believed."""
    tale = again(needs_person(), COPIES[:1])
    assert tale.state(COPIES[0])[0] is State.DOUBTFUL
    assert tale.wait(600) == []
    (image,) = tale.shelves[EAST]
    sighting = tale.shelves[EAST][image]
    tale.shelves[EAST][image] = replace(sighting, text=f"copied from {NORTH} {image_id(0)}", status="ready")
    assert tale.wait(200) == []
    assert tale.state(COPIES[0]) == (State.READY, Reason.ADOPTED)


@pytest.mark.parametrize("made", [True, False])
def test_a_person_settles_a_doubt(made: bool) -> None:
    """`made` is ready without a call; `not made` is called again the next night."""
    tale = needs_person()
    image = next(iter(tale.shelves[EAST]))
    if not made:
        tale.shelves[EAST].clear()
    tale.tell(Settled(at=tale.now, copy=COPIES[0], made=made, image=image if made else None))
    assert tale.track(COPIES[0]).state is (State.READY if made else State.WAITING)
    tale.finish()
    again(tale, COPIES[:1])
    assert [call.numbers for call in tale.go()] == ([] if made else [[0]])


def test_settling_what_is_not_in_doubt_changes_nothing() -> None:
    """Said twice, or of a copy that was found meanwhile: no effect."""
    tale = first_night()
    assert tale.tell(Settled(at=tale.now, copy=COPIES[0], made=False)) == []
    assert tale.states() == {State.READY}
