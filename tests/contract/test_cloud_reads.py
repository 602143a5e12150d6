"""The port's five reads, in memory and over HTTP: sources, listings, quotas, looks and single images."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import (
    Accepted,
    Check,
    Checked,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    ReadAnswer,
    Seen,
    Survey,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import ImageId, Region, Resource, Sighting
from orchestrator.core.reasons import Reason
from orchestrator.simulator.traits import Fates, Pace, Switches
from orchestrator.simulator.world import World
from tests.contract.ways import CALL, MARK, Way, bare, chunk, ids, reach
from tests.simulator.worlds import COPY_S, EAST, NORTH, add, make_world

pytestmark = pytest.mark.looptime


async def copied(cloud: Cloud, *sources: str) -> tuple[ImageId, ...]:
    """Begin copies and name the images they make."""
    accepted = await cloud.copy(CALL, chunk(*sources), MARK)
    assert isinstance(accepted, Accepted)
    return tuple(image for _, image in accepted.pairs)


async def listed(cloud: Cloud, region: Region, page: int) -> Listed:
    """Fetch a page that must be answered."""
    answer = await cloud.list(List(region, page))
    assert isinstance(answer, Listed)
    return answer


# --- inspect --------------------------------------------------------------------------------------


async def test_sources_are_described_whole(way: Way) -> None:
    """All that a decision needs is there: status, snapshots, encryption, disk, source, platform."""
    world = make_world(1)
    add(world, "img-vault", snapshots=2, encrypted=True)
    local = add(world, "img-local", snapshots=0)
    local.root_device, local.image_source, local.status, local.text = (
        "localDisk",
        "shared",
        "error",
        "von uns",
    )
    local.platform, local.architecture = "Windows Server", "arm64"
    asked = ids("img-a1", "img-none", "img-vault", "img-local")
    async with reach(way, world) as cloud:
        inspected = await cloud.inspect(Inspect(NORTH, asked))
    plain = Sighting(
        image=ImageId("img-a1"), status="ready", progress=100, name="name-img-a1", size_mb=10240,
        snapshots=("snapshot-a1-0",), root_device="cloudDisk", image_source="private", owner="simulator",
        platform="CentOS", architecture="x86_64", os_type="linux", created="1970-01-01 08:00:00",
    )  # fmt: skip
    vault = Sighting(
        image=ImageId("img-vault"), status="ready", progress=100, name="name-img-vault", size_mb=10240,
        snapshots=("snapshot-vault-0", "snapshot-vault-1"), encrypted=True,
        root_device="cloudDisk", image_source="private", owner="simulator",
        platform="CentOS", architecture="x86_64", os_type="linux", created="1970-01-01 08:00:00",
    )  # fmt: skip
    broken = Sighting(
        image=ImageId("img-local"), status="error", progress=100, name="name-img-local", size_mb=10240,
        text="von uns", root_device="localDisk", image_source="shared", owner="simulator",
        platform="Windows Server", architecture="arm64", os_type="linux", created="1970-01-01 08:00:00",
    )  # fmt: skip
    assert bare(inspected) == Inspected(at=0.0, origin=NORTH, asked=asked, images=(plain, vault, broken))
    assert inspected.request


async def test_a_hundred_sources_fit_into_one_request(way: Way) -> None:
    """The most that may be asked for at once is answered at once, with nobody missing."""
    world = make_world(100)
    asked = tuple(ImageId(f"img-a{number}") for number in range(1, 101))
    async with reach(way, world) as cloud:
        inspected = await cloud.inspect(Inspect(NORTH, asked))
    assert isinstance(inspected, Inspected)
    assert tuple(image.image for image in inspected.images) == asked
    assert world.books()["requests"] == {"describeImages": 1}


# --- list -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("images", "shown"), [(1, [1]), (100, [100, 0]), (101, [100, 1, 0]), (250, [100, 100, 50, 0])]
)
async def test_a_listing_has_pages_of_a_hundred(way: Way, images: int, shown: list[int]) -> None:
    """All pages together show every private image once; each tells the total, even one behind the last."""
    async with reach(way, make_world(images)) as cloud:
        pages = [await listed(cloud, NORTH, page) for page in range(1, len(shown) + 1)]
    assert [page.shown for page in pages] == [len(page.images) for page in pages] == shown
    assert {page.total for page in pages} == {images}
    assert [page.page for page in pages] == list(range(1, len(shown) + 1))
    seen = [image.image for page in pages for image in page.images]
    assert seen == [f"img-a{number}" for number in range(1, images + 1)]


async def test_a_listing_shows_private_images_only(way: Way) -> None:
    """What others share or the platform offers is neither shown nor counted."""
    world = make_world(3)
    world.stores[NORTH].images[ImageId("img-a2")].image_source = "shared"
    async with reach(way, world) as cloud:
        page = await listed(cloud, NORTH, 1)
    assert [image.image for image in page.images] == ["img-a1", "img-a3"]
    assert page.total == 2


async def test_a_cloud_may_list_the_newest_first(way: Way) -> None:
    """The order is the cloud's and is passed on."""
    async with reach(way, make_world(3, switches=Switches(newest_first=True))) as cloud:
        page = await listed(cloud, NORTH, 1)
    assert [image.image for image in page.images] == ["img-a3", "img-a2", "img-a1"]


