"""A refused call that names nobody is taken apart in few calls, and suspects do not spoil other calls."""

from __future__ import annotations

from itertools import chain, combinations
from math import ceil, log2
from random import Random

import pytest

from orchestrator.core.model import Copy, ImageId, State
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Call, Story, copies_of, image_id, story

ANONYMOUS = (Reason.NOT_PRIVATE, Reason.CONFLICT, Reason.UNEXPLAINED)
"""A permanent refusal, one that passes and one that nobody understands."""


def trusted(images: int) -> Story:
    """Begin a night to EAST whose mark is above suspicion."""
    tale = story(copies_of(images, EAST), workers=4)
    tale.region(EAST).mark_proven = True
    return tale


def pass_judgement(tale: Story, reason: Reason, culprits: set[int]) -> list[list[int]]:
    """Refuse every call that carries a culprit, accept the others, as long as any is sent without a pause."""
    made: list[list[int]] = []
    while calls := tale.go():
        for call in calls:
            made.append(call.numbers)
            if culprits & set(call.numbers):
                tale.refuse(call, reason)
            else:
                tale.accept(call)
    return made


# --- what one culprit costs -----------------------------------------------------------------------


@pytest.mark.parametrize("reason", ANONYMOUS)
@pytest.mark.parametrize("images", range(2, 11))
def test_one_culprit_costs_one_call_and_one_for_each_halving(images: int, reason: Reason) -> None:
    """Wherever it stands among n images: at most 1 + ceil(log2 n) calls more than without it.

    Counted honestly: the good images alone would have been one call (there are at most nine), so
    all calls but one are extra, those included that brought good images to their destination.
    Afterwards all good ones are accepted, and the culprit stands where its reason puts it.
    """
    for culprit in range(images):
        tale = trusted(images)
        made = pass_judgement(tale, reason, {culprit})
        assert len(made) - 1 <= 1 + ceil(log2(images)), (culprit, made)
        state, why = tale.state(Copy(image_id(culprit), NORTH, EAST))
        assert why is reason
        assert state is (State.FAILED if MEANINGS[reason].nature is Nature.IMAGE_PERMANENT else State.WAITING)
        assert tale.region(EAST).in_flight == images - 1


@pytest.mark.parametrize("reason", [*ANONYMOUS, Reason.BUSY])
@pytest.mark.parametrize("images", range(2, 11))
def test_a_named_culprit_costs_nothing_but_the_call_again(images: int, reason: Reason) -> None:
    """One refused call, one with the rest, in the same instant; nobody else is suspected."""
    for culprit in range(images):
        tale = trusted(images)
        (call,) = tale.go()
        tale.refuse(call, reason, image_id(culprit))
        (rest,) = tale.go()
        assert rest.numbers == [number for number in range(images) if number != culprit]
        assert not any(tale.track(copy).source.suspects for copy in rest.chunk.copies)


def test_a_culprit_alone_costs_its_call() -> None:
    """There is nobody to tell it from."""
    tale = trusted(1)
    assert pass_judgement(tale, Reason.NOT_PRIVATE, {0}) == [[0]]


# --- what several cost ----------------------------------------------------------------------------


def all_sets(images: int) -> list[set[int]]:
    """Give every set of culprits that there can be."""
    sizes = range(1, images + 1)
    return [set(found) for found in chain.from_iterable(combinations(range(images), n) for n in sizes)]


@pytest.mark.parametrize("images", [2, 3, 4, 5, 6])
def test_no_set_of_culprits_costs_more_than_twice_the_images(images: int) -> None:
    """Every set of culprits: at most two calls for each image, all good ones accepted, all culprits found."""
    for culprits in all_sets(images):
        tale = trusted(images)
        made = pass_judgement(tale, Reason.NOT_PRIVATE, culprits)
        assert len(made) <= 2 * images, (culprits, made)
        assert tale.region(EAST).in_flight == images - len(culprits)
        assert sum(s.state is State.FAILED for s in tale.schedule.standings()) == len(culprits)


@pytest.mark.parametrize("seed", range(40))
def test_ten_images_never_cost_twenty_calls(seed: int) -> None:
    """Any number of culprits among ten, drawn by chance."""
    chance = Random(seed)
    culprits = set(chance.sample(range(10), chance.randint(2, 10)))
    tale = trusted(10)
    made = pass_judgement(tale, Reason.NOT_PRIVATE, culprits)
    assert len(made) < 20, made
    assert tale.region(EAST).in_flight == 10 - len(culprits)


# --- who travels with whom ------------------------------------------------------------------------


