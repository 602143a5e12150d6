"""Our policy: the real schedule, driven by a loop of its own instead of the engine. Decides nothing itself.

Facts go the way they go in the engine: timed, applied, then the next decision. There is no ledger:
what a write costs is measured elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from math import inf
from random import Random
from typing import TypeVar, assert_never

from orchestrator.cloud.errors import Fault
from orchestrator.core.limits import Limits
from orchestrator.core.marks import write_mark
from orchestrator.core.messages import (
    Accepted,
    Action,
    Begun,
    Check,
    Checked,
    Event,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    Planned,
    Read,
    Refused,
    Seen,
    Submit,
    Survey,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import PAGE_SIZE, CallId, ImageId, Region, Resource, RunId, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.things import Image
from orchestrator.simulator.world import Query
from tests.bench.clockwork import Process
from tests.bench.cloudscape import Line
from tests.bench.nights import ROOM, Night
from tests.bench.policies import Noticed

T = TypeVar("T")
_LEDGER = "benchledger"


def limits(speed: int) -> Limits:
    """Give the default limits, for a cloud that is so many times faster."""
    usual = Limits(region_copies=ROOM)
    return replace(
        usual,
        requests_per_minute=usual.requests_per_minute * speed,
        poll_interval_s=usual.poll_interval_s / speed,
        backoff_initial_s=usual.backoff_initial_s / speed,
        backoff_max_s=usual.backoff_max_s / speed,
        quota_interval_s=usual.quota_interval_s / speed,
        copy_timeout_s=usual.copy_timeout_s / speed,
        settle_s=usual.settle_s / speed,
    )


class Ours:
    """The schedule as it is, under the default limits."""

    def __init__(self, line: Line, night: Night, noticed: Noticed) -> None:
        self.line, self.night, self.noticed = line, night, noticed
        self.schedule = Schedule(limits(night.speed), _LEDGER)
        self.chance = Random(night.seed)
        self.calls = 0
        self._wake_at, self._stirred = inf, False

    def begin(self) -> None:
        """Open the run and decide for the first time."""
        at = self.line.clock.now
        self.learn(Begun(at=at, run=RunId("run1"), limits=self.schedule.limits))
        self.learn(self.planned(at))
        self._stir()

    def planned(self, at: float) -> Planned:
        """Want every copy of the night."""
        return Planned(at=at, copies=self.night.copies)

    def learn(self, event: Event) -> None:
        """Take a fact in; note what has become ready."""
        timed = self.schedule.timed(self.schedule.essence(event), self.chance.random())
        for change in self.schedule.apply(timed):
            if change.after is State.READY and change.reason is Reason.COPIED:
                self.noticed[change.copy] = self.line.clock.now

    def _stir(self) -> None:
        """Decide once all that arrives at this moment has been learned, as the engine does."""
        if not self._stirred:
            self._stirred = True
            self.line.clock.start(self._drive())

    def _drive(self) -> Process[None]:
        """Begin everything that is decided now, and what that allows; ask again when the schedule says."""
        self._stirred, acts = False, True
        while acts and not self.schedule.finished(waits_for_room=False):
            decision = self.schedule.decide(self.line.clock.now)
            for action in decision.actions:
                self.line.clock.start(self._perform(self._intend(action), action))
            acts, self._wake_at = bool(decision.actions), decision.wake
        if not acts and self._wake_at < inf:
            self.line.clock.start(self._wake(self._wake_at), max(0.0, self._wake_at - self.line.clock.now))
        yield from ()

    def _wake(self, at: float) -> Process[None]:
        """Decide again, unless a later decision gave another time."""
        if at == self._wake_at:
            self._stir()
        yield from ()

    def _intend(self, action: Action) -> CallId | None:
        """Write a call down before it is sent."""
        if not isinstance(action, Submit):
            return None
        self.calls += 1
        call = CallId(f"call{self.calls:08d}")
        at = self.line.clock.now
        self.learn(action.intent(at, call))
        return call

    def _perform(self, call: CallId | None, action: Action) -> Process[None]:
        """Send one request, learn its answer, go on."""
        if isinstance(action, Submit):
            event: Event = yield from self._copy(call or CallId(""), action)
        else:
            event = yield from self._read(action)
        self.learn(event)
        self._stir()

    def _copy(self, call: CallId, action: Submit) -> Process[Event]:
        chunk, world = action.chunk, self.line.world
        request = CopyRequest(
            origin=chunk.origin,
            destination=chunk.destination,
            sources=chunk.sources,
            description=write_mark(_LEDGER, call, chunk) if action.marked else None,
        )
        answer = yield from self.line.ask("copyImages", lambda at: world.copy_images(at, request))
        at = self.line.clock.now
        if isinstance(answer, Fault):
            reason, said = answer.reason, answer.detail
            return Refused(at=at, call=call, reason=reason, culprit=answer.culprit, detail=said)
        return Accepted(at=at, call=call, pairs=answer)

    def _read(self, action: Read) -> Process[Event]:
        """Perform one read: the same questions that the real adapter asks."""
        region = action.region
        match action:
            case Inspect():
                by_ids = Query(ids=action.images, size=PAGE_SIZE)
                return (yield from self._describe("inspect", region, by_ids, self._inspected(action)))
            case Look():
                by_ids = Query(ids=action.images, size=PAGE_SIZE)
                return (yield from self._describe("look", region, by_ids, self._seen(action)))
            case List():
                private = Query(image_source="private", page=action.page, size=PAGE_SIZE)
                return (yield from self._describe("list", region, private, self._listed(action)))
            case Survey():
                return (yield from self._survey(action))
            case Check():
                return (yield from self._check(action))
            case _:
                assert_never(action)

    def _describe(self, read: str, region: Region, query: Query, make: Made) -> Process[Event]:
        world = self.line.world

        def act(at: float) -> Page:
            images, total = world.describe_images(at, region, query)
            return tuple(_sighting(at, image) for image in images), total

        return (yield from self._ask("describeImages", read, region, act, make))

    def _survey(self, action: Survey) -> Process[Event]:
        operation = "describeQuotas" if action.resource is Resource.IMAGE else "describeQuota"
        region, resource, world = action.region, action.resource, self.line.world

        def made(at: float, found: tuple[int, int]) -> Event:
            return Surveyed(at=at, region=region, resource=resource, limit=found[0], used=found[1])

        act = lambda at: world.quota(at, region, resource)  # noqa: E731
        return (yield from self._ask(operation, "survey", region, act, made))

    def _check(self, action: Check) -> Process[Event]:
        world, region, image = self.line.world, action.region, action.image

        def made(at: float, found: Sighting) -> Event:
            return Checked(at=at, region=region, image=image, sighting=found)

        act = lambda at: _sighting(at, world.describe_image(at, region, image))  # noqa: E731
        return (yield from self._ask("describeImage", "check", region, act, made))

    def _ask(
        self,
        operation: str,
        read: str,
        region: Region,
        act: Callable[[float], T],
        make: Callable[[float, T], Event],
    ) -> Process[Event]:
        """Ask and turn the answer into an event, or say that there was none."""
        answer = yield from self.line.ask(operation, act)
        at = self.line.clock.now
        if isinstance(answer, Fault):
            return Unanswered(at=at, read=read, region=region, reason=answer.reason)
        return make(at, answer)

    def _inspected(self, action: Inspect) -> Made:
        return lambda at, page: Inspected(at=at, origin=action.region, asked=action.images, images=page[0])

    def _seen(self, action: Look) -> Made:
        return lambda at, page: Seen(at=at, region=action.region, asked=action.images, images=page[0])

    def _listed(self, action: List) -> Made:
        began, region, number = self.line.clock.now, action.region, action.page
        return lambda at, page: Listed(
            at=at, began=began, region=region, page=number, total=page[1], images=page[0], shown=len(page[0])
        )


class Relay(Ours):
    """The schedule under the same limits, for a plan whose copies may carry others."""

    def planned(self, at: float) -> Planned:
        """Want every copy of the night, relayed where that helps."""
        plain = super().planned(at)
        return Planned(
            **{field.name: getattr(plain, field.name) for field in fields(plain)} | {"relay": True}
        )


RELAYS = any(field.name == "relay" for field in fields(Planned))
"""Whether the core can relay: without that the policy `relay` has no column."""

Page = tuple[tuple[Sighting, ...], int]
Made = Callable[[float, Page], Event]


def _sighting(at: float, image: Image) -> Sighting:
    """Show one image as the adapter would."""
    return Sighting(
        image=ImageId(image.id),
        status=image.status,
        progress=image.progress(at),
        name=image.name,
        text=image.text,
        size_mb=image.size_mb,
        snapshots=image.snapshots,
        root_device=image.root_device,
        image_source=image.image_source,
        owner=image.owner,
    )
