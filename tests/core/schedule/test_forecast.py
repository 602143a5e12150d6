"""How long copies take: an assumption at first, then what was seen, route by route."""

from __future__ import annotations

from random import Random

import pytest

from orchestrator.core.schedule.forecast import Forecast, Forecasts
from tests.core.schedule.stories import EAST, NORTH, SOUTH


def test_nothing_learned_is_an_assumption_that_grows_with_the_size() -> None:
    """The first night orders images by size before any copy has ended."""
    assert Forecast().seconds(8) == 600
    assert Forecast().seconds(16) > Forecast().seconds(8)


@pytest.mark.parametrize(("base_s", "per_gb_s"), [(30, 5), (600, 30), (0, 100), (1000, 0)])
def test_a_line_is_found(base_s: float, per_gb_s: float) -> None:
    """A cloud of any base and any price of a gigabyte is predicted within a twentieth after fifty copies."""
    chance, forecast = Random(1), Forecast()
    for _ in range(50):
        gb = chance.uniform(1, 60)
        forecast.learn(gb, base_s + per_gb_s * gb)
    for gb in (5, 20, 60):
        assert forecast.seconds(gb) == pytest.approx(base_s + per_gb_s * gb, rel=0.05)


def test_equal_sizes_say_nothing_of_other_sizes_but_the_scale() -> None:
    """After copies of 8 GB alone their own duration is known, and larger ones are taken to be longer."""
    forecast = Forecast()
    for _ in range(10):
        forecast.learn(8, 300)
    assert forecast.seconds(8) == pytest.approx(300)
    assert 300 < forecast.seconds(16) < 600


def test_older_copies_fade() -> None:
    """A region that has become slower is predicted so before a hundred more copies have ended."""
    forecast = Forecast()
    for _ in range(200):
        forecast.learn(8, 300)
    for _ in range(100):
        forecast.learn(8, 900)
    assert forecast.seconds(8) > 800


def test_a_prediction_is_never_nothing() -> None:
    """Copies that were ready at once leave durations that can be divided by."""
    forecast = Forecast()
    forecast.learn(8, 0.0)
    assert forecast.seconds(8) > 0
    assert forecast.seconds(0) > 0


def test_a_route_without_history_takes_over_what_others_have_shown() -> None:
    """And keeps to its own experience as soon as it has any."""
    forecasts = Forecasts()
    forecasts.learn((NORTH, EAST), 8, 100)
    assert forecasts.of((NORTH, SOUTH)).seconds(8) == pytest.approx(100)
    assert not forecasts.knows((NORTH, SOUTH))
    forecasts.learn((NORTH, SOUTH), 8, 900)
    assert forecasts.of((NORTH, SOUTH)).seconds(8) == pytest.approx(900)
    assert forecasts.of((NORTH, EAST)).seconds(8) == pytest.approx(100)
