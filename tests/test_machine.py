"""What the machine lends: a clock that a suspended night does not stop."""

from __future__ import annotations

import time

from orchestrator.machine import since_start


def test_the_clock_counts_what_the_monotonic_one_counts_and_more() -> None:
    """It never goes back, and it is never behind the clock that stands still while a machine is suspended."""
    first, standing, second = since_start(), time.monotonic(), since_start()
    assert first <= second
    assert second >= standing
