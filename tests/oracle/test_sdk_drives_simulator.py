"""The official SDK drives the simulator, so it is not merely a mirror of our own client (group `oracle`)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from orchestrator.core.model import ImageId
from orchestrator.simulator.server import LINE_MAX, make_app
from orchestrator.simulator.traits import Pace
from orchestrator.simulator.world import World
from tests.canary import SECRET, WRONG
from tests.simulator.worlds import EAST, NORTH, make_world


def _sdk(module: str) -> Any:
    """Import a module of the SDK, or skip the group with a clear notice."""
    why = "jdcloud_sdk is not installed: the simulator was NOT driven by the official SDK"
    return pytest.importorskip(f"jdcloud_sdk.{module}", reason=why)


Config = _sdk("core.config").Config
Credential = _sdk("core.credential").Credential
FATAL, Logger = _sdk("core.logger").FATAL, _sdk("core.logger").Logger
disk_quota = _sdk("services.disk.apis.DescribeQuotaRequest")
DiskClient = _sdk("services.disk.client.DiskClient").DiskClient
copy_images = _sdk("services.vm.apis.CopyImagesRequest")
delete_image = _sdk("services.vm.apis.DeleteImageRequest")
describe_images = _sdk("services.vm.apis.DescribeImagesRequest")
describe_quotas = _sdk("services.vm.apis.DescribeQuotasRequest")
modify_image = _sdk("services.vm.apis.ModifyImageAttributeRequest")
VmClient = _sdk("services.vm.client.VmClient").VmClient

pytestmark = pytest.mark.oracle

KEY = "AKORACLE"


@dataclass
class Sdk:
    """The SDK's two clients and the world behind them. The SDK blocks, so it gets a thread per call."""

    vm: Any
    disk: Any
    world: World

    async def send(self, request: Any, *, disk: bool = False) -> Any:
        """Send one of the SDK's requests and give its response."""
        return await asyncio.to_thread((self.disk if disk else self.vm).send, request)

    async def copy(self, *sources: str, **texts: str) -> Any:
        """Send copyImages from the north to the east."""
        wanted = copy_images.CopyImagesParameters(NORTH, list(sources), EAST)
        if "name" in texts:
            wanted.setName(texts["name"])
        if "description" in texts:
            wanted.setDescription(texts["description"])
        return await self.send(copy_images.CopyImagesRequest(wanted))


def _sdk_for(world: World, port: int, secret: str = SECRET) -> Sdk:
    """Point both clients of the SDK at the simulator; it logs nothing, not even secrets."""
    config, quiet = Config(f"127.0.0.1:{port}", "http", 10), Logger(FATAL)
    credential = Credential(KEY, secret)
    return Sdk(VmClient(credential, config, quiet), DiskClient(credential, config, quiet), world)


@pytest.fixture
async def server() -> AsyncIterator[tuple[World, int]]:
    """Serve a world whose copies take no time."""
    world = make_world(12, pace=Pace(copy_base_s=0, copy_per_gb_s=0, copy_spread=0), quota=(20, 30))
    server = TestServer(make_app(world, keys={KEY: SECRET}, clock=time.time))
    await server.start_server(max_line_size=LINE_MAX)
    yield world, server.port or 0
    await server.close()


@pytest.fixture
def sdk(server: tuple[World, int]) -> Sdk:
    """Give the SDK with the right credentials."""
    return _sdk_for(*server)


async def test_the_sdk_copies_and_watches(sdk: Sdk) -> None:
    """CopyImages is accepted from the SDK; describeImages by ids shows the copies ready."""
    made = await sdk.copy("img-a1", "img-a2", description="from the SDK")
    assert made.error is None
    ids = {pair["sourceImageId"]: pair["destinationImageId"] for pair in made.result["copyImages"]}
    assert set(ids) == {"img-a1", "img-a2"}
    look = describe_images.DescribeImagesParameters(EAST)
    look.setIds([*ids.values(), "img-none"])
    look.setPageSize(100)
    seen = await sdk.send(describe_images.DescribeImagesRequest(look))
    assert seen.result["totalCount"] == 2
    assert {image["status"] for image in seen.result["images"]} == {"ready"}
    assert {image["desc"] for image in seen.result["images"]} == {"from the SDK"}
    assert sdk.world.books()["violations"] == []


async def test_the_sdk_lists_page_by_page(sdk: Sdk) -> None:
    """Twelve private images in pages of ten."""
    look = describe_images.DescribeImagesParameters(NORTH)
    look.setImageSource("private")
    look.setPageSize(10)
    pages = []
    for number in (1, 2):
        look.setPageNumber(number)
        pages.append((await sdk.send(describe_images.DescribeImagesRequest(look))).result["images"])
    assert [len(page) for page in pages] == [10, 2]


async def test_the_sdk_reads_both_quotas(sdk: Sdk) -> None:
    """Both services of the SDK, with equal paths, are answered on one port."""
    wanted = describe_quotas.DescribeQuotasParameters(NORTH)
    wanted.setFilters([{"name": "resourceTypes", "operator": "eq", "values": ["image"]}])
    images = await sdk.send(describe_quotas.DescribeQuotasRequest(wanted))
    assert images.result["quotas"] == [{"resourceType": "image", "limit": 20, "used": 12}]
    asked = disk_quota.DescribeQuotaRequest(disk_quota.DescribeQuotaParameters(NORTH, "snapshot"))
    snapshots = await sdk.send(asked, disk=True)
    assert snapshots.result["quota"] == {"limit": 30, "used": 12}


async def test_the_sdk_changes_and_deletes(sdk: Sdk) -> None:
    """ModifyImageAttribute in Chinese, deleteImage with its snapshot (the SDK writes `True`)."""
    change = modify_image.ModifyImageAttributeParameters(NORTH, "img-a1")
    change.setName("镜像-1")
    assert (await sdk.send(modify_image.ModifyImageAttributeRequest(change))).error is None
    assert sdk.world.stores[NORTH].images[ImageId("img-a1")].name == "镜像-1"
    wish = delete_image.DeleteImageParameters(NORTH, "img-a1")
    wish.setDeleteSnapshot(True)
    assert (await sdk.send(delete_image.DeleteImageRequest(wish))).error is None
    assert len(sdk.world.stores[NORTH].snapshots) == 11


async def test_the_sdk_understands_a_refusal(sdk: Sdk) -> None:
    """Status, code and message arrive where the SDK looks for them."""
    refused = await sdk.copy("img-a1", "img-none")
    error = refused.error
    assert (error.code, error.status, error.message) == (404, "NOT_FOUND", "Image 'img-none' not found")


async def test_a_wrong_secret_is_refused(server: tuple[World, int]) -> None:
    """The simulator verifies the SDK's signatures; it does not merely accept them."""
    refused = await _sdk_for(*server, secret=WRONG).copy("img-a1")
    assert (refused.error.code, refused.error.message) == (401, "sign result is not same")
