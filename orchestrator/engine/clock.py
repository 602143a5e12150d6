"""The run's clock: UTC epoch seconds that never go backwards. The wall clock is read once, at the start."""

from __future__ import annotations

from collections.abc import Callable


class Clock:
    """Tell the time of a run: the wall clock at its start plus what the monotonic clock says since.

    A wall clock that is set back or forward in the night moves nothing. Between runs the time
    never falls behind the ledger's last event, so a pause that was written down stays a pause.
    """

    def __init__(self, *, wall: Callable[[], float], monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._started = monotonic()
        self._start = wall()

    def not_before(self, at: float) -> None:
        """Move the start forward, so that the clock shows at least this time."""
        self._start += max(0.0, at - self())

    def __call__(self) -> float:
        """Return the time of the run, in UTC epoch seconds."""
        return self._start + (self._monotonic() - self._started)
