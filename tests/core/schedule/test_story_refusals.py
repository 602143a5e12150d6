"""What a refusal means: for the image it names, for its companions, for everybody."""

from __future__ import annotations

from math import log2

import pytest

from orchestrator.core.messages import Change, Look, Refused, Survey
from orchestrator.core.model import Copy, State
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Call, Story, copies_of, image_id, story

PERMANENT = [r for r in Reason if MEANINGS[r].nature is Nature.IMAGE_PERMANENT]
TRANSIENT = [r for r in Reason if MEANINGS[r].nature is Nature.IMAGE_TRANSIENT]


THROTTLES = [r for r in Reason if MEANINGS[r].nature in (Nature.THROTTLE, Nature.API_THROTTLE)]


def paused_until(tale: Story) -> float:
    """Tell until when the latest throttle holds."""
    return max(tale.schedule.register.pauses.values())


def numbers(calls: list[Call]) -> list[list[int]]:
    return [call.numbers for call in calls]


def mark_proven(tale: Story) -> Story:
    """Let EAST have accepted a marked call in an earlier night: its mark is above suspicion."""
    tale.region(EAST).mark_proven = True
    return tale


# --- whose fault it is ----------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [*PERMANENT, *TRANSIENT, Reason.UNEXPLAINED])
def test_the_named_image_leaves_and_the_others_go_on_at_once(reason: Reason) -> None:
    """One refusal, one more call with the nine, in the same instant."""
    tale = mark_proven(story(copies_of(10, EAST)))
    (call,) = tale.go()
    tale.refuse(call, reason, image_id(4))
    assert numbers(tale.go()) == [[0, 1, 2, 3, 5, 6, 7, 8, 9]]


def isolate(tale: Story, reason: Reason, culprits: set[int]) -> int:
    """Refuse, without a name, every call that carries a culprit; return the number of calls."""
    count, calls = 0, tale.go()
    while calls:
        count += len(calls)
        for call in calls:
            if culprits & set(call.numbers):
                tale.refuse(call, reason)
            else:
                tale.accept(call)
        calls = tale.go()
    return count


@pytest.mark.parametrize("culprit", range(10))
def test_an_unnamed_culprit_is_isolated_in_few_calls(culprit: int) -> None:
    """Halving ten: at most two calls for each halving, and then it stands alone with its reason."""
    tale = story(copies_of(10, EAST))
    assert isolate(tale, Reason.LOCAL_DISK, {culprit}) <= 1 + 2 * 4
    assert tale.state(Copy(image_id(culprit), NORTH, EAST)) == (State.FAILED, Reason.LOCAL_DISK)
    assert tale.region(EAST).in_flight == 9


@pytest.mark.parametrize("culprits", [{0, 9}, {0, 1}, {0, 2, 4, 6, 8}, set(range(10))])
def test_several_culprits_are_isolated_too(culprits: set[int]) -> None:
    """Each costs at most two calls for each halving; never more than twice the images in all."""
    tale = story(copies_of(10, EAST))
    calls = isolate(tale, Reason.NOT_PRIVATE, culprits)
    assert calls <= min(2 * 10, 1 + 2 * len(culprits) * (1 + log2(10)))
    assert tale.region(EAST).in_flight == 10 - len(culprits)


def test_a_named_image_that_was_not_in_the_call_names_nobody() -> None:
    """The message names a stranger: the chunk is taken apart as if nobody were named."""
    tale = story(copies_of(4, EAST))
    (call,) = tale.go()
    tale.refuse(call, Reason.BUSY, image_id(99))
    (half,) = tale.go()
    tale.refuse(half, Reason.BUSY, image_id(99))
    assert [half.numbers, *numbers(tale.go())] == [[0, 1], [0]]


@pytest.mark.parametrize("reason", PERMANENT)
def test_a_permanent_reason_fails_all_copies_of_the_image_at_once(reason: Reason) -> None:
    """Refused for EAST: SOUTH's copy of it fails too, without a call."""
    tale = story(copies_of(2, EAST, SOUTH))
    (call,) = tale.go()
    changes = tale.refuse(call, reason, image_id(0))
    failed = {change.copy for change in changes if change.after is State.FAILED}
    assert failed == {Copy(image_id(0), NORTH, EAST), Copy(image_id(0), NORTH, SOUTH)}
    assert {change.reason for change in changes if change.after is State.FAILED} == {reason}


def test_a_permanent_reason_leaves_alone_what_is_made() -> None:
    """SOUTH's copy is there already; that the source is gone now does not unmake it."""
    tale = story(copies_of(1, EAST, SOUTH), workers=1)
    (first,) = tale.go()
    tale.accept(first)
    tale.finish()
    (second,) = tale.wait(600)
    tale.refuse(second, Reason.NOT_FOUND, image_id(0))
    assert tale.state(first.chunk.copies[0])[0] is State.READY
    assert tale.state(second.chunk.copies[0]) == (State.FAILED, Reason.NOT_FOUND)


