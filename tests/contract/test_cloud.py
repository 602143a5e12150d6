"""The port's copy call, in memory and over HTTP: what is accepted, and every refusal a world can produce."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import pytest

from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import Accepted, Look, Refused, Seen
from orchestrator.core.model import ImageId
from orchestrator.core.reasons import Reason
from orchestrator.simulator.traits import Switches
from orchestrator.simulator.world import World
from tests.contract.ways import CALL, MARK, Way, bare, chunk, ids, reach
from tests.nights import now
from tests.simulator.worlds import EAST, NORTH, SOUTH, add, ask, make_world

pytestmark = pytest.mark.looptime

TEN = tuple(f"img-a{number}" for number in range(1, 11))
PLATFORM_TEXT = "Copied from cn-north-1 image img-a1"


async def texts(cloud: Cloud, accepted: Accepted) -> list[str]:
    """Read the descriptions that the destination shows for the copies of a call."""
    seen = await cloud.look(Look(EAST, tuple(image for _, image in accepted.pairs)))
    assert isinstance(seen, Seen)
    return [image.text for image in seen.images]


# --- accepted -------------------------------------------------------------------------------------


async def test_ten_images_are_accepted_in_one_call(way: Way) -> None:
    """Every source is paired with the image that the world made of it, in one request."""
    world = make_world(10)
    async with reach(way, world) as cloud:
        accepted = await cloud.copy(CALL, chunk(*TEN), MARK)
    (entry,) = world.books()["calls"]
    made = ids(*entry["images"])
    assert bare(accepted) == Accepted(at=0.0, call=CALL, pairs=tuple(zip(ids(*TEN), made, strict=True)))
    assert accepted.request
    assert world.books()["requests"] == {"copyImages": 1}


@pytest.mark.parametrize(
    ("mark", "stores", "text"),
    [(MARK, True, MARK), (None, True, PLATFORM_TEXT), (MARK, False, PLATFORM_TEXT)],
)
async def test_the_mark_becomes_the_copys_description(
    way: Way, mark: str | None, stores: bool, text: str
) -> None:
    """With a mark the copy bears it; without one, or where it is not stored, the platform's own text."""
    world = make_world(1, switches=Switches(stores_description=stores))
    async with reach(way, world) as cloud:
        accepted = await cloud.copy(CALL, chunk("img-a1"), mark)
        assert isinstance(accepted, Accepted)
        assert await texts(cloud, accepted) == [text]
    assert [call["described"] for call in world.books()["calls"]] == [mark is not None]


async def test_a_gateway_without_descriptions_takes_an_unmarked_call(way: Way) -> None:
    """What it refuses is the field, not the copy."""
    world = make_world(1, switches=Switches(refuses_description=True))
    async with reach(way, world) as cloud:
        assert isinstance(await cloud.copy(CALL, chunk("img-a1"), None), Accepted)


async def test_a_cloud_that_takes_the_good_images_names_only_those(way: Way) -> None:
    """Where a call is not all or nothing, the pairs tell which images were copied."""
    world = make_world(2, switches=Switches(partial=True))
    async with reach(way, world) as cloud:
        accepted = await cloud.copy(CALL, chunk("img-a1", "img-none", "img-a2"), MARK)
    assert isinstance(accepted, Accepted)
    assert [source for source, _ in accepted.pairs] == ["img-a1", "img-a2"]


# --- refused --------------------------------------------------------------------------------------


def nothing(world: World) -> None:
    """Leave a world as it is."""


def spoil(**traits: object) -> Callable[[World], None]:
    """Prepare a world whose img-a2 is not as it should be."""

    def prepare(world: World) -> None:
        for name, value in traits.items():
            setattr(world.stores[NORTH].images[ImageId("img-a2")], name, value)

    return prepare


def encrypt(world: World) -> None:
    """Prepare a world whose img-a2 has an encrypted snapshot."""
    add(world, "img-a2", encrypted=True)


def under_way(world: World) -> None:
    """Prepare a world whose img-a2 is being copied elsewhere."""
    world.copy_images(now(), ask("img-a2", to=SOUTH))


def room(images: int, snapshots: int) -> Callable[[World], None]:
    """Prepare a world whose destination has these quotas."""

    def prepare(world: World) -> None:
        world.add_region(EAST, images=images, snapshots=snapshots)

    return prepare


def throttle(world: World) -> None:
    """Prepare a world that takes no request."""
    world.rate_per_minute = 0


def throttle_as_of_old(world: World) -> None:
    """Prepare a world that takes no request and says so as the older documents do."""
    world.rate_per_minute = 0
    world.switches = Switches(old_rate_limit=True)


def refuse_descriptions(world: World) -> None:
    """Prepare a world whose gateway does not know the field `description`."""
    world.switches = Switches(refuses_description=True)


