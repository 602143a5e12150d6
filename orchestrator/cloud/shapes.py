"""The shapes inside a success: images, pairs and quotas. Pure; any other shape raises Unreadable.

Nothing is guessed: one bad image makes its whole page unreadable, for a page that hides an image
would be taken as proof that it is not there. Names, texts and progress are for information.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from orchestrator.cloud.document import Node
from orchestrator.cloud.errors import image_id
from orchestrator.core.model import ImageId, Resource, Sighting

_TOTAL_MAX = 100_000
"""Most images that a listing may claim: a thousand pages. The documented quota of a region begins at 5."""

Pairs = tuple[tuple[ImageId, ImageId], ...]


def images(result: Node) -> tuple[Sighting, ...]:
    """Read `images`, each id once. Null is none, but a result without the key shows nothing."""
    if not result.has("images"):
        raise result.at("images").complaint("missing")
    found = tuple(sighting(item) for item in result.at("images").items())
    seen = Counter(image.image for image in found)
    double = next((image for image, times in seen.items() if times > 1), None)
    if double is not None:
        raise result.at("images").complaint(f"{double} twice")
    return found


def asked(result: Node, ids: Collection[ImageId]) -> tuple[Sighting, ...]:
    """Read `images` and keep those that were asked for."""
    wanted = frozenset(ids)
    return tuple(image for image in images(result) if image.image in wanted)


def sighting(item: Node) -> Sighting:
    """Read one image. Statuses that we do not know are passed on as they are."""
    status = item.at("status").text()
    if not status:
        raise item.at("status").complaint("missing")
    disks = _cloud_disks(item)
    size = item.at("sizeMB")
    return Sighting(
        image=item.at("imageId").image(),
        status=status,
        progress=_progress(item.at("progress")),
        name=item.at("name").text(),
        text=item.at("desc").text(),
        size_mb=None if size.value is None else size.count(),
        snapshots=_snapshots(item, disks),
        encrypted=any(disk.at("encrypted").flag() or disk.at("encrypt").flag() for disk in disks),
        root_device=item.at("rootDeviceType").text(),
        image_source=item.at("imageSource").text(),
        owner=item.at("ownerPin").text(),
        platform=item.at("platform").text(),
        architecture=item.at("architecture").text(),
        os_type=item.at("osType").text(),
        created=item.at("createTime").text(),
        shared=item.at("launchPermission").text() not in ("", "ownerOnly"),
    )


def total(result: Node) -> int:
    """Read `totalCount`, the number of images on all pages; one that no walk would end at is refused."""
    found = result.at("totalCount").count()
    if found > _TOTAL_MAX:
        raise result.at("totalCount").complaint(f"{found} images")
    return found


def pairs(result: Node, sources: Collection[ImageId]) -> Pairs:
    """Read the (source, destination image) pairs of an accepted call that can be believed.

    Left out, and thereby in doubt: a source with two destinations, a destination given twice, a
    destination that is one of the sources, anything malformed. Sources that were not in the call
    are dropped. Raises Unreadable when nothing is left.
    """
    told = dict.fromkeys(map(_pair, result.at("copyImages").items()))
    givers = Counter(source for source, _ in told)
    given = Counter(made for _, made in told)
    good = tuple(
        (source, made)
        for source, made in told
        if source is not None and made is not None and source in sources and made not in sources
        if givers[source] == 1 and given[made] == 1
    )
    if not good:
        raise result.at("copyImages").complaint("no pair that can be believed")
    return good


def quota(result: Node, resource: Resource) -> tuple[int, int]:
    """Read a quota: (limit, used). Images come in a list of quotas, snapshots as one object."""
    found = _image_quota(result) if resource is Resource.IMAGE else result.at("quota")
    return found.at("limit").count(), found.at("used").count()


def _image_quota(result: Node) -> Node:
    """Find the one quota of images among the quotas."""
    quotas = [item for item in result.at("quotas").items() if item.at("resourceType").value == "image"]
    if len(quotas) != 1:
        raise result.at("quotas").complaint(f"{len(quotas)} quotas of images, not 1")
    return quotas[0]


def _pair(item: Node) -> tuple[ImageId | None, ImageId | None]:
    """Read one pair; a part that is no image id is None."""
    if not isinstance(item.value, dict):
        return None, None
    return image_id(item.at("sourceImageId").value), image_id(item.at("destinationImageId").value)


def _cloud_disks(item: Node) -> list[Node]:
    """List the cloud disks behind an image: the system disk's, then the data disks'."""
    disks = [item.at("systemDisk"), *item.at("dataDisks").items()]
    clouds = [disk.at("cloudDisk") for disk in disks if disk.value is not None]
    return [cloud for cloud in clouds if cloud.value is not None]


def _snapshots(item: Node, disks: list[Node]) -> tuple[str, ...]:
    """Name the snapshots an image refers to, each once; the system disk's is written in two places."""
    found = [item.at("snapshotId").text(), *(disk.at("snapshotId").text() for disk in disks)]
    return tuple(dict.fromkeys(name for name in found if name))


def _progress(node: Node) -> int | None:
    """Read a percentage: documented as a text of digits, which may be absent."""
    if type(node.value) is int:
        return min(node.count(), 100)
    text = node.text()
    return min(int(text[:4]), 100) if text.isascii() and text.isdigit() else None
