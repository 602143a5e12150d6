"""The schedule of all copies: `apply` an event, `decide` what to do, say `why` a copy waits.

It holds no clock and does no I/O. `apply` takes facts, in the order in which they were recorded;
`recover` is `apply` for the events of a ledger, so a restart takes the same path as a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import assert_never

from orchestrator.core.apis import COPY_IMAGES, api_of
from orchestrator.core.limits import Limits
from orchestrator.core.messages import (
    Accepted,
    Action,
    Begun,
    Called,
    Change,
    Checked,
    Ended,
    Event,
    Inspected,
    Listed,
    Lost,
    Planned,
    Refused,
    Remembered,
    Seen,
    Settled,
    Submit,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import CallId, Copy, ImageId, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import (
    agenda,
    answers,
    audit,
    findings,
    listings,
    memory,
    nights,
    outlook,
    pauses,
    throttling,
)
from orchestrator.core.schedule.essence import essence
from orchestrator.core.schedule.parking import exhausted
from orchestrator.core.schedule.register import Register
from orchestrator.core.upkeep import Labelled, Pruned, Selected, Verified
from orchestrator.core.verdict import Counts, Overview, Standing


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do now, in this order, and when to ask again if nothing happens before."""

    actions: tuple[Action, ...]
    wake: float


