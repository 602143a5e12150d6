"""The simulator over real sockets: the JSON, the tolerance and the refusals of the real API."""

from __future__ import annotations

import pytest

from orchestrator.core.model import ImageId
from orchestrator.simulator.traits import Pace, Switches
from tests.simulator.clients import START, serving
from tests.simulator.worlds import COPY_S, EAST, NORTH, add, make_world

COPY = f"/v1/regions/{NORTH}/images:copyImages"


@pytest.mark.parametrize("target", [COPY, COPY.replace(":", "%3A")])
async def test_a_copy_is_made_and_watched_until_it_is_ready(target: str) -> None:
    """The colon may be plain or escaped; the copy is pending with percent, then ready."""
    async with serving(make_world()) as client:
        body = {"sourceImageIds": ["img-a1"], "destinationRegion": EAST}
        reply = await client.send("POST", target, body)
        assert reply.status == 200
        assert len(reply.json["requestId"]) == 32
        ((pair),) = reply.json["result"]["copyImages"]
        assert pair["sourceImageId"] == "img-a1"
        look = f"/v1/regions/{EAST}/images/{pair['destinationImageId']}"
        client.clock.now = START + 25
        image = (await client.send("GET", look)).json["result"]["image"]
        assert (image["status"], image["progress"]) == ("pending", "25")
        client.clock.now = START + COPY_S
        image = (await client.send("GET", look)).json["result"]["image"]
        assert (image["status"], image["progress"]) == ("ready", "100")


async def test_what_sdks_add_to_a_body_is_tolerated() -> None:
    """A repeated regionId, explicit nulls, unknown keys and any order are fine."""
    async with serving(make_world()) as client:
        body = {
            "unknown": [1],
            "description": None,
            "destinationRegion": EAST,
            "name": None,
            "regionId": NORTH,
            "sourceImageIds": ["img-a1"],
        }
        assert (await client.send("POST", COPY, body)).status == 200


@pytest.mark.parametrize(
    "body",
    [
        "{",
        "[]",
        "",
        {"destinationRegion": EAST},
        {"sourceImageIds": "img-a1", "destinationRegion": EAST},
        {"sourceImageIds": [1], "destinationRegion": EAST},
        {"sourceImageIds": ["img-a1"]},
        {"sourceImageIds": ["img-a1"], "destinationRegion": EAST, "description": 5},
        {"sourceImageIds": [f"img-a{n}" for n in range(11)], "destinationRegion": EAST},
    ],
)
async def test_a_body_of_the_wrong_shape_is_an_invalid_argument(body: object) -> None:
    """400 INVALID_ARGUMENT, whatever is wrong, and nothing is made."""
    world = make_world()
    async with serving(world) as client:
        reply = await client.send("POST", COPY, body)
        assert reply.error[:2] == (400, "INVALID_ARGUMENT")
        assert world.books()["copies"] == []


async def test_an_image_is_shown_with_all_its_fields() -> None:
    """Field names and types are those of the documented Image; `desc`, not `description`."""
    world = make_world(0)
    add(world, "img-disks", snapshots=2, encrypted=True).text = "hello"
    async with serving(world) as client:
        image = (await client.send("GET", f"/v1/regions/{NORTH}/images/img-disks")).json["result"]["image"]
    assert image["imageId"] == "img-disks"
    assert image["desc"] == "hello"
    assert image["createTime"] == "1970-01-01 08:00:00"
    assert image["snapshotId"] == "snapshot-disks-0"
    assert image["systemDisk"]["cloudDisk"]["snapshotId"] == "snapshot-disks-0"
    assert image["systemDisk"]["cloudDisk"]["encrypted"] is True
    assert [disk["cloudDisk"]["snapshotId"] for disk in image["dataDisks"]] == ["snapshot-disks-1"]
    assert isinstance(image["progress"], str)


