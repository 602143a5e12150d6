"""When to look at copies under way: soon enough to notice an end, seldom enough to be cheap."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.messages import Look
from orchestrator.core.model import ImageId, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.looking import eta_s
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Story, copies_of, story


def under_way(images: int = 1, poll_interval_s: float = 30) -> Story:
    """Begin a story with copies that have just been accepted."""
    tale = story(copies_of(images, EAST), poll_interval_s=poll_interval_s, region_copies=1000)
    tale.accept(*tale.go())
    return tale


def looks_in(tale: Story, seconds: float) -> int:
    """Count the looks while time passes."""
    before = tale.reads(Look)
    tale.wait(seconds)
    return tale.reads(Look) - before


def test_never_later_than_the_poll_interval() -> None:
    """Over an hour without a word of progress, a look comes at least every POLL_INTERVAL."""
    tale = under_way()
    for _ in range(20):
        before = tale.reads(Look)
        tale.wait(30)
        assert tale.reads(Look) > before


def test_young_copies_are_looked_at_often_old_ones_seldom() -> None:
    """Without a prediction the pause grows with the age: few looks even with a long POLL_INTERVAL."""
    tale = under_way(poll_interval_s=3600)
    assert looks_in(tale, 60) < 40
    assert looks_in(tale, 3540) < 25


def test_the_clouds_progress_predicts_the_end() -> None:
    """Half done after 100 s: the next look is at about 200 s, not before."""
    tale = under_way(poll_interval_s=3600)
    tale.wait(99)
    shelf = tale.shelves[EAST]
    for image, sighting in shelf.items():
        shelf[image] = replace(sighting, progress=50)
    tale.wait(60)
    due_s = tale.region(EAST).look_at - tale.now
    track = tale.track(copies_of(1, EAST)[0])
    assert track.progress == 50
    assert tale.now - track.since + due_s <= 2 * (tale.now - track.since) + 1
    assert due_s > 10


def test_experience_predicts_the_end() -> None:
    """After one copy took 600 s the next is first looked at near its own end."""
    tale = story(copies_of(2, EAST), region_copies=1, poll_interval_s=3600)
    tale.accept(*tale.go())
    tale.wait(590)
    tale.finish()
    tale.accept(*tale.wait(200))
    assert tale.schedule.register.forecasts.knows((NORTH, EAST))
    assert looks_in(tale, 300) <= 1


def test_experience_elsewhere_predicts_the_end_where_there_is_none() -> None:
    """After one copy took 600 s the first one to another region is not looked at all the time."""
    tale = story(copies_of(1, EAST, SOUTH), poll_interval_s=3600)
    tale.accept(*tale.go())
    tale.wait(590)
    tale.finish()
    tale.accept(*tale.wait(200))
    assert looks_in(tale, 300) <= 1


def test_a_round_looks_at_every_copy_a_hundred_at_a_time() -> None:
    """250 copies are three looks, each of at most 100, and none is left out."""
    tale = under_way(images=250)
    for _ in range(10):
        tale.accept(*tale.go())
    assert len(tale.region(EAST).copying) == 250
    tale.asked.clear()
    tale.wait(30)
    looks = [action for action in tale.asked if isinstance(action, Look)][:3]
    assert max(len(look.images) for look in looks) <= 100
    assert len({image for look in looks for image in look.images}) == 250


def test_the_end_of_a_region_is_estimated_from_what_waits_and_what_runs() -> None:
    """None before experience; then what is under way plus what waits, shared among the places."""
    tale = story(copies_of(5, EAST), region_copies=2)
    tale.accept(*tale.go())
    register, destination = tale.schedule.register, tale.region(EAST)
    assert eta_s(register, destination) is None
    register.forecasts.learn((NORTH, EAST), 8.0, 600.0)
    for track in destination.copying.values():
        track.ends_at = tale.now + 600
    assert eta_s(register, destination) == pytest.approx(600 + 3 * 600 / 2)
    register.now = tale.now + 200
    assert eta_s(register, destination) == pytest.approx(400 + 3 * 600 / 2)


def test_a_copy_taken_over_teaches_no_duration() -> None:
    """Begun last night, ready two seconds into this run: it took longer than two seconds."""
    tale = story(copies_of(1, EAST))
    tale.accept(*tale.go())
    tale.wait(600)
    tale.begin(copies_of(3, EAST), run="run2")
    tale.accept(*tale.wait(1))
    image = tale.track(copies_of(1, EAST)[0]).image
    assert image is not None
    tale.shelves[EAST][image] = replace(tale.shelves[EAST][image], status="ready")
    tale.wait(1)
    assert tale.state(copies_of(1, EAST)[0])[0] is State.READY
    before = tale.reads(Look)
    tale.wait(600)
    assert tale.reads(Look) - before < 100


def test_a_copy_that_was_come_upon_teaches_no_duration() -> None:
    """Somebody's copy is under way when the run begins, and ready two seconds later: it took longer."""
    (copy,) = copies_of(1, EAST)
    tale = story(())
    theirs = Sighting(
        image=ImageId("img-theirs"), status="pending", text=f"Copied from {NORTH} image {copy.source}"
    )
    tale.shelves[EAST] = {theirs.image: theirs}
    tale.begin([copy], run="night")
    tale.go()
    assert tale.state(copy) == (State.COPYING, Reason.ADOPTED)
    tale.wait(2)
    tale.finish()
    tale.wait(60)
    assert tale.state(copy)[0] is State.READY
    assert not tale.schedule.register.forecasts.routes


def test_a_copy_that_takes_longer_than_the_others_is_not_looked_at_without_pause() -> None:
    """The first took ten seconds, the second takes half an hour: the pause grows with its age."""
    tale = story(copies_of(2, EAST), region_copies=1)
    tale.accept(*tale.go())
    tale.wait(10)
    tale.finish()
    tale.accept(*tale.wait(10))
    before = tale.reads(Look)
    tale.wait(1800)
    assert tale.reads(Look) - before < 150
