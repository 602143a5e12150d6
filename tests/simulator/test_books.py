"""The books: every call, every copy, and every breach of the rules, whatever a client believes."""

from __future__ import annotations

import json

from orchestrator.core.model import CHUNK_MAX, ImageId
from orchestrator.simulator.books import Books
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.traits import Switches
from tests.simulator.worlds import COPY_S, EAST, NORTH, SOUTH, ask, make_world, refusal


def test_every_call_is_written_down_with_its_outcome() -> None:
    """Accepted and refused calls, their images and what they made."""
    world = make_world()
    ((_, made),) = world.copy_images(5, ask("img-a1", text="mark"))
    refusal(world, 6, ask("img-a1", to=SOUTH))
    first, second = world.books()["calls"]
    assert first == {
        "at": 5,
        "origin": NORTH,
        "destination": EAST,
        "sources": ["img-a1"],
        "described": True,
        "outcome": "accepted",
        "images": [made],
    }
    assert second["outcome"] == "400 The image 'img-a1' is busy"
    assert second["images"] == []


def test_every_copy_is_written_down_with_its_end() -> None:
    """A copy under way has no end; a finished one has time and end."""
    world = make_world()
    world.copy_images(5, ask("img-a1"))
    assert world.books()["copies"][0]["ended"] is None
    world.settle(1000)
    entry = world.books()["copies"][0]
    assert (entry["started"], entry["ended"], entry["end"]) == (5, 5 + COPY_S, "ready")


def test_the_peak_in_flight_is_counted_per_destination() -> None:
    """Two at once, then one more after they ended: the peak is two."""
    world = make_world()
    world.copy_images(0, ask("img-a1", "img-a2"))
    world.copy_images(COPY_S, ask("img-a3"))
    books = world.books()
    assert books["peak_in_flight"] == {EAST: 2}
    assert books["in_flight"] == {EAST: 1}
    assert books["peak_destinations_per_source"] == 1
    assert books["largest_call"] == 2
    assert books["violations"] == []


def test_a_duplicate_is_a_violation() -> None:
    """A second copy of one source in one destination, while the first lives, is noticed."""
    world = make_world()
    ((_, first),) = world.copy_images(0, ask("img-a1"))
    ((_, second),) = world.copy_images(COPY_S, ask("img-a1"))
    assert world.books()["violations"] == [f"duplicate: {second} of img-a1 in cn-east-2, beside {first}"]


def test_a_copy_of_a_copy_counts_as_a_copy_of_the_original() -> None:
    """By two ways to one region is twice, and the books name the original."""
    world = make_world()
    ((_, east),) = world.copy_images(0, ask("img-a1"))
    ((_, first),) = world.copy_images(COPY_S, ask("img-a1", to=SOUTH))
    ((_, second),) = world.copy_images(COPY_S, ask(east, origin=EAST, to=SOUTH))
    books = world.books()
    assert books["violations"] == [f"duplicate: {second} of img-a1 in cn-south-1, beside {first}"]
    last = books["copies"][-1]
    assert (last["source"], last["origin"]) == (east, EAST)
    assert (last["root"], last["root_region"]) == ("img-a1", NORTH)


def test_a_source_and_its_copy_may_travel_at_once() -> None:
    """Each image is locked for itself: that is what makes a relay quick."""
    world = make_world()
    ((_, east),) = world.copy_images(0, ask("img-a1"))
    world.copy_images(COPY_S, ask("img-a1", to=SOUTH))
    world.copy_images(COPY_S, ask(east, origin=EAST, to=NORTH))
    assert world.books()["violations"] == []
    assert world.books()["peak_destinations_per_source"] == 1


def test_a_copy_after_a_deletion_is_no_duplicate() -> None:
    """Copying again what somebody deleted is what a second night does."""
    world = make_world()
    ((_, first),) = world.copy_images(0, ask("img-a1"))
    world.remove(COPY_S, EAST, first)
    world.copy_images(COPY_S, ask("img-a1"))
    assert world.books()["violations"] == []


def test_a_source_in_two_regions_at_once_is_a_violation() -> None:
    """Where the world has no locks, the books still see a source that travels twice."""
    world = make_world(switches=Switches(locks_sources=False))
    world.copy_images(0, ask("img-a1"))
    world.copy_images(1, ask("img-a1", to=SOUTH))
    books = world.books()
    assert books["peak_destinations_per_source"] == 2
    assert books["violations"] == ["img-a1 under way to cn-east-2 and cn-south-1 at once"]


def test_a_call_over_ten_images_is_a_violation() -> None:
    """Even though it is refused."""
    world = make_world(CHUNK_MAX + 1)
    refusal(world, 0, ask(*(f"img-a{n}" for n in range(1, CHUNK_MAX + 2))))
    assert world.books()["violations"] == ["a call with 11 images to cn-east-2"]


def test_books_are_json_and_a_copy() -> None:
    """They survive JSON, and changing what was handed out changes nothing."""
    world = make_world()
    world.copy_images(0, ask("img-a1"))
    books = world.books()
    assert json.loads(json.dumps(books)) == books
    books["copies"][0]["end"] = "forged"
    books["calls"].clear()
    assert world.books()["copies"][0]["end"] == ""
    assert len(world.books()["calls"]) == 1


def test_ending_a_copy_twice_counts_once() -> None:
    """A copy that is no longer under way cannot end again."""
    world = make_world()
    ((_, made),) = world.copy_images(0, ask("img-a1"))
    world.settle(COPY_S)
    world.remove(COPY_S + 1, EAST, made)
    books = world.books()
    assert books["in_flight"] == {}
    assert books["copies"][0]["end"] == "ready"


def test_new_books_are_empty() -> None:
    """Nothing asked, nothing made."""
    books = Books()
    books.called(0, CopyRequest(origin=NORTH, destination=EAST, sources=(ImageId("img-x"),)), "accepted")
    assert Books().as_dict()["calls"] == []
    assert len(books.as_dict()["calls"]) == 1
