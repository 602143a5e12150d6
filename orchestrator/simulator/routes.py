"""From a request's method and path to a call of the world, and from its outcome to JSON. No network, no door.

One port serves both services: `vm` and `disk` share the path of their quota calls, so the service
that the signature names decides there, or the parameter `type`, which only the disk service has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from orchestrator.core.model import ImageId, Region, Resource
from orchestrator.simulator import refusals, replies
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.replies import Json
from orchestrator.simulator.world import Query, World

Parameters = dict[str, str]

_NUMBER = re.compile("[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to be made: the region and image of its path, its parameters and its body."""

    region: Region
    image: ImageId
    parameters: Parameters
    body: bytes


Call = Callable[[World, float, Ask], Json | None]


@dataclass(frozen=True, slots=True)
class Route:
    """An operation of the API, named as the API names it."""

    operation: str
    call: Call


def parameters(query: str) -> Parameters:
    """Decode a query; of a name given twice the last counts."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return {unquote_plus(name): unquote_plus(value) for name, _, value in pairs}


def find(method: str, path: str, service: str, query: Parameters) -> tuple[Route, Region, ImageId]:
    """Find the operation of a decoded path; raises the 404 of the gateway."""
    for known, pattern, route in _ROUTES:
        match = pattern.fullmatch(path)
        if match and known == method:
            parts = match.groupdict()
            if route is _VM_QUOTAS and (service == "disk" or "type" in query):
                route = _DISK_QUOTA
            return route, Region(parts["region"]), ImageId(parts.get("image") or "")
    raise refusals.no_route()


def _copy_images(world: World, at: float, ask: Ask) -> Json:
    """Run copyImages; unknown keys, nulls and a repeated regionId are tolerated as by the real API."""
    body = _body(ask)
    sources, destination = body.get("sourceImageIds"), body.get("destinationRegion")
    if not isinstance(sources, list) or not all(isinstance(source, str) for source in sources):
        raise refusals.invalid("Parameter sourceImageIds missing")
    if not isinstance(destination, str):
        raise refusals.invalid("Parameter destinationRegion missing")
    request = CopyRequest(
        origin=ask.region,
        destination=Region(destination),
        sources=tuple(ImageId(source) for source in sources),
        name=_text(body, "name"),
        description=_text(body, "description"),
    )
    return replies.copied(world.copy_images(at, request))


def _describe_images(world: World, at: float, ask: Ask) -> Json:
    """Run describeImages."""
    given = ask.parameters
    query = Query(
        ids=_listed(given, "ids"),
        image_source=given.get("imageSource"),
        name=given.get("imageName"),
        root_device=given.get("rootDeviceType"),
        status=given.get("status"),
        page=_number(given, "pageNumber", 1),
        size=_number(given, "pageSize", 20),
    )
    images, total = world.describe_images(at, ask.region, query)
    store = world.stores[ask.region]
    return replies.listing(store, images, total, at, null=world.switches.images_null)


def _describe_image(world: World, at: float, ask: Ask) -> Json:
    """Run describeImage."""
    image = world.describe_image(at, ask.region, ask.image)
    return {"image": replies.image_json(world.stores[ask.region], image, at)}


def _delete_image(world: World, at: float, ask: Ask) -> None:
    """Run deleteImage."""
    with_snapshots = ask.parameters.get("deleteSnapshot", "").lower() == "true"
    world.delete_image(at, ask.region, ask.image, delete_snapshot=with_snapshots)


def _modify_image(world: World, at: float, ask: Ask) -> None:
    """Run modifyImageAttribute."""
    body = _body(ask)
    world.modify_image(at, ask.region, ask.image, _text(body, "name"), _text(body, "description"))


def _describe_quotas(world: World, at: float, ask: Ask) -> Json:
    """Run the VM service's describeQuotas; of its resources this world has only images."""
    asked = _filter_values(ask.parameters, "resourceTypes")
    limit, used = world.quota(at, ask.region, Resource.IMAGE)
    wanted = not asked or "image" in asked
    return {"quotas": [replies.image_quota(limit, used)] if wanted else []}


def _describe_quota(world: World, at: float, ask: Ask) -> Json:
    """Run the disk service's describeQuota; of its resources this world has only snapshots."""
    kind = ask.parameters.get("type")
    if kind != "snapshot":
        raise refusals.invalid("Parameter type missing" if kind is None else f"Invalid type '{kind}'")
    limit, used = world.quota(at, ask.region, Resource.SNAPSHOT)
    return {"quota": {"limit": limit, "used": used}}


_VM_QUOTAS = Route("describeQuotas", _describe_quotas)
_DISK_QUOTA = Route("describeQuota", _describe_quota)
_REGION = r"/v1/regions/(?P<region>[^/]+)"
_IMAGE = _REGION + r"/images/(?P<image>[^/:]+)"
_ROUTES: tuple[tuple[str, re.Pattern[str], Route], ...] = (
    ("POST", re.compile(_REGION + "/images:copyImages"), Route("copyImages", _copy_images)),
    ("GET", re.compile(_REGION + "/images"), Route("describeImages", _describe_images)),
    ("GET", re.compile(_IMAGE), Route("describeImage", _describe_image)),
    ("DELETE", re.compile(_IMAGE), Route("deleteImage", _delete_image)),
    ("POST", re.compile(_IMAGE + ":modifyImageAttribute"), Route("modifyImageAttribute", _modify_image)),
    ("GET", re.compile(_REGION + "/quotas"), _VM_QUOTAS),
)


def _body(ask: Ask) -> dict[str, object]:
    """Read a body that must be one JSON object."""
    try:
        body = json.loads(ask.body)
    except (ValueError, RecursionError):
        raise refusals.invalid("request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise refusals.invalid("request body is not an object")
    return body


def _text(body: dict[str, object], key: str) -> str | None:
    """Read an optional text; null is the same as absent."""
    value = body.get(key)
    if value is not None and not isinstance(value, str):
        raise refusals.invalid(f"Invalid parameter {key}")
    return value


def _number(given: Parameters, key: str, default: int) -> int:
    """Read an optional number."""
    text = given.get(key, str(default))
    if not _NUMBER.fullmatch(text):
        raise refusals.invalid(f"Invalid parameter {key}")
    return int(text)


def _listed(given: Parameters, key: str) -> tuple[str, ...]:
    """Read `ids.1=a&ids.2=b` in the order of their numbers."""
    found = [(name.partition(".")[2], value) for name, value in given.items() if name.startswith(f"{key}.")]
    numbered = [(int(number), value) for number, value in found if _NUMBER.fullmatch(number)]
    return tuple(value for _, value in sorted(numbered))


def _filter_values(given: Parameters, name: str) -> frozenset[str]:
    """Read the values of the filter of this name: filters.N.name=.. and filters.N.values.M=.."""
    heads = [key.removesuffix(".name") for key, value in given.items() if value == name]
    starts = tuple(f"{head}.values." for head in heads if head.startswith("filters."))
    return frozenset(value for key, value in given.items() if starts and key.startswith(starts))