@dataclass(frozen=True)
class Case:
    """How one refusal comes about and what the port makes of it."""

    reason: Reason
    says: str
    culprit: str | None = None
    prepare: Callable[[World], None] = nothing
    sources: tuple[str, ...] = ("img-a1", "img-a2", "img-a3")
    origin: str = NORTH
    to: str = EAST
    mark: str | None = MARK


_400, _WRONG = "400 FAILED_PRECONDITION: ", "400 INVALID_ARGUMENT: "
_RATE = "minute rate limit exceeded, role:ak"
CASES = {
    "busy with our copy": Case(Reason.BUSY, f"{_400}The image 'img-a2' is busy", "img-a2", prepare=under_way),
    "busy by conversion": Case(
        Reason.BUSY, f"{_400}The image 'img-a2' is busy", "img-a2", prepare=spoil(busy_until_s=inf)
    ),
    "a foreign task": Case(
        Reason.CONFLICT,
        f"{_400}Conflict with underlay image task 'task-a2'",
        prepare=spoil(task_until_s=inf),
    ),
    "not found": Case(
        Reason.NOT_FOUND,
        "404 NOT_FOUND: Image 'img-none' not found",
        "img-none",
        sources=("img-a1", "img-none"),
    ),
    "encrypted": Case(
        Reason.ENCRYPTED, f"{_400}Copy encrypted snapshot 'snapshot-a2-0' is not support.", prepare=encrypt
    ),
    "local disk": Case(
        Reason.LOCAL_DISK, f"{_400}Only support cloudDisk image", prepare=spoil(root_device="localDisk")
    ),
    "broken source": Case(
        Reason.SOURCE_STATUS, f"{_400}Invalid image status 'error'", prepare=spoil(status="error")
    ),
    "source being deleted": Case(
        Reason.SOURCE_STATUS, f"{_400}Invalid image status 'deleting'", prepare=spoil(status="deleting")
    ),
    "source not ready": Case(
        Reason.SOURCE_PENDING, f"{_400}Invalid image status 'pending'", prepare=spoil(status="pending")
    ),
    "a public image": Case(
        Reason.NOT_PRIVATE, f"{_400}Can't use this image", prepare=spoil(image_source="public")
    ),
    "somebody else's image": Case(
        Reason.NOT_PRIVATE, f"{_400}Can't use this image", prepare=spoil(image_source="shared")
    ),
    "unknown destination": Case(Reason.INVALID_REGION, f"{_WRONG}Invalid region 'cn-mars-1'", to="cn-mars-1"),
    "unknown origin": Case(Reason.INVALID_REGION, f"{_WRONG}Invalid region 'cn-mars-1'", origin="cn-mars-1"),
    "one region twice": Case(Reason.INVALID_REGION, f"{_WRONG}Invalid region 'cn-north-1'", to=NORTH),
    "image quota": Case(
        Reason.QUOTA_IMAGE, "429 QUOTA_EXCEEDED: Image quota limit exceeded", prepare=room(2, 100)
    ),
    "snapshot quota": Case(
        Reason.QUOTA_SNAPSHOT, "429 QUOTA_EXCEEDED: Snapshot quota limit exceeded", prepare=room(100, 2)
    ),
    "throttle": Case(Reason.THROTTLED, f"429 HTTP_RATE_LIMIT_EXCEEDED: {_RATE}", prepare=throttle),
    "throttle of old": Case(Reason.THROTTLED, f"429 RATE_LIMIT: {_RATE}", prepare=throttle_as_of_old),
    "description unknown": Case(
        Reason.MARK_REFUSED, f"{_WRONG}Unknown parameter 'description'", prepare=refuse_descriptions
    ),
    "description too long": Case(
        Reason.MARK_REFUSED, f"{_WRONG}Invalid parameter description", mark="m" * 257
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_refused_call_says_why_and_makes_nothing(way: Way, case: Case) -> None:
    """Reason, culprit and the cloud's own words are the same both ways, and no image of the call is made."""
    world = make_world(3)
    case.prepare(world)
    before = world.books()
    async with reach(way, world) as cloud:
        refused = await cloud.copy(CALL, chunk(*case.sources, to=case.to, origin=case.origin), case.mark)
    culprit = ImageId(case.culprit) if case.culprit else None
    said = Refused(at=0.0, call=CALL, reason=case.reason, culprit=culprit, detail=case.says)
    assert bare(refused) == said
    assert refused.request
    after = world.books()
    assert after["copies"] == before["copies"]
    assert after["requests"] == {"copyImages": 1}
    http, word = case.says.partition(":")[0].split(" ")
    assert after["refused"] == {f"{http} {word}": 1}


async def test_the_gateways_own_suffix_changes_no_reason(way: Way) -> None:
    """Some gateways end their messages in `[gw]`; a throttle is a throttle all the same."""
    world = make_world(1, switches=Switches(gateway_suffix=True), rate_per_minute=0)
    async with reach(way, world) as cloud:
        refused = await cloud.copy(CALL, chunk("img-a1"), MARK)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.THROTTLED
