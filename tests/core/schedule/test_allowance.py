"""How many requests a minute the cloud takes: learned from throttles, believed late, tried again slowly."""

from __future__ import annotations

from collections import deque

import pytest

from orchestrator.core.schedule.allowance import Allowance, Allowances
from tests.core.schedule.stories import EPOCH

MINUTE_S = 60.0


def taken(*times: float, limit: int = 600) -> Allowance:
    """Let requests go through at these times, each answered at once."""
    allowance = Allowance(limit)
    for at in times:
        allowance.sent(at)
        allowance.took(at)
    return allowance


def refuse(allowance: Allowance, *times: float, again: bool = True) -> None:
    """Let requests be throttled at these times."""
    for at in times:
        allowance.sent(at)
        allowance.refused(at, again=again)


def learned(most: int, at: float = 10.0) -> Allowance:
    """Learn an allowance, by the requests of the last second and three throttles."""
    allowance = taken(*(at - 1 + number / most for number in range(most)))
    refuse(allowance, at, at + 1, at + 2)
    return allowance


# --- what is believed -----------------------------------------------------------------------------


def test_one_throttle_and_a_second_may_be_chance() -> None:
    """Nothing is bounded by them; after a third one, with pauses between, what went through is the bound."""
    allowance = taken(*range(8))
    seen = []
    for at in (8.0, 9.0, 10.0):
        refuse(allowance, at)
        seen.append(allowance.most)
    assert seen == [None, None, 8]


def test_what_was_on_its_way_is_the_same_throttle() -> None:
    """Ten requests that left together are refused together: that is one throttle, not ten."""
    allowance = taken(*range(8))
    refuse(allowance, 8.0)
    refuse(allowance, *[8.1] * 9, again=False)
    assert allowance.most is None


def test_an_answer_ends_the_row() -> None:
    """Throttled twice, taken once, throttled twice: chance as before."""
    allowance = taken(*range(8))
    refuse(allowance, 8.0, 9.0)
    allowance.sent(10.0)
    allowance.took(10.0)
    refuse(allowance, 11.0, 12.0)
    assert allowance.most is None


def test_a_lost_answer_ends_no_row_and_is_counted() -> None:
    """Nobody knows whether it went through: the minute may be as full as if it had."""
    allowance = taken(*range(8))
    refuse(allowance, 8.0, 9.0)
    allowance.sent(9.5)
    allowance.lost(9.5)
    refuse(allowance, 10.0)
    assert allowance.most == 9


def test_a_throttle_after_hardly_a_request_is_about_something_else() -> None:
    """Four requests in the last minute and ten throttles: no gateway takes so few."""
    allowance = taken(0, 1, 2, 3)
    refuse(allowance, *range(4, 14))
    assert allowance.most is None
    assert allowance.relief_at(14.0, again=True) == 14.0


@pytest.mark.parametrize(("lately", "most"), [(8, 8), (7, 10)])
def test_a_known_bound_is_corrected_at_once_where_the_minute_was_nearly_full(lately: int, most: int) -> None:
    """Ten are known: a throttle after eight is about the minute, one after seven may be chance."""
    allowance = learned(10)
    for number in range(lately):
        allowance.sent(100.0 + number)
        allowance.took(100.0 + number)
    refuse(allowance, 110.0)
    assert allowance.most == most


# --- what it bounds -------------------------------------------------------------------------------


def test_the_next_request_goes_when_the_oldest_is_a_minute_old() -> None:
    """Eight within eight seconds: no other until the first leaves the minute, then one for each that does."""
    allowance = taken(*range(8))
    refuse(allowance, 8.0, 9.0)
    assert allowance.relief_at(10.0, again=True) == MINUTE_S
    refuse(allowance, 10.0)
    allowance.sent(MINUTE_S)
    allowance.took(MINUTE_S)
    assert not allowance.ready(MINUTE_S + 0.9)
    assert allowance.next_at(MINUTE_S + 0.9) == MINUTE_S + 1
    assert allowance.ready(MINUTE_S + 1)


def test_what_is_on_its_way_counts() -> None:
    """Ten are allowed, six went through, four have no answer yet: no eleventh."""
    allowance = learned(10)
    for number in range(10):
        assert allowance.ready(100.0)
        allowance.sent(100.0)
        if number < 6:
            allowance.took(100.0)
    assert not allowance.ready(100.0)