def test_a_refused_route_fails_its_copies_and_no_others() -> None:
    """cn-north-1 to EAST is no pair of regions: every copy of that route fails at once."""
    tale = story((*copies_of(30, EAST, SOUTH),), workers=1, region_copies=100)
    (call,) = tale.go()
    tale.refuse(call, Reason.INVALID_REGION)
    route = call.chunk.destination
    states = {(s.copy.destination == route, s.state) for s in tale.schedule.standings()}
    assert states == {(True, State.FAILED), (False, State.WAITING)}


# --- how long it waits ----------------------------------------------------------------------------


def refuse_alone(reason: Reason, times: int, max_attempts: int = 20) -> tuple[Story, list[float]]:
    """Refuse a copy's calls again and again; return the story and the pauses between them."""
    tale = mark_proven(story(copies_of(1, EAST), max_attempts=max_attempts, copy_timeout_s=1e9))
    pauses: list[float] = []
    calls = tale.go()
    while calls and len(pauses) < times:
        before = tale.now
        tale.refuse(calls[0], reason)
        calls = tale.go()
        while not calls and tale.wake < 1e12 and not tale.finished(waits_for_room=True):
            tale.now = max(tale.now, tale.wake)
            calls = tale.go()
        pauses.append(tale.now - before)
    return tale, pauses


@pytest.mark.parametrize("reason", [*TRANSIENT, *THROTTLES])
def test_what_passes_by_itself_never_counts_as_an_attempt(reason: Reason) -> None:
    """Fifty refusals with MAX_ATTEMPTS=3: the copy still waits, and the pauses grow to the cap."""
    tale, pauses = refuse_alone(reason, 50, max_attempts=3)
    assert tale.states() == {State.CALLING}
    assert tale.track(copies_of(1, EAST)[0]).attempts == 0
    assert pauses[0] <= 1
    assert max(pauses) == pytest.approx(150, rel=0.01), (
        "half of BACKOFF_MAX, with the story's jitter of a half"
    )


@pytest.mark.parametrize("reason", [Reason.QUOTA_IMAGE, Reason.QUOTA_SNAPSHOT])
def test_a_full_region_never_counts_as_an_attempt(reason: Reason) -> None:
    """Thirty quota refusals, each a QUOTA_INTERVAL apart, and no attempt is counted."""
    tale, pauses = refuse_alone(reason, 30, max_attempts=3)
    assert tale.track(copies_of(1, EAST)[0]).attempts == 0
    assert {round(pause) for pause in pauses} == {900}


@pytest.mark.parametrize("reason", [Reason.UNREACHABLE, Reason.UNEXPLAINED])
def test_what_made_nothing_for_no_known_reason_counts(reason: Reason) -> None:
    """MAX_ATTEMPTS calls, with growing pauses, then the copy fails and says how often it was tried."""
    tale, pauses = refuse_alone(reason, 50, max_attempts=5)
    (copy,) = copies_of(1, EAST)
    assert tale.state(copy) == (State.FAILED, Reason.ATTEMPTS)
    assert len(pauses) == 5
    assert pauses[:4] == sorted(pauses[:4])
    assert "5 calls" in tale.schedule.why(copy, tale.now)[1]
    assert tale.finished()


def test_a_busy_image_is_given_up_after_copy_timeout() -> None:
    """It was busy for longer than any copy may take: its copy fails with `busy`."""
    tale = story(copies_of(1, EAST), copy_timeout_s=3600)
    calls = tale.go()
    while calls:
        tale.refuse(calls[0], Reason.BUSY, image_id(0))
        calls = tale.wait(301)
    (copy,) = copies_of(1, EAST)
    assert tale.state(copy) == (State.FAILED, Reason.BUSY)


def test_a_busy_image_does_not_make_the_others_wait() -> None:
    """Its own pause, on every route; all others are called meanwhile."""
    tale = story(copies_of(3, EAST, SOUTH), workers=10)
    (call,) = tale.go()
    tale.refuse(call, Reason.BUSY, image_id(1))
    called = [number for c in tale.go() for number in c.numbers]
    assert sorted(called) == [0, 2]
    assert tale.schedule.why(Copy(image_id(1), NORTH, EAST), tale.now)[0] is Reason.BUSY


