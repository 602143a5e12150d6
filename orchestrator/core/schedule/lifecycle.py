"""One copy's life as a table: (state, step) -> state. What is not in the table is a bug.

A copy WAITs until its source is free, its destination has room and the clock allows. Its call's
intent is written down first (CALL), and only then sent. The answer either accepts it, and the
copy is COPYING under a destination image id; or refuses it, and the copy waits again or has
failed; or never comes, and the copy is DOUBTFUL: it may or may not exist. Doubt is left by
looking, never by trying again: a listing FINDs the copy (or shows it READY), or it SETTLEs that
nothing was made. A copy that a ledger before this one may have made is in DOUBT too. A watched
copy becomes READY, or ENDs with a reason.

Across nights: a READY copy that somebody deleted is GONE and waits to be made again; a FAILED
one is RENEWed unless a listing FINDs that its image is there after all.

The README's diagram is drawn from this table (`diagram`), so a change here shows there.
"""

from __future__ import annotations

from enum import Enum

from orchestrator.core.model import State


class Step(Enum):
    """What can happen to one copy."""

    CALL = "called"
    DOUBT = "perhaps made before"
    ACCEPT = "accepted"
    REFUSE = "refused, tried again"
    LOSE = "answer lost"
    FIND = "found in a listing"
    SEE_READY = "seen ready"
    SETTLE = "surely not there"
    GONE = "deleted by somebody"
    RENEW = "new night"
    END = "given up"

    __hash__ = object.__hash__


TABLE: dict[tuple[State, Step], State] = {
    (State.WAITING, Step.CALL): State.CALLING,
    (State.WAITING, Step.DOUBT): State.DOUBTFUL,
    (State.WAITING, Step.FIND): State.COPYING,
    (State.WAITING, Step.SEE_READY): State.READY,
    (State.WAITING, Step.END): State.FAILED,
    (State.CALLING, Step.ACCEPT): State.COPYING,
    (State.CALLING, Step.REFUSE): State.WAITING,
    (State.CALLING, Step.LOSE): State.DOUBTFUL,
    (State.CALLING, Step.END): State.FAILED,
    (State.DOUBTFUL, Step.FIND): State.COPYING,
    (State.DOUBTFUL, Step.SEE_READY): State.READY,
    (State.DOUBTFUL, Step.SETTLE): State.WAITING,
    (State.DOUBTFUL, Step.END): State.FAILED,
    (State.COPYING, Step.SEE_READY): State.READY,
    (State.COPYING, Step.END): State.FAILED,
    (State.READY, Step.GONE): State.WAITING,
    (State.READY, Step.END): State.FAILED,
    (State.FAILED, Step.RENEW): State.WAITING,
    (State.FAILED, Step.FIND): State.COPYING,
    (State.FAILED, Step.SEE_READY): State.READY,
}


class IllegalStep(Exception):
    """A bug: a copy was asked to do what its state does not allow."""


def advance(state: State, step: Step) -> State:
    """Return the state after the step; raise IllegalStep, changing nothing, if there is none."""
    try:
        return TABLE[state, step]
    except KeyError:
        raise IllegalStep(f"a {state.value} copy cannot be '{step.value}'") from None


def diagram() -> str:
    """Draw the table as a Mermaid state diagram, as the README shows it."""
    lines = ["stateDiagram-v2", "    [*] --> waiting"]
    lines += [f"    {a.value} --> {b.value}: {step.value}" for (a, step), b in TABLE.items()]
    return "\n".join(lines)
