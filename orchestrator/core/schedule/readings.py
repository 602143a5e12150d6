"""What is known or believed of a destination: quotas, places, fullness, texts, a listing. Data only."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from orchestrator.core.model import ImageId, Resource, Sighting
from orchestrator.core.reasons import Reason

T = TypeVar("T")
"""A copy's record: those who keep the places know it, this module does not."""

LIVE = ("pending", "ready")
"""The states of an image that is there and not broken."""


@dataclass(slots=True)
class Quota:
    """One quota as last read, and what was sent since."""

    limit: int
    used: int
    committed: int = 0
    at: float = 0.0

    @property
    def room(self) -> int:
        """How many more fit."""
        return max(0, self.limit - self.used - self.committed)


@dataclass(slots=True)
class Park:
    """A full destination: tried again at `until`; `probing` while that try is under way."""

    reason: Reason
    until: float
    probing: bool = False
    exhausted: bool = False


@dataclass(slots=True)
class Listing:
    """The pages of a listing under way, and when its first request was sent.

    Of a living image that was known when it was shown only the name is kept, in `known`: there may be
    a million of them. All others are in `images`.
    """

    began: float = 0.0
    total: int = 0
    shown: int = 0
    page: int = 0
    images: list[Sighting] = field(default_factory=list)
    known: list[ImageId] = field(default_factory=list)


class Evidence(Enum):
    """What the texts of accepted copies in a destination have shown so far."""

    UNKNOWN = "no accepted copy has been read back yet"
    MARK = "our mark is stored"
    PLATFORM = "the platform's own text names the source image"
    NONE = "neither: nothing tells whose copy an image is"


@dataclass(slots=True)
class Admission(Generic[T]):
    """The places that a destination's quotas leave for its waiting copies; who has none is deferred.

    `promised` is what the copies with a place will take, `deferred` what the others would;
    `queues` hold those by the snapshots each takes: heaps of (paused until, order, copy), in
    which entries that no longer hold are skipped when met.
    """

    promised: Counter[Resource] = field(default_factory=Counter)
    deferred: Counter[Resource] = field(default_factory=Counter)
    queues: dict[int, list[tuple[float, int, T]]] = field(default_factory=dict)


def nobody() -> list[int]:
    """Count nothing yet: number and size."""
    return [0, 0]


@dataclass(slots=True)
class Window:
    """How many copies may be in flight to a destination, `most`; None: nothing was learned.

    `grown` counts those accepted since it last grew, `crowd` the refusals in a row that were about
    different images, all of which are in `refused`; from `calm_at` on it may shrink again.
    """

    most: int | None = None
    grown: int = 0
    crowd: int = 0
    refused: set[ImageId] = field(default_factory=set)
    calm_at: float = 0.0
