"""What this run has read of a destination, or believes of it: quotas, fullness, a listing. Data only."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.core.model import ImageId, Sighting
from orchestrator.core.reasons import Reason

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
