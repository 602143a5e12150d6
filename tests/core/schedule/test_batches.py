"""What is worth waiting for: clusters are taken whole, stragglers are not waited for."""

from __future__ import annotations

import pytest

from orchestrator.core.schedule.batches import End, together

T = 600.0


def ends(*at: float) -> list[End]:
    return [End(1000 + each, T) for each in at]


@pytest.mark.parametrize(
    ("at", "last"),
    [
        ((0,), 0),
        ((0, 1, 2, 3), 3),
        ((0, 1, 2, 300), 2),
        ((0, 59), 59),
        ((0, 61), 0),
        ((0, 30, 59.9), 59.9),
        ((0, 30, 60.1), 30),
    ],
)
def test_a_cluster_is_taken_whole_and_a_gap_is_not_waited_across(at: tuple[float, ...], last: float) -> None:
    """With a price of a tenth one place waits for 60 s of 600, two for 30 s."""
    assert together((), ends(*at), 0.1, 1000) == 1000 + last


def test_no_more_than_a_chunk_is_waited_for() -> None:
    """Ten travel together at most, so the eleventh end is the next look's."""
    assert together((), ends(*range(20)), 0.5, 1000) == 1009
    assert together(ends(*[-5] * 4), ends(*range(20)), 0.5, 1000) == 1005


def test_what_is_free_already_makes_waiting_dearer() -> None:
    """One alone waits 60 s for the second end; nine look at the first one, as ever, and go."""
    coming = ends(10, 70)
    assert together((), coming, 0.1, 1000) == 1070
    assert together(ends(*[0] * 9), coming, 0.1, 1000) == 1010


def test_long_copies_are_waited_for_longer() -> None:
    """The price is a share of a copy's duration: short copies wait for nothing."""
    far = [End(1000, 60.0), End(1010, 60.0)]
    assert together((), far, 0.1, 1000) == 1000
    assert together((), [End(1000, 6000.0), End(1010, 6000.0)], 0.1, 1000) == 1010
