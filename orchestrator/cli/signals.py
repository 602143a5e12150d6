"""Signals: SIGINT, SIGTERM and SIGHUP ask the run to stop; a second one asks it to leave at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from signal import SIG_BLOCK, SIG_IGN, SIG_UNBLOCK, pthread_sigmask, signal
from typing import TypeVar

import anyio

from orchestrator.cli.early import heard_signals, leave_on_signals, meaning_of
from orchestrator.engine.halt import Halt

T = TypeVar("T")


async def listening(work: Callable[[Halt], Awaitable[T]], *, leaves: bool = True) -> T:
    """Do some work that is told of signals through its halt; `leaves` tells that nothing else follows it.

    A lost terminal (SIGHUP) counts as SIGTERM: both mean that somebody else wants the run to end.
    What the work raises is raised here, without the group that the listening makes of it.
    """
    halt, numbers = Halt(), heard_signals()
    raised: BaseException | None = None
    async with anyio.create_task_group() as tasks:
        await tasks.start(_listen, halt)
        try:
            result = await work(halt)
        except Exception as error:
            raised = error
        pthread_sigmask(SIG_BLOCK, numbers)  # who listens no more leaves a gap before they are ignored
        tasks.cancel_scope.cancel()
    for number in numbers if leaves else ():
        signal(number, SIG_IGN)  # the exit status is fixed by now
    if not leaves:
        leave_on_signals()
    pthread_sigmask(SIG_UNBLOCK, numbers)
    while isinstance(raised, BaseExceptionGroup):
        raised = raised.exceptions[0]
    if raised is not None:
        raise raised
    return result


async def _listen(halt: Halt, *, task_status: anyio.abc.TaskStatus[None]) -> None:
    """Turn each signal into a request to stop."""
    with anyio.open_signal_receiver(*heard_signals()) as signals:
        task_status.started()
        async for heard in signals:
            halt.request(meaning_of(heard))
