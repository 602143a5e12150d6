"""What copyImages checks before it does anything, and in which order. Changes nothing.

The real order is not documented. Here it is fixed: the shape of the call, its regions, its
description; then image by image in the order given, the first complaint about an image winning
in the order of `refuse_image`; last the destination's room, images before snapshots.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from orchestrator.core.model import CHUNK_MAX, ImageId, Region
from orchestrator.simulator import refusals
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.things import READY, Image, Store

NAME_MAX = 32
TEXT_MAX = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyRequest:
    """The body of one copyImages call. `name` and `description` are for every copy of the call."""

    origin: Region
    destination: Region
    sources: tuple[ImageId, ...]
    name: str | None = None
    description: str | None = None


def check_shape(request: CopyRequest) -> None:
    """Refuse an empty, too long or repeating list, and texts out of bounds; these texts are ours."""
    if not request.sources:
        raise refusals.invalid("Parameter sourceImageIds missing")
    if len(request.sources) > CHUNK_MAX:
        raise refusals.invalid(f"sourceImageIds out of range, at most {CHUNK_MAX}")
    if len(set(request.sources)) < len(request.sources):
        raise refusals.invalid("Duplicate image in sourceImageIds")
    check_texts(request.name, request.description)


def check_texts(name: str | None, description: str | None) -> None:
    """Refuse a name or a description that is out of bounds."""
    if name is not None and not 1 <= len(name) <= NAME_MAX:
        raise refusals.invalid("Invalid parameter name")
    if description is not None and len(description) > TEXT_MAX:
        raise refusals.invalid("Invalid parameter description")


def check_description(request: CopyRequest, *, refuses: bool) -> None:
    """Refuse a description where the gateway does not know the field (it is in the SDK only)."""
    if refuses and request.description is not None:
        raise refusals.invalid("Unknown parameter 'description'")


def refuse_image(store: Store, source: ImageId, at: float, *, locks: bool) -> Refusal | None:
    """Say why one image cannot be copied now, or None."""
    image = store.images.get(source)
    if image is None:
        return refusals.not_found(source)
    if image.image_source != "private":
        return refusals.not_usable()
    if image.root_device != "cloudDisk":
        return refusals.local_disk()
    if image.status != READY:
        return refusals.bad_status(image.status)
    if (snapshot := store.encrypted_snapshot(image)) is not None:
        return refusals.encrypted(snapshot)
    return _refuse_for_now(store, image, at, locks=locks)


def _refuse_for_now(store: Store, image: Image, at: float, *, locks: bool) -> Refusal | None:
    """Say why a fine image cannot be copied just now, or None."""
    if image.task_until_s > at:
        return refusals.conflict(f"task-{image.id.removeprefix('img-')}")
    if image.busy_until_s > at or (locks and store.locks.get(image.id, 0) > 0):
        return refusals.busy(image.id)
    return None


def refuse_room(store: Store, images: Sequence[Image]) -> Refusal | None:
    """Say which quota of the destination these images would break, or None."""
    if store.private_images() + len(images) > store.image_quota:
        return refusals.image_quota()
    if len(store.snapshots) + sum(len(image.snapshots) for image in images) > store.snapshot_quota:
        return refusals.snapshot_quota()
    return None
