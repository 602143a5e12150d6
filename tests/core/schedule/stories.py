"""Stories: a schedule, a clock that only the story moves, and a scripted cloud that answers at once.

A story says what happened and reads what the schedule asks for. Reads are answered from `shelves`
and `sources` unless the story silences them; calls are answered by the story itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import TypedDict, Unpack

from orchestrator.core.limits import Limits
from orchestrator.core.marks import write_mark
from orchestrator.core.messages import (
    Accepted,
    Action,
    Begun,
    Change,
    Check,
    Checked,
    Event,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    Lost,
    Planned,
    Read,
    Refused,
    Seen,
    Submit,
    Survey,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region, Resource, RunId, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.tracks import Destination, Track

NORTH, EAST, SOUTH, EAST1 = (Region(name) for name in ("cn-north-1", "cn-east-2", "cn-south-1", "cn-east-1"))
EPOCH = 1_800_000_000.0
LEDGER = "storyledger"
KINDS: dict[type[Read], str] = {
    Inspect: "inspect", List: "list", Survey: "survey", Look: "look", Check: "check"
}  # fmt: skip


def image_id(number: int) -> ImageId:
    return ImageId(f"img-src{number:04d}")


def copies_of(images: int, *destinations: Region, origin: Region = NORTH) -> tuple[Copy, ...]:
    """Want the first n images in every destination; those of one image follow each other."""
    return tuple(Copy(image_id(i), origin, to) for i in range(images) for to in destinations)


@dataclass(frozen=True)
class Call:
    """One call that the schedule decided and the story wrote down."""

    id: CallId
    chunk: Chunk
    marked: bool

    @property
    def sources(self) -> tuple[ImageId, ...]:
        return self.chunk.sources

    @property
    def numbers(self) -> list[int]:
        """The numbers of its original images, as `image_id` counts them."""
        return [int(source.removeprefix("img-src")) for source in self.chunk.originals]


@dataclass
class Story:
    """One ledger's tale. `told` holds every event; `asked` every action, in order."""

    limits: Limits = field(default_factory=Limits)
    texts: str = "mark"
    page: int = 100
    now: float = EPOCH
    told: list[Event] = field(default_factory=list)
    asked: list[Action] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    sources: dict[ImageId, Sighting] = field(default_factory=dict)
    shelves: dict[Region, dict[ImageId, Sighting]] = field(default_factory=dict)
    quotas: dict[tuple[Region, Resource], int] = field(default_factory=dict)
    silent: dict[tuple[str, Region], Reason] = field(default_factory=dict)
    veil: Callable[[Listed], Listed] = lambda page: page
    way: Callable[[Chunk], Chunk] = lambda chunk: chunk
    wake: float = 0.0
    made: int = 0

    def __post_init__(self) -> None:
        self.schedule = Schedule(self.limits, LEDGER)

    # --- what happens -----------------------------------------------------------------------------

    def tell(self, event: Event, jitter: float = 0.5) -> list[Change]:
        """Do what an engine does with a fact; return what it changed."""
        event = self.schedule.timed(self.schedule.essence(event), jitter)
        changes = list(self.schedule.apply(event))
        self.told.append(event)
        self.changes += changes
        return changes

    def begin(self, copies: Iterable[Copy], run: str = "run1", *, relay: bool = False) -> Story:
        """Open a run as the engine does: open calls are lost, then the copies are wanted."""
        self.tell(Begun(at=self.now, run=RunId(run), limits=self.schedule.limits))
        for call in self.schedule.open_calls():
            self.tell(Lost(at=self.now, call=call, reason=Reason.INTERRUPTED))
        wanted = tuple(copies)
        for copy in wanted:
            named = Sighting(image=copy.source, status="ready", name=f"name-{copy.source}")
            self.sources.setdefault(copy.source, named)
            self.shelves.setdefault(copy.destination, {})
        self.tell(Planned(at=self.now, copies=wanted, relay=relay))
        return self

    def decide(self) -> tuple[Action, ...]:
        """Ask once; note the actions and the wake."""
        decision = self.schedule.decide(self.now)
        self.asked += decision.actions
        self.wake = decision.wake
        return decision.actions

    def go(self, rounds: int = 300) -> list[Call]:
        """Answer reads until the schedule rests; return the calls it decided, unanswered."""
        calls: list[Call] = []
        for _ in range(rounds):
            actions = self.decide()
            if not actions:
                return calls
            calls += [self.intend(action) for action in actions if isinstance(action, Submit)]
            for action in actions:
                if not isinstance(action, Submit):
                    self.tell(self.answer(action))
        raise AssertionError(f"it never rests; last asked: {self.asked[-3:]}")

    def wait(self, seconds: float) -> list[Call]:
        """Let time pass, waking whenever the schedule wants; return the calls decided on the way."""
        until, calls = self.now + seconds, self.go()
        for _ in range(5000):
            if self.wake >= until:
                self.now = until
                return calls + self.go()
            self.now = max(self.now, self.wake)
            calls += self.go()
        raise AssertionError("it wakes again and again")

    # --- calls ------------------------------------------------------------------------------------

    def intend(self, action: Submit) -> Call:
        """Write a call down, sent by the way that the story chooses."""
        self.made += 1
        call = Call(CallId(f"call{self.made:04d}"), self.way(action.chunk), action.marked)
        self.tell(Submit(call.chunk, action.marked).intent(self.now, call.id))
        return call

    def make(self, call: Call) -> tuple[tuple[ImageId, ImageId], ...]:
        """Let the cloud make the copies of a call; nobody is told."""
        made = (ImageId(f"img-{call.id}x{copy.source[4:]}") for copy in call.chunk.copies)
        pairs = tuple(zip(call.sources, made, strict=True))
        shelf = self.shelves.get(call.chunk.origin, {})
        for copy, (sent, image) in zip(call.chunk.copies, pairs, strict=True):
            shown = shelf.get(sent) or self.sources[copy.source]
            sighting = replace(
                shown, image=image, status="pending", progress=None, text=self.text(call, copy)
            )
            self.shelves[copy.destination][image] = sighting
        return pairs

    def text(self, call: Call, copy: Copy) -> str:
        """Say what the cloud writes into the description of one copy."""
        if self.texts == "mark" and call.marked:
            return write_mark(LEDGER, call.id, call.chunk)
        sent = dict(zip(call.chunk.copies, call.sources, strict=True))[copy]
        return "" if self.texts == "none" else f"copied from {call.chunk.origin} {sent}"

    def accept(self, *calls: Call) -> None:
        """Let calls succeed."""
        for call in calls:
            self.tell(Accepted(at=self.now, call=call.id, pairs=self.make(call)))

    def refuse(self, call: Call, reason: Reason, culprit: ImageId | None = None) -> list[Change]:
        return self.tell(Refused(at=self.now, call=call.id, reason=reason, culprit=culprit))

    def lose(self, call: Call, *, made: bool = False) -> None:
        """Let an answer be lost, after the effect or before it."""
        if made:
            self.make(call)
        self.tell(Lost(at=self.now, call=call.id, reason=Reason.TIMEOUT))

    def finish(self, status: str = "ready", where: Region | None = None) -> None:
        """Give every pending copy this status; it is seen when it is looked at."""
        for region, shelf in self.shelves.items():
            for image, sighting in shelf.items():
                if sighting.status == "pending" and where in (None, region):
                    shelf[image] = replace(sighting, status=status)

    # --- reads ------------------------------------------------------------------------------------

    def answer(self, read: Read) -> Event:
        """Answer a read from the shelves, or not at all when the story silenced it."""
        reason = self.silent.get((KINDS[type(read)], read.region))
        if reason is not None:
            return Unanswered(at=self.now, read=KINDS[type(read)], region=read.region, reason=reason)
        match read:
            case Inspect():
                shown = tuple(self.sources[i] for i in read.images if i in self.sources)
                return Inspected(at=self.now, origin=read.region, asked=read.images, images=shown)
            case List():
                return self.veil(self.listed(read))
            case Survey():
                return self.surveyed(read.region, read.resource)
            case Look():
                shelf = self.shelves[read.region]
                seen = tuple(shelf[image] for image in read.images if image in shelf)
                return Seen(at=self.now, region=read.region, asked=read.images, images=seen)
            case Check():
                sighting = self.shelves[read.region].get(read.image)
                return Checked(at=self.now, region=read.region, image=read.image, sighting=sighting)

    def listed(self, read: List) -> Listed:
        """Show one page of a shelf."""
        shelf = list(self.shelves[read.region].values())
        images = tuple(shelf[(read.page - 1) * self.page : read.page * self.page])
        return Listed(
            at=self.now, began=self.now, region=read.region, page=read.page,
            total=len(shelf), images=images, shown=len(images),
        )  # fmt: skip

    def surveyed(self, region: Region, resource: Resource) -> Surveyed:
        limit, used = self.quotas.get((region, resource), 1000), len(self.shelves[region])
        return Surveyed(at=self.now, region=region, resource=resource, limit=limit, used=used)

    # --- where things stand -----------------------------------------------------------------------

    def track(self, copy: Copy) -> Track:
        return self.schedule.register.tracks[copy]

    def region(self, region: Region) -> Destination:
        return self.schedule.register.destinations[region]

    def state(self, copy: Copy) -> tuple[State, Reason]:
        return self.track(copy).state, self.schedule.why(copy, self.now)[0]

    def states(self) -> set[State]:
        """Collect the states of all wanted copies."""
        return {standing.state for standing in self.schedule.standings()}

    def reads(self, kind: type[Read], region: Region | None = None) -> int:
        """Count the reads of a kind so far."""
        return sum(
            isinstance(a, kind) and region in (None, a.region)
            for a in self.asked
            if not isinstance(a, Submit)
        )

    def finished(self, *, waits_for_room: bool = False) -> bool:
        return self.schedule.finished(waits_for_room=waits_for_room)


class Bounds(TypedDict, total=False):
    """The bounds that a story may choose, as `Limits` names them."""

    workers: int
    region_copies: int
    requests_per_minute: int
    poll_interval_s: float
    quota_interval_s: float
    copy_timeout_s: float
    settle_s: float
    max_attempts: int


def story(copies: Iterable[Copy], *, texts: str = "mark", **bounds: Unpack[Bounds]) -> Story:
    """Begin a story with these copies and bounds; the rate is no bound unless it is chosen."""
    return Story(limits=replace(Limits(requests_per_minute=100_000), **bounds), texts=texts).begin(copies)
