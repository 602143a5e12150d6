"""What a night came to: from where the copies stand at its end, never from what happened on the way."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.model import Copy, ImageId, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Counts, Standing, Verdict, count, judge


def standing(state: State, number: int = 0) -> Standing:
    copy = Copy(ImageId(f"img-{number}"), Region("cn-north-1"), Region("cn-east-2"))
    return Standing(copy=copy, state=state, reason=Reason.QUEUED)


def counts(ready: int = 0, failed: int = 0, pending: int = 0) -> Counts:
    return Counts(wanted=ready + failed + pending, ready=ready, failed=failed, pending=pending)


@settings(derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(State), max_size=60))
def test_every_copy_is_counted_once(states: list[State]) -> None:
    """Ready, failed or still owed: the three add up to what is wanted."""
    counted = count(tuple(standing(state, number) for number, state in enumerate(states)))
    assert counted.wanted == len(states) == counted.ready + counted.failed + counted.pending
    assert counted.ready == states.count(State.READY)
    assert counted.failed == states.count(State.FAILED)


TABLE = [
    # counts, settled, stopped, late, signal -> verdict, exit code
    (counts(ready=3), True, None, False, None, Verdict.OK, 0),
    (counts(), True, None, False, None, Verdict.OK, 0),
    (counts(ready=3), True, None, True, None, Verdict.OK, 0),
    (counts(ready=3), True, None, False, 15, Verdict.OK, 0),
    (counts(ready=2, failed=1), True, None, False, None, Verdict.PARTIAL, 3),
    (counts(failed=3), True, None, False, None, Verdict.FAILED, 3),
    (counts(ready=1, pending=2), False, None, False, None, Verdict.PARTIAL, 3),
    (counts(pending=2), False, None, False, None, Verdict.FAILED, 3),
    (counts(ready=1, pending=2), False, None, True, None, Verdict.DEADLINE, 4),
    (counts(pending=2), False, None, True, None, Verdict.DEADLINE, 4),
    (counts(ready=1, pending=2), False, None, False, 15, Verdict.INTERRUPTED, 143),
    (counts(ready=1, pending=2), False, None, False, 2, Verdict.INTERRUPTED, 130),
    (counts(ready=1, pending=2), False, None, True, 15, Verdict.INTERRUPTED, 143),
    (counts(ready=1, pending=2), False, Reason.CREDENTIALS, False, None, Verdict.CREDENTIALS, 77),
    (counts(pending=2), False, Reason.CREDENTIALS, True, 15, Verdict.CREDENTIALS, 77),
    (counts(pending=2), False, Reason.CONFIGURATION, False, None, Verdict.FAILED, 2),
]


@pytest.mark.parametrize(("end", "settled", "stopped", "late", "signal", "verdict", "code"), TABLE)
def test_the_end_state_decides(
    end: Counts,
    settled: bool,
    stopped: Reason | None,
    late: bool,
    signal: int | None,
    verdict: Verdict,
    code: int,
) -> None:
    """Every documented exit code, and which one wins when two would fit."""
    assert judge(end, settled=settled, stopped=stopped, late=late, signal=signal) == (verdict, code)


@settings(derandomize=True, deadline=None)
@given(
    st.integers(0, 3),
    st.integers(0, 3),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([None, Reason.CREDENTIALS, Reason.CONFIGURATION]),
    st.booleans(),
    st.sampled_from([None, 2, 15]),
)
def test_zero_means_everything_is_ready(
    ready: int,
    failed: int,
    pending: int,
    settled: bool,
    stopped: Reason | None,
    late: bool,
    signal: int | None,
) -> None:
    """Exit 0 and `ok` go together, and only with everything ready and nothing left to do."""
    end = counts(ready, failed, pending)
    verdict, code = judge(end, settled=settled, stopped=stopped, late=late, signal=signal)
    everything = settled and failed == pending == 0
    assert (verdict is Verdict.OK) is (code == 0) is everything
    assert code in (0, 2, 3, 4, 77, 130, 143)
