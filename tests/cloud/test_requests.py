"""The requests are those of the API's pages, and nothing in a value can change where they go."""

from __future__ import annotations

import json

import pytest

from orchestrator.cloud.requests import (
    Service,
    copy_images,
    describe_image,
    describe_images,
    describe_quota,
    list_images,
)
from orchestrator.core.model import Chunk, Copy, ImageId, Region, Resource

NORTH, EAST = Region("cn-north-1"), Region("cn-east-2")


def _chunk(*images: str) -> Chunk:
    return Chunk(tuple(Copy(ImageId(image), NORTH, EAST) for image in images))


def test_a_copy_call_is_sent_to_the_origin() -> None:
    """The body holds sources, destination and mark, compact, and nothing else."""
    request = copy_images(_chunk("img-a1", "img-a2"), "our mark")
    assert (request.method, request.service, request.region) == ("POST", Service.VM, NORTH)
    assert request.target == "/v1/regions/cn-north-1/images:copyImages"
    assert request.body == (
        b'{"sourceImageIds":["img-a1","img-a2"],"destinationRegion":"cn-east-2","description":"our mark"}'
    )


def test_without_a_mark_there_is_no_description() -> None:
    """A gateway that refuses the field does not get it, not even as null."""
    assert set(json.loads(copy_images(_chunk("img-a1"), None).body)) == {
        "sourceImageIds",
        "destinationRegion",
    }


def test_images_are_described_on_one_page() -> None:
    """The page is at least as large as the number of ids, and never under the cloud's minimum."""
    assert describe_images(EAST, (ImageId("img-a"), ImageId("img-b"))).target == (
        "/v1/regions/cn-east-2/images?ids.1=img-a&ids.2=img-b&pageNumber=1&pageSize=10"
    )
    many = tuple(ImageId(f"img-{number}") for number in range(100))
    target = describe_images(EAST, many).target
    assert target.endswith("&ids.100=img-99&pageNumber=1&pageSize=100")
    assert len(target) < 8000  # the gateway's limit on a URL


def test_a_listing_asks_for_private_images_page_by_page() -> None:
    """Pages are numbered from 1 and as large as the cloud allows."""
    assert list_images(EAST, 3).target == (
        "/v1/regions/cn-east-2/images?imageSource=private&pageNumber=3&pageSize=100"
    )


def test_one_image_is_asked_for_by_its_path() -> None:
    """DescribeImage has no parameters."""
    assert describe_image(EAST, ImageId("img-a")).target == "/v1/regions/cn-east-2/images/img-a"


def test_each_quota_is_read_from_its_own_service() -> None:
    """Image quotas come from vm, snapshot quotas from disk, on the same path."""
    image, snapshot = describe_quota(EAST, Resource.IMAGE), describe_quota(EAST, Resource.SNAPSHOT)
    assert (image.service, snapshot.service) == (Service.VM, Service.DISK)
    assert image.target == (
        "/v1/regions/cn-east-2/quotas?filters.1.name=resourceTypes&filters.1.values.1=image"
    )
    assert snapshot.target == "/v1/regions/cn-east-2/quotas?type=snapshot"


def test_no_value_can_leave_its_place() -> None:
    """A region or an id with slashes, question marks or ampersands stays one segment, one value."""
    evil = "../x?y&z=#"
    assert describe_image(Region(evil), ImageId(evil)).target == (
        "/v1/regions/..%2Fx%3Fy%26z%3D%23/images/..%2Fx%3Fy%26z%3D%23"
    )
    assert "ids.1=..%2Fx%3Fy%26z%3D%23&" in describe_images(EAST, (ImageId(evil),)).target


@pytest.mark.parametrize("text", ["", ".", ".."])
def test_what_is_no_segment_is_never_sent(text: str) -> None:
    """Servers and proxies resolve dots in a path, so that the request would be another one."""
    for region, image in ((text, "img-a"), ("cn-east-2", text)):
        with pytest.raises(ValueError, match="neither a region nor an image id"):
            describe_image(Region(region), ImageId(image))
    with pytest.raises(ValueError, match="neither a region nor an image id"):
        list_images(Region(text), 1)
