"""A port under observation: the simulated cloud, with notes of what left when and what was on disk then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from orchestrator.core.limits import Limits
from orchestrator.core.messages import (
    Accepted,
    Check,
    Checked,
    Event,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    Lost,
    Refused,
    Seen,
    Survey,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import CallId, Chunk, Copy
from orchestrator.simulator.memory import MemoryCloud
from orchestrator.simulator.traits import Pace
from tests.contract.driving import Driver, Row
from tests.nights import Cloud, now


@dataclass
class Sent:
    """One call at the moment it left: its id, its copies, its mark, and what the ledger held by then."""

    at: float
    call: CallId
    copies: tuple[Copy, ...]
    mark: str | None
    ledger: tuple[Event, ...]


@dataclass
class Observed:
    """The simulated cloud's port, and beside it notes of when each request is under way."""

    inner: MemoryCloud
    rows: list[Row] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    open: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def under_way(self, *names: str) -> Iterator[None]:
        """Count one request under each of these names as long as it is open."""
        self.asked.append(now())
        self.open.update(names)
        self.most |= self.open
        try:
            yield
        finally:
            self.open.subtract(names)

    async def copy(self, call: CallId, chunk: Chunk, mark: str | None) -> Accepted | Refused | Lost:
        held = tuple(event for event, _ in self.rows)
        self.sent.append(Sent(now(), call, chunk.copies, mark, held))
        with self.under_way("calls"):
            return await self.inner.copy(call, chunk, mark)

    async def inspect(self, action: Inspect) -> Inspected | Unanswered:
        with self.under_way("reads", action.region):
            return await self.inner.inspect(action)

    async def list(self, action: List) -> Listed | Unanswered:
        with self.under_way("reads", action.region):
            return await self.inner.list(action)

    async def survey(self, action: Survey) -> Surveyed | Unanswered:
        with self.under_way("reads", action.region):
            return await self.inner.survey(action)

    async def look(self, action: Look) -> Seen | Unanswered:
        with self.under_way("reads", action.region):
            return await self.inner.look(action)

    async def check(self, action: Check) -> Checked | Unanswered:
        with self.under_way("reads", action.region):
            return await self.inner.check(action)


@dataclass
class Rig:
    """A simulated cloud, its observed port and the driver of the engine."""

    world: Cloud
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        rows: list[Row] = []
        self.port = Observed(self.world.port(), rows)
        self.driver = Driver(self.port, self.limits, rows)

    @property
    def events(self) -> list[Event]:
        """What the ledger holds."""
        return self.driver.events


def rig(images: int, *, acceptance_s: float = 0.0, latency_s: float = 0.2, **limits: int) -> Rig:
    """Make a rig whose cloud takes so long to accept a call and to answer a read."""
    pace = Pace(copy_base_s=600, copy_per_gb_s=30, acceptance_s=acceptance_s)
    return Rig(Cloud(images=images, pace=pace, latency_s=latency_s), Limits(**limits))
