"""A copy in the world: pending with progress, then one of four ends; its source is held meanwhile."""

from __future__ import annotations

from random import Random

import pytest

from orchestrator.core.marks import platform_source
from orchestrator.core.model import ImageId, Resource
from orchestrator.simulator.traits import Fates, Pace, Switches
from tests.simulator.worlds import COPY_S, EAST, NORTH, SOUTH, add, ask, held, make_world, refusal


def test_a_copy_is_pending_with_progress_and_ends_ready() -> None:
    """One call makes one pending image with a new id; its percentage grows; then it is ready."""
    world = make_world()
    ((source, image),) = world.copy_images(0, ask("img-a1"))
    assert source == "img-a1"
    assert image != source
    seen = [
        (found.status, found.progress(at))
        for at in (0, 50, 99.9, COPY_S)
        for found in [world.describe_image(at, EAST, image)]
    ]
    assert seen == [("pending", 0), ("pending", 50), ("pending", 99), ("ready", 100)]


def test_a_copy_takes_name_and_snapshots_of_its_source() -> None:
    """The copy has the source's name and as many snapshots, new ones, counted in the destination."""
    world = make_world(0)
    source = add(world, "img-disks", snapshots=3)
    ((_, made),) = world.copy_images(0, ask("img-disks"))
    image = world.describe_image(0, EAST, made)
    assert image.name == source.name
    assert len(image.snapshots) == 3
    assert not set(image.snapshots) & set(source.snapshots)
    assert world.quota(0, EAST, Resource.SNAPSHOT) == (400, 3)
    assert world.quota(0, EAST, Resource.IMAGE) == (100, 1)


def test_a_given_name_is_taken_by_every_copy() -> None:
    """The SDK's field `name` names every copy of the call."""
    world = make_world()
    pairs = world.copy_images(0, ask("img-a1", "img-a2", name="nightly"))
    assert {world.describe_image(0, EAST, image).name for _, image in pairs} == {"nightly"}


@pytest.mark.parametrize(
    ("switches", "text", "expected"),
    [
        (Switches(), "our mark", "our mark"),
        (Switches(), None, "Copied from cn-north-1 image img-a1"),
        (Switches(stores_description=False), "our mark", "Copied from cn-north-1 image img-a1"),
        (Switches(writes_text=False), None, ""),
        (Switches(stores_description=False, writes_text=False), "our mark", ""),
    ],
)
def test_the_description_follows_the_switches(switches: Switches, text: str | None, expected: str) -> None:
    """`desc` is the caller's, the platform's or empty, and the platform's names exactly the source."""
    world = make_world(switches=switches)
    ((_, made),) = world.copy_images(0, ask("img-a1", text=text))
    image = world.describe_image(0, EAST, made)
    assert image.text == expected
    if "Copied" in expected:
        assert platform_source(image.text) == "img-a1"


def test_the_source_is_held_until_its_copy_ends() -> None:
    """A second copy of the source is refused as busy until the first ends; its status never changes."""
    world = make_world()
    world.copy_images(0, ask("img-a1"))
    busy = (400, "FAILED_PRECONDITION", "The image 'img-a1' is busy")
    assert refusal(world, 1, ask("img-a1", to=SOUTH)) == busy
    assert refusal(world, COPY_S - 1, ask("img-a1")) == busy
    assert world.describe_image(50, NORTH, ImageId("img-a1")).status == "ready"
    assert len(world.copy_images(COPY_S, ask("img-a1", to=SOUTH))) == 1


def test_a_world_without_locks_lets_a_source_travel_twice() -> None:
    """The switch `locks_sources` off: no busy, and the books notice it."""
    world = make_world(switches=Switches(locks_sources=False))
    world.copy_images(0, ask("img-a1"))
    world.copy_images(0, ask("img-a1", to=SOUTH))
    assert world.books()["violations"] == ["img-a1 under way to cn-east-2 and cn-south-1 at once"]


@pytest.mark.parametrize("by", ["name", "route", "chance"])
def test_a_failing_copy_ends_in_error_and_keeps_its_room(by: str) -> None:
    """An `error` copy stays, counts against both quotas, and frees its source."""
    fates = {
        "name": Fates(error=frozenset({"img-a1"})),
        "route": Fates(error=frozenset({f"img-a1@{EAST}"})),
        "chance": Fates(error_chance=1.0),
    }[by]
    world = make_world(fates=fates)
    ((_, made),) = world.copy_images(0, ask("img-a1"))
    assert held(world, COPY_S) == {made: "error"}
    assert world.quota(COPY_S, EAST, Resource.IMAGE) == (100, 1)
    assert world.copy_images(COPY_S, ask("img-a1", to=SOUTH))


