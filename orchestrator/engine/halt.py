"""The wish to stop: by signal or deadline. It stops new calls at once and is heard everywhere."""

from __future__ import annotations

from collections.abc import Callable


class Halt:
    """Hold whether and why a run should stop; a second signal means: leave at once."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.at_once = False
        self.listener: Callable[[], None] = lambda: None

    def request(self, signal: int) -> None:
        """Ask to stop; asking twice asks to leave without waiting for open answers."""
        self.at_once = self.signal is not None
        self.signal = self.signal or signal
        self.listener()

    @property
    def requested(self) -> bool:
        """Tell whether anybody asked to stop."""
        return self.signal is not None
