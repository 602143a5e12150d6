"""Attempt number -> seconds to wait. Pure: the jitter comes in as a number in [0, 1)."""

from __future__ import annotations

_MOST_DOUBLINGS = 60
"""The exponent is capped before it is used, so that attempt 10,000 cannot overflow a float."""


def delay_s(attempt: int, *, initial_s: float, max_s: float, jitter: float) -> float:
    """Return the wait after the given attempt (from 0), with full jitter.

    Full jitter draws from the whole of [0, bound): many clients refused together spread out
    instead of coming back together. The bound doubles with every attempt up to `max_s`.
    """
    bound = min(max_s, initial_s * 2.0 ** min(max(attempt, 0), _MOST_DOUBLINGS))
    return bound * jitter
