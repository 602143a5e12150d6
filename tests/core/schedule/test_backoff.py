"""Waiting between attempts: growing, capped, spread by chance that comes from outside."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.schedule.backoff import delay_s

ATTEMPTS = st.integers(0, 10_000)
SECONDS = st.floats(0.001, 3600)
JITTER = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("attempt", "bound"), [(0, 1), (1, 2), (2, 4), (8, 256), (9, 300), (60, 300), (61, 300), (10_000, 300)]
)
def test_the_bound_doubles_up_to_the_cap(attempt: int, bound: float) -> None:
    """Attempt n waits less than 2**n times the first wait, and never more than the cap."""
    assert delay_s(attempt, initial_s=1, max_s=300, jitter=0.5) == bound / 2


def test_attempt_ten_thousand_does_not_overflow() -> None:
    """However long the night: a finite number, also with a cap as large as floats go."""
    assert delay_s(10_000, initial_s=1, max_s=300, jitter=0.999) < 300
    assert math.isfinite(delay_s(10_000, initial_s=3600, max_s=math.inf, jitter=0.999))


def test_a_negative_attempt_counts_as_the_first() -> None:
    """A count that starts below zero shortens nothing."""
    assert delay_s(-5, initial_s=2, max_s=300, jitter=0.5) == delay_s(0, initial_s=2, max_s=300, jitter=0.5)


@settings(derandomize=True, deadline=None)
@given(ATTEMPTS, SECONDS, SECONDS, JITTER)
def test_full_jitter_stays_within_the_bound(
    attempt: int, initial_s: float, max_s: float, jitter: float
) -> None:
    """The wait lies in [0, bound): zero for jitter 0, below the cap always."""
    waited = delay_s(attempt, initial_s=initial_s, max_s=max_s, jitter=jitter)
    assert 0 <= waited <= max_s
    assert delay_s(attempt, initial_s=initial_s, max_s=max_s, jitter=0) == 0


@settings(derandomize=True, deadline=None)
@given(ATTEMPTS, SECONDS, SECONDS, JITTER, JITTER)
def test_more_attempts_or_more_jitter_never_wait_less(
    attempt: int, initial_s: float, max_s: float, one: float, other: float
) -> None:
    """The bound grows with the attempt, the wait with the jitter."""
    low, high = sorted((one, other))
    assert delay_s(attempt, initial_s=initial_s, max_s=max_s, jitter=low) <= delay_s(
        attempt + 1, initial_s=initial_s, max_s=max_s, jitter=high
    )