@pytest.mark.parametrize("null", [False, True])
async def test_nothing_is_an_empty_answer(way: Way, null: bool) -> None:
    """No image, be it `[]` or `null` on the wire, is an answer without images, never a fault."""
    gone = ids("img-none")
    async with reach(way, make_world(1, switches=Switches(images_null=null))) as cloud:
        answers = [
            await cloud.list(List(EAST, 1)),
            await cloud.look(Look(EAST, gone)),
            await cloud.inspect(Inspect(NORTH, gone)),
        ]
    assert [bare(answer) for answer in answers] == [
        Listed(at=0.0, began=0.0, region=EAST, page=1, total=0, images=()),
        Seen(at=0.0, region=EAST, asked=gone, images=()),
        Inspected(at=0.0, origin=NORTH, asked=gone, images=()),
    ]


# --- survey ---------------------------------------------------------------------------------------


async def test_both_quotas_count_a_copy_from_its_acceptance(way: Way) -> None:
    """Limit and use of images and of snapshots, before and after a call of one image with three disks."""
    world = make_world(0, quota=(7, 30))
    add(world, "img-big", snapshots=3)
    async with reach(way, world) as cloud:

        async def quotas() -> list[ReadAnswer]:
            return [bare_read(await cloud.survey(Survey(EAST, resource))) for resource in Resource]

        before = await quotas()
        await copied(cloud, "img-big")
        after = await quotas()
    assert before == [surveyed(Resource.IMAGE, 7, 0), surveyed(Resource.SNAPSHOT, 30, 0)]
    assert after == [surveyed(Resource.IMAGE, 7, 1), surveyed(Resource.SNAPSHOT, 30, 3)]
    assert world.books()["requests"] == {"describeQuotas": 2, "describeQuota": 2, "copyImages": 1}


def surveyed(resource: Resource, limit: int, used: int) -> Surveyed:
    """Write the answer to a survey."""
    return Surveyed(at=0.0, region=EAST, resource=resource, limit=limit, used=used)


def bare_read(answer: ReadAnswer) -> ReadAnswer:
    """Take times and request ids out of a read's answer."""
    found = bare(answer)
    assert isinstance(found, ReadAnswer)
    return found


# --- look and check -------------------------------------------------------------------------------


async def test_a_look_follows_a_copy_to_its_end(way: Way) -> None:
    """Pending with its percentage, then ready or error; an id that is not there is left out."""
    world = make_world(2, fates=Fates(error=frozenset({"img-a2"})))
    async with reach(way, world) as cloud:
        made = await copied(cloud, "img-a1", "img-a2")
        asked = (*made, ImageId("img-none"))
        looks = []
        for wait_s in (COPY_S / 4, COPY_S / 2, COPY_S):
            await asyncio.sleep(wait_s)
            look = await cloud.look(Look(EAST, asked))
            assert isinstance(look, Seen)
            assert look.asked == asked
            looks.append([(image.image, image.status, image.progress) for image in look.images])
    good, bad = made
    assert looks == [
        [(good, "pending", 25), (bad, "pending", 25)],
        [(good, "pending", 75), (bad, "pending", 75)],
        [(good, "ready", 100), (bad, "error", 100)],
    ]


