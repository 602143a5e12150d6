"""What can happen next in a state, and in which words a path tells it. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import NamedTuple, TypeAlias

from orchestrator.core.messages import Action, Check, Event, Inspect, List, Look, Refused, Submit, Survey
from orchestrator.core.model import ImageId
from tests.walk.answering import REFUSALS
from tests.walk.cloud import PATIENCE, SETTLE, Cloud, Fault, Made, Request, World

Ledger: TypeAlias = "tuple[Ledger, Event] | None"
"""What was written down: the latest event and what came before, shared between states."""


class Kind(Enum):
    """The moves."""

    DECIDE = "the schedule decides"
    CARRY_OUT = "the cloud carries out"
    DELIVER = "the answer arrives:"
    CRASH = "the process dies and begins anew"
    CRASH_DECIDING = "the process dies after the first of several intents, and begins anew"
    WAIT = "a tick passes"
    READY = "ready:"
    FAULT = "fault,"


class Move(NamedTuple):
    """One move; `which` names the request or image it is about, `culprit` an image that a refusal names."""

    kind: Kind
    which: int = 0
    fault: Fault | None = None
    culprit: ImageId | None = None

    @property
    def is_crash(self) -> bool:
        """Tell whether the process dies."""
        return self.kind in (Kind.CRASH, Kind.CRASH_DECIDING)

    @property
    def mishap(self) -> bool:
        """Tell whether something goes wrong."""
        return self.fault is not None or self.is_crash


@dataclass(frozen=True, slots=True)
class Node:
    """One state, but for the schedule.

    `asked` says that the schedule has nothing more to do until something happens or `wake` comes;
    `faults` and `crashes` are what may still go wrong.
    """

    cloud: Cloud
    now: int
    wake: float
    asked: bool
    finished: bool
    faults: int
    crashes: int
    ledger: Ledger


def enabled(world: World, node: Node) -> Iterator[Move]:
    """Return every move that is possible in a state, and that matters.

    Orders that no one can tell apart are walked once: the cloud's own moves wait until after the
    next decision, which does not look at the cloud, and until something is on its way that can notice.
    """
    if node.finished:
        yield from _late_calls(node)
    elif node.asked:
        yield from _cloud_moves(world, node)
        yield from _answers(world, node)
        if _may_wait(node):
            yield Move(Kind.WAIT)
    else:
        yield Move(Kind.DECIDE)
        yield from _answers(world, node)
    if node.crashes:
        yield Move(Kind.CRASH)
        if not node.asked and not node.finished:
            yield Move(Kind.CRASH_DECIDING)


def _late_calls(node: Node) -> Iterator[Move]:
    """Return the calls that may still be carried out when the run is over."""
    for index, request in enumerate(node.cloud.requests):
        if request.orphan:
            yield Move(Kind.CARRY_OUT, index)


def _cloud_moves(world: World, node: Node) -> Iterator[Move]:
    """Return what the cloud may do by itself; a late call also when it is now or never."""
    noticed = _Noticed(node.cloud)
    for index, request in enumerate(node.cloud.requests):
        last_chance = request.orphan and node.now + 1 >= request.ended + SETTLE
        if request.answer is None and (last_chance or noticed.request(request)):
            yield Move(Kind.CARRY_OUT, index)
    for index, image in enumerate(node.cloud.images):
        if not noticed.image(image):
            continue
        if image.status == "pending":
            yield Move(Kind.READY, index)
        if node.faults:
            yield from (Move(Kind.FAULT, index, fault) for fault in _mishaps(image) if fault in world.kinds)


class _Noticed:
    """Who could notice a change in the cloud: the reads and calls that it has not carried out yet."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        idle = [r for r in cloud.requests if r.answer is None]
        self._read = {r.action.region for r in idle if not isinstance(r.action, Submit | Inspect)}
        self._calls = [(r, r.action.chunk) for r in idle if isinstance(r.action, Submit)]

    def request(self, request: Request) -> bool:
        """Tell whether it matters now that a request is carried out before its answer arrives."""
        if not isinstance(request.action, Submit):
            return isinstance(request.action, List)
        chunk = request.action.chunk
        return chunk.destination in self._read or any(
            other is not request and not set(chunk.sources).isdisjoint(rival.sources)
            for other, rival in self._calls
        )

    def image(self, image: Made) -> bool:
        """Tell whether it matters now what becomes of an image."""
        locks = any(image.source in chunk.sources for _, chunk in self._calls)
        return image.destination in self._read or locks


