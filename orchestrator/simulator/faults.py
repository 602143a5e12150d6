"""Bad luck on the way: which request meets which fault, by script or by seeded chance.

Decides only; what a fault does to an answer is done by `memory` and `server` alike.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Annotated, ClassVar, assert_never

from pydantic import ConfigDict, Field

from orchestrator.simulator import refusals
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.traits import STRICT, Chance, Seconds


class Fault(StrEnum):
    """What can go wrong with one request."""

    THROTTLE = "throttle"  # 429, not a quota
    FORBIDDEN = "forbidden"  # 403, the key may not use this API
    CONFLICT = "conflict"  # 400, a foreign task works on an image that is not named
    INTERNAL = "internal"  # 500, nothing was done
    LISTING_ERROR = "listing-error"  # 500 for describeImages only
    GATEWAY_TIMEOUT = "gateway-timeout"  # 504, but the service did the work
    BAD_GATEWAY = "bad-gateway"  # 502 with a page of HTML, nothing was done
    RESET_BEFORE = "reset-before"  # the connection breaks, nothing was done
    RESET_AFTER = "reset-after"  # the connection breaks, but the service did the work
    TRUNCATED = "truncated"  # 200 with half a JSON text, the service did the work
    NO_REQUEST_ID = "no-request-id"  # 500 without a requestId, nothing was done
    FEWER_PAIRS = "fewer-pairs"  # the answer leaves the last pair out, the service did all the work
    SLOW = "slow"  # the answer comes `slow_s` late


_ONLY_FOR: dict[Fault, str] = {
    Fault.CONFLICT: "copyImages",
    Fault.FEWER_PAIRS: "copyImages",
    Fault.LISTING_ERROR: "describeImages",
}
_BEFORE = frozenset(
    {
        Fault.THROTTLE,
        Fault.FORBIDDEN,
        Fault.CONFLICT,
        Fault.INTERNAL,
        Fault.LISTING_ERROR,
        Fault.BAD_GATEWAY,
        Fault.RESET_BEFORE,
        Fault.NO_REQUEST_ID,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When a fault strikes: at the listed requests of an operation (from 1), by chance, or both.

    `on` names operations (copyImages, describeImages, ...); empty means all that the fault fits.
    The requests in `nth` are counted per rule, among those that the rule is about.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    fault: Fault
    on: frozenset[str] = frozenset()
    nth: frozenset[Annotated[int, Field(ge=1)]] = frozenset()
    chance: Chance = 0.0
    most: Annotated[int, Field(ge=1)] | None = None  # strikes at most this often

    def about(self, operation: str) -> bool:
        """Tell whether this rule can strike such a request."""
        fits = _ONLY_FOR.get(self.fault, operation) == operation
        return fits and (not self.on or operation in self.on)


class FaultPlan:
    """All rules of a world; the first that strikes wins. Same seed and same requests, same faults."""

    def __init__(self, chance: Random, rules: Sequence[Rule] = (), *, slow_s: float = 5.0) -> None:
        self.slow_s: Seconds = slow_s
        self._chance = chance
        self.replace(rules)

    def replace(self, rules: Sequence[Rule]) -> None:
        """Go on with other rules, counting from the start."""
        self._rules = tuple(rules)
        self._met: Counter[int] = Counter()
        self._struck: Counter[int] = Counter()

    def strike(self, operation: str) -> Fault | None:
        """Decide the fault of the next request of this operation, if any."""
        struck: Fault | None = None
        for number, rule in enumerate(self._rules):
            if rule.about(operation) and self._hits(number, rule) and struck is None:
                self._struck[number] += 1
                struck = rule.fault
        return struck

    def _hits(self, number: int, rule: Rule) -> bool:
        """Count the request for a rule and decide; draws a number whatever the outcome."""
        self._met[number] += 1
        luck = self._chance.random()
        exhausted = rule.most is not None and self._struck[number] >= rule.most
        return not exhausted and (self._met[number] in rule.nth or luck < rule.chance)


def before_effect(fault: Fault | None) -> bool:
    """Tell whether a fault strikes before the service does anything."""
    return fault in _BEFORE


def refusal_of(fault: Fault, *, old_rate_limit: bool = False) -> Refusal | None:
    """Word the error that a fault answers with; None for those that answer otherwise."""
    match fault:
        case Fault.THROTTLE:
            return refusals.throttled(old_spelling=old_rate_limit)
        case Fault.FORBIDDEN:
            return refusals.forbidden()
        case Fault.CONFLICT:
            return refusals.conflict("task-foreign")
        case Fault.INTERNAL | Fault.LISTING_ERROR | Fault.NO_REQUEST_ID:
            return refusals.internal()
        case Fault.GATEWAY_TIMEOUT:
            return refusals.timing_out()
        case Fault.BAD_GATEWAY | Fault.RESET_BEFORE | Fault.RESET_AFTER:
            return None
        case Fault.TRUNCATED | Fault.FEWER_PAIRS | Fault.SLOW:
            return None
        case _:
            assert_never(fault)
