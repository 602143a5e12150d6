"""What happened (events), what to do (actions), what an event did to a copy (changes).

An event is a fact with a time (UTC epoch seconds), stored for ever: fields are only added, with a
default. One action is one HTTP request and is answered by exactly one event.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.limits import Limits
from orchestrator.core.memory import KnownCall, KnownCopy, KnownRegion, KnownRoute, KnownShelf, KnownSource
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region, Resource, RunId, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Upkeep

# --- events: a run --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A run began, under these limits: a replay under other settings must decide as it did then.

    A run that `rebuilds` a lost ledger only looks, and doubts whatever it wants: a call that
    nobody remembers may have made it.
    """

    at: float
    run: RunId
    plan: str = ""
    limits: Limits | None = None
    endpoint: str = ""
    rebuilds: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The run wants these copies (one of possibly several batches); `relay`: made of ready copies too."""

    at: float
    copies: tuple[Copy, ...]
    relay: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A person looked: the doubtful copy was made (as `image`, if that is known) or was not."""

    at: float
    copy: Copy
    made: bool
    image: ImageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The run ended with this verdict and exit code."""

    at: float
    run: RunId
    verdict: str
    exit_code: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Remembered:
    """A part of what a compaction kept of the events that it took away."""

    at: float
    endpoint: str = ""
    account: str = ""
    regions: tuple[KnownRegion, ...] = ()
    routes: tuple[KnownRoute, ...] = ()
    sources: tuple[KnownSource, ...] = ()
    copies: tuple[KnownCopy, ...] = ()
    calls: tuple[KnownCall, ...] = ()
    shelves: tuple[KnownShelf, ...] = ()
    patterns: tuple[tuple[str, str], ...] = ()


# --- events: a call -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """The intent to send one copyImages call; on disk before the first byte is sent.

    `via` and `carriers` are those of a relayed chunk (`model.Chunk`): where it is sent, and the
    image that it names for each copy.
    """

    at: float
    call: CallId
    copies: tuple[Copy, ...]
    marked: bool = True
    via: Region | None = None
    carriers: tuple[ImageId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The call was accepted: (image sent, destination image) pairs. Copies left out are in doubt."""

    at: float
    call: CallId
    pairs: tuple[tuple[ImageId, ImageId], ...]
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The call surely made nothing; `culprit` is the image sent that the answer names, if it does.

    `until` (the engine fills it in) is when it may be tried again, jitter included.
    """

    at: float
    call: CallId
    reason: Reason
    culprit: ImageId | None = None
    detail: str = ""
    request: str = ""
    until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """Nobody knows what the call made. `at` is when the request ended."""

    at: float
    call: CallId
    reason: Reason
    detail: str = ""
    request: str = ""


# --- events: a read -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What the origin shows of the source images asked for; the missing are not in `images`."""

    at: float
    origin: Region
    asked: tuple[ImageId, ...]
    images: tuple[Sighting, ...]
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One page of a destination's private images. `began` is when its request was sent."""

    at: float
    began: float
    region: Region
    page: int
    total: int
    images: tuple[Sighting, ...]
    shown: int = 0
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surveyed:
    """One quota of a destination."""

    at: float
    region: Region
    resource: Resource
    limit: int
    used: int
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A look at copies under way in a destination; the missing are not in `images`."""

    at: float
    region: Region
    asked: tuple[ImageId, ...]
    images: tuple[Sighting, ...]
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One image asked for by itself; `image` absent (404) means that `sighting` is None."""

    at: float
    region: Region
    image: ImageId
    sighting: Sighting | None
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """A read gave no usable answer. `until` (filled in by the engine) is when to ask again."""

    at: float
    read: str
    region: Region
    reason: Reason
    detail: str = ""
    request: str = ""
    until: float = 0.0


Event = (
    Begun | Planned | Settled | Ended | Remembered | Called | Accepted | Refused | Lost
    | Inspected | Listed | Surveyed | Seen | Checked | Unanswered | Upkeep
)  # fmt: skip
ReadAnswer = Inspected | Listed | Surveyed | Seen | Checked | Unanswered

# --- what an event did to a copy ------------------------------------------------------------------


class Change(NamedTuple):
    """One copy moved, or learned something worth telling: `before` equals `after` then.

    `image` is the destination's, `call` its latest, `until` when it may be tried again. A relayed
    copy is made of the image `carrier` in the region `via`, both None where it is the original. A
    tuple, because a large night makes millions of them.
    """

    at: float
    copy: Copy
    before: State
    after: State
    reason: Reason
    detail: str = ""
    image: ImageId | None = None
    call: CallId | None = None
    until: float | None = None
    via: Region | None = None
    carrier: ImageId | None = None


# --- actions --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Submit:
    """Send one copyImages call with this chunk; `marked` says whether it carries our mark."""

    chunk: Chunk
    marked: bool

    def intent(self, at: float, call: CallId) -> Called:
        """Make the intent that is on disk before this is sent."""
        copies, via, carriers = self.chunk.copies, self.chunk.via, self.chunk.carriers
        return Called(at=at, call=call, copies=copies, marked=self.marked, via=via, carriers=carriers)


@dataclass(frozen=True, slots=True)
class Inspect:
    """Describe up to 100 source images in their region: answered by Inspected."""

    region: Region
    images: tuple[ImageId, ...]


@dataclass(frozen=True, slots=True)
class List:
    """Fetch one page (from 1) of a region's private images: answered by Listed."""

    region: Region
    page: int


@dataclass(frozen=True, slots=True)
class Survey:
    """Read one quota of a destination: answered by Surveyed."""

    region: Region
    resource: Resource


@dataclass(frozen=True, slots=True)
class Look:
    """Describe up to 100 copies under way in a destination: answered by Seen."""

    region: Region
    images: tuple[ImageId, ...]


@dataclass(frozen=True, slots=True)
class Check:
    """Describe one image by itself, so that a 404 says that it is gone: answered by Checked."""

    region: Region
    image: ImageId


Read = Inspect | List | Survey | Look | Check
Action = Submit | Read
