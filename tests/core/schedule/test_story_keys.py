"""Keys that are renewed under way: nothing is counted against anybody, whatever met the old ones."""

from __future__ import annotations

import pytest

from orchestrator.core.messages import Inspect, List, Look, Read, Survey, Unanswered
from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, KINDS, NORTH, copies_of, story


def test_a_call_that_met_old_keys_goes_again_at_once() -> None:
    """Its copies wait again with no attempt counted and no pause; they travel together as before."""
    tale = story(copies_of(10, EAST), max_attempts=2)
    (call,) = tale.go()
    for _ in range(10):
        tale.refuse(call, Reason.KEYS_CHANGED)
        (again,) = tale.go()
        assert (again.numbers, again.marked) == (call.numbers, call.marked)
        assert again.id != call.id
        call = again
    assert {tale.track(copy).attempts for copy in copies_of(10, EAST)} == {0}
    tale.accept(call)
    assert tale.states() == {State.COPYING}


@pytest.mark.parametrize("kind", [Inspect, List, Survey, Look])
def test_a_read_that_met_old_keys_is_no_failure(kind: type[Read]) -> None:
    """Ten such answers in a row give up nothing, though two real failures would."""
    tale = story(copies_of(3, EAST), max_attempts=2)
    region = NORTH if kind is Inspect else EAST
    if kind is Look:
        tale.accept(*tale.go())
    tale.silent[KINDS[kind], region] = Reason.KEYS_CHANGED
    before = tale.reads(kind)
    for _ in range(50):
        tale.wait(20)
        if tale.reads(kind) >= before + 10:
            break
    assert tale.reads(kind) >= before + 10
    tale.silent.clear()
    tale.accept(*tale.wait(60))
    tale.finish()
    tale.wait(3600)
    assert tale.states() == {State.READY}
    assert tale.finished()


def test_old_keys_prove_nothing() -> None:
    """As the answer to a run's first request they are no success: the next one goes alone again."""
    tale = story(copies_of(3, EAST))
    (first,) = tale.decide()
    assert isinstance(first, Inspect)
    tale.tell(Unanswered(at=tale.now, read="inspect", region=NORTH, reason=Reason.KEYS_CHANGED))
    tale.now = tale.wake if tale.wake > tale.now else tale.now + 1
    assert [type(action) for action in tale.decide()] == [Inspect]
    assert tale.schedule.stopped is None


def test_an_intent_that_was_not_sent_counts_as_an_attempt() -> None:
    """A machine that sleeps again and again does not try for ever."""
    tale = story(copies_of(1, EAST), max_attempts=2)
    for _ in range(2):
        (call,) = tale.wait(60) or tale.go()
        tale.refuse(call, Reason.STALE_INTENT)
    assert tale.states() == {State.FAILED}
