"""Images, pairs and quotas are read as documented, and anything else is refused with its place."""

from __future__ import annotations

from itertools import permutations

import pytest

from orchestrator.cloud.document import Node, Unreadable
from orchestrator.cloud.shapes import images, pairs, quota, sighting
from orchestrator.core.model import Resource, Sighting
from tests.cloud.support import A1, A2, B1, B2, accepted, image


def _result(value: object) -> Node:
    return Node(value, "result")


FULL = {
    "imageId": "img-b1",
    "name": "golden",
    "desc": "from cn-north-1",
    "status": "pending",
    "progress": "42",
    "createTime": "2026-04-02 01:30:45",
    "sizeMB": 2048,
    "rootDeviceType": "cloudDisk",
    "imageSource": "private",
    "snapshotId": "snapshot-1",
    "systemDisk": {"diskCategory": "cloud", "cloudDisk": {"snapshotId": "snapshot-1", "encrypted": False}},
    "dataDisks": [
        {"cloudDisk": {"snapshotId": "snapshot-2", "encrypted": False}},
        {"cloudDisk": {"diskSizeGB": 20}},
        {"localDisk": {}},
        {"cloudDisk": {"snapshotId": "snapshot-2"}},
    ],
    "platform": "CentOS",
    "architecture": "x86_64",
    "osType": "linux",
    "launchPermission": "specifiedUsers",
    "uefiSupport": True,
}


def test_an_image_is_read_whole() -> None:
    """Every field that a copy depends on is read; each snapshot counts once."""
    assert sighting(_result(FULL)) == Sighting(
        image=B1,
        status="pending",
        progress=42,
        name="golden",
        text="from cn-north-1",
        size_mb=2048,
        snapshots=("snapshot-1", "snapshot-2"),
        encrypted=False,
        root_device="cloudDisk",
        image_source="private",
        platform="CentOS",
        architecture="x86_64",
        os_type="linux",
        created="2026-04-02 01:30:45",
        shared=True,
    )


def test_what_an_image_may_lack() -> None:
    """Only id and status are needed; null and absent are the same."""
    bare = Sighting(image=B1, status="ready")
    assert sighting(_result(image("img-b1"))) == bare
    empty = dict.fromkeys(FULL, None) | {"imageId": "img-b1", "status": "ready"}
    assert sighting(_result(empty)) == bare


def test_an_unknown_status_is_passed_on() -> None:
    """A word that the cloud invents tomorrow is shown as it is."""
    assert sighting(_result(image("img-b1", "archiving"))).status == "archiving"


@pytest.mark.parametrize(
    ("progress", "read"),
    [
        ("0", 0),
        ("80", 80),
        ("100", 100),
        ("250", 100),
        ("9" * 900, 100),
        (55, 55),
        ("", None),
        (None, None),
        ("35%", None),
        ("-1", None),
        ("soon", None),
        ("²", None),
        ("٣", None),
    ],
)
def test_progress_is_for_information(progress: object, read: int | None) -> None:
    """A percentage that cannot be read is none, and never more than 100."""
    assert sighting(_result(image("img-b1", "pending", progress=progress))).progress == read


@pytest.mark.parametrize("word", ["encrypted", "encrypt"])
@pytest.mark.parametrize("value", [True, "true", "True"])
@pytest.mark.parametrize("disk", ["systemDisk", "dataDisks"])
def test_encryption_is_seen_on_every_disk(word: str, value: object, disk: str) -> None:
    """Both spellings, on the system disk and on a data disk, as a flag and as text."""
    holder = {"cloudDisk": {word: value}}
    disks = {disk: [holder] if disk == "dataDisks" else holder}
    seen = sighting(_result(image("img-b1") | disks))
    assert seen.encrypted is True


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"imageId": None}, "imageId: not an image id"),
        ({"imageId": "IMG-B1"}, "imageId: not an image id"),
        ({"imageId": "img-b1\n"}, "imageId: not an image id"),
        ({"imageId": "img-" + "a" * 33}, "imageId: not an image id"),
        ({"status": None}, "status: missing"),
        ({"status": ""}, "status: missing"),
        ({"status": 5}, "status: not a text"),
        ({"name": ["x"]}, "name: not a text"),
        ({"desc": {"x": 1}}, "desc: not a text"),
        ({"sizeMB": "2048"}, "sizeMB: not a count"),
        ({"sizeMB": 1.5}, "sizeMB: not a count"),
        ({"sizeMB": True}, "sizeMB: not a count"),
        ({"sizeMB": -1}, "sizeMB: not a count"),
        ({"progress": [1]}, "progress: not a text"),
        ({"progress": True}, "progress: not a text"),
        ({"progress": -1}, "progress: not a count"),
        ({"snapshotId": 5}, "snapshotId: not a text"),
        ({"systemDisk": "x"}, "systemDisk: not an object"),
        ({"systemDisk": {"cloudDisk": []}}, "systemDisk.cloudDisk: not an object"),
        ({"dataDisks": {}}, "dataDisks: not an array"),
        ({"dataDisks": [5]}, "dataDisks[0]: not an object"),
    ],
)
def test_one_bad_image_makes_its_page_unreadable(change: dict[str, object], complaint: str) -> None:
    """A page that would hide an image is no page; the complaint says which and what."""
    page = {"images": [image("img-b2"), FULL | change]}
    with pytest.raises(Unreadable) as error:
        images(_result(page))
    assert str(error.value) == f"result.images[1].{complaint}"


