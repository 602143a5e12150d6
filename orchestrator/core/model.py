"""The nouns: regions, images, copies, chunks and the states of a copy. No behaviour beyond checks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple, NewType

Region = NewType("Region", str)
ImageId = NewType("ImageId", str)
CallId = NewType("CallId", str)
RunId = NewType("RunId", str)

DOCUMENTED_REGIONS = frozenset(map(Region, ("cn-north-1", "cn-east-1", "cn-east-2", "cn-south-1")))
"""The regions in the official API documentation of virtual machines; there is no call that lists them."""

CHUNK_MAX = 10
"""Most images in one copyImages call (official API page, parameter sourceImageIds)."""

PAGE_SIZE = 100
"""Most images in one describeImages answer (official API page: pageSize within [10, 100])."""


class Copy(NamedTuple):
    """The unit of truth: one source image wanted in one destination region."""

    source: ImageId
    origin: Region
    destination: Region


@dataclass(frozen=True, slots=True)
class Chunk:
    """The unit of travel: 1 to 10 copies that share a destination and travel from one region.

    A plain chunk is sent where its originals are. A relayed one is sent to `via`, and `carriers`
    are the images that it really names, one for each copy: a ready copy of the original there, or
    the original itself where it lies in that region.
    """

    copies: tuple[Copy, ...]
    via: Region | None = None
    carriers: tuple[ImageId, ...] = ()

    def __post_init__(self) -> None:
        """Refuse to exist when one call could not carry it."""
        if not 1 <= len(self.copies) <= CHUNK_MAX:
            raise ValueError(f"a chunk holds 1 to {CHUNK_MAX} copies, not {len(self.copies)}")
        if len({copy.destination for copy in self.copies}) > 1:
            raise ValueError("the copies of a chunk share a destination")
        if self.via is None:
            self._check_plain()
        else:
            self._check_relayed(self.via)
        if len(set(self.sources)) < len(self.copies):
            raise ValueError("a chunk holds each source once")

    def _check_plain(self) -> None:
        if len({copy.origin for copy in self.copies}) > 1:
            raise ValueError("the copies of a chunk share origin and destination")
        if self.carriers:
            raise ValueError("a chunk without a via has no carriers")

    def _check_relayed(self, via: Region) -> None:
        if via == self.destination or all(copy.origin == via for copy in self.copies):
            raise ValueError("a chunk is relayed by a region that is neither its origin nor its destination")
        if len(self.carriers) != len(self.copies) or len(set(self.copies)) < len(self.copies):
            raise ValueError("a relayed chunk holds each copy once, each with its carrier")
        pairs = zip(self.copies, self.carriers, strict=True)
        if any(copy.origin == via and copy.source != carrier for copy, carrier in pairs):
            raise ValueError("where an original lies, it carries its copies itself")

    @property
    def origin(self) -> Region:
        """The region the call is sent to."""
        return self.copies[0].origin if self.via is None else self.via

    @property
    def destination(self) -> Region:
        """The region the copies appear in."""
        return self.copies[0].destination

    @property
    def sources(self) -> tuple[ImageId, ...]:
        """The image ids that the call names, in order: the carriers, or else the originals."""
        return self.carriers or self.originals

    @property
    def originals(self) -> tuple[ImageId, ...]:
        """The ids of the original images, in order."""
        return tuple(copy.source for copy in self.copies)


class State(Enum):
    """Where one copy stands; the moves between them are the table in `lifecycle`."""

    WAITING = "waiting"  # to be copied when source, region and clock allow
    CALLING = "calling"  # its intent is on disk, the answer is not
    DOUBTFUL = "doubtful"  # a call was sent and nobody knows whether it made the copy
    COPYING = "copying"  # the cloud accepted it; the destination image is not ready yet
    READY = "ready"  # the cloud said ready
    FAILED = "failed"  # given up for this run, with a reason

    __hash__ = object.__hash__  # each is one object: Enum's own hash is Python code, and this is the hot path


WAITING, CALLING, DOUBTFUL, COPYING, READY, FAILED = State
"""The same by names of their own: Python 3.11 takes ten times as long to find `State.WAITING`."""


class Resource(Enum):
    """What a destination counts against a quota."""

    IMAGE = "image"
    SNAPSHOT = "snapshot"

    __hash__ = object.__hash__


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One image as the cloud showed it in a listing or a look.

    `status` is the cloud's own word: pending, ready, error, deleting, or one we do not know.
    `text` is the field `desc`; `progress` is in percent; `snapshots` are the cloud-disk snapshots
    the image refers to (its copy needs as many in the destination). `owner` is the account's name.
    `platform`, `architecture` and `os_type` are the cloud's words (CentOS, x86_64, linux), empty where it
    said none. `created` is the field `createTime` as the cloud wrote it, without a zone; `shared` tells
    that other accounts may use it.
    """

    image: ImageId
    status: str
    progress: int | None = None
    name: str = ""
    text: str = ""
    size_mb: int | None = None
    snapshots: tuple[str, ...] = ()
    encrypted: bool = False
    root_device: str = ""
    image_source: str = ""
    owner: str = ""
    platform: str = ""
    architecture: str = ""
    os_type: str = ""
    created: str = ""
    shared: bool = False
