"""One move made: the real schedule, driven as the engine drives it. Judges nothing.

As in the engine, an event is completed (`essence`, `timed`), applied and written down in one go;
intents are written down before anything is sent; the schedule is asked again until it has nothing
more to do. A process that dies leaves its ledger, and requests that may still be carried out.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass, replace
from math import inf

from orchestrator.core.codec import from_json, kind_of, to_json
from orchestrator.core.messages import Accepted, Begun, Event, Lost, Planned, Submit
from orchestrator.core.model import CallId, RunId
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from tests.walk.answering import carry_out, refusal, silence, stamped
from tests.walk.cloud import JITTER, LEDGER, LIMITS, SETTLE, Cloud, Fault, Request, World, moment
from tests.walk.moves import Kind, Ledger, Move, Node


class Broken(Exception):
    """A promise does not hold; the message says which."""


@dataclass(slots=True)
class System:
    """A state that is being changed: the schedule unpacked, everything else as in `Node`."""

    world: World
    schedule: Schedule
    cloud: Cloud
    now: int
    wake: float
    asked: bool
    ledger: Ledger

    def learn(self, event: Event) -> None:
        """Take a fact in, as the engine does: complete it, apply it, write it down."""
        event = self.schedule.timed(self.schedule.essence(event), JITTER)
        self.schedule.apply(event)
        self.ledger = (self.ledger, event)
        self.asked = False

    def begin(self) -> None:
        """Begin a run: what an earlier one left open is lost."""
        at = moment(self.now)
        self.learn(Begun(at=at, run=RunId("run")))
        for call in self.schedule.open_calls():
            self.learn(Lost(at=at, call=call, reason=Reason.INTERRUPTED))
        self.learn(Planned(at=at, copies=self.world.wanted))

    def decide(self, *, intents: float = inf) -> bool:
        """Ask until nothing more is handed out; return whether more intents than allowed were wanted."""
        while not self.finished():
            decision = self.schedule.decide(moment(self.now))
            if not decision.actions:
                self.wake, self.asked = decision.wake, True
                return False
            for action in decision.actions:
                if isinstance(action, Submit) and intents == 0:
                    return True
                intents -= isinstance(action, Submit)
                call = self._intend(action) if isinstance(action, Submit) else CallId("")
                request = Request(action, call, self.now)
                self.cloud = self.cloud._replace(requests=(*self.cloud.requests, request))
        return False

    def _intend(self, action: Submit) -> CallId:
        """Write an intent down under an id that no call had before."""
        chunk = action.chunk
        who = "".join(source[4:] for source in chunk.sources) + str(
            self.world.regions.index(chunk.destination)
        )
        same = sum(call.startswith(f"{who}x") for call in self.schedule.register.calls)
        call = CallId(f"{who}x{same}")
        self.learn(action.intent(moment(self.now), call))
        return call

    def finished(self) -> bool:
        """Tell whether the engine would end the run now."""
        return self.schedule.finished(waits_for_room=False)

    def crash(self) -> None:
        """Lose everything but the ledger and what is on its way, and begin anew."""
        died = self.schedule
        self.schedule = Schedule(LIMITS, LEDGER)
        self.schedule.recover(from_json(kind_of(event), to_json(event)) for event in unrolled(self.ledger))
        if self.schedule.states() != died.states():
            raise Broken("a restart remembers the copies as they were")
        if self.schedule.open_calls() != died.open_calls():
            raise Broken("a restart remembers the open calls")
        self.begin()
        left = (r for r in self.cloud.requests if isinstance(r.action, Submit) and r.answer is None)
        orphans = (r if r.orphan else r._replace(ended=self.now) for r in left)
        self.cloud = self.cloud._replace(requests=tuple(orphans))


def unrolled(ledger: Ledger) -> list[Event]:
    """Return a ledger's events, oldest first."""
    events = []
    while ledger is not None:
        ledger, event = ledger
        events.append(event)
    return events[::-1]


