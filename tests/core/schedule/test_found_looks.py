"""Found in review: looks that come far too often."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.messages import Look
from orchestrator.core.model import State
from tests.core.schedule.stories import EAST, copies_of, story


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