async def test_a_check_shows_one_image_as_a_look_does(way: Way) -> None:
    """A present image is the same sighting both times; the copy bears the mark and snapshots of its own."""
    async with reach(way, make_world(1)) as cloud:
        (made,) = await copied(cloud, "img-a1")
        look = await cloud.look(Look(EAST, (made,)))
        checked = await cloud.check(Check(EAST, made))
    assert isinstance(look, Seen)
    assert bare(checked) == Checked(at=0.0, region=EAST, image=made, sighting=look.images[0])
    assert look.images[0].text == MARK
    assert look.images[0].snapshots != ("snapshot-a1-0",)
    assert checked.request


async def test_a_check_of_what_is_gone_is_an_answer(way: Way) -> None:
    """A 404 that speaks of the image says that it is not there."""
    async with reach(way, make_world(1)) as cloud:
        checked = await cloud.check(Check(EAST, ImageId("img-none")))
    assert bare(checked) == Checked(at=0.0, region=EAST, image=ImageId("img-none"), sighting=None)
    assert checked.request


async def test_a_fresh_copy_may_be_invisible_for_a_while(way: Way) -> None:
    """Listing, look and check agree that it is not there, then that it is."""
    world = make_world(1, pace=Pace(listing_lag_s=60))
    async with reach(way, world) as cloud:
        (made,) = await copied(cloud, "img-a1")
        assert await shown(cloud, made) == (0, 0, False)
        await asyncio.sleep(61)
        assert await shown(cloud, made) == (1, 1, True)


async def shown(cloud: Cloud, image: ImageId) -> tuple[int, int, bool]:
    """Tell how many images a listing and a look show, and whether a check finds the image."""
    page = await listed(cloud, EAST, 1)
    look, checked = await cloud.look(Look(EAST, (image,))), await cloud.check(Check(EAST, image))
    assert isinstance(look, Seen)
    assert isinstance(checked, Checked)
    return page.total, len(look.images), checked.sighting is not None


# --- refused --------------------------------------------------------------------------------------

Reading = Callable[[Cloud, Region], Awaitable[ReadAnswer]]
READS: dict[str, Reading] = {
    "inspect": lambda cloud, region: cloud.inspect(Inspect(region, ids("img-a1"))),
    "list": lambda cloud, region: cloud.list(List(region, 1)),
    "survey": lambda cloud, region: cloud.survey(Survey(region, Resource.IMAGE)),
    "survey of snapshots": lambda cloud, region: cloud.survey(Survey(region, Resource.SNAPSHOT)),
    "look": lambda cloud, region: cloud.look(Look(region, ids("img-a1"))),
    "check": lambda cloud, region: cloud.check(Check(region, ImageId("img-a1"))),
}


def throttled(world: World) -> tuple[Reason, str]:
    """Let a world take no request."""
    world.rate_per_minute = 0
    return Reason.THROTTLED, "429 HTTP_RATE_LIMIT_EXCEEDED: minute rate limit exceeded, role:ak"


def throttled_of_old(world: World) -> tuple[Reason, str]:
    """Let a world take no request, in the words of the older documents."""
    world.rate_per_minute, world.switches = 0, Switches(old_rate_limit=True)
    return Reason.THROTTLED, "429 RATE_LIMIT: minute rate limit exceeded, role:ak"


def lost(world: World) -> tuple[Reason, str]:
    """Leave a world without the region that is asked."""
    del world.stores[EAST]
    return Reason.INVALID_REGION, "400 INVALID_ARGUMENT: Invalid region 'cn-east-2'"


@pytest.mark.parametrize("prepare", [throttled, throttled_of_old, lost])
@pytest.mark.parametrize("name", READS)
async def test_a_refused_read_says_what_was_read_and_why(
    way: Way, name: str, prepare: Callable[[World], tuple[Reason, str]]
) -> None:
    """The answer names the read, the region, the reason and the cloud's words, the same both ways."""
    world = make_world(1)
    reason, says = prepare(world)
    async with reach(way, world) as cloud:
        answer = await READS[name](cloud, EAST)
    read = name.partition(" ")[0]
    assert bare(answer) == Unanswered(at=0.0, read=read, region=EAST, reason=reason, detail=says)
    assert answer.request
