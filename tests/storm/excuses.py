"""Which ends of a copy the world itself confirms: ready ones, and those that nobody could have made."""

from __future__ import annotations

from orchestrator.core.model import Copy, ImageId, State
from orchestrator.core.reasons import Reason
from orchestrator.simulator.things import ERROR, PENDING, READY, Store
from tests.storm.cloudscape import Cloudscape
from tests.storm.scenario import Habit


def excused(cloudscape: Cloudscape, state: State, reason: Reason, copy: Copy, image: ImageId | None) -> bool:
    """Tell whether a copy may stand so when everything is over."""
    origin, destination = (cloudscape.world.stores[r] for r in (copy.origin, copy.destination))
    if state is State.READY:
        return image is not None and _status(destination, image) == READY
    if state is State.DOUBTFUL:
        return reason is Reason.NEEDS_PERSON and _nobody_can_tell(cloudscape, copy)
    if state is not State.FAILED or cloudscape.scenario.plain:
        return False
    if reason is Reason.COPY_ERROR:
        return image is not None and _status(destination, image) == ERROR
    if reason is Reason.COPY_TIMEOUT:
        return image is not None and _status(destination, image) == PENDING
    if reason is Reason.DUPLICATE:
        return _copies_of(cloudscape, copy) > 1
    if reason in (Reason.BUSY, Reason.CONFLICT):
        return origin.locks.get(copy.source, 0) > 0
    return reason in impossible(origin, copy.source)


def _status(store: Store, image: ImageId) -> str:
    """Tell an image's true status, empty when there is none."""
    found = store.images.get(image)
    return found.status if found else ""


def _copies_of(cloudscape: Cloudscape, copy: Copy) -> int:
    """Count the live images there that are its copies, say so, or might be where no mark tells."""
    books = cloudscape.world.record.copies
    made = {ImageId(entry["image"]) for entry in books if entry["root"] == copy.source}
    said = {image for image, source in cloudscape.foreign.items() if source == copy.source}
    held = cloudscape.world.stores[copy.destination].images
    names = _names(cloudscape, copy)
    alike = {image for image, there in held.items() if there.name in names}
    perhaps = set() if cloudscape.scenario.habit is Habit.MARKS else alike
    return sum(held[image].status in (PENDING, READY) for image in made | said | perhaps if image in held)


def _names(cloudscape: Cloudscape, copy: Copy) -> set[str]:
    """Name the source as it was when the storm began."""
    return {furniture.name for furniture in cloudscape.scenario.sources if furniture.image == copy.source}


def _nobody_can_tell(cloudscape: Cloudscape, copy: Copy) -> bool:
    """Tell whether nothing settles a doubt: no texts, a renamed source, or a lookalike."""
    if not cloudscape.scenario.habit.tells or copy.source in cloudscape.renamed:
        return True
    names, held = _names(cloudscape, copy), cloudscape.world.stores[copy.destination].images
    return any(held[image].name in names for image in cloudscape.foreign if image in held)


def impossible(origin: Store, source: ImageId) -> set[Reason]:
    """Name the reasons for which this source cannot be copied, as it is."""
    image = origin.images.get(source)
    if image is None:
        return {Reason.NOT_FOUND}
    reasons = {
        Reason.LOCAL_DISK: image.root_device != "cloudDisk",
        Reason.NOT_PRIVATE: image.image_source != "private",
        Reason.ENCRYPTED: origin.encrypted_snapshot(image) is not None,
        Reason.SOURCE_STATUS: image.status not in (READY, PENDING),
    }
    return {reason for reason, holds in reasons.items() if holds}
