"""The wish to stop: by signal or deadline. It stops new calls at once and is heard everywhere."""

from __future__ import annotations

from collections.abc import Callable

import anyio


class Halt:
    """Hold whether and why a run should stop; a second signal means: leave at once."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.at_once = False
        self.heard = anyio.Event()
        self.listener: Callable[[], None] = lambda: None
        self._told = False

    def request(self, signal: int) -> None:
        """Ask to stop; asking twice asks to leave without waiting for open answers."""
        self.at_once = self.signal is not None
        self.signal = self.signal or signal
        self.heard.set()
        self.listener()

    def news(self) -> int | None:
        """Return the signal to whoever asks first, so that it is told of once."""
        if self.signal is None or self._told:
            return None
        self._told = True
        return self.signal

    @property
    def requested(self) -> bool:
        """Tell whether anybody asked to stop."""
        return self.signal is not None
