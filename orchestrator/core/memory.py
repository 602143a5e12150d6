"""What a compaction keeps of a schedule, record by record: data as the ledger stores it. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.model import CallId, Copy, ImageId, Region, Sighting, State
from orchestrator.core.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRegion:
    """What is known of a destination for good. `evidence` is the name of a `schedule.tracks.Evidence`.

    `window` is how many copies it takes at a time, where that was found to be fewer than REGION_COPIES.
    `typical_s` was kept by older versions and means nothing any more.
    """

    region: Region
    evidence: str = "UNKNOWN"
    takes_marks: bool = True
    mark_proven: bool = False
    typical_s: float | None = None
    window: int | None = None
    lookalikes: tuple[ImageId, ...] = ()
    former: tuple[ImageId, ...] = ()
    pruned: tuple[ImageId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRoute:
    """How long copies from one region to another took: the sums of a `schedule.forecast.Forecast`.

    Without regions these are the sums of all routes together.
    """

    origin: Region | None = None
    destination: Region | None = None
    sums: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownSource:
    """A source image as it was last seen, with every name it ever had.

    `original_origin` and `original` are those of the image that it is a copy of, where one of our calls
    sent it in the original's place.
    """

    image: ImageId
    origin: Region
    sighting: Sighting | None = None
    names: tuple[str, ...] = ()
    original_origin: Region | None = None
    original: ImageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCopy:
    """Where one copy stands; the fields are those of `schedule.tracks.Track`."""

    copy: Copy
    state: State = State.WAITING
    reason: Reason = Reason.QUEUED
    detail: str = ""
    image: ImageId | None = None
    answered: bool = False
    call: CallId | None = None
    marked: bool = True
    lost_at: float | None = None
    lost_runs: int = 0
    asked: bool = False
    since: float = 0.0
    ready_at: float | None = None
    progress: int | None = None
    seen: bool = False
    taken_over: bool = False
    reserved: bool = False
    via: Region | None = None
    carrier: ImageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCall:
    """A call that was ever sent: its mark must be recognised for ever.

    `copies` are the places of its copies among all of the schedule's, from 0; `is_open` tells that
    its answer is not known yet; `via` and `carriers` are those of a relayed one.
    """

    call: CallId
    copies: tuple[int, ...]
    is_open: bool = False
    marked: bool = True
    via: Region | None = None
    carriers: tuple[ImageId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownShelf:
    """The order in which a destination's images, those under way and its doubts came up, kept for later."""

    region: Region
    images: tuple[ImageId, ...] = ()
    copying: tuple[ImageId, ...] = ()
    doubtful: tuple[Copy, ...] = ()
