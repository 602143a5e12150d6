"""What a simulated world is made of: snapshots, images, copies under way, and the store of one region."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from math import inf

from orchestrator.core.model import ImageId, Region
from orchestrator.simulator.traits import Fate

OS_TYPE = "linux"
"""Of every image: no call depends on it."""

_CHINA = timedelta(hours=8)
"""createTime bears no zone in the documents; the cloud's own time is assumed."""

PENDING, READY, ERROR, DELETING = "pending", "ready", "error", "deleting"
"""The four statuses an image can have (official status page)."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One cloud-disk snapshot; it outlives its image unless deleted with it."""

    id: str
    size_gb: int
    encrypted: bool = False


@dataclass(slots=True)
class Image:
    """One image of a region. The first of `snapshots` is the system disk's.

    `started_s` and `due_s` are the span of the copy that makes it; a finished image has
    `due_s` in the past. Until `visible_s` no describe call shows it. `root` is the image that no
    copy made and that this one is a copy of, however often it was copied on; None for itself.
    """

    id: ImageId
    name: str
    size_mb: int
    snapshots: tuple[str, ...] = ()
    text: str = ""
    status: str = READY
    image_source: str = "private"
    owner: str = "simulator"
    root_device: str = "cloudDisk"
    platform: str = "CentOS"
    architecture: str = "x86_64"
    shared: bool = False
    root: tuple[Region, ImageId] | None = None
    created_s: float = 0.0
    visible_s: float = -inf
    started_s: float = 0.0
    due_s: float = 0.0
    busy_until_s: float = -inf  # converted by somebody else until then
    task_until_s: float = -inf  # worked on by a foreign task until then

    def rooted(self, region: Region) -> tuple[Region, ImageId]:
        """Name the image at the beginning of its line of copies; `region` is where it lies itself."""
        return self.root or (region, self.id)

    def progress(self, at: float) -> int:
        """Tell how far its making has come, in percent; 100 only when it is over."""
        if self.status != PENDING:
            return 100
        span_s = self.due_s - self.started_s
        done = (at - self.started_s) / span_s if span_s > 0 else 0.0
        return min(99, max(0, int(100 * done)))


def created_text(created_s: float) -> str:
    """Write the time of creation (epoch seconds) as `createTime` shows it."""
    return f"{datetime.fromtimestamp(created_s, UTC) + _CHINA:%Y-%m-%d %H:%M:%S}"


@dataclass(frozen=True, slots=True)
class Task:
    """One copy under way: which image makes which, how it will end, and whether it holds its source.

    `root` is the image at the beginning of the line of copies, often the source itself.
    """

    number: int
    source: ImageId
    origin: Region
    destination: Region
    image: ImageId
    due_s: float
    fate: Fate
    holds: bool
    root: tuple[Region, ImageId]


@dataclass(slots=True)
class Store:
    """What one region holds, and how much it may hold."""

    region: Region
    image_quota: int = 5
    snapshot_quota: int = 15
    images: dict[ImageId, Image] = field(default_factory=dict)
    snapshots: dict[str, Snapshot] = field(default_factory=dict)
    locks: dict[ImageId, int] = field(default_factory=dict)  # source -> copies of it under way

    def private_images(self) -> int:
        """Count what uses the image quota: every private image, pending ones included."""
        return sum(image.image_source == "private" for image in self.images.values())

    def drop(self, image: ImageId, *, with_snapshots: bool) -> None:
        """Forget an image; its snapshots stay and keep counting unless they go with it."""
        gone = self.images.pop(image, None)
        if gone is not None and with_snapshots:
            for snapshot in gone.snapshots:
                self.snapshots.pop(snapshot, None)

    def encrypted_snapshot(self, image: Image) -> str | None:
        """Name the first encrypted snapshot of an image, if it has one."""
        held = (self.snapshots.get(snapshot) for snapshot in image.snapshots)
        return next((snapshot.id for snapshot in held if snapshot and snapshot.encrypted), None)
