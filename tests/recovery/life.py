"""One ledger's life: a process that can die at any write, the disk that stays, and a cloud that answers.

Beside the live schedule go two that only know what was written down: `shadow` has taken in every
event and never decided anything, `twin` was recovered from the disk when the run began and is
asked whenever the live one is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.core.codec import from_json, kind_of, to_json
from orchestrator.core.marks import write_mark
from orchestrator.core.messages import (
    Accepted,
    Action,
    Begun,
    Change,
    Ended,
    Event,
    Lost,
    Planned,
    Read,
    Refused,
    Remembered,
    Settled,
    Submit,
    Unanswered,
)
from orchestrator.core.model import CallId, Copy, ImageId, Region, RunId, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.errors import Overtaken
from orchestrator.ledger.compaction import compact
from orchestrator.ledger.sqlite import Ledger
from tests.core.schedule.stories import KINDS, Call, Story
from tests.recovery.disk import LEDGER_ID, Disk, Killed

_NO_RUN = RunId("none")
Pairs = tuple[tuple[ImageId, ImageId], ...]


@dataclass(frozen=True, slots=True)
class Doom:
    """After how many more writes the process dies; `torn` says that the last one was not finished."""

    writes: int
    torn: bool


@dataclass
class Life(Story):
    """The process (while `alive`), its disk, and the cloud of a story.

    `asking` and `calls` are on their way; of a call in `worked` the copies are made, but nobody was
    told; `late` are effects to come of calls that nobody waits for any more.
    """

    disk: Disk = field(kw_only=True)
    plan: tuple[Copy, ...] = ()
    run: RunId = _NO_RUN
    runs: int = 0
    compactions: int = 0
    alive: bool = False
    asking: list[Read] = field(default_factory=list)
    calls: dict[CallId, Call] = field(default_factory=dict)
    worked: dict[CallId, Pairs] = field(default_factory=dict)
    late: list[tuple[float, Call]] = field(default_factory=list)
    doom: Doom | None = None
    seq: int = 0
    relay: bool = False

    def __post_init__(self) -> None:
        self.shadow = Schedule(self.limits, LEDGER_ID)
        self.twin = self.schedule = self.shadow
        self.disk.start(self.now)
        self.disk.stop()

    # --- processes --------------------------------------------------------------------------------

    def wake_up(self, wanted: Sequence[Copy], *, keep: int = 0) -> None:
        """Begin the next run as the program does: read the ledger, lose the open calls, want the copies.

        With `keep`, the ledger is compacted first: of all but so many runs only the memory stays.
        """
        ledger = self.disk.start(self.now)
        if keep and compact(ledger, nights=keep):
            self.forget()
        self.alive, self.runs = True, self.runs + 1
        self.run = RunId(f"run{self.runs}")
        self.schedule, self.twin = self.recovered(ledger.events()), self.recovered(self.disk.events())
        ledger.begin_run(self.run, plan="plan.yaml", started_at=self.now, wanted=wanted)
        self.begin_run(wanted)

    def forget(self) -> None:
        """See what a compaction left: memories in the place of the first events, then the others."""
        left = self.disk.events()
        kept = [event for event in left if not isinstance(event, Remembered)]
        assert kept == self.told[len(self.told) - len(kept) :], "a compaction changed what it was to keep"
        self.told, self.compactions = list(left), self.compactions + 1
        before, self.shadow = self.shadow, self.recovered(left)  # counts of a doubt that is over may go
        assert self.shadow.states() == before.states(), "a compaction moved a copy"
        assert self.shadow.open_calls() == before.open_calls(), "a compaction answered a call"
        images = [{copy: t.image for copy, t in s.register.tracks.items()} for s in (self.shadow, before)]
        assert images[0] == images[1], "a compaction renamed an image"

    def begin_run(self, wanted: Sequence[Copy]) -> None:
        """Write the beginning of a run down, in as many events as an engine might."""
        for copy in wanted:
            named = Sighting(image=copy.source, status="ready", name=f"name-{copy.source}")
            self.sources.setdefault(copy.source, named)
            self.shelves.setdefault(copy.destination, {})
        self.tell(Begun(at=self.now, run=self.run, limits=self.schedule.limits))
        for call in self.schedule.open_calls():
            self.tell(Lost(at=self.now, call=call, reason=Reason.INTERRUPTED))
        for start in range(0, len(wanted), 4):
            self.tell(Planned(at=self.now, copies=tuple(wanted[start : start + 4]), relay=self.relay))

    def recovered(self, events: Iterable[Event]) -> Schedule:
        """Make a schedule from what was written down."""
        schedule = Schedule(self.limits, LEDGER_ID)
        schedule.recover(events)
        return schedule

    def die(self) -> None:
        """Be killed between two writes."""
        self.disk.die()
        self.buried()

    def buried(self) -> None:
        """Leave nothing of the process; what it had sent goes on without it."""
        self.disk.bury()
        self.alive, self.doom = False, None
        self.asking.clear()

    def stop(self) -> None:
        """End the run by itself, with calls open or not."""
        self.tell(Ended(at=self.now, run=self.run, verdict="partial", exit_code=3))
        assert self.disk.ledger is not None
        end = {"finished_at": self.now, "verdict": "partial", "result_json": "{}"}
        self.disk.ledger.end_run(self.run, exit_code=3, **end)  # type: ignore[arg-type]
        self.disk.stop()
        self.buried()

    def overtaken(self) -> None:
        """Let another process take the ledger over: this one can write nothing any more, and ends."""
        with Ledger.open(self.disk.folder, ids=lambda: LEDGER_ID, now=self.now) as other:
            other.take_epoch()
            assert self.disk.ledger is not None
            for attempt in (self.disk.ledger.confirm_epoch, self._write_something):
                try:
                    attempt()
                except Overtaken:
                    continue
                raise AssertionError("an overtaken process went on writing")
        self.buried()

    def _write_something(self) -> None:
        self.disk.write(Ended(at=self.now, run=self.run, verdict="late", exit_code=3), (), self.run)

    def settle(self, copy: Copy) -> None:
        """Let a person look and say the truth about a doubtful copy, between two runs."""
        live = [i for i, s in self.shelves[copy.destination].items() if i.endswith(f"x{copy.source[4:]}")
                and s.status in ("pending", "ready")]  # fmt: skip
        ledger = self.disk.start(self.now)
        self.alive, self.run = True, RunId(f"settle-{self.runs}-{len(self.told)}")
        self.schedule = self.recovered(ledger.events())
        self.twin = self.recovered(self.disk.events())
        self.tell(Settled(at=self.now, copy=copy, made=bool(live), image=live[0] if live else None))
        self.disk.stop()
        self.buried()

    # --- what is written --------------------------------------------------------------------------

    def tell(self, event: Event, jitter: float = 0.5) -> list[Change]:
        """Do what the engine does with a fact, and die on the way if that is the process's fate."""
        event = self.schedule.timed(self.schedule.essence(event), jitter)
        changes = list(self.schedule.apply(event))
        if self.doom is not None:
            self.doom = replace(self.doom, writes=self.doom.writes - 1)
            if self.doom.torn and not self.doom.writes:
                self.disk.tear(event, changes, self.run)
        number = self.disk.write(event, changes, self.run)
        self.seq += 1
        assert number == self.seq, f"event {self.seq} was given the number {number}"
        self.told.append(event)
        self.shadow.apply(written(event))
        self.twin.apply(written(event))
        if self.doom is not None and not self.doom.writes:
            self.disk.die()
            raise Killed
        return changes

    # --- requests ---------------------------------------------------------------------------------

    def decide(self) -> tuple[Action, ...]:
        """Ask once; a schedule read back from the disk decides the same, and wakes at the same time."""
        decision = self.schedule.decide(self.now)
        assert self.twin.decide(self.now) == decision, "what was read back decides something else"
        self.wake = decision.wake
        for action in decision.actions:
            if isinstance(action, Submit):
                call = self.intend(action)
                self.calls[call.id] = call
            else:
                self.asking.append(action)
        return decision.actions

    def intend(self, action: Submit) -> Call:
        """Write a call down; ids are never used twice, whatever the process remembers."""
        self.made += 1
        call = Call(CallId(f"call{self.made:04d}"), action.chunk, action.marked)
        self.tell(action.intent(self.now, call.id))
        return call

    def text(self, call: Call, copy: Copy) -> str:
        """Say what the cloud writes into the description of one copy."""
        if self.texts == "mark" and call.marked:
            return write_mark(LEDGER_ID, call.id, call.chunk)
        return super().text(Call(call.id, call.chunk, marked=False), copy)

    def work(self, call: Call) -> Pairs:
        """Let a call have its effect, once."""
        if call.id not in self.worked:
            self.worked[call.id] = self.make(call)
        return self.worked[call.id]

    def accepted(self, call: Call, left_out: int = 0) -> None:
        """Let the answer to a call arrive, perhaps with copies left out."""
        pairs = self.work(call)
        del self.calls[call.id]
        self.tell(Accepted(at=self.now, call=call.id, pairs=pairs[: max(1, len(pairs) - left_out)]))

    def refused(self, call: Call, reason: Reason, culprit: ImageId | None) -> None:
        """Let a call be refused, unless it has had its effect: then its answer is lost."""
        if call.id in self.worked:
            self.lost(call, None)
            return
        del self.calls[call.id]
        self.tell(Refused(at=self.now, call=call.id, reason=reason, culprit=culprit))

    def lost(self, call: Call, delay_s: float | None) -> None:
        """Let an answer be lost; the effect comes after `delay_s`, or never."""
        del self.calls[call.id]
        self.leave(call, delay_s)
        self.tell(Lost(at=self.now, call=call.id, reason=Reason.TIMEOUT))

    def leave(self, call: Call, delay_s: float | None) -> None:
        """Let nobody wait for a call any more."""
        if call.id not in self.worked and delay_s is not None:
            self.late.append((self.now + delay_s, call))

    def read(self, read: Read, reason: Reason | None = None) -> None:
        """Let a read be answered, or not."""
        self.asking.remove(read)
        if reason is None:
            self.tell(self.answer(read))
        else:
            self.tell(Unanswered(at=self.now, read=KINDS[type(read)], region=read.region, reason=reason))

    def step(self, *, accepting: bool) -> bool:
        """Decide, answer every read and perhaps accept every call; tell whether there was anything."""
        actions = self.decide()
        for read in list(self.asking):
            self.read(read)
        for call in list(self.calls.values()) if accepting else ():
            self.accepted(call)
        return bool(actions)

    # --- time -------------------------------------------------------------------------------------

    def pass_to(self, at: float) -> None:
        """Let time pass; calls that nobody waits for have their effect on the way."""
        self.now = max(self.now, at)
        for due, call in list(self.late):
            if due <= self.now:
                self.late.remove((due, call))
                self.work(call)

    def doubtful(self) -> list[Copy]:
        """Name the copies that wait for a person, whose calls have had all the effect they ever will."""
        coming = {copy for _, call in self.late for copy in call.chunk.copies}
        states = self.shadow.states()
        return sorted(c for c in states if states[c] is State.DOUBTFUL and c not in coming and self.asks(c))

    def asks(self, copy: Copy) -> bool:
        """Tell whether a copy waits for a person."""
        return self.shadow.why(copy, self.now)[0] is Reason.NEEDS_PERSON

    def shelf(self) -> list[tuple[Region, ImageId]]:
        """Name every image there is, in a fixed order."""
        return [(region, image) for region, shelf in sorted(self.shelves.items()) for image in sorted(shelf)]


def born(place: Path, **story: object) -> Life:
    """Begin a life in an empty folder."""
    return Life(disk=Disk(place), **story)  # type: ignore[arg-type]


def written(event: Event) -> Event:
    """Return the event as it comes back from the ledger."""
    return from_json(kind_of(event), to_json(event))
