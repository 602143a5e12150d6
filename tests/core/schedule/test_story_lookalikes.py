"""What was there before the ledger: a copy that resembles it is asked about, never made twice blindly."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.messages import Settled
from orchestrator.core.model import ImageId, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, SOUTH, Story, copies_of, image_id, story


def put(tale: Story, number: int, *, text: str = "", image: str = "img-there") -> None:
    """Put an image with a source's name into the east, as an earlier ledger or anybody may have done."""
    there = replace(tale.sources[image_id(number)], image=ImageId(image), text=text)
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


def test_where_nothing_tells_a_lookalike_is_left_to_a_person_and_the_others_are_made() -> None:
    """No texts at all: one of three has a lookalike, which `status` names; two are made, none twice."""
    tale = story(copies_of(3, EAST), texts="none")
    put(tale, 1)
    assert called(tale, 7200) == [0, 2]
    (copy,) = (copy for copy in copies_of(3, EAST) if copy.source == image_id(1))
    assert tale.state(copy) == (State.DOUBTFUL, Reason.NEEDS_PERSON)
    assert tale.schedule.standings()[1].detail == "img-there"
    assert tale.finished()


@pytest.mark.parametrize("texts", ["mark", "platform"])
def test_where_texts_tell_a_lookalike_without_one_is_somebody_elses(texts: str) -> None:
    """What the first accepted copies carry says so; after SETTLE_TIME the copy is made all the same."""
    tale = story(copies_of(3, EAST), texts=texts)
    put(tale, 1)
    assert called(tale, 600) == [0, 2]
    assert called(tale, 1800) == [1]


@pytest.mark.parametrize(
    "text", ["orchestrator/1 ledger=other call=c1 from=cn-north-1 of=img-old", "copied from x img-old"]
)
def test_an_image_that_says_it_is_another_copy_is_no_lookalike(text: str) -> None:
    """Last night's image of the same name was made of another source: nothing waits for it."""
    tale = story(copies_of(1, EAST), texts="none")
    put(tale, 0, text=text)
    assert called(tale, 60) == [0]


def test_a_mark_that_may_mean_the_source_is_a_lookalike_under_any_name() -> None:
    """A lost ledger's call carried it beside another, and it was renamed since: nobody can tell."""
    tale = story(copies_of(1, EAST), texts="none")
    text = f"orchestrator/1 ledger=other call=c1 from=cn-north-1 of={image_id(0)},{image_id(7)}"
    there = replace(tale.sources[image_id(0)], image=ImageId("img-there"), name="its-old-name", text=text)
    tale.shelves[EAST][there.image] = there
    assert called(tale, 7200) == []


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
