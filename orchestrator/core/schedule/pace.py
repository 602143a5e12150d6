"""How fast requests may leave: one token bucket for the access key. Pure: time is an argument."""

from __future__ import annotations

_EPSILON = 1e-4
"""Of a request: epoch seconds as floats are no finer than a few tenths of a microsecond."""


class Pace:
    """Allow a number of requests a minute, spread evenly, with a burst of about one second's worth.

    The documented limit is counted per minute and per access key (official gateway error page).
    A bucket as large as a whole minute would let twice the limit through in some minutes, so
    the burst is small and is taken off the rate.
    """

    __slots__ = ("_burst", "_filled_at", "_rate_s", "_tokens")

    def __init__(self, per_minute: int) -> None:
        self._burst = max(1.0, per_minute / 60)
        self._rate_s = max(per_minute - self._burst, per_minute / 2) / 60
        self._tokens = self._burst
        self._filled_at = 0.0

    def _fill(self, now: float) -> None:
        """Add what has dripped in since the last time; a clock that stands still adds nothing."""
        elapsed_s = max(0.0, now - self._filled_at)
        self._tokens = min(self._burst, self._tokens + elapsed_s * self._rate_s)
        self._filled_at = max(now, self._filled_at)

    def ready(self, now: float) -> bool:
        """Tell whether one request may leave now."""
        self._fill(now)
        return self._tokens >= 1 - _EPSILON

    def take(self, now: float) -> None:
        """Count one request that leaves now."""
        self._fill(now)
        self._tokens -= 1

    def next_at(self, now: float) -> float:
        """Return when the next request may leave, which may be now."""
        self._fill(now)
        return now + max(0.0, (1 - self._tokens) / self._rate_s)
