"""Signals: SIGINT, SIGTERM and SIGHUP ask the run to stop; a second one asks it to leave at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from signal import SIGHUP, SIGINT, SIGTERM
from typing import TypeVar

import anyio

from orchestrator.engine.halt import Halt

T = TypeVar("T")


async def listening(work: Callable[[Halt], Awaitable[T]]) -> T:
    """Do some work that is told of signals through its halt.

    A lost terminal (SIGHUP) counts as SIGTERM: both mean that somebody else wants the run to end.
    """
    halt = Halt()
    async with anyio.create_task_group() as tasks:
        await tasks.start(_listen, halt)
        result = await work(halt)
        tasks.cancel_scope.cancel()
    return result


async def _listen(halt: Halt, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """Turn each signal into a request to stop."""
    with anyio.open_signal_receiver(SIGINT, SIGTERM, SIGHUP) as signals:
        task_status.started()
        async for signal in signals:
            halt.request(SIGTERM if signal == SIGHUP else signal)
