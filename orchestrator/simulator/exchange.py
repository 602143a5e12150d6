"""One request to a World without a network: admission, latency, bad luck, effect; the answer or why none.

It knows no method of the cloud and no event; `memory` does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Generic, TypeVar

import anyio

from orchestrator.cloud.errors import Fault as Trouble
from orchestrator.cloud.errors import classify
from orchestrator.core.reasons import Reason
from orchestrator.simulator.copying import draw_request_id
from orchestrator.simulator.faults import Fault, FaultPlan, before_effect, refusal_of
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.world import World

T = TypeVar("T")

_KEY = "memory"
_BROKEN: dict[Fault, Trouble] = {
    Fault.BAD_GATEWAY: classify(502, None, "HTML"),
    Fault.RESET_BEFORE: Trouble(Reason.DISCONNECTED, "connection reset"),
    Fault.RESET_AFTER: Trouble(Reason.DISCONNECTED, "connection reset"),
    Fault.TRUNCATED: Trouble(Reason.UNREADABLE, "200 not JSON"),
}
"""What the caller sees of the faults that are no readable answer."""


@dataclass(frozen=True, slots=True)
class Good(Generic[T]):
    """A usable answer and its request id. `shortened` tells that the cloud left a part of it out."""

    value: T
    request: str
    shortened: bool = False


class Exchange:
    """The way to one World. Half of `latency_s` passes before the world acts, half after."""

    def __init__(
        self,
        world: World,
        *,
        clock: Callable[[], float],
        latency_s: float,
        faults: FaultPlan,
        timeout_s: float,
    ) -> None:
        self._world = world
        self._clock = clock
        self._latency_s = latency_s
        self._faults = faults
        self._timeout_s = timeout_s
        self._ids = Random(0)  # noqa: S311  request ids need to be unique, not secret

    async def ask(self, operation: str, act: Callable[[float], T], held_s: float = 0.0) -> Good[T] | Trouble:
        """Make one request. An answer held back beyond the time-out is a time-out, with its effect made."""
        await anyio.sleep(self._latency_s / 2)
        fault = self._faults.strike(operation)
        answer = self._act(operation, act, fault)
        late_s = self._faults.slow_s if fault is Fault.SLOW else 0.0
        wait_s = self._latency_s / 2 + late_s + (held_s if isinstance(answer, Good) else 0.0)
        await anyio.sleep(min(wait_s, self._timeout_s))
        if wait_s > self._timeout_s:
            return Trouble(Reason.TIMEOUT, f"no answer within {self._timeout_s:g} s")
        return answer

    def _act(self, operation: str, act: Callable[[float], T], fault: Fault | None) -> Good[T] | Trouble:
        """Let the world act and turn a refusal into what the error table says of it."""
        named = draw_request_id(self._ids)
        try:
            return self._struck(operation, act, fault, named)
        except Refusal as refusal:
            self._world.record.refused[f"{refusal.http} {refusal.status}"] += 1
            trouble = classify(refusal.http, refusal.status, refusal.message)
            return replace(trouble, request="" if fault is Fault.NO_REQUEST_ID else named)

    def _struck(
        self, operation: str, act: Callable[[float], T], fault: Fault | None, named: str
    ) -> Good[T] | Trouble:
        """Admit the request, and let the fault strike before or after the effect."""
        at = self._clock()
        self._world.admit(at, _KEY, operation)
        if fault is None:
            return Good(act(at), named)
        self._world.record.faults[fault.value] += 1
        good = None if before_effect(fault) else Good(act(at), named, fault is Fault.FEWER_PAIRS)
        refusal = refusal_of(fault, old_rate_limit=self._world.switches.old_rate_limit)
        if refusal is not None:
            raise refusal
        return _BROKEN.get(fault) or good or _BROKEN[Fault.RESET_BEFORE]
