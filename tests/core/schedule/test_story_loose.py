"""A lost call whose copy was found, but perhaps not by that call: the audit looks for the other one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.marks import write_mark
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, SOUTH, Call, Story, copies_of, image_id, story

(COPY,) = copies_of(1, EAST)


def place(tale: Story, image: str, *, text: str = "") -> ImageId:
    """Let somebody put an image of the source's name into the destination."""
    placed = ImageId(image)
    tale.shelves[EAST][placed] = replace(tale.sources[image_id(0)], image=placed, text=text)
    return placed


def lost(texts: str, text: str) -> tuple[Story, Call]:
    """Lose a call while somebody else's copy of the same source is there; what it made comes later."""
    tale = story((COPY,), texts=texts)
    (call,) = tale.go()
    place(tale, "img-theirs", text=text)
    tale.lose(call)
    assert tale.wait(60) == []
    return tale, call


THEIRS = write_mark("another", CallId("theirs"), Chunk((COPY,)))


PLATFORM = f"copied from cn-north-1 {image_id(0)}"


def test_a_copy_that_a_lost_call_made_beside_somebody_elses_is_named() -> None:
    """The platform's text named theirs, ours appears later: the last look names both, nothing is called."""
    tale, call = lost("platform", PLATFORM)
    assert tale.state(COPY) == (State.READY, Reason.ADOPTED)
    tale.make(call)
    tale.finish()
    assert tale.begin((COPY,), run="run2").wait(3600) == []
    assert tale.state(COPY) == (State.FAILED, Reason.DUPLICATE)
    assert "img-theirs" in tale.track(COPY).detail
    assert "img-call0001" in tale.track(COPY).detail


@pytest.mark.parametrize("texts", ["none", "mark"])
@pytest.mark.parametrize("made", [False, True])
def test_another_ledgers_copy_settles_no_doubt_of_ours(texts: str, made: bool) -> None:
    """The source stays locked until our own lost call is accounted for; only then theirs will do."""
    to_south = Copy(COPY.source, COPY.origin, SOUTH)
    tale = story((COPY, to_south), texts=texts)
    (call,) = tale.go()
    place(tale, "img-theirs", text=THEIRS)
    tale.lose(call)
    assert tale.wait(600) == []
    if made:
        tale.make(call)
        tale.finish()
    calls = tale.wait(1200)
    assert [again.chunk.destination for again in calls] == [SOUTH]
    ends = {"mark": (State.READY, Reason.ADOPTED), "none": (State.DOUBTFUL, Reason.NEEDS_PERSON)}
    assert tale.state(COPY) == (ends[texts] if made else (State.READY, Reason.ADOPTED))


def test_once_two_later_looks_show_one_copy_only_namesakes_are_nobodys() -> None:
    """After SETTLE_TIME the lost call is accounted for; an image of that name nights later is no alarm."""
    tale, _ = lost("platform", PLATFORM)
    for night in ("run2", "run3"):
        tale.now += 86_400
        tale.begin((COPY,), run=night).wait(3600)
    place(tale, "img-later", text=PLATFORM)
    tale.now += 86_400
    assert tale.begin((COPY,), run="run4").wait(3600) == []
    assert tale.state(COPY) == (State.READY, Reason.CONFIRMED)


def test_where_marks_are_stored_a_namesake_is_not_taken_for_ours() -> None:
    """Our copy was found by its mark; a plain image of that name, put there meanwhile, is no twin."""
    tale = story((COPY,))
    (call,) = tale.go()
    tale.lose(call, made=True)
    tale.wait(60)
    place(tale, "img-namesake")
    tale.finish()
    tale.wait(3600)
    assert tale.state(COPY)[0] is State.READY