def test_a_request_that_is_never_answered_blocks_for_a_minute_at_most() -> None:
    """Nor does one that never left."""
    allowance = learned(10)
    allowance.sent(80.0)
    allowance.took(80.0)
    for _ in range(10):
        allowance.sent(200.0)
    allowance.uncounted()
    assert [allowance.ready(at) for at in (200.0, 259.9)] == [True, True]
    allowance.sent(200.0)
    assert [allowance.ready(at) for at in (259.9, 260.0)] == [False, True]


def test_after_a_throttle_one_request_alone_finds_out() -> None:
    """Whether or not a bound is known; its answer lets the others go."""
    allowance = taken(*range(8))
    refuse(allowance, 8.0)
    assert allowance.ready(9.0)
    allowance.sent(9.0)
    assert not allowance.ready(9.0)
    allowance.took(9.2)
    allowance.sent(9.2)
    assert allowance.ready(9.2)


# --- how it grows ---------------------------------------------------------------------------------


def pass_minute(allowance: Allowance, minute: int, requests: int) -> int | None:
    """Let so many requests go through, spread over a minute; return the bound after it."""
    for number in range(requests):
        at = 1000 + MINUTE_S * (minute + number / requests)
        if allowance.ready(at):
            allowance.sent(at)
            allowance.took(at)
    return allowance.most


def test_it_grows_by_a_tenth_for_each_full_minute() -> None:
    """Thirty, a full minute to see that it is full, then 33, 36, 40."""
    allowance = learned(30)
    assert [pass_minute(allowance, minute, 60) for minute in range(5)][:2] == [30, 33]
    assert 38 <= (allowance.most or 0) <= 44


def test_what_is_not_used_up_does_not_grow() -> None:
    """Twenty of thirty a minute, for an hour: nothing was tried, nothing is known."""
    allowance = learned(30)
    assert {pass_minute(allowance, minute, 20) for minute in range(60)} == {30}


def test_at_the_configured_limit_it_is_forgotten() -> None:
    """The buckets bound as much, from then on."""
    allowance = taken(*(number / 10 for number in range(30)), limit=40)
    refuse(allowance, 4.0, 5.0, 6.0)
    assert allowance.most == 30
    for minute in range(8):
        pass_minute(allowance, minute, 60)
    assert allowance.most is None


# --- key and APIs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("alone", [True, False])
def test_a_throttle_of_one_api_bounds_that_one(alone: bool) -> None:
    """One of the key bounds all of them."""
    allowances = Allowances(600, 600)
    for api in ("a", "b"):
        for number in range(8):
            allowances.sent(api, float(number))
            allowances.took(api, float(number))
    for at in (8.0, 9.0, 10.0):
        allowances.sent("a", at)
        allowances.refused("a", at, alone=alone, again=True)
    allowances.sent("b", MINUTE_S)
    allowances.took("b", MINUTE_S)
    assert allowances.most("a") == (8 if alone else 16)
    assert allowances.most("b") == (None if alone else 16)


# --- what it is good for --------------------------------------------------------------------------


class Gateway:
    """Takes so many requests in any minute, and refuses the rest; a refused one is not counted."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.lately = deque[float]()
        self.refused = self.taken = 0

    def takes(self, at: float) -> bool:
        """Count one request, or refuse it."""
        while self.lately and self.lately[0] <= at - MINUTE_S:
            self.lately.popleft()
        if len(self.lately) >= self.per_minute:
            self.refused += 1
            return False
        self.lately.append(at)
        self.taken += 1
        return True


@pytest.mark.parametrize("per_minute", [5, 10, 30, 100, 300])
def test_an_eager_sender_gets_what_the_cloud_takes_and_is_hardly_refused(per_minute: int) -> None:
    """An hour of sending whatever may leave: nine tenths of the rate at least, a refusal a minute at most."""
    allowance, gateway, pause_until, now = Allowance(600), Gateway(per_minute), 0.0, EPOCH
    while now < EPOCH + 3600:
        while now >= pause_until and allowance.ready(now):
            allowance.sent(now)
            if gateway.takes(now):
                allowance.took(now)
                continue
            pause_until = max(now + 0.5, allowance.relief_at(now, again=True))
            allowance.refused(now, again=True)
        now += 0.1
    assert gateway.taken >= 0.9 * 60 * per_minute
    assert gateway.refused <= 60 + 3
