"""A queue between tasks that needs no closing: what was put in is taken out once, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Generic, TypeVar

import anyio

T = TypeVar("T")


class Channel(Generic[T]):
    """Unbounded, because the schedule bounds what it hands out. Several tasks may take from it."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()
        self._arrival = anyio.Event()

    def put(self, item: T) -> None:
        """Add one item; never waits."""
        self._items.append(item)
        self._arrival.set()
        self._arrival = anyio.Event()

    async def items(self) -> AsyncIterator[T]:
        """Take items for ever, waiting for the next one."""
        while True:
            while self._items:
                yield self._items.popleft()
            await self._arrival.wait()
