"""What a tiny cloud holds, as values that can be compared and hashed. Decides nothing.

Time is counted in ticks. A tick is a power of two in seconds, so that sums are exact, and shorter
than the shortest pause between two looks, so that the schedule's guesses about durations never matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Action, Event
from orchestrator.core.model import CallId, Copy, ImageId, Region

EPOCH = 2.0**30
TICK_S = 2.0**-4
SETTLE = 2
"""Ticks after the end of a request within which an accepted copy shows: the assumption of the claim."""

PATIENCE = 1
"""Ticks that a request may be on its way before it must be answered or lost (REQUEST_TIMEOUT)."""

WAITED_FOR = -1
"""`Request.ended` of a request whose answer somebody still waits for."""

JITTER = 0.5
NORTH = Region("cn-north-1")
LEDGER = "walk"
LIMITS = Limits(
    workers=2,
    requests_per_minute=1_000_000,
    poll_interval_s=TICK_S,
    chunk_linger=0.0,
    backoff_initial_s=TICK_S / JITTER,
    backoff_max_s=TICK_S / JITTER,
    quota_interval_s=TICK_S,
    copy_timeout_s=1e9,
    settle_s=SETTLE * TICK_S,
    max_attempts=5,
)


def moment(tick: int) -> float:
    """Return a tick's time in UTC epoch seconds."""
    return EPOCH + tick * TICK_S


class Fault(StrEnum):
    """What may go wrong; each time costs one of the faults that a walk allows."""

    LOSE = "lose"  # the answer to a call never comes, the call may still be carried out
    INCOMPLETE = "incomplete"  # the answer to a call leaves a copy out
    THROTTLE = "throttle"
    BUSY = "busy"  # a task of somebody else holds the source
    QUOTA = "quota"
    UNEXPLAINED = "unexplained"  # refused, nobody named
    SILENT = "silent"  # a read is not answered
    ERROR = "error"  # a copy ends in error
    VANISH = "vanish"  # somebody deletes a copy


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What one walk is about. `marks`: descriptions are stored; `namesakes`: the sources share a name."""

    images: int = 2
    destinations: int = 2
    faults: int = 2
    crashes: int = 1
    kinds: frozenset[Fault] = frozenset(Fault)
    marks: bool = True
    namesakes: bool = False
    room: int = 100

    @property
    def sources(self) -> tuple[ImageId, ...]:
        """The source images: a, b, ..."""
        return tuple(ImageId(f"img-{letter}") for letter in "abcdefgh"[: self.images])

    @property
    def regions(self) -> tuple[Region, ...]:
        """The destinations."""
        return (Region("cn-east-2"), Region("cn-south-1"), Region("cn-east-1"))[: self.destinations]

    @property
    def wanted(self) -> tuple[Copy, ...]:
        """The plan: every source in every destination."""
        return tuple(Copy(source, NORTH, to) for source in self.sources for to in self.regions)

    def name(self, source: ImageId) -> str:
        """Return the name of a source image."""
        return "golden" if self.namesakes else f"golden-{source[4:]}"


class Made(NamedTuple):
    """An image in a destination. `ready` remembers that the cloud said so once."""

    destination: Region
    source: ImageId
    image: ImageId
    call: CallId
    text: str
    status: str = "pending"  # then ready or error; gone when somebody deleted it
    ready: bool = False

    @property
    def live(self) -> bool:
        """Tell whether it is a copy, or becomes one."""
        return self.status in ("pending", "ready")


class Request(NamedTuple):
    """A request on its way. `answer` is set once the cloud has carried it out.

    `ended` is the tick at which nobody waited for it any more: its answer was lost, or its process died.
    """

    action: Action
    call: CallId
    sent: int
    answer: Event | None = None
    ended: int = WAITED_FOR

    @property
    def orphan(self) -> bool:
        """Tell whether nobody waits for its answer."""
        return self.ended != WAITED_FOR


class Cloud(NamedTuple):
    """Everything outside of the program: images, and requests in the order in which they were sent."""

    images: tuple[Made, ...] = ()
    requests: tuple[Request, ...] = ()

    def replacing(self, old: Request, new: Request | None) -> Cloud:
        """Return the cloud with one request changed, or gone."""
        at = self.requests.index(old)
        return self._replace(
            requests=(*self.requests[:at], *((new,) if new else ()), *self.requests[at + 1 :])
        )

    def turning(self, image: Made, status: str) -> Cloud:
        """Return the cloud with one image in another status."""
        ready = image.ready or status == "ready"
        turned = image._replace(status=status, ready=ready)
        return self._replace(images=tuple(turned if i is image else i for i in self.images))