def test_a_fate_of_one_route_spares_the_others() -> None:
    """`source@destination` fails there and nowhere else."""
    world = make_world(fates=Fates(error=frozenset({f"img-a1@{SOUTH}"})))
    ((_, made),) = world.copy_images(0, ask("img-a1"))
    assert held(world, COPY_S) == {made: "ready"}


def test_a_vanishing_copy_disappears_with_its_snapshots() -> None:
    """It is pending, then it was never there."""
    world = make_world(fates=Fates(vanish=frozenset({"img-a1"})))
    world.copy_images(0, ask("img-a1"))
    assert len(held(world, COPY_S - 1)) == 1
    assert held(world, COPY_S) == {}
    assert world.quota(COPY_S, EAST, Resource.SNAPSHOT) == (400, 0)


@pytest.mark.parametrize("holds", [True, False])
def test_a_stuck_copy_stays_pending_and_may_hold_its_source(holds: bool) -> None:
    """For ever pending, at 99 percent; whether the source is free is a switch."""
    fates, switches = Fates(stuck=frozenset({"img-a1"})), Switches(stuck_holds_lock=holds)
    world = make_world(fates=fates, switches=switches)
    ((_, made),) = world.copy_images(0, ask("img-a1"))
    assert held(world, 1e9) == {made: "pending"}
    assert world.describe_image(1e9, EAST, made).progress(1e9) == 99
    if holds:
        assert refusal(world, 1e9, ask("img-a1", to=SOUTH))[2] == "The image 'img-a1' is busy"
    else:
        assert world.copy_images(1e9, ask("img-a1", to=SOUTH))


def test_a_stuck_copy_that_was_removed_frees_its_source_once() -> None:
    """Removing the image of a copy under way ends the copy, and only its own hold."""
    world = make_world(fates=Fates(stuck=frozenset({"img-a1"})))
    ((_, made),) = world.copy_images(0, ask("img-a1"))
    assert world.remove(10, EAST, made)
    assert not world.remove(10, EAST, made)
    assert world.books()["copies"][0]["end"] == "deleted"
    world.copy_images(10, ask("img-a1", to=SOUTH))
    assert refusal(world, 11, ask("img-a1"))[2] == "The image 'img-a1' is busy"


def test_a_removed_stuck_copy_that_held_nothing_releases_nothing() -> None:
    """With `stuck_holds_lock` off, removing a stuck copy leaves another copy's hold alone."""
    fates = Fates(stuck=frozenset({f"img-a1@{EAST}"}))
    world = make_world(fates=fates, switches=Switches(stuck_holds_lock=False))
    ((_, stuck),) = world.copy_images(0, ask("img-a1"))
    world.copy_images(0, ask("img-a1", to=SOUTH))
    world.remove(10, EAST, stuck)
    assert refusal(world, 11, ask("img-a1"))[2] == "The image 'img-a1' is busy"


def test_listings_lag_behind() -> None:
    """An accepted copy is invisible to lists, ids and single looks for the lag; the quota counts it."""
    pace = Pace(copy_base_s=COPY_S, copy_per_gb_s=0, copy_spread=0, listing_lag_s=60, speed=2)
    world = make_world(pace=pace)
    ((_, made),) = world.copy_images(0, ask("img-a1"))
    assert held(world, 29) == {}
    assert world.quota(29, EAST, Resource.IMAGE)[1] == 1
    assert held(world, 30) == {made: "pending"}


def test_duration_grows_with_size_and_shrinks_with_speed() -> None:
    """(base + GB x per_gb) / speed without spread; with spread the draws differ and repeat by seed."""
    plain = Pace(copy_base_s=100, copy_per_gb_s=10, copy_spread=0, speed=10)
    assert plain.copy_s(20 * 1024, Random(1)) == pytest.approx(30)
    spread = Pace(copy_spread=0.3)
    draws = [spread.copy_s(20 * 1024, chance) for chance in [Random(5)] for _ in range(50)]
    again = [spread.copy_s(20 * 1024, chance) for chance in [Random(5)] for _ in range(50)]
    assert draws == again
    assert len(set(draws)) == 50
    assert min(draws) > 0


def test_a_clock_that_goes_back_undoes_nothing() -> None:
    """What is ready stays ready when the clock jumps back."""
    world = make_world()
    ((_, made),) = world.copy_images(0, ask("img-a1"))
    assert held(world, COPY_S) == {made: "ready"}
    assert held(world, 1) == {made: "ready"}


def test_the_same_seed_makes_the_same_world() -> None:
    """Ids, durations and fates repeat with the seed, and only with it."""

    def story(seed: int) -> object:
        world = make_world(9, seed=seed, pace=Pace(), fates=Fates(error_chance=0.5))
        world.copy_images(0, ask(*(f"img-a{n}" for n in range(1, 10))))
        world.settle(1e9)
        return world.books()

    assert story(3) == story(3)
    assert story(3) != story(4)
