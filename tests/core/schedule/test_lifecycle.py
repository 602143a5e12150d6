"""One copy's life: what may happen in which state, and that nothing else may."""

from __future__ import annotations

from itertools import product

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.counting import count
from orchestrator.core.schedule.lifecycle import TABLE, IllegalStep, Step, advance, diagram
from orchestrator.core.schedule.register import Register
from tests.core.schedule.stories import EAST, copies_of

W, C, D, K, R, F = (
    State.WAITING, State.CALLING, State.DOUBTFUL, State.COPYING, State.READY, State.FAILED,
)  # fmt: skip

LIFE = {
    W: {Step.CALL: C, Step.DOUBT: D, Step.FIND: K, Step.SEE_READY: R, Step.END: F},
    C: {Step.ACCEPT: K, Step.REFUSE: W, Step.LOSE: D, Step.END: F},
    D: {Step.FIND: K, Step.SEE_READY: R, Step.SETTLE: W, Step.END: F},
    K: {Step.SEE_READY: R, Step.END: F},
    R: {Step.GONE: W, Step.END: F},
    F: {Step.RENEW: W, Step.FIND: K, Step.SEE_READY: R},
}
"""The whole life, written down a second time: a change of the table must be meant."""


@pytest.mark.parametrize(("state", "step"), list(product(State, Step)))
def test_every_pair_is_legal_as_the_table_says_or_raises(state: State, step: Step) -> None:
    """All 66 pairs: the legal ones lead where they should, the others are a bug and say so."""
    expected = LIFE[state].get(step)
    if expected is not None:
        assert advance(state, step) is expected
        return
    with pytest.raises(IllegalStep, match=f"a {state.value} copy cannot be '{step.value}'"):
        advance(state, step)


@pytest.mark.parametrize(("state", "step"), [p for p in product(State, Step) if p not in TABLE])
def test_an_illegal_step_changes_nothing(state: State, step: Step) -> None:
    """The record, its counts and its indexes are as before; nobody is told of a change."""
    register = Register(Limits(), "ledger")
    track = register.track(copies_of(1, EAST)[0])
    track.wanted, track.state = True, state
    count(track)
    destination = track.destination
    before = (track.state, track.reason, track.since, destination.unsettled, destination.waiting)
    with pytest.raises(IllegalStep):
        register.move(track, step, Reason.ATTEMPTS)
    after = (track.state, track.reason, track.since, destination.unsettled, destination.waiting)
    assert after == before
    assert register.changes == []


def test_no_way_leads_from_doubt_to_a_second_call_without_looking() -> None:
    """The one step from doubtful to waiting is that the copy is surely not there."""
    assert [step for (state, step), after in TABLE.items() if state is D and after is W] == [Step.SETTLE]
    assert (D, Step.CALL) not in TABLE
    assert (D, Step.REFUSE) not in TABLE


def test_every_state_is_reached_and_left() -> None:
    """No state is an island or a trap: each follows from waiting, and each can wait again."""
    reached = {W}
    for _ in State:
        reached |= {after for (state, _), after in TABLE.items() if state in reached}
    assert reached == set(State)
    returning = {W}
    for _ in State:
        returning |= {state for (state, _), after in TABLE.items() if after in returning}
    assert returning == set(State)


def test_the_diagram_draws_every_row_once() -> None:
    """A beginning, then one arrow for each row of the table, labelled with what happened."""
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> waiting"]
    arrows = [f"    {a.value} --> {b.value}: {step.value}" for (a, step), b in TABLE.items()]
    assert lines[2:] == arrows
    assert len(set(arrows)) == len(TABLE)