class Schedule:
    """All copies of one ledger. One owner; every method is synchronous and immediate.

    `limits` are for the run to come; those of earlier runs are in their Begun events.
    """

    def __init__(self, limits: Limits, ledger: str = "") -> None:
        self.limits = limits
        self.register = Register(limits, ledger)
        self._calls_first = True

    # --- what happened ----------------------------------------------------------------------------

    def apply(self, event: Event) -> tuple[Change, ...]:
        """Take one fact in; return what it did to which copies."""
        register = self.register
        register.now = max(register.now, event.at)
        register.changes = []
        throttling.heard(register, event)
        self._dispatch(event)
        return tuple(register.changes)

    def _dispatch(self, event: Event) -> None:
        """Hand an event to the module that knows its meaning."""
        register = self.register
        match event:  # the frequent ones first
            case Seen():
                findings.seen(register, event)
            case Called():
                answers.called(register, event)
            case Accepted():
                answers.accepted(register, event)
            case Listed():
                listings.listed(register, event)
            case Inspected():
                findings.inspected(register, event)
            case Refused():
                answers.refused(register, event)
            case Lost():
                answers.lost(register, event)
            case Surveyed():
                findings.surveyed(register, event)
            case Checked():
                listings.checked(register, event)
            case Unanswered():
                findings.unanswered(register, event)
            case Planned():
                nights.planned(register, event)
            case Settled():
                nights.settled(register, event)
            case Begun():
                nights.begun(register, event)
            case Pruned():
                nights.pruned(register, event)
            case Selected():
                nights.selected(register, event)
            case Ended() | Labelled() | Verified():
                pass
            case Remembered():
                memory.recall(register, event)
            case _:
                assert_never(event)

    def recover(self, events: Iterable[Event]) -> None:
        """Take in a ledger's events: the state after them is the state before the crash.

        What they mean for the next decision is left out: a run begins (Begun) before there is one.
        """
        self.register.replays = True
        for event in events:
            self.apply(event)
        self.register.replays = False

    def open_calls(self) -> tuple[CallId, ...]:
        """Return the calls without an answer; after a restart each of them is lost."""
        return tuple(sorted(self.register.open_calls))

    # --- what to do -------------------------------------------------------------------------------

    def decide(self, now: float) -> Decision:
        """Return the requests to send now and the time at which to ask again.

        Every action is handed out once: a read is under way until its event is applied, a chunk
        keeps its sources until its call is.
        """
        register = self.register
        register.now = max(register.now, now)
        actions: list[Action] = []
        while register.stop is None and (action := self._next_action()) is not None:
            register.pace.take(api_of(action), now)
            actions.append(action)
        return Decision(tuple(actions), min(register.pace.next_at(now), agenda.next_wake(register)))

    def _next_action(self) -> Action | None:
        """Choose the next request, calls and reads in turn so that neither starves the other."""
        register = self.register
        if not register.pace.any_ready(register.now):
            return None
        register.wake()
        if self._waits_for_proof():
            return None
        if self._calls_first or register.pace.allowances.most(COPY_IMAGES):
            action = agenda.next_call(register) or agenda.next_read(register)
        else:
            action = agenda.next_read(register) or agenda.next_call(register)
        if action is not None:
            self._calls_first = not isinstance(action, Submit)
        return action

    def _waits_for_proof(self) -> bool:
        """Tell whether the run's first request is under way: it goes alone, it proves the keys."""
        register = self.register
        if register.proved:
            return False
        return bool(register.inspecting) or any(d.reading for d in register.destinations.values())

    def finished(self, *, waits_for_room: bool) -> bool:
        """Tell whether this run has nothing left to do, or must not do more.

        With `waits_for_room` (a run with a deadline) full destinations are waited for; without,
        the run ends when only they are left and one more try was refused.
        """
        register = self.register
        if register.open_calls:
            return False
        if register.stop is not None:
            return True
        if register.rebuilds and not self._has_looked():
            return False
        if register.rebuilds or self.settled():
            return not any(audit.due(d) or d.to_check for d in register.destinations.values())
        if register.closed is not None:
            return all(d.unsettled == d.waiting for d in register.destinations.values())
        return not waits_for_room and exhausted(register)

    def _has_looked(self) -> bool:
        """Tell whether every source was inspected and every destination listed, as far as they answer."""
        register = self.register
        wanted = (d for d in register.destinations.values() if d.states.total())
        asking = register.inspecting or any(register.to_inspect.values())
        return not asking and all(d.listed and not d.to_check for d in wanted)

    def send_no_more(self) -> None:
        """Send no more calls in this run; what is under way is watched to its end."""
        self.register.closed = self.register.closed or Reason.SUBMITS_OVER

    @property
    def stopped(self) -> Reason | None:
        """Return why nothing more may be sent, or at least no call, in this run, if so."""
        return self.register.stop or self.register.closed

    # --- what the shell adds to an event before it is recorded ------------------------------------

    def timed(self, event: Event, jitter: float) -> Event:
        """Fill in when a refusal or an unanswered read may be tried again.

        Chance is recorded: the time is stored in the event, so a replay never draws again.
        """
        return pauses.timed(self.register, event, jitter)

    def essence(self, event: Event) -> Event:
        """Return an observation without what no copy will ever need; that is what is recorded."""
        return essence(self.register, event)

    def remember(self) -> Iterator[Remembered]:
        """Give the events that stand for all those so far, for what any later run can need of them."""
        return memory.remember(self.register)

    # --- what people ask --------------------------------------------------------------------------

    def why(self, copy: Copy, now: float) -> tuple[Reason, str]:
        """Say why a copy stands where it stands; KeyError when the copy is not known."""
        self.register.now = max(self.register.now, now)
        return outlook.why(self.register, self.register.tracks[copy])

    def standings(self) -> tuple[Standing, ...]:
        """Describe every copy that this run wants, in the plan's order."""
        tracks = self.register.tracks.values()
        return tuple(outlook.standing(self.register, track) for track in tracks if track.wanted)

    def counts(self) -> Counts:
        """Count the copies that this run wants by what they came to, without a look at each."""
        states = [destination.states for destination in self.register.destinations.values()]
        wanted = sum(each.total() for each in states)
        ready, failed = (sum(each[state] for each in states) for state in (State.READY, State.FAILED))
        return Counts(wanted=wanted, ready=ready, failed=failed, pending=wanted - ready - failed)

    def overview(self) -> tuple[Overview, ...]:
        """Describe every destination of this run at a glance."""
        return outlook.overview(self.register)

    def settled(self) -> bool:
        """Tell whether nothing is left to do for any wanted copy."""
        return not any(d.unsettled for d in self.register.destinations.values())

    def strangers(self) -> tuple[tuple[Region, ImageId], ...]:
        """Return the images that carry this ledger's mark and that the ledger does not know."""
        return tuple((d.region, image) for d in self.register.destinations.values() for image in d.strangers)

    def unconfirmed(self) -> frozenset[Copy]:
        """Return the wanted copies that an earlier run saw ready and that this one has not seen yet."""
        return frozenset(copy for copy, t in self.register.tracks.items() if t.wanted and t.unconfirmed)

    def states(self) -> dict[Copy, State]:
        """Return the state of every copy ever planned."""
        return {copy: track.state for copy, track in self.register.tracks.items()}