def _mishaps(image: Made) -> Iterator[Fault]:
    """Return what can happen to a copy."""
    if image.status == "pending":
        yield Fault.ERROR
    if image.live:
        yield Fault.VANISH


def _answers(world: World, node: Node) -> Iterator[Move]:
    """Return what may become of the requests whose answers are waited for."""
    for index, request in enumerate(node.cloud.requests):
        if request.orphan:
            continue
        if request.answer is not None or not isinstance(request.action, List):
            yield Move(Kind.DELIVER, index)
        if node.faults:
            yield from (m for m in _failures(request, index) if m.fault in world.kinds)


def _failures(request: Request, index: int) -> Iterator[Move]:
    """Return the ways in which one request may fail."""
    if not isinstance(request.action, Submit):
        if request.answer is None:
            yield Move(Kind.FAULT, index, Fault.SILENT)
        return
    if not isinstance(request.answer, Refused):
        yield Move(Kind.FAULT, index, Fault.LOSE)
        yield Move(Kind.FAULT, index, Fault.INCOMPLETE)
    if request.answer is None:
        yield from (Move(Kind.FAULT, index, fault) for fault in REFUSALS if fault is not Fault.BUSY)
        yield from (Move(Kind.FAULT, index, Fault.BUSY, source) for source in request.action.chunk.sources)


def _may_wait(node: Node) -> bool:
    """Tell whether time may pass: no request is on its way for longer than it may be."""
    waited_for = (r for r in node.cloud.requests if not r.orphan)
    moves_on = node.wake < inf or bool(node.cloud.requests)
    return moves_on and all(node.now - r.sent < patience(r.action) for r in waited_for)


def patience(action: Action) -> int:
    """Return for how many ticks a request may be on its way: it matters for calls and listings."""
    return PATIENCE if isinstance(action, Submit | List) else 0


# --- in words -------------------------------------------------------------------------------------


def in_words(node: Node, move: Move) -> str:
    """Tell a move in one line, as it looks from the state it was made in."""
    fault = move.fault
    about_image = move.kind is Kind.READY or fault in (Fault.ERROR, Fault.VANISH)
    if about_image:
        image = node.cloud.images[move.which]
        what = f"{image.image} in {image.destination}"
    elif move.kind in (Kind.CARRY_OUT, Kind.DELIVER, Kind.FAULT):
        what = request_in_words(node.cloud.requests[move.which])
    else:
        what = ""
    blamed = f" names {move.culprit}" if move.culprit else ""
    return " ".join(filter(None, (move.kind.value, f"{fault}{blamed}:" if fault else "", what)))


def request_in_words(request: Request) -> str:
    """Name a request."""
    match request.action:
        case Submit(chunk):
            what = f"call {request.call} {'+'.join(chunk.sources)} to {chunk.destination}"
        case Inspect(region, images):
            what = f"inspect {'+'.join(images)} in {region}"
        case List(region, page):
            what = f"list {region}, page {page}"
        case Survey(region, resource):
            what = f"survey {resource.value}s of {region}"
        case Look(region, images):
            what = f"look at {'+'.join(images)} in {region}"
        case Check(region, image):
            what = f"check {image} in {region}"
    answer = f" -> {type(request.answer).__name__}" if request.answer else ""
    return f"{what}{answer}{' (nobody waits for it)' if request.orphan else ''}"