def test_suspects_travel_only_with_their_own() -> None:
    """Ten suspects and thirty others: no call holds both, until the suspects have proved themselves."""
    tale = story(copies_of(40, EAST), workers=2, region_copies=100)
    tale.region(EAST).mark_proven = True
    first, second = tale.go()
    tale.accept(second)
    tale.refuse(first, Reason.CONFLICT)
    suspects = set(first.numbers)
    while calls := tale.go():
        for call in calls:
            assert suspects.issuperset(call.numbers) or suspects.isdisjoint(call.numbers)
            if 3 in call.numbers:
                tale.refuse(call, Reason.CONFLICT)
            else:
                suspects -= set(call.numbers)
                tale.accept(call)
    assert suspects == {3}


def test_a_found_culprit_travels_alone_until_it_is_accepted() -> None:
    """Its task took an hour: again and again it is tried, never with another image."""
    tale = trusted(12)
    pass_judgement(tale, Reason.CONFLICT, {5})
    for _ in range(6):
        for call in tale.wait(301):
            assert call.numbers == [5]
            tale.refuse(call, Reason.CONFLICT)
    (last,) = tale.wait(301)
    tale.accept(last)
    assert tale.track(Copy(image_id(5), NORTH, EAST)).source.suspects is None


def test_suspects_of_two_calls_are_sought_side_by_side() -> None:
    """Two chunks with a culprit each: neither waits for the other's answers, and none is mixed with it."""
    tale = story(copies_of(20, EAST), workers=2)
    tale.region(EAST).mark_proven = True
    for call in tale.go():
        tale.refuse(call, Reason.CONFLICT)
    assert sorted(call.numbers for call in tale.go()) == [[0, 1, 2, 3, 4], [10, 11, 12, 13, 14]]


def test_a_suspect_that_is_held_elsewhere_holds_nobody_up() -> None:
    """All who may be to blame are on their way to SOUTH: those who stand aside go meanwhile."""
    tale = story(copies_of(4, EAST), workers=4)
    tale.region(EAST).mark_proven = True
    (call,) = tale.go()
    tale.refuse(call, Reason.CONFLICT)
    (half,) = tale.go()
    tale.refuse(half, Reason.CONFLICT)
    for copy in half.chunk.copies:
        tale.track(copy).source.held = 1
    assert [call.numbers for call in tale.go()] == [[2, 3]]


# --- what is not known ----------------------------------------------------------------------------


def probe(tale: Story, reason: Reason) -> Call:
    """Refuse the first call; return the half that is tried."""
    (call,) = tale.go()
    tale.refuse(call, reason)
    (half,) = tale.go()
    return half


def test_a_lost_probe_blames_nobody() -> None:
    """Nobody knows what became of the half: the other half goes on, and when it is accepted all is open."""
    tale = trusted(2)
    half = probe(tale, Reason.NOT_PRIVATE)
    tale.lose(half)
    (other,) = tale.go()
    tale.accept(other)
    assert tale.state(half.chunk.copies[0]) == (State.DOUBTFUL, Reason.TIMEOUT)


def test_a_suspect_that_was_given_up_by_name_clears_nobody_and_blames_nobody() -> None:
    """One of three suspects does not exist: perhaps it was the culprit, so the last one left is tried."""
    tale = trusted(3)
    half = probe(tale, Reason.NOT_PRIVATE)
    tale.refuse(half, Reason.NOT_FOUND, half.sources[0])
    (second,) = tale.go()
    tale.accept(second)
    (third,) = tale.go()
    assert [half.numbers, second.numbers, third.numbers] == [[0, 1], [1], [2]]


@pytest.mark.parametrize("reason", [Reason.CONFLICT, Reason.UNEXPLAINED])
def test_who_is_blamed_by_exclusion_is_tried_again_if_that_may_help(reason: Reason) -> None:
    """It waits, with the reason of the refusal, and a moment later its own call tells."""
    tale = trusted(2)
    tale.accept(probe(tale, reason))
    (copy,) = [copy for copy in copies_of(2, EAST) if tale.state(copy)[0] is State.WAITING]
    assert tale.state(copy) == (State.WAITING, reason)
    assert tale.track(copy).attempts == 0
    (again,) = tale.wait(2)
    tale.accept(again)
    assert again.sources == (copy.source,)


def test_who_is_blamed_by_exclusion_for_good_fails_everywhere() -> None:
    """`Can't use this image`, and its only companion was accepted: no destination asks for it again."""
    tale = story(copies_of(2, EAST, SOUTH), workers=1)
    half = probe(tale, Reason.NOT_PRIVATE)
    tale.accept(half)
    failed = {s.copy.source for s in tale.schedule.standings() if s.state is State.FAILED}
    other = {ImageId(image_id(0)), ImageId(image_id(1))} - set(half.sources)
    assert failed == other
    assert sum(s.state is State.FAILED for s in tale.schedule.standings()) == 2


def test_the_next_night_suspects_nobody() -> None:
    """Suspicions end with their night: ten travel together again."""
    tale = trusted(10)
    (call,) = tale.go()
    tale.refuse(call, Reason.CONFLICT)
    tale.begin(copies_of(10, EAST), run="run2")
    assert [len(call.sources) for call in tale.go()] == [10]