def test_a_page_shows_each_image_once() -> None:
    """The same id twice on one page is a contradiction."""
    with pytest.raises(Unreadable, match=r"^result\.images: img-b1 twice$"):
        images(_result({"images": [image("img-b1"), image("img-b2"), image("img-b1", "error")]}))


def test_a_result_without_images_is_not_an_empty_page() -> None:
    """Null is an empty page; a missing key shows nothing."""
    assert images(_result({"images": None})) == images(_result({"images": []})) == ()
    with pytest.raises(Unreadable, match=r"^result\.images: missing$"):
        images(_result({}))


GOOD, OTHER = (A1, B1), (A2, B2)


@pytest.mark.parametrize(
    ("odd", "believed"),
    [
        ((A2, B1), []),  # one destination for two sources
        ((A1, "img-b3"), []),  # two destinations for one source
        ((A1, None), []),  # the same, one of them malformed
        (("img-foreign", B1), []),  # another source's destination
        ((A2, A2), [GOOD]),  # a copy of itself
        ((A2, A1), [GOOD]),  # another source as a destination
        ((A2, "x"), [GOOD]),
        ((A2, 5), [GOOD]),
        ((None, "img-b3"), [GOOD]),
        (("img-foreign", "img-b3"), [GOOD]),
        (GOOD, [GOOD]),  # the same fact twice is one fact
    ],
)
def test_only_what_is_not_contradicted_is_believed(
    odd: tuple[object, object], believed: list[object]
) -> None:
    """What the answer contradicts is left out, whatever the order; the rest counts."""
    for told in permutations([GOOD, odd]):
        try:
            assert list(pairs(_result(accepted(*told)), (A1, A2))) == believed
        except Unreadable:
            assert believed == []


def test_a_contradiction_does_not_touch_the_others() -> None:
    """A pair that nothing speaks against is believed beside two that contradict each other."""
    told = accepted(OTHER, (A1, B1), (A1, "img-b3"))
    assert pairs(_result(told), (A1, A2)) == (OTHER,)


def test_elements_that_are_no_pairs_are_passed_over() -> None:
    """Garbage in the list leaves its source in doubt and the good pair good."""
    told: dict[str, object] = {
        "copyImages": [None, 5, "x", [], {}, {"sourceImageId": A1, "destinationImageId": B1}]
    }
    assert pairs(_result(told), (A1, A2)) == (GOOD,)


@pytest.mark.parametrize("told", [{}, {"copyImages": None}, {"copyImages": []}, {"copyImages": "x"}])
def test_an_acceptance_without_pairs_is_unreadable(told: dict[str, object]) -> None:
    """No usable pair is no acceptance."""
    with pytest.raises(Unreadable, match=r"^result\.copyImages"):
        pairs(_result(told), (A1, A2))


@pytest.mark.parametrize(
    ("resource", "result"),
    [
        (Resource.IMAGE, {"quotas": []}),
        (Resource.IMAGE, {"quotas": [{"resourceType": "instance", "limit": 1, "used": 1}]}),
        (Resource.IMAGE, {"quotas": [{"resourceType": "image", "limit": 1, "used": 1}] * 2}),
        (Resource.IMAGE, {"quotas": [{"resourceType": "image", "limit": "5", "used": 1}]}),
        (Resource.IMAGE, {"quotas": [{"resourceType": "image", "limit": 5}]}),
        (Resource.IMAGE, {"quota": {"limit": 5, "used": 1}}),
        (Resource.SNAPSHOT, {"quota": None}),
        (Resource.SNAPSHOT, {"quota": {"limit": 15, "used": -1}}),
        (Resource.SNAPSHOT, {"quota": {"limit": 15.0, "used": 1}}),
        (Resource.SNAPSHOT, {"quota": [{"limit": 15, "used": 1}]}),
    ],
)
def test_a_quota_of_another_shape_is_refused(resource: Resource, result: dict[str, object]) -> None:
    """Exactly one quota of the kind asked for, with two counts."""
    with pytest.raises(Unreadable, match=r"^result\.quota"):
        quota(_result(result), resource)
