"""What a listing proves about a doubt, and what it does not; whom it concerns, and how loudly."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.messages import Listed, Settled
from orchestrator.core.model import Copy, ImageId, Region, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Call, Story, copies_of, image_id, story


def blind(page: Listed) -> Listed:
    """Show what a user without the permission sees: nothing at all."""
    return replace(page, total=0, shown=0, images=())


def calls_of(tale: Story, calls: list[Call]) -> list[tuple[Region, list[int]]]:
    return [(call.chunk.destination, call.numbers) for call in calls]


def test_an_empty_listing_proves_nothing_against_the_quota_of_after_the_call() -> None:
    """The quota was read before the lost call (0 used). Only one read after it can be the control."""
    (copy,) = copies_of(1, EAST)
    tale = story((copy,))
    (call,) = tale.go()
    tale.veil = blind
    tale.wait(1)
    tale.lose(call, made=True)
    assert tale.wait(4 * 3600) == [], "describeQuotas counts one image: the listing cannot be trusted"
    assert tale.state(copy)[0] is State.DOUBTFUL


def test_a_quota_read_before_the_settling_time_is_no_control() -> None:
    """The lost call took effect late, within SETTLE_TIME, after the quota was read again: no proof."""
    tale = story(copies_of(12, EAST))
    lost, refused = tale.go()
    tale.veil = blind
    tale.wait(1)
    tale.lose(lost)
    tale.refuse(refused, Reason.QUOTA_SNAPSHOT)
    tale.wait(60)
    tale.make(lost)
    calls = [number for call in tale.wait(4 * 3600) for number in call.numbers]
    assert set(calls) <= {10, 11}


def test_a_listing_that_shows_none_of_the_known_copies_proves_nothing() -> None:
    """Ten copies are known to be there and the listing shows none of them: no absence is believed."""
    tale = story(copies_of(12, EAST))
    sure, doubtful = tale.go()
    tale.accept(sure)
    tale.finish()
    tale.wait(600)
    tale.veil = blind
    tale.lose(doubtful, made=True)
    assert calls_of(tale, tale.wait(4 * 3600)) == []


def test_a_renamed_source_is_not_copied_twice() -> None:
    """The copy carries our mark but a name we do not know: whose it is stays open, nothing is repeated."""
    copies = copies_of(2, EAST)
    tale = story(copies)
    (call,) = tale.go()
    source = tale.sources[image_id(0)]
    tale.sources[image_id(0)] = replace(source, name="renamed-an-hour-ago")
    tale.lose(call, made=True)
    assert calls_of(tale, tale.wait(4 * 3600)) == []
    assert tale.state(copies[1])[0] is State.COPYING
    assert tale.state(copies[0])[0] in (State.DOUBTFUL, State.COPYING)


def test_a_source_deleted_since_its_lost_call_does_not_lose_its_copies() -> None:
    """Night 2 inspects the source for SOUTH and does not find it: EAST's copy is recognised all the same."""
    copies = copies_of(2, EAST, SOUTH)
    tale = story(copies)
    (call,) = [c for c in tale.go() if c.chunk.destination == EAST]
    tale.make(call)
    tale.begin(copies, run="run2")
    del tale.sources[image_id(0)]
    tale.wait(4 * 3600)
    assert tale.state(Copy(image_id(0), NORTH, EAST))[0] is State.COPYING


def test_the_doubts_own_lookalike_decides_not_a_strangers() -> None:
    """No text is known here yet; a foreign image with another source's name says nothing about this copy."""
    copies = copies_of(12, EAST)
    tale = story(copies)
    first, _still_open = tale.go()
    stranger = replace(tale.sources[image_id(11)], image=ImageId("img-stranger"))
    tale.lose(first)
    tale.shelves[EAST][stranger.image] = stranger
    tale.wait(3600)
    assert tale.state(copies[0]) != (State.DOUBTFUL, Reason.NEEDS_PERSON)


def test_a_person_is_told_once() -> None:
    """What needs a person is one change, not one for every later listing."""
    tale = story(copies_of(1, EAST), texts="none")
    (call,) = tale.go()
    tale.lose(call, made=True)
    tale.wait(6 * 3600)
    assert sum(change.reason is Reason.NEEDS_PERSON for change in tale.changes) == 1


def test_a_listing_that_fails_costs_only_what_needs_it() -> None:
    """The region was listed, its calls work; that a later listing is unreadable fails no waiting copy."""
    tale = story(copies_of(30, EAST), workers=1, region_copies=10, max_attempts=3)
    (first,) = tale.go()
    tale.lose(first)
    tale.silent["list", EAST] = Reason.UNREADABLE
    tale.wait(3600)
    failed = [s for s in tale.schedule.standings() if s.state is State.FAILED]
    assert failed == []


def test_a_person_may_say_made_without_an_image_id() -> None:
    """Settled as made, no id given; the next night's listing shows it with our mark: confirmed, no fault."""
    (copy,) = copies_of(1, EAST)
    tale = story((copy,), max_attempts=3)
    (call,) = tale.go()
    tale.lose(call, made=True)
    tale.silent["list", EAST] = Reason.UNREADABLE
    tale.wait(3600)
    assert tale.state(copy) == (State.DOUBTFUL, Reason.NEEDS_PERSON)
    tale.tell(Settled(at=tale.now, copy=copy, made=True))
    tale.finish()
    tale.silent.clear()
    tale.begin(copies_of(2, EAST), run="run2")
    tale.wait(60)
    assert tale.state(copy)[0] is State.READY
    assert tale.track(copy).image is not None


def test_a_quota_that_cannot_be_read_again_is_no_witness() -> None:
    """Read before the call, silent after it: no conclusion, a person is asked in the end, the run ends."""
    tale = story(copies_of(2, EAST))
    (call,) = tale.go()
    tale.wait(1)
    tale.lose(call)
    tale.silent["survey", EAST] = Reason.SERVER_ERROR
    assert tale.wait(12 * 3600) == []
    assert {tale.state(copy) for copy in call.chunk.copies} == {(State.DOUBTFUL, Reason.NEEDS_PERSON)}
    assert tale.finished()
