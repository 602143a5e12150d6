"""What was there before the ledger: what a text may mean is asked about, never made twice blindly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.messages import Settled
from orchestrator.core.model import ImageId, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, SOUTH, Story, copies_of, image_id, story

AMBIGUOUS = f"orchestrator/1 ledger=other call=c1 from=cn-north-1 of={image_id(0)},{image_id(7)}"
"""The mark of a lost ledger's call: the image is one of the two, and was renamed since."""


def put(tale: Story, number: int, *, text: str = AMBIGUOUS, name: str = "its-old-name") -> None:
    """Put an image into the east, as an earlier ledger or anybody may have done."""
    there = replace(tale.sources[image_id(number)], image=ImageId("img-there"), text=text, name=name)
    tale.shelves[EAST][there.image] = there


def called(tale: Story, seconds: float) -> list[int]:
    """Let time pass, accept and finish every call; return the sources that were called."""
    numbers: list[int] = []
    for _ in range(int(seconds / 60)):
        for call in tale.wait(60):
            numbers += call.numbers
            tale.accept(call)
        tale.finish()
    return sorted(numbers)


def test_what_a_mark_may_mean_is_left_to_a_person_and_the_others_are_made() -> None:
    """No texts of our own: one of three is perhaps there, which `status` names; two are made, none twice."""
    tale = story(copies_of(3, EAST), texts="none")
    put(tale, 0)
    assert called(tale, 7200) == [1, 2]
    assert tale.state(copies_of(1, EAST)[0]) == (State.DOUBTFUL, Reason.NEEDS_PERSON)
    assert tale.schedule.standings()[0].detail == "img-there"
    assert tale.finished()


@pytest.mark.parametrize(
    "text", ["", "orchestrator/1 ledger=other call=c1 from=cn-north-1 of=img-old", "copied from x img-old"]
)
def test_a_name_alone_keeps_nothing_from_being_made(text: str) -> None:
    """Built in each region under one name, or last night's copy of another source: nothing waits for it."""
    tale = story(copies_of(1, EAST), texts="none")
    put(tale, 0, text=text, name=tale.sources[image_id(0)].name)
    assert called(tale, 60) == [0]


@pytest.mark.parametrize("made", [True, False])
def test_a_persons_word_about_a_lookalike_holds_for_ever(made: bool) -> None:
    """Asked once: what they said is kept, in this run and in later ones."""
    (copy,) = copies_of(1, EAST)
    tale = story([copy], texts="none")
    put(tale, 0)
    assert called(tale, 3600) == []
    tale.tell(Settled(at=tale.now, copy=copy, made=made, image=ImageId("img-there") if made else None))
    tale.begin([copy], "run2")
    assert called(tale, 3600) == ([] if made else [0])
    tale.begin([copy], "run3")
    assert called(tale, 3600) == []
    assert tale.state(copy) == (State.READY, Reason.CONFIRMED)


def test_a_lookalike_that_is_not_settled_is_asked_about_every_night() -> None:
    """No night makes the copy because an earlier one asked already; the other region has its own."""
    east, south = copies_of(1, EAST, SOUTH)
    tale = story([east, south], texts="none")
    put(tale, 0)
    assert called(tale, 7200) == [0]
    for run in ("run2", "run3"):
        tale.begin([east, south], run)
        assert called(tale, 7200) == []
        assert tale.state(east) == (State.DOUBTFUL, Reason.NEEDS_PERSON)
        assert tale.state(south) == (State.READY, Reason.CONFIRMED)
        assert tale.finished()


def test_a_lookalike_that_goes_away_blocks_nothing() -> None:
    """Somebody deleted it: after SETTLE_TIME and two listings without it the copy is made."""
    tale = story(copies_of(1, EAST), texts="none")
    put(tale, 0)
    assert called(tale, 600) == []
    del tale.shelves[EAST][ImageId("img-there")]
    assert called(tale, 1800) == [0]
