"""The eight requests we ever make, as data; nothing here signs or sends.

Every value is encoded here, so the URL that is signed is the URL that is sent. Paths and
parameters are those of the official API pages.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

from orchestrator.core.model import PAGE_SIZE, Chunk, ImageId, Region, Resource

PAGE_SIZE_MIN = 10
"""Smallest pageSize the cloud takes (official describeImages page)."""


class Service(Enum):
    """The two services we talk to; the value is the service's name in a signature's scope."""

    VM = "vm"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Request:
    """One request: `target` is path and query as sent, `region` the one in the path."""

    method: str
    service: Service
    region: Region
    target: str
    body: bytes = b""


def copy_images(chunk: Chunk, mark: str | None) -> Request:
    """Submit a chunk in its origin; no `description` key without a mark."""
    body: dict[str, object] = {"sourceImageIds": chunk.sources, "destinationRegion": chunk.destination}
    if mark is not None:
        body["description"] = mark
    text = json.dumps(body, separators=(",", ":"))
    return Request("POST", Service.VM, chunk.origin, _path(chunk.origin, "images:copyImages"), text.encode())


def describe_images(region: Region, images: tuple[ImageId, ...]) -> Request:
    """Describe up to 100 images by id, all on one page."""
    ids = [(f"ids.{number}", image) for number, image in enumerate(images, 1)]
    size = str(max(PAGE_SIZE_MIN, len(images)))
    return _get(Service.VM, region, "images", [*ids, ("pageNumber", "1"), ("pageSize", size)])


def list_images(region: Region, page: int) -> Request:
    """Fetch one page (from 1) of the private images."""
    page_of = [("imageSource", "private"), ("pageNumber", str(page)), ("pageSize", str(PAGE_SIZE))]
    return _get(Service.VM, region, "images", page_of)


def describe_image(region: Region, image: ImageId) -> Request:
    """Describe one image by its path, where a 404 says that it is gone."""
    return _get(Service.VM, region, f"images/{_segment(image)}", [])


def describe_quota(region: Region, resource: Resource) -> Request:
    """Read a quota: images are counted by the vm service, snapshots by the disk service."""
    if resource is Resource.SNAPSHOT:
        return _get(Service.DISK, region, "quotas", [("type", "snapshot")])
    return _get(
        Service.VM, region, "quotas", [("filters.1.name", "resourceTypes"), ("filters.1.values.1", "image")]
    )


def delete_image(region: Region, image: ImageId) -> Request:
    """Delete an image and its snapshots, which would go on costing and counting (deleteImage page)."""
    path = _path(region, f"images/{_segment(image)}")
    return Request("DELETE", Service.VM, region, f"{path}?deleteSnapshot=true")


def modify_image(region: Region, image: ImageId, name: str | None, text: str | None) -> Request:
    """Change name, description or both of an image (modifyImageAttribute page)."""
    given = {"name": name, "description": text}
    body = json.dumps({k: v for k, v in given.items() if v is not None}, separators=(",", ":"))
    path = _path(region, f"images/{_segment(image)}:modifyImageAttribute")
    return Request("POST", Service.VM, region, path, body.encode())


def _get(service: Service, region: Region, tail: str, pairs: Iterable[tuple[str, str]]) -> Request:
    """Make a GET with its parameters encoded, in the order given."""
    query = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    path = _path(region, tail)
    return Request("GET", service, region, f"{path}?{query}" if query else path)


def _path(region: Region, tail: str) -> str:
    """Write the path of a call: a region is one segment, whatever its text."""
    return f"/v1/regions/{_segment(region)}/{tail}"


def _segment(text: str) -> str:
    """Write a text as one segment of a path. Raises ValueError for one that servers take for a way out."""
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} is neither a region nor an image id")
    return quote(text, safe="")