async def test_listings_take_ids_and_pages() -> None:
    """ids.N in numeric order, unknown ones missing; totalCount before paging."""
    async with serving(make_world(12)) as client:
        images = f"/v1/regions/{NORTH}/images"
        reply = await client.send("GET", f"{images}?ids.2=img-a2&ids.10=img-a1&ids.1=img-none&pageSize=10")
        assert [image["imageId"] for image in reply.json["result"]["images"]] == ["img-a2", "img-a1"]
        page = await client.send("GET", f"{images}?imageSource=private&pageSize=10&pageNumber=2")
        assert len(page.json["result"]["images"]) == 2
        assert page.json["result"]["totalCount"] == 12
        bad = await client.send("GET", f"{images}?imageSource=private&pageSize=1")
        assert bad.error == (400, "OUT_OF_RANGE", "PageSize out of range")
        odd = await client.send("GET", f"{images}?imageSource=private&pageSize=ten")
        assert odd.error[:2] == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(("switch", "expected"), [(False, []), (True, None)])
async def test_nothing_found_is_an_empty_list_or_null(switch: bool, expected: object) -> None:
    """The switch `images_null` decides."""
    world = make_world(switches=Switches(images_null=switch))
    async with serving(world) as client:
        reply = await client.send("GET", f"/v1/regions/{EAST}/images?imageSource=private")
    assert reply.json["result"] == {"images": expected, "totalCount": 0}


async def test_both_quotas_are_read_over_one_port() -> None:
    """Images from the VM service, snapshots from the disk service, told apart by scope or by `type`."""
    async with serving(make_world(2, quota=(7, 9))) as client:
        quotas = f"/v1/regions/{NORTH}/quotas"
        filters = "filters.1.name=resourceTypes&filters.1.values.1=image"
        reply = await client.send("GET", f"{quotas}?{filters}")
        assert reply.json["result"] == {"quotas": [{"resourceType": "image", "limit": 7, "used": 2}]}
        for service in ("disk", "vm"):
            reply = await client.send("GET", f"{quotas}?type=snapshot", service=service)
            assert reply.json["result"] == {"quota": {"limit": 9, "used": 2}}
        none = await client.send("GET", f"{quotas}?{filters.replace('1=image', '1=instance')}")
        assert none.json["result"] == {"quotas": []}
        missing = await client.send("GET", quotas, service="disk")
        assert missing.error == (400, "INVALID_ARGUMENT", "Parameter type missing")


@pytest.mark.parametrize(("written", "left"), [("true", 0), ("True", 0), ("false", 1), ("", 1)])
async def test_deletion_reads_booleans_in_any_case(written: str, left: int) -> None:
    """deleteSnapshot=True is what the Python SDK writes, true what the Go SDK does; default false."""
    world = make_world(1)
    async with serving(world) as client:
        query = f"?deleteSnapshot={written}" if written else ""
        reply = await client.send("DELETE", f"/v1/regions/{NORTH}/images/img-a1{query}")
    assert (reply.status, list(reply.json)) == (200, ["requestId"])
    assert len(world.stores[NORTH].snapshots) == left


async def test_attributes_are_changed_in_any_alphabet() -> None:
    """A UTF-8 body is signed and stored."""
    world = make_world(1)
    async with serving(world) as client:
        target = f"/v1/regions/{NORTH}/images/img-a1:modifyImageAttribute"
        assert (await client.send("POST", target, '{"name": "镜像-1"}')).status == 200
    assert world.stores[NORTH].images[ImageId("img-a1")].name == "镜像-1"


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", f"/v1/regions/{NORTH}/nothing"),
        ("PUT", f"/v1/regions/{NORTH}/images"),
        ("GET", f"/v2/regions/{NORTH}/images"),
        ("POST", f"/v1/regions/{NORTH}/images:moveImages"),
    ],
)
async def test_an_unknown_route_is_the_gateways_404(method: str, target: str) -> None:
    """Told apart from a missing image by its message."""
    async with serving(make_world()) as client:
        reply = await client.send(method, target)
    assert reply.error == (404, "NOT_FOUND", "no route and no API found with those values")


