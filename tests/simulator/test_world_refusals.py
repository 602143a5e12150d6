"""What the world refuses: every row of copyImages' error table, in a fixed order, all or nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from orchestrator.cloud.errors import classify
from orchestrator.core.model import Resource
from orchestrator.core.reasons import Reason
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.traits import Switches
from orchestrator.simulator.world import World
from tests.simulator.worlds import COPY_S, EAST, NORTH, SOUTH, add, ask, held, make_world, refusal

Spoil = Callable[[World], object]


def _spoil(**fields: object) -> Spoil:
    """Change fields of the image img-a2."""

    def spoil(world: World) -> None:
        image = world.stores[NORTH].images[ask("img-a2").sources[0]]
        for name, value in fields.items():
            setattr(image, name, value)

    return spoil


def _copying(world: World) -> object:
    return world.copy_images(0, ask("img-a2", to=SOUTH))


def _full(images: int, snapshots: int) -> Spoil:
    return lambda world: world.add_region(EAST, images=images, snapshots=snapshots)


PAIR = ask("img-a1", "img-a2")
PRECONDITION = "FAILED_PRECONDITION"
ROWS: list[tuple[Spoil, CopyRequest, tuple[int, str, str], Reason]] = [
    (
        _spoil(),
        ask("img-a1", to="mars-1"),
        (400, "INVALID_ARGUMENT", "Invalid region 'mars-1'"),
        Reason.INVALID_REGION,
    ),
    (
        _spoil(),
        ask("img-a1", to=NORTH),
        (400, "INVALID_ARGUMENT", "Invalid region 'cn-north-1'"),
        Reason.INVALID_REGION,
    ),
    (
        _spoil(),
        ask("img-a1", origin="mars-1"),
        (400, "INVALID_ARGUMENT", "Invalid region 'mars-1'"),
        Reason.INVALID_REGION,
    ),
    (
        _spoil(root_device="localDisk"),
        PAIR,
        (400, PRECONDITION, "Only support cloudDisk image"),
        Reason.LOCAL_DISK,
    ),
    (
        _spoil(status="pending"),
        PAIR,
        (400, PRECONDITION, "Invalid image status 'pending'"),
        Reason.SOURCE_PENDING,
    ),
    (
        _spoil(status="error"),
        PAIR,
        (400, PRECONDITION, "Invalid image status 'error'"),
        Reason.SOURCE_STATUS,
    ),
    (_spoil(image_source="public"), PAIR, (400, PRECONDITION, "Can't use this image"), Reason.NOT_PRIVATE),
    (
        _spoil(task_until_s=10.0),
        PAIR,
        (400, PRECONDITION, "Conflict with underlay image task 'task-a2'"),
        Reason.CONFLICT,
    ),
    (_copying, PAIR, (400, PRECONDITION, "The image 'img-a2' is busy"), Reason.BUSY),
    (_spoil(busy_until_s=10.0), PAIR, (400, PRECONDITION, "The image 'img-a2' is busy"), Reason.BUSY),
    (
        lambda world: add(world, "img-a2", encrypted=True),
        PAIR,
        (400, PRECONDITION, "Copy encrypted snapshot 'snapshot-a2-0' is not support."),
        Reason.ENCRYPTED,
    ),
    (_full(1, 99), PAIR, (429, "QUOTA_EXCEEDED", "Image quota limit exceeded"), Reason.QUOTA_IMAGE),
    (_full(99, 1), PAIR, (429, "QUOTA_EXCEEDED", "Snapshot quota limit exceeded"), Reason.QUOTA_SNAPSHOT),
    (
        _spoil(),
        ask("img-a1", "img-none"),
        (404, "NOT_FOUND", "Image 'img-none' not found"),
        Reason.NOT_FOUND,
    ),
]


@pytest.mark.parametrize(
    ("spoil", "request_", "words", "reason"), ROWS, ids=[f"{row[3]}-{n}" for n, row in enumerate(ROWS)]
)
def test_every_documented_refusal_comes_in_its_own_words_and_makes_nothing(
    spoil: Spoil, request_: CopyRequest, words: tuple[int, str, str], reason: Reason
) -> None:
    """The call makes no copy of the good image beside the bad; our table reads the words as the page does."""
    world = make_world()
    spoil(world)
    assert refusal(world, 0, request_) == words
    assert held(world, 0) == {}
    assert classify(*words).reason is reason


@pytest.mark.parametrize(
    "sources",
    [(), tuple(f"img-a{n}" for n in range(1, 12)), ("img-a1", "img-a1")],
    ids=["none", "eleven", "twice"],
)
def test_a_list_of_the_wrong_shape_is_refused(sources: tuple[str, ...]) -> None:
    """No image, more than ten, or one twice: 400 INVALID_ARGUMENT."""
    world = make_world(11)
    assert refusal(world, 0, ask(*sources))[:2] == (400, "INVALID_ARGUMENT")
    assert held(world, 0) == {}


def test_a_description_can_be_refused() -> None:
    """The switch `refuses_description`: the call makes nothing, and our table reads it as a refused mark."""
    world = make_world(switches=Switches(refuses_description=True))
    words = refusal(world, 0, ask("img-a1", text="mark"))
    assert classify(*words).reason is Reason.MARK_REFUSED
    assert world.copy_images(0, ask("img-a1"))


@pytest.mark.parametrize("texts", [{"name": "x" * 33}, {"name": ""}, {"text": "x" * 257}])
def test_texts_out_of_bounds_are_refused(texts: dict[str, str]) -> None:
    """A name has 1 to 32 characters, a description at most 256."""
    assert refusal(make_world(), 0, ask("img-a1", **texts))[:2] == (400, "INVALID_ARGUMENT")


def test_the_order_of_checks_is_fixed() -> None:
    """Region before images, the first bad image before the second, images before quotas."""
    world = make_world()
    _spoil(status="error")(world)
    world.add_region(EAST, images=0, snapshots=0)
    assert refusal(world, 0, ask("img-none", "img-a2", to="mars-1"))[2] == "Invalid region 'mars-1'"
    assert refusal(world, 0, ask("img-a2", "img-none"))[2] == "Invalid image status 'error'"
    assert refusal(world, 0, ask("img-none", "img-a2"))[2] == "Image 'img-none' not found"
    assert refusal(world, 0, ask("img-a1"))[2] == "Image quota limit exceeded"
    world.add_region(EAST, images=9, snapshots=0)
    assert refusal(world, 0, ask("img-a1"))[2] == "Snapshot quota limit exceeded"


def test_a_partial_world_accepts_the_good_ones() -> None:
    """The switch `partial`: good images are copied as far as there is room, the rest is left out."""
    world = make_world(switches=Switches(partial=True), quota=(2, 15))
    pairs = world.copy_images(0, ask("img-none", "img-a1", "img-a2", "img-a3"))
    assert [source for source, _ in pairs] == ["img-a1", "img-a2"]
    assert refusal(world, 0, ask("img-none"))[0] == 404


def test_quotas_are_checked_when_a_call_is_made_and_freed_by_deletion() -> None:
    """A full region refuses; after an image went with its snapshots it accepts again."""
    world = make_world(quota=(1, 15))
    ((_, made),) = world.copy_images(0, ask("img-a1"))
    assert refusal(world, 1, ask("img-a2"))[2] == "Image quota limit exceeded"
    world.delete_image(COPY_S, EAST, made, delete_snapshot=True)
    assert world.copy_images(COPY_S, ask("img-a2"))


def test_snapshots_left_behind_keep_counting() -> None:
    """A deletion without deleteSnapshot frees the image quota only."""
    world = make_world(quota=(9, 1))
    ((_, made),) = world.copy_images(0, ask("img-a1"))
    world.delete_image(COPY_S, EAST, made)
    assert world.quota(COPY_S, EAST, Resource.IMAGE)[1] == 0
    assert world.quota(COPY_S, EAST, Resource.SNAPSHOT)[1] == 1
    assert refusal(world, COPY_S, ask("img-a2"))[2] == "Snapshot quota limit exceeded"


def test_an_image_that_is_being_copied_or_made_cannot_be_deleted() -> None:
    """Neither the source of a copy under way nor the pending copy itself: busy."""
    world = make_world()
    ((source, made),) = world.copy_images(0, ask("img-a1"))
    for region, image in ((NORTH, source), (EAST, made)):
        with pytest.raises(Refusal, match=f"The image '{image}' is busy"):
            world.delete_image(1, region, image)


def test_throttling_counts_requests_per_key_and_minute() -> None:
    """The request over the limit is refused with 429, in both spellings, until the minute has passed."""
    world = make_world(rate_per_minute=2)
    for at in (0, 1):
        world.admit(at, "AK", "describeImages")
    with pytest.raises(Refusal, match="429 HTTP_RATE_LIMIT_EXCEEDED"):
        world.admit(2, "AK", "describeImages")
    world.switches = Switches(old_rate_limit=True)
    with pytest.raises(Refusal, match="429 RATE_LIMIT"):
        world.admit(59, "AK", "describeImages")
    world.admit(59, "ANOTHER", "describeImages")
    world.admit(60, "AK", "describeImages")
