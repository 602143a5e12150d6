"""Chunks that wait for company: for a place or an image that is about to be free, and not for long."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.limits import Limits
from tests.core.schedule.stories import EAST, SOUTH, Story, copies_of, story


def at_work(images: int = 30, region_copies: int = 10, chunk_linger: float = 0.11) -> Story:
    """Fill a destination's places, each copy 97 % done after 970 s."""
    limits = Limits(region_copies=region_copies, chunk_linger=chunk_linger)
    tale = Story(limits=limits).begin(copies_of(images, EAST))
    for _ in range(region_copies // 10):
        tale.accept(*tale.go())
    tale.wait(970)
    show(tale, 97)
    tale.wait(25)
    return tale


def show(tale: Story, progress: int) -> None:
    shelf = tale.shelves[EAST]
    for image, sighting in shelf.items():
        if sighting.status == "pending":
            shelf[image] = replace(sighting, progress=progress)


def finish(tale: Story, copies: int) -> None:
    """Let so many of the copies under way be ready."""
    shelf = tale.shelves[EAST]
    pending = [image for image, sighting in shelf.items() if sighting.status == "pending"]
    for image in pending[:copies]:
        shelf[image] = replace(shelf[image], status="ready")


def test_a_few_wait_for_those_that_end_next() -> None:
    """Three places are free and seven more are about to be: one call of ten, not two."""
    tale = at_work()
    finish(tale, 3)
    sent = tale.wait(10)
    assert sent == []
    finish(tale, 7)
    (call,) = tale.wait(60)
    assert len(call.sources) == 10


def test_nobody_waits_for_a_copy_that_does_not_end() -> None:
    """The seven others hang at 97 %: the three go within a tenth of a copy's duration."""
    tale = at_work()
    finish(tale, 3)
    (call,) = tale.wait(200)
    assert len(call.sources) == 3


def test_with_no_price_nothing_waits() -> None:
    """CHUNK_LINGER of 0 sends whatever is free at once."""
    tale = at_work(chunk_linger=0.0)
    finish(tale, 3)
    (call,) = tale.wait(35)
    assert len(call.sources) == 3


def test_the_last_copies_wait_for_nobody() -> None:
    """A chunk that holds all that waits is as full as it can be."""
    tale = at_work(images=13)
    finish(tale, 3)
    (call,) = tale.wait(35)
    assert len(call.sources) == 3


@pytest.mark.parametrize("images", [10, 20])
def test_the_first_chunks_of_a_night_go_at_once(images: int) -> None:
    """Nothing is under way that could free a place or an image, so nothing is waited for."""
    tale = story(copies_of(images, EAST, SOUTH), workers=10)
    assert sum(len(call.sources) for call in tale.go()) == images


def test_each_ten_of_the_plan_begins_at_another_destination() -> None:
    """Twenty images to two destinations: ten here and ten there, not the first ten twice in turn."""
    tale = story(copies_of(20, EAST, SOUTH), workers=10)
    calls = {call.chunk.destination: call.numbers for call in tale.go()}
    assert calls == {EAST: list(range(10)), SOUTH: list(range(10, 20))}
