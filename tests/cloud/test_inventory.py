"""What a region holds, read in full: every page, whatever the weather, and nothing invented."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from orchestrator.cloud.inventory import Inventory, Room
from orchestrator.core.messages import (
    Check,
    Checked,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    Seen,
    Survey,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import ImageId
from orchestrator.core.reasons import Reason
from orchestrator.errors import CloudSilent, CredentialsRefused
from orchestrator.simulator.memory import MemoryCloud
from tests.nights import EAST, NORTH, Cloud, image_id, now

pytestmark = pytest.mark.looptime


class Moody:
    """A cloud that gives another answer to the first reads."""

    def __init__(self, cloud: MemoryCloud, *moods: Reason) -> None:
        self._cloud = cloud
        self._moods = list(moods)
        self.asked = 0

    def _mood(self, region: str) -> Unanswered | None:
        self.asked += 1
        if not self._moods:
            return None
        reason = self._moods.pop(0)
        return Unanswered(at=now(), read="list", region=NORTH, reason=reason, detail="so it said")

    async def list(self, action: List) -> Listed | Unanswered:
        return self._mood(action.region) or await self._cloud.list(action)

    async def survey(self, action: Survey) -> Surveyed | Unanswered:
        return self._mood(action.region) or await self._cloud.survey(action)

    async def inspect(self, action: Inspect) -> Inspected | Unanswered:
        return self._mood(action.region) or await self._cloud.inspect(action)

    async def look(self, action: Look) -> Seen | Unanswered:
        return await self._cloud.look(action)

    async def check(self, action: Check) -> Checked | Unanswered:
        return await self._cloud.check(action)

    copy = MemoryCloud.copy


def moody(images: int, *moods: Reason) -> tuple[Moody, Inventory]:
    """Furnish a cloud with so many images in the north."""
    world = Cloud(images=images).world
    cloud = Moody(MemoryCloud(world, clock=now, latency_s=0.1), *moods)
    return cloud, Inventory(cloud, Random(1).random)


async def test_every_page_is_read() -> None:
    """250 images are three pages, each image once; an empty region is one request."""
    cloud, inventory = moody(250)
    assert {s.image for s in await inventory.images(NORTH)} == {image_id(n) for n in range(250)}
    assert cloud.asked == 3
    assert await inventory.images(EAST) == ()
    assert cloud.asked == 4


async def test_reads_are_repeated_until_there_is_an_answer() -> None:
    """A throttle, a lost answer and renewed keys cost a try each, and no image."""
    cloud, inventory = moody(3, Reason.THROTTLED, Reason.TIMEOUT, Reason.KEYS_CHANGED)
    assert len(await inventory.images(NORTH)) == 3
    assert cloud.asked == 4


async def test_a_silent_region_is_named() -> None:
    """After six tries the error names the region, the reason and what to do."""
    cloud, inventory = moody(3, *[Reason.UNREACHABLE] * 9)
    with pytest.raises(CloudSilent, match=r"cn-north-1 .* \(unreachable\): so it said.*doctor"):
        await inventory.room(NORTH)
    assert cloud.asked == 6


async def test_refused_credentials_end_it_at_once() -> None:
    """Refused keys are not tried again: the gateway might lock them."""
    cloud, inventory = moody(3, Reason.CREDENTIALS)
    with pytest.raises(CredentialsRefused, match="access key"):
        await inventory.images(NORTH)
    assert cloud.asked == 1


async def test_sources_are_described_by_the_hundred() -> None:
    """120 ids are two requests; one that is not there is left out."""
    cloud, inventory = moody(119)
    found = await inventory.sources(NORTH, tuple(image_id(n) for n in range(120)))
    assert set(found) == {image_id(n) for n in range(119)}
    assert cloud.asked == 2


async def test_both_quotas_are_read() -> None:
    """Limit and use of images and snapshots come in this order."""
    _, inventory = moody(3)
    assert await inventory.room(NORTH) == Room(images=(1000, 3), snapshots=(5000, 3))


async def test_a_list_that_hides_images_is_no_inventory() -> None:
    """A listing that claims more than it shows is walked again, then refused."""
    cloud, inventory = moody(3)
    whole = cloud.list

    async def short(action: List) -> Listed | Unanswered:
        listed = await whole(action)
        assert isinstance(listed, Listed)
        return replace(listed, images=tuple(s for s in listed.images if s.image != ImageId(image_id(1))))

    cloud.list = short  # type: ignore[method-assign]
    with pytest.raises(CloudSilent, match="2 of 3 images each time"):
        await inventory.images(NORTH)
