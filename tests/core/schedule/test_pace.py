"""How fast requests may leave: the documented limit per minute, whatever the minute."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.schedule.pace import Pace
from tests.core.schedule.stories import EPOCH


def sent(per_minute: int, pauses_s: list[float], for_s: float = 200) -> list[float]:
    """Send as often as the pace allows, asking after the given pauses in turn; return when."""
    pace, now, turn = Pace(per_minute), 0.0, 0
    times: list[float] = []
    while now < for_s:
        while pace.ready(now) and len(times) < 20_000:
            pace.take(now)
            times.append(now)
        now += pauses_s[turn % len(pauses_s)]
        turn += 1
    return times


def worst_minute(times: list[float]) -> int:
    """Count the most requests in any half-open window of 60 seconds."""
    most = first = 0
    for last, at in enumerate(times):
        while times[first] <= at - 60:
            first += 1
        most = max(most, last - first + 1)
    return most


@settings(max_examples=40, derandomize=True, deadline=None)
@given(st.integers(1, 3000), st.lists(st.floats(0.05, 90), min_size=1, max_size=6))
def test_no_minute_holds_more_than_the_limit(per_minute: int, pauses_s: list[float]) -> None:
    """Any window of 60 s, aligned or not, after idle times and in the rush: at most the limit."""
    assert worst_minute(sent(per_minute, pauses_s)) <= max(per_minute, 1)


@pytest.mark.parametrize("per_minute", [2, 60, 600, 100_000])
def test_the_limit_is_nearly_used_up(per_minute: int) -> None:
    """An eager sender reaches at least nine tenths of the limit: the burst costs little (half at 2)."""
    pace, now, count = Pace(per_minute), EPOCH, 0
    while now < EPOCH + 120:
        while pace.ready(now):
            pace.take(now)
            count += 1
        now += 0.01
    assert count >= 2 * per_minute * (0.5 if per_minute == 2 else 0.9)


def test_a_burst_is_one_seconds_worth() -> None:
    """600 a minute let ten leave at once after any rest, not six hundred."""
    pace, burst = Pace(600), 0
    while pace.ready(EPOCH + 86_400):
        pace.take(EPOCH + 86_400)
        burst += 1
    assert burst == 10


def test_a_slow_limit_still_lets_one_leave() -> None:
    """One a minute is accepted: the first at once, the next after its wait."""
    pace = Pace(1)
    assert pace.ready(EPOCH)
    pace.take(EPOCH)
    assert not pace.ready(EPOCH + 59)
    assert pace.next_at(EPOCH) - EPOCH >= 60


def test_a_clock_that_stands_still_gives_nothing() -> None:
    """Asking often is no way to get more; nor is a clock that goes backwards."""
    pace = Pace(60)
    pace.take(EPOCH)
    assert not any(pace.ready(EPOCH) for _ in range(1000))
    assert not any(pace.ready(EPOCH - 1000 + second) for second in range(1000))


def test_asking_costs_nothing() -> None:
    """`ready` and `next_at` take no request away."""
    pace = Pace(60)
    for _ in range(100):
        assert pace.ready(EPOCH)
        assert pace.next_at(EPOCH) == EPOCH
