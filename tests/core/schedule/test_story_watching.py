"""Copies under way: ready, in error, vanished, stuck; and what each means tonight."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.messages import Check, Checked, Look, Seen
from orchestrator.core.model import Copy, ImageId, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Story, copies_of, image_id, story


def watched(images: int = 2, copy_timeout_s: float = 6 * 3600, poll_interval_s: float = 30) -> Story:
    """Begin a story whose copies have been accepted and seen pending once."""
    tale = story(copies_of(images, EAST), copy_timeout_s=copy_timeout_s, poll_interval_s=poll_interval_s)
    tale.accept(*tale.go())
    tale.wait(1)
    assert tale.track(copies_of(1, EAST)[0]).seen
    return tale


def hide(tale: Story, copy: Copy) -> ImageId:
    """Let a copy's image be gone; return its id."""
    image = tale.track(copy).image
    assert image is not None
    del tale.shelves[copy.destination][image]
    return image


def test_a_copy_is_ready_when_the_cloud_says_so() -> None:
    """Not before; and the change names its image and its call."""
    tale = watched()
    tale.wait(3600)
    assert tale.states() == {State.COPYING}
    tale.finish()
    tale.wait(60)
    assert tale.states() == {State.READY}
    last = tale.changes[-1]
    assert (last.after, last.reason) == (State.READY, Reason.COPIED)
    assert last.image == tale.track(last.copy).image
    assert last.call == "call0001"


def test_an_unknown_status_is_waited_out() -> None:
    """A word that no page documents is neither ready nor an end."""
    tale = watched()
    tale.finish("teleporting")
    tale.wait(3600)
    assert tale.states() == {State.COPYING}


def test_a_copy_in_error_fails_and_the_others_do_not() -> None:
    """It is not called again in this run."""
    tale = watched()
    first, second = copies_of(2, EAST)
    image = tale.track(first).image
    assert image is not None
    tale.shelves[EAST][image] = replace(tale.shelves[EAST][image], status="error")
    assert tale.wait(7200) == []
    assert tale.state(first) == (State.FAILED, Reason.COPY_ERROR)
    assert tale.state(second)[0] is State.COPYING


def look(tale: Story) -> None:
    """Look once at everything that is under way in EAST."""
    tale.tell(tale.answer(Look(EAST, tuple(tale.region(EAST).copying))))


def test_three_misses_then_a_check_then_vanished() -> None:
    """Two looks without it ask nothing; after the third it is asked for by itself; the 404 ends it."""
    tale = watched()
    copy = copies_of(1, EAST)[0]
    image = hide(tale, copy)
    for _ in range(2):
        look(tale)
        assert tale.decide() == ()
    look(tale)
    assert tale.decide() == (Check(EAST, image),)
    assert tale.state(copy)[0] is State.COPYING
    tale.tell(tale.answer(Check(EAST, image)))
    assert tale.state(copy) == (State.FAILED, Reason.VANISHED)
    assert tale.wait(7200) == [], "not again in this run"


def test_a_copy_that_shows_up_again_was_never_gone() -> None:
    """Two misses, then seen, five times over: the count begins anew, nothing is asked."""
    tale = watched()
    copy = copies_of(1, EAST)[0]
    for _ in range(5):
        image = tale.track(copy).image
        assert image is not None
        sighting = tale.shelves[EAST].pop(image)
        look(tale)
        look(tale)
        tale.shelves[EAST][image] = sighting
        look(tale)
    assert tale.decide() == ()
    assert tale.state(copy)[0] is State.COPYING


def test_a_check_that_finds_it_goes_on_watching() -> None:
    """The looks miss it, describeImage shows it: it is under way still, or ready."""
    for status, state in (("pending", State.COPYING), ("ready", State.READY), ("error", State.FAILED)):
        tale = watched()
        copy = copies_of(1, EAST)[0]
        image = hide(tale, copy)
        for _ in range(3):
            look(tale)
        shown = replace(tale.sources[copy.source], image=image, status=status)
        tale.tell(Checked(at=tale.now, region=EAST, image=image, sighting=shown))
        assert tale.state(copy)[0] is state
        assert Check(EAST, image) not in tale.decide()


