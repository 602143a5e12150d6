"""What the world shows and changes: describeImages by ids and pages, deleteImage, modifyImageAttribute."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.model import ImageId, Region
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.traits import Pace, Switches
from orchestrator.simulator.world import Query
from tests.simulator.worlds import EAST, NORTH, PRIVATE, SOUTH, add, held, make_world


def test_ids_show_what_is_there_and_leave_the_unknown_out() -> None:
    """Unknown ids are simply missing; totalCount counts what matched; an id twice is shown once."""
    world = make_world(3)
    images, total = world.describe_images(
        0, NORTH, Query(ids=("img-a3", "img-none", "img-a1", "img-a1"), size=10)
    )
    assert [image.id for image in images] == ["img-a3", "img-a1"]
    assert total == 2


def test_pages_walk_through_everything_once() -> None:
    """25 images in pages of 10: 10, 10, 5, none; the total is 25 on each page."""
    world = make_world(25)
    pages = [world.describe_images(0, NORTH, replace(PRIVATE, page=n, size=10)) for n in (1, 2, 3, 4)]
    assert [len(images) for images, _ in pages] == [10, 10, 5, 0]
    assert {total for _, total in pages} == {25}
    assert len({image.id for images, _ in pages for image in images}) == 25


def test_a_page_of_twenty_cuts_a_query_by_ids() -> None:
    """Without pageSize only 20 of the ids asked for are shown."""
    world = make_world(25)
    images, total = world.describe_images(0, NORTH, Query(ids=tuple(f"img-a{n}" for n in range(1, 26))))
    assert (len(images), total) == (20, 25)


def test_conditions_are_anded() -> None:
    """Source, name, root device and status each narrow a listing."""
    world = make_world(3)
    add(world, "img-public").image_source = "public"
    add(world, "img-local").root_device = "localDisk"
    add(world, "img-broken").status = "error"

    def found(query: Query) -> list[str]:
        return [image.id for image in world.describe_images(0, NORTH, query)[0]]

    assert found(replace(PRIVATE, image_source="public")) == ["img-public"]
    assert found(replace(PRIVATE, root_device="localDisk")) == ["img-local"]
    assert found(replace(PRIVATE, status="error")) == ["img-broken"]
    assert found(replace(PRIVATE, name="a2")) == ["img-a2"]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (Query(size=10), "400 FAILED_PRECONDITION: Parameter ImageSource missing"),
        (replace(PRIVATE, size=9), "400 OUT_OF_RANGE: PageSize out of range"),
        (replace(PRIVATE, size=101), "400 OUT_OF_RANGE: PageSize out of range"),
        (replace(PRIVATE, page=0), "400 OUT_OF_RANGE: PageNumber out of range"),
    ],
)
def test_a_query_out_of_bounds_is_refused(query: Query, words: str) -> None:
    """A source is needed without ids; pageSize lies in [10, 100]; pages count from 1."""
    with pytest.raises(Refusal, match=words):
        make_world().describe_images(0, NORTH, query)


def test_newest_first_turns_a_listing_round() -> None:
    """The switch `newest_first` lists the youngest image first."""
    world = make_world(3, switches=Switches(newest_first=True))
    assert list(held(world, 0, NORTH)) == ["img-a3", "img-a2", "img-a1"]


def test_a_single_unknown_image_is_a_404() -> None:
    """Looking at it and deleting it name the image that is not there."""
    world = make_world()
    with pytest.raises(Refusal, match="404 NOT_FOUND: Image 'img-none' not found"):
        world.describe_image(0, EAST, ImageId("img-none"))
    with pytest.raises(Refusal, match="404 NOT_FOUND: Image 'img-none' not found"):
        world.delete_image(0, EAST, ImageId("img-none"))


def test_an_unknown_region_is_refused_everywhere() -> None:
    """Reads of a region that the world lacks name it."""
    with pytest.raises(Refusal, match="Invalid region 'mars-1'"):
        make_world().describe_images(0, Region("mars-1"), PRIVATE)


def test_deletion_takes_its_time() -> None:
    """With `deleting_s` an image is seen as `deleting`, counts, and then is gone."""
    world = make_world(2, pace=Pace(deleting_s=60, speed=2))
    world.delete_image(0, NORTH, ImageId("img-a1"), delete_snapshot=True)
    assert held(world, 29, NORTH) == {"img-a1": "deleting", "img-a2": "ready"}
    assert held(world, 30, NORTH) == {"img-a2": "ready"}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("image_source", "public", "Can't delete this image"),
        ("shared", True, "Can't delete shared image"),
        ("task_until_s", 10.0, "Conflict with underlay image task 'task-a1'"),
        ("busy_until_s", 10.0, "The image 'img-a1' is busy"),
    ],
)
def test_what_cannot_be_deleted(field: str, value: object, words: str) -> None:
    """Foreign, shared and occupied images are refused in the documented words."""
    world = make_world()
    setattr(world.stores[NORTH].images[ImageId("img-a1")], field, value)
    with pytest.raises(Refusal, match=words):
        world.delete_image(0, NORTH, ImageId("img-a1"))


def test_name_and_description_can_be_changed_one_by_one() -> None:
    """What is given is changed; a call that gives nothing is refused."""
    world = make_world()
    image = world.describe_image(0, NORTH, ImageId("img-a1"))
    world.modify_image(0, NORTH, image.id, "new", None)
    world.modify_image(0, NORTH, image.id, None, "text")
    assert (image.name, image.text) == ("new", "text")
    with pytest.raises(Refusal, match="Parameter name、description missing"):
        world.modify_image(0, NORTH, image.id, None, None)


def test_regions_are_separate() -> None:
    """An image of one region is not seen in another."""
    assert held(make_world(2), 0, SOUTH) == {}