@pytest.mark.parametrize("reason", THROTTLES)
def test_a_throttle_pauses_all_calls_and_a_read_only_when_it_is_about_the_key(reason: Reason) -> None:
    """No region is called until the pause is over; copies are looked at if only copyImages is meant."""
    tale = story(copies_of(60, EAST, SOUTH), workers=2, poll_interval_s=1)
    first, second = tale.go()
    tale.accept(first)
    for third in tale.go():
        tale.refuse(third, reason)
    tale.tell(Refused(at=tale.now, call=second.id, reason=reason), jitter=0.9)
    until, looks = paused_until(tale), tale.reads(Look)
    assert until - tale.now > 1.5
    assert tale.wait((until - tale.now) * 0.99) == []
    assert (tale.reads(Look) > looks) is (reason is Reason.API_THROTTLED)
    first, *others = tale.wait(1)
    assert len(others) == (reason is Reason.THROTTLED)  # one request goes alone: there a look, here a call
    tale.accept(first)
    assert len(others + tale.go()) >= 1
    assert tale.reads(Look) > looks


def test_an_accepted_call_ends_the_row_of_throttles() -> None:
    """The next throttle begins with the shortest pause again."""
    tale = story(copies_of(30, EAST), workers=1, region_copies=100)
    pauses = []
    for turn in range(8):
        (call,) = tale.go() or tale.wait(300)[:1]
        if turn == 6:
            tale.accept(call)
            continue
        tale.refuse(call, Reason.THROTTLED)
        pauses.append(paused_until(tale) - tale.now)
    assert pauses[:6] == [0.5, 1, 2, 4, 8, 16]
    assert pauses[6] == 0.5


# --- the mark -------------------------------------------------------------------------------------


def test_a_region_that_refuses_the_mark_goes_on_without_it() -> None:
    """Nothing was made; the same copies go again at once, unmarked, and later ones too."""
    tale = story(copies_of(12, EAST), workers=1)
    (call,) = tale.go()
    assert call.marked
    tale.refuse(call, Reason.MARK_REFUSED)
    (again,) = tale.go()
    assert (again.numbers, again.marked) == (call.numbers, False)
    tale.accept(again)
    assert [c.marked for c in tale.go()] == [False]


def test_an_unexplained_refusal_is_tried_once_without_the_mark() -> None:
    """How a gateway refuses a description is not documented: all ten go again at once, unmarked."""
    tale = story(copies_of(20, EAST), workers=1)
    (call,) = tale.go()
    tale.refuse(call, Reason.UNEXPLAINED)
    (again,) = tale.go()
    assert (again.numbers, again.marked) == (call.numbers, False)
    tale.accept(again)
    assert [c.marked for c in tale.go()] == [False]


def test_a_refusal_that_stays_was_not_the_marks_fault() -> None:
    """Refused without it too: the mark is used again, the chunk is halved, and nobody counts the trial."""
    tale = story(copies_of(10, EAST), workers=1)
    (call,) = tale.go()
    tale.refuse(call, Reason.UNEXPLAINED)
    (again,) = tale.go()
    tale.refuse(again, Reason.UNEXPLAINED)
    (half,) = tale.go()
    assert (half.numbers, half.marked) == ([0, 1, 2, 3, 4], True)
    assert {tale.track(copy).attempts for copy in copies_of(10, EAST)} == {0}


def test_a_mark_that_was_accepted_once_is_never_suspected() -> None:
    """Later refusals without a reason are about the images."""
    tale = story(copies_of(20, EAST), workers=1)
    tale.accept(*tale.go())
    (call,) = tale.go()
    tale.refuse(call, Reason.UNEXPLAINED)
    assert [(c.numbers, c.marked) for c in tale.go()] == [([10, 11, 12, 13, 14], True)]


def test_only_that_region_goes_without_the_mark() -> None:
    """SOUTH's calls carry it still."""
    tale = story((*copies_of(2, EAST), Copy(image_id(5), NORTH, SOUTH)))
    east = next(c for c in tale.go() if c.chunk.destination == EAST)
    tale.refuse(east, Reason.MARK_REFUSED)
    assert tale.region(SOUTH).takes_marks
    assert not tale.region(EAST).takes_marks


def test_changes_tell_until_when_a_copy_waits() -> None:
    """A refused copy that is tried again later says when; one that goes at once says nothing."""
    tale = story(copies_of(2, EAST))
    (call,) = tale.go()
    changes = tale.refuse(call, Reason.BUSY, image_id(0))
    by_copy: dict[Copy, Change] = {change.copy: change for change in changes}
    until = by_copy[Copy(image_id(0), NORTH, EAST)].until
    assert until is not None
    assert until == tale.track(Copy(image_id(0), NORTH, EAST)).eligible_at > tale.now
    assert by_copy[Copy(image_id(1), NORTH, EAST)].until is None
    assert tale.reads(Survey) == 2