def test_a_copy_that_was_never_seen_has_the_settling_time() -> None:
    """Accepted, but listings lag: no check before SETTLE_TIME, vanished some looks after it."""
    tale = story(copies_of(1, EAST))
    tale.accept(*tale.go())
    (copy,) = copies_of(1, EAST)
    hide(tale, copy)
    tale.wait(899)
    assert tale.reads(Check) == 0
    assert tale.state(copy)[0] is State.COPYING
    tale.wait(150)
    assert tale.state(copy) == (State.FAILED, Reason.VANISHED)


@pytest.mark.parametrize("silent", [False, True])
def test_a_copy_that_never_ends_is_given_up_at_copy_timeout(silent: bool) -> None:
    """Also when nobody answers the looks; its image is named, so that a person finds it."""
    tale = watched(images=1, copy_timeout_s=3600)
    if silent:
        tale.silent["look", EAST] = Reason.SERVER_ERROR
    (copy,) = copies_of(1, EAST)
    tale.wait(3500)
    assert tale.state(copy)[0] is State.COPYING
    tale.wait(500)
    assert tale.state(copy) == (State.FAILED, Reason.COPY_TIMEOUT)
    assert str(tale.track(copy).image) in tale.schedule.why(copy, tale.now)[1]
    assert tale.finished()


def test_a_stuck_copy_does_not_let_its_source_go_elsewhere() -> None:
    """The cloud still holds the source: SOUTH's copy is not sent into a refusal, it fails with it."""
    tale = story(copies_of(1, EAST, SOUTH), copy_timeout_s=3600)
    tale.accept(*tale.go())
    assert tale.wait(7200) == []
    reasons = {tale.state(copy) for copy in copies_of(1, EAST, SOUTH)}
    assert reasons == {(State.FAILED, Reason.COPY_TIMEOUT), (State.FAILED, Reason.BUSY)}
    assert tale.finished()


def test_looks_that_fail_are_tried_again_with_growing_pauses() -> None:
    """A region that answers nothing for an hour costs a few dozen requests, and no copy."""
    tale = watched(poll_interval_s=1)
    tale.silent["look", EAST] = Reason.SERVER_ERROR
    before = tale.reads(Look)
    tale.wait(3600)
    assert 10 < tale.reads(Look) - before < 60
    tale.silent.clear()
    tale.finish()
    tale.wait(200)
    assert tale.states() == {State.READY}


def test_an_image_that_is_not_asked_for_is_nobodys() -> None:
    """A look that shows a stranger besides changes nothing for anybody."""
    tale = watched()
    asked = tuple(tale.region(EAST).copying)
    stranger = replace(tale.sources[image_id(0)], image=ImageId("img-stranger"), status="error")
    shown = (*tale.shelves[EAST].values(), stranger)
    assert tale.tell(Seen(at=tale.now, region=EAST, asked=asked, images=shown)) == []
    assert tale.states() == {State.COPYING}


def test_progress_is_told_while_it_lasts() -> None:
    """In percent while it is copying, and no longer when it is ready."""
    tale = watched(images=1)
    for image, sighting in tale.shelves[EAST].items():
        tale.shelves[EAST][image] = replace(sighting, progress=42)
    tale.wait(60)
    (standing,) = tale.schedule.standings()
    assert standing.progress == 42
    (overview,) = tale.schedule.overview()
    assert overview.percent == 42
    tale.finish()
    tale.wait(120)
    assert tale.schedule.standings()[0].progress is None


def test_why_says_what_a_copy_waits_for() -> None:
    """The region that has its source; the listing; the room."""
    tale = story(copies_of(3, EAST, SOUTH), region_copies=1, workers=1)
    assert (
        tale.schedule.why(Copy(image_id(0), NORTH, EAST), tale.now)[1]
        == "its source has not been looked at yet"
    )
    (call,) = tale.go()
    other = SOUTH if call.chunk.destination == EAST else EAST
    phrases = {
        tale.schedule.why(Copy(call.sources[0], NORTH, other), tale.now)[1],
        tale.schedule.why(Copy(image_id(2), NORTH, call.chunk.destination), tale.now)[1],
    }
    assert phrases == {
        f"its source is being copied to {call.chunk.destination}",
        f"1 copies to {call.chunk.destination} are under way",
    }