async def test_a_url_over_8_k_is_refused() -> None:
    """414 above the limit, an answer just below it."""
    async with serving(make_world()) as client:
        start = f"/v1/regions/{NORTH}/images?imageSource=private&imageName="
        fits = await client.send("GET", start + "x" * (8192 - len(start)))
        long = await client.send("GET", start + "x" * (8193 - len(start)))
    assert fits.status == 200
    assert long.error == (414, "HTTP_URI_TOO_LONG", "URI too long")


async def test_a_refusal_has_the_documented_envelope() -> None:
    """Request id, code, status and message; nothing else."""
    async with serving(make_world()) as client:
        reply = await client.copy("img-none")
    assert set(reply.json) == {"requestId", "error"}
    assert reply.json["error"] == {
        "code": 404,
        "status": "NOT_FOUND",
        "message": "Image 'img-none' not found",
    }


async def test_throttling_answers_429_with_the_gateways_suffix() -> None:
    """More than the limit within a minute; `[gw]` only on what the gateway itself says."""
    world = make_world(rate_per_minute=2, switches=Switches(gateway_suffix=True))
    async with serving(world) as client:
        assert (await client.copy("img-none")).error[2] == "Image 'img-none' not found"
        assert (await client.copy("img-a1")).status == 200
        throttled = await client.copy("img-a2")
        assert throttled.error == (
            429,
            "HTTP_RATE_LIMIT_EXCEEDED",
            "minute rate limit exceeded, role:ak[gw]",
        )
        client.clock.now += 60
        assert (await client.copy("img-a2")).status == 200


async def test_books_show_the_moment_and_need_no_signature() -> None:
    """Copies that are due have ended in the books, though nobody asked for them."""
    async with serving(make_world()) as client:
        await client.copy("img-a1")
        client.clock.now += COPY_S
        books = (await client.own("GET", "books")).json
    assert books["copies"][0]["end"] == "ready"
    assert books["requests"] == {"copyImages": 1}
    assert books["violations"] == []


async def test_an_image_can_be_deleted_behind_the_clients_back() -> None:
    """Whatever its state; an unknown one is reported, an unknown region or body refused."""
    async with serving(make_world()) as client:
        made = (await client.copy("img-a1")).json["result"]["copyImages"][0]["destinationImageId"]
        wish = {"region": EAST, "image": made}
        assert (await client.own("POST", "delete", wish)).json == {"deleted": True}
        assert (await client.own("POST", "delete", wish)).json == {"deleted": False}
        assert (await client.own("POST", "delete", {**wish, "region": "mars-1"})).status == 404
        assert (await client.own("POST", "delete", {"image": made})).status == 400
        reply = await client.send("GET", f"/v1/regions/{EAST}/images/{made}")
        assert reply.error == (404, "NOT_FOUND", f"Image '{made}' not found")


async def test_weather_can_be_changed_while_it_runs() -> None:
    """Faults, fates, switches and pace are replaced; nonsense changes nothing and says why."""
    world = make_world()
    async with serving(world) as client:
        wish = {"faults": [{"fault": "internal", "nth": [1]}], "switches": {"partial": True}}
        assert (await client.own("POST", "faults", wish)).status == 200
        assert (await client.copy("img-a1")).error == (500, "INTERNAL", "Internal server error")
        assert len((await client.copy("img-a1", "img-none")).json["result"]["copyImages"]) == 1
        bad = await client.own("POST", "faults", {"faults": [{"fault": "earthquake"}]})
        assert bad.status == 400
        assert "earthquake" in bad.text
        assert (await client.own("POST", "faults", {"pace": {"speed": 0}})).status == 400
        assert (await client.own("POST", "faults", {"rate_per_minute": 1})).status == 200
        assert (await client.copy("img-a2")).status == 429


async def test_the_answer_to_a_copy_can_be_held_back() -> None:
    """`acceptance_s` divided by speed passes after the effect and before the answer."""
    world = make_world(pace=Pace(acceptance_s=30, speed=1000))
    async with serving(world) as client:
        assert (await client.copy("img-a1")).status == 200
    assert len(world.books()["copies"]) == 1
