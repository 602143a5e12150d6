"""An event loop in which nobody waits: when nothing is ready, time jumps to the next timer.

It knows nothing of what runs on it. Whatever waits for a socket, a thread or another process would
wait for ever here, for no time passes by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from selectors import DefaultSelector, SelectorKey
from typing import TypeVar

T = TypeVar("T")

_Ready = list[tuple[SelectorKey, int]]


class Stalled(RuntimeError):
    """Nothing is ready and no timer is set: everybody waits for everybody."""


class _Leaping(DefaultSelector):
    """Never sleeps: a pause that the loop asks for has passed when it returns. `now` is in seconds."""

    now = 0.0

    def select(self, timeout: float | None = None) -> _Ready:
        """Return what is ready; if that is nothing, let the pause have passed."""
        ready = super().select(0)
        if not ready:
            if timeout is None:
                raise Stalled("nothing is ready and nothing is scheduled")
            self.now += max(0.0, timeout)
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose `time()` is virtual seconds; it begins at 0."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Tell the virtual time in seconds."""
        return self._leaping.now


def run_virtually(work: Callable[[], Coroutine[object, object, T]]) -> T:
    """Run some work to its end in virtual time, in a loop of its own, and return what it returns.

    Raises Stalled when it waits for what can never come, RuntimeError while another loop runs in this thread.
    """
    if _loop_runs():
        raise RuntimeError("virtual time needs a thread in which no other event loop runs")
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work())


def _loop_runs() -> bool:
    """Tell whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
