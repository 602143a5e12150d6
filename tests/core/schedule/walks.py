"""Random walks: a story in bad weather, whose every step is checked. All chance comes from one seed.

The cloud of a walk keeps one promise, the condition under which nothing is made twice: what a lost
call makes is there within SETTLE_TIME of the loss (or of the restart that noticed it).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from orchestrator.core.codec import from_json, kind_of, to_json
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Accepted, Change, Event, Listed, Read, Submit, Unanswered
from orchestrator.core.model import CallId, Chunk, Copy, Resource
from orchestrator.core.reasons import MEANINGS, THROTTLES, Nature, Reason
from orchestrator.core.schedule import Schedule
from tests.core.schedule.carrying import relayed
from tests.core.schedule.stories import EAST, EAST1, KINDS, LEDGER, SOUTH, Call, Story, copies_of
from tests.core.schedule.walk_checks import check

_REFUSALS = [
    reason
    for reason, meaning in MEANINGS.items()
    if reason is not Reason.ABSENT
    and meaning.nature
    in (
        Nature.IMAGE_PERMANENT, Nature.IMAGE_TRANSIENT, Nature.QUOTA, *THROTTLES,
        Nature.MARK, Nature.UNEXPLAINED, Nature.NOT_SENT, Nature.ROUTE_PERMANENT,
    )
]  # fmt: skip
_BOUNDS = Limits(
    workers=2, region_copies=5, requests_per_minute=100_000, poll_interval_s=20, settle_s=60,
    max_attempts=4, copy_timeout_s=600, quota_interval_s=40,
)  # fmt: skip
PLAN = copies_of(7, EAST, SOUTH)
RELAY_PLAN = copies_of(4, EAST, SOUTH, EAST1)


@dataclass
class Walk(Story):
    """A story that goes where its seed leads; `shadow` only ever reads what was written down."""

    chance: Random = field(default_factory=Random)
    open: dict[CallId, Call] = field(default_factory=dict)
    late: list[tuple[float, Call]] = field(default_factory=list)
    fair: bool = False
    blind: bool = False
    runs: int = 0
    relay: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.shadow = Schedule(self.limits, LEDGER)
        self.way = self.wander if self.relay else self.way

    @property
    def plan(self) -> tuple[Copy, ...]:
        """Every copy that its nights may want."""
        return RELAY_PLAN if self.relay else PLAN

    def wander(self, chunk: Chunk) -> Chunk:
        """Let a call take one of the ways that are open to it."""
        ways = [relayed(self.schedule, chunk, via) for via in self.shelves if via != chunk.destination]
        open_ways = [found for found in ways if found.via is not None]
        return self.chance.choice([chunk, *open_ways, *open_ways])

    # --- the ways of a walk -----------------------------------------------------------------------

    def step(self) -> None:
        """Do one thing that may happen; afterwards everything must be in order."""
        ways = [self.reply, self.pass_time, self.change_shelves, self.change_quota]
        self.chance.choices([*ways, self.restart], weights=[10, 8, 4, 1, 0.5])[0]()
        self.act()
        check(self.schedule, self.shadow, self.shelves)

    def act(self) -> None:
        """Let the schedule decide until it rests."""
        for call in self.go():
            self.open[call.id] = call

    def reply(self) -> None:
        """Answer one open call in one of the ways that a cloud or a network has."""
        if not self.open:
            return
        call = self.open.pop(self.chance.choice(sorted(self.open)))
        self.chance.choices([self._accept, self._refuse, self._lose], weights=[5, 3, 3])[0](call)

    def _accept(self, call: Call) -> None:
        pairs = self.make(call)
        told = pairs[: self.chance.choice([len(pairs), len(pairs), len(pairs) - 1])]
        self.tell(Accepted(at=self.now, call=call.id, pairs=told))

    def _refuse(self, call: Call) -> None:
        named = self.chance.choice([*call.sources, None])
        self.refuse(call, self.chance.choice(_REFUSALS), named)

    def _lose(self, call: Call) -> None:
        self.lose(call)
        self._leave(call)

    def _leave(self, call: Call) -> None:
        """Let a call that nobody answers have its effect now, later, or never."""
        delay_s = self.chance.choice([0.0, 0.0, self.chance.uniform(0, self.limits.settle_s - 1), None])
        if delay_s is not None:
            self.late.append((self.now + delay_s, call))

    def pass_time(self, most_s: float = 200) -> None:
        """Let time pass, with every wake and every late effect at its time."""
        until = self.now + self.chance.choice([1.0, 20.0, self.chance.uniform(0, most_s)])
        while self.now < until:
            due = min((at for at, _ in self.late), default=until)
            self.now = max(self.now, min(self.wake, due, until))
            for at, call in [entry for entry in self.late if entry[0] <= self.now]:
                self.late.remove((at, call))
                self.make(call)
            self.act()
            self.now += 0.001 if self.wake <= self.now else 0

    def change_shelves(self) -> None:
        """Let copies become ready or break, and people or accidents remove images."""
        for shelf in self.shelves.values():
            for image, sighting in list(shelf.items()):
                fate = self.chance.choices(["", "ready", "error", "gone"], weights=[5, 4, 0.3, 0.3])[0]
                if fate == "gone":
                    del shelf[image]
                elif fate and sighting.status == "pending":
                    shelf[image] = replace(sighting, status=fate)

    def change_quota(self) -> None:
        """Let somebody make room, or use it up."""
        region = self.chance.choice([EAST, SOUTH, EAST1][: 3 if self.relay else 2])
        self.quotas[region, self.chance.choice(list(Resource))] = self.chance.choice([0, 3, 1000])
        self.blind = not self.fair and self.chance.random() < 0.2

    def restart(self) -> None:
        """Kill the process and begin the next run from what was written down, perhaps narrowed."""
        for call in self.open.values():
            self._leave(call)
        self.open.clear()
        self.schedule = Schedule(self.limits, LEDGER)
        self.schedule.recover(written(event) for event in self.told)
        self.runs += 1
        share = self.chance.choice([0.3, 1.0, 1.0])
        wanted = [copy for copy in self.plan if self.chance.random() < share]
        self.begin(wanted, run=f"run{self.runs}", relay=self.relay)

    # --- what a walk adds to a story --------------------------------------------------------------

    def tell(self, event: Event, jitter: float = 0.5) -> list[Change]:
        """Let the shadow read what was written."""
        changes = super().tell(event, self.chance.random())
        self.shadow.apply(written(self.told[-1]))
        return changes

    def intend(self, action: Submit) -> Call:
        """Hold every call against the promises, before it is sent."""
        call = super().intend(action)
        for copy, sent in zip(call.chunk.copies, call.sources, strict=True):
            track = self.track(copy)
            assert (track.carrier.origin, track.carrier.image) == (call.chunk.origin, sent)
            carried = [t.copy for t in track.source.tracks if t.reserved and t.carrier is track.carrier]
            assert carried == [copy], "its source is under way elsewhere"
        names = [name for copy in action.chunk.copies for name in self.track(copy).source.names]
        assert len(set(names)) == len(names), "two of one name"
        region = self.region(action.chunk.destination)
        assert region.in_flight <= self.limits.region_copies
        assert len(self.open) <= self.limits.workers
        return call

    def answer(self, read: Read) -> Event:
        """Answer a read, or not."""
        if not self.fair and self.chance.random() < 0.1:
            kind, reason = KINDS[type(read)], Reason.SERVER_ERROR
            return Unanswered(at=self.now, read=kind, region=read.region, reason=reason)
        answer = super().answer(read)
        if isinstance(answer, Listed) and self.blind:
            return replace(answer, images=(), total=0, shown=0)
        return answer

    def end(self) -> None:
        """Let the weather clear up: the run must come to its end, by its own wakes alone."""
        self.fair, self.blind = True, False
        self.quotas.clear()
        for _ in range(2000):
            if self.finished(waits_for_room=True) and not self.open:
                check(self.schedule, self.shadow, self.shelves)
                return
            for call in [self.open.pop(i) for i in list(self.open)]:
                self.accept(call)
            self.finish()
            self.act()
            if not self.open and not self.finished(waits_for_room=True):
                assert self.wake < self.now + 1e6, "it waits for nothing"
                self.pass_to(self.wake)
        raise AssertionError("it goes on and on")

    def pass_to(self, at: float) -> None:
        """Jump to a time, with the late effects on the way."""
        for due, call in list(self.late):
            if due <= at:
                self.late.remove((due, call))
                self.make(call)
        self.now = max(self.now + 0.001, at)


def written(event: Event) -> Event:
    """Return the event as it comes back from the ledger."""
    return from_json(kind_of(event), to_json(event))


def walk(seed: int, texts: str, *, relay: bool = False) -> Walk:
    """Begin a walk, perhaps one on which ready copies carry others."""
    limits = replace(_BOUNDS, region_copies=2) if relay else _BOUNDS  # small chunks have one way more often
    made = Walk(limits=limits, texts=texts, chance=Random(seed), relay=relay)
    made.begin(made.plan, relay=relay)
    made.act()
    return made
