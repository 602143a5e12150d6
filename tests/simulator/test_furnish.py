"""Worlds from descriptions: what a file says is there, and what a plan needs is there."""

from __future__ import annotations

from collections import defaultdict

from orchestrator.core.model import Copy, ImageId, Region, Resource
from orchestrator.simulator.faults import Fault
from orchestrator.simulator.furnish import build, demo_faults, furnish, world_for_plan
from orchestrator.simulator.worldfile import parse_world
from tests.simulator.worlds import EAST, NORTH, SOUTH, ask, make_world, refusal

COPIES = [
    Copy(ImageId(f"img-demo{n:06}"), NORTH, to)
    for n in range(1, 25)
    for to in (EAST, SOUTH, Region("cn-east-1"))
]

WORLD = """
seed: 3
pace: {speed: 10, copy_base_s: 100, copy_per_gb_s: 0, copy_spread: 0}
keys: {AK1: one}
regions:
  cn-north-1:
    quota: {images: 50, snapshots: 60}
    images:
      - {id: img-x, name: x, size_mb: 1, data_disks: 2, description: text}
      - {id: img-enc, encrypted: true}
      - {id: img-local, root_device: localDisk}
      - {id: img-busy, busy_s: 100}
      - {id: img-task, conflict_s: 100}
      - {id: img-foreign, source: public}
    populate: {count: 12, prefix: img-many, size_mb: 2048}
  cn-east-2: {}
"""


def test_a_world_file_becomes_the_world_it_describes() -> None:
    """Images with their disks, quotas, troubles and crowds."""
    world = build(parse_world(WORLD, "w"), at=1000).world
    store = world.stores[NORTH]
    image = store.images[ImageId("img-x")]
    assert (image.name, image.size_mb, len(image.snapshots), image.text) == ("x", 1, 3, "text")
    assert ImageId("img-many000012") in store.images
    assert world.quota(1000, NORTH, Resource.IMAGE) == (50, 17)
    assert world.quota(1000, EAST, Resource.IMAGE) == (5, 0)
    assert refusal(world, 1000, ask("img-enc"))[2].startswith("Copy encrypted snapshot")
    assert refusal(world, 1000, ask("img-local"))[2] == "Only support cloudDisk image"
    assert refusal(world, 1000, ask("img-foreign"))[2] == "Can't use this image"
    assert refusal(world, 1009, ask("img-busy"))[2] == "The image 'img-busy' is busy"
    assert refusal(world, 1009, ask("img-task"))[2].startswith("Conflict with underlay")
    assert world.copy_images(1010, ask("img-busy", "img-task"))


def test_seed_and_speed_of_the_command_line_win() -> None:
    """They override the file's."""
    spec = parse_world(WORLD, "w")
    assert build(spec, at=0, speed=40).world.pace.speed == 40
    assert build(spec, at=0).world.pace.speed == 10

    def ids(seed: int | None) -> list[tuple[str, ...]]:
        store = build(spec, at=0, seed=seed).world.stores[NORTH]
        return [image.snapshots for image in store.images.values()]

    assert ids(None) == ids(3)
    assert ids(None) != ids(4)


def test_a_world_for_a_plan_can_hold_all_of_it_twice() -> None:
    """Every source is there, of 8 to 40 GB, names differ, and two nights' copies fit."""
    world = world_for_plan(COPIES, seed=1)
    images = world.stores[NORTH].images.values()
    assert len(images) == 24
    assert all(8 * 1024 <= image.size_mb <= 40 * 1024 for image in images)
    assert len({image.name for image in images}) == 24
    for night, region in enumerate([EAST, SOUTH, EAST, SOUTH]):
        for first in range(1, 25, 8):
            sources = [f"img-demo{n:06}" for n in range(first, first + 8)]
            assert len(world.copy_images(night * 1e6, ask(*sources, to=region))) == 8


def test_a_world_that_begins_again_gives_other_ids() -> None:
    """Same seed, another start: durations repeat, ids do not, so no ledger sees an id twice."""

    def first(at: float) -> tuple[float, str]:
        world = world_for_plan(COPIES, seed=1, at=at)
        ((_, made),) = world.copy_images(at, ask(COPIES[0].source))
        world.settle(at + 1e6)
        ended = world.books()["copies"][0]["ended"]
        assert ended is not None
        return round(ended - at, 3), made

    assert first(1000) == first(1000)
    assert first(1000)[0] == first(2000)[0]
    assert first(1000)[1] != first(2000)[1]


def test_a_demo_takes_seconds() -> None:
    """Every image to three regions, one after the other: 3 to 20 s for each, as its owner watches."""
    world = world_for_plan(COPIES, seed=1)
    for at, region in enumerate((EAST, SOUTH, Region("cn-east-1"))):
        for copy in COPIES:
            if copy.destination == region:
                world.copy_images(at * 1e6, ask(copy.source, to=region))
    world.settle(1e9)
    chains: defaultdict[str, float] = defaultdict(float)
    for entry in world.books()["copies"]:
        assert entry["ended"] is not None
        chains[entry["source"]] += entry["ended"] - entry["started"]
    assert len(chains) == 24
    assert 10 < max(chains.values()) < 20
    assert min(chains.values()) > 3


def test_a_world_that_has_what_a_plan_needs_stays_as_it_is() -> None:
    """Known regions keep their quotas and known images stay; the rest is added."""
    world = make_world(1, quota=(2, 4))
    known = world.stores[NORTH].images[ImageId("img-a1")]
    copies = [
        Copy(ImageId("img-a1"), NORTH, EAST),
        Copy(ImageId("img-new"), NORTH, Region("cn-east-1")),
    ]
    furnish(world, copies, seed=1)
    assert world.stores[NORTH].images[ImageId("img-a1")] is known
    assert ImageId("img-new") in world.stores[NORTH].images
    assert world.quota(0, EAST, Resource.IMAGE) == (2, 0)
    assert world.quota(0, Region("cn-east-1"), Resource.IMAGE) == (7, 0)


def test_the_demos_weather_loses_no_answer() -> None:
    """A throttled call, a foreign task, a throttled look; nothing that leaves a doubt."""
    plan = demo_faults(1)
    struck = {plan.strike(operation) for _ in range(100) for operation in ("copyImages", "describeImages")}
    assert struck == {None, Fault.THROTTLE, Fault.CONFLICT}