# --- moves ----------------------------------------------------------------------------------------


def first(world: World) -> System:
    """Return the state in which the first night begins."""
    system = System(world, Schedule(LIMITS, LEDGER), Cloud(), 0, inf, False, None)
    system.begin()
    return system


def packed(system: System, faults: int, crashes: int) -> Node:
    """Return a state as it stands, but for the schedule."""
    finished = system.finished()
    asked = system.asked and not finished
    wake = system.wake if asked else 0.0
    return Node(system.cloud, system.now, wake, asked, finished, faults, crashes, system.ledger)


def unpack(world: World, node: Node, memory: bytes) -> System:
    """Bring a state to life; `memory` is its pickled schedule."""
    schedule: Schedule = pickle.loads(memory)
    return System(world, schedule, node.cloud, node.now, node.wake, node.asked, node.ledger)


def cloud_only(world: World, node: Node, move: Move) -> Cloud | None:
    """Return the cloud after a move that the program does not notice; None for any other move."""
    cloud = node.cloud
    match move:
        case Move(Kind.CARRY_OUT):
            return carry_out(world, cloud, cloud.requests[move.which])
        case Move(Kind.READY):
            return cloud.turning(cloud.images[move.which], "ready")
        case Move(Kind.FAULT, fault=Fault.ERROR):
            return cloud.turning(cloud.images[move.which], "error")
        case Move(Kind.FAULT, fault=Fault.VANISH):
            return cloud.turning(cloud.images[move.which], "gone")
        case _:
            return None


def move_on(system: System, move: Move) -> bool:
    """Make a move that concerns the program; return False when there was nothing to do."""
    match move.kind:
        case Kind.DECIDE:
            system.decide()
        case Kind.WAIT:
            _pass_time(system)
        case Kind.CRASH:
            system.crash()
        case Kind.CRASH_DECIDING:
            if not system.decide(intents=1):
                return False
            system.crash()
        case _:
            _answer(system, system.cloud.requests[move.which], move)
    return True


def _pass_time(system: System) -> None:
    """Let a tick pass. A call that nobody waits for is carried out within SETTLE, or never."""
    system.now += 1
    due = tuple(r for r in system.cloud.requests if not r.orphan or system.now < r.ended + SETTLE)
    system.cloud = system.cloud._replace(requests=due)
    system.asked = system.wake > moment(system.now)


def _answer(system: System, request: Request, move: Move) -> None:
    """Let an answer arrive, or be lost; what can be carried out on the way is."""
    match move.fault:
        case Fault.LOSE | Fault.SILENT:
            _lose(system, request)
        case None | Fault.INCOMPLETE:
            _deliver(system, request, leaving_out=move.fault is Fault.INCOMPLETE)
        case fault:
            system.cloud = system.cloud.replacing(request, None)
            system.learn(stamped(refusal(request, fault, move.culprit), system.now))


def _deliver(system: System, request: Request, *, leaving_out: bool) -> None:
    """Let an answer arrive, perhaps without the first of the copies that were made."""
    if request.answer is None:
        index = system.cloud.requests.index(request)
        system.cloud = carry_out(system.world, system.cloud, request)
        request = system.cloud.requests[index]
    answer = request.answer
    if answer is None:
        raise Broken("a request that was carried out has an answer")
    if leaving_out and isinstance(answer, Accepted):
        answer = replace(answer, pairs=answer.pairs[1:])
    system.cloud = system.cloud.replacing(request, None)
    system.learn(stamped(answer, system.now))


def _lose(system: System, request: Request) -> None:
    """Let an answer be lost; a call that was not carried out yet may still be."""
    open_call = isinstance(request.action, Submit) and request.answer is None
    orphan = request._replace(ended=system.now) if open_call else None
    system.cloud = system.cloud.replacing(request, orphan)
    system.learn(silence(request, system.now))
