"""Virtual time: a heap of moments and the processes that go on at them. No thread, no sleep, no asyncio.

A process is a generator that yields the seconds it sleeps; what it returns is its result.
"""

from __future__ import annotations

from collections.abc import Generator
from heapq import heappop, heappush, heapreplace
from itertools import count
from typing import TypeVar

T = TypeVar("T")
Process = Generator[float, None, T]
"""Yields seconds to sleep, returns its result; `yield from` makes one a part of another."""


class Clockwork:
    """Lets processes take turns in the order of their times; those of one moment in the order they came."""

    def __init__(self, now: float) -> None:
        self.now = now
        self._heap: list[tuple[float, int, Process[None]]] = []
        self._numbers = count()

    def start(self, process: Process[None], delay_s: float = 0.0) -> None:
        """Let a process begin, after so many seconds."""
        heappush(self._heap, (self.now + delay_s, next(self._numbers), process))

    def run(self, until: float) -> None:
        """Go on until no process is left; RuntimeError when the time is over before."""
        heap = self._heap
        while heap:
            self.now, _, process = heap[0]
            if self.now > until:
                raise RuntimeError(f"the night does not end: {len(heap)} processes are left")
            try:
                delay_s = next(process)
            except StopIteration:
                heappop(heap)  # still the first: whatever was started meanwhile comes later
            else:
                heapreplace(heap, (self.now + delay_s, next(self._numbers), process))
