"""An event loop without a machine: time jumps to the next timer, and a process in it can stop anywhere.

Nothing here knows what runs on it. Timers with equal deadlines run in the order they were set,
so the same program does the same on every machine and every supported Python.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from contextvars import Context, ContextVar, copy_context
from heapq import heappop, heappush
from typing import Any, Protocol, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_SPINS_MAX = 500_000
"""Steps without the clock moving before the loop is taken to spin for ever."""


class Stalled(Exception):
    """Nothing is ready and nothing is scheduled: everybody waits for everybody."""


class Spinning(Exception):
    """Steps are taken without end and the clock stands still."""


class Owner:
    """A simulated process: its moments are counted, and from any moment on it may be frozen.

    A moment is something that reaches it: bytes, a connection, a timer. How many steps a Python
    takes between two of them is its own affair. What a frozen process would do next is kept, and
    done when it is thawed, if it ever is.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.frozen = False
        self.moments = 0
        self.stops_at: int | None = None
        self.on_stop: Callable[[], None] = lambda: None
        self.parked: deque[asyncio.Handle] = deque()


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)
"""Whose step runs; None is the world. Tasks and callbacks inherit it as they inherit their context."""


class Harbour(Protocol):
    """Where connections are made; see `network.Network`."""

    async def dial(self, address: object) -> None:
        """Wait until connected, or raise OSError."""
        ...

    def join(self, protocol: asyncio.BaseProtocol) -> asyncio.Transport:
        """Tie a client's protocol to a server's; return the client's transport."""
        ...

    def resolve(self, host: str) -> bool:
        """Tell whether the name is found now."""
        ...


class SimLoop(asyncio.BaseEventLoop):
    """The loop. `harbour` must be set before the first connection."""

    def __init__(self) -> None:
        super().__init__()
        self.harbour: Harbour
        self.complaints: list[str] = []
        self._now = 0.0
        self._order = 0
        self._spins = 0
        self._soon: deque[tuple[asyncio.Handle, Owner | None]] = deque()
        self._due: deque[tuple[asyncio.Handle, Owner | None]] = deque()
        self._timers: list[tuple[float, int, asyncio.TimerHandle, Owner | None]] = []
        self.set_exception_handler(_complain)

    # --- time and steps ---------------------------------------------------------------------------

    def time(self) -> float:
        """Tell the virtual time in seconds; a night begins at 0."""
        return self._now

    def call_soon(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Queue a step for whoever's context it has."""
        handle = asyncio.Handle(callback, args, self, context)
        self._soon.append((handle, _owner(context)))
        return handle

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        """Queue a step: there is one thread."""
        return self.call_soon(callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer; equal deadlines keep their order."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        self._order += 1
        heappush(self._timers, (when, self._order, handle, _owner(context)))
        return handle

    def call_later(
        self,
        delay: float,
        callback: Callable[[*Ts], object],
        *args: *Ts,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Set a timer from now."""
        return self.call_at(self._now + delay, callback, *args, context=context)

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Keep a cancelled timer in the heap; it is dropped when its time comes."""

    def _run_once(self) -> None:
        """Take every step that is ready now; when none is, move the clock first."""
        if not self._soon:
            self._advance()
        while self._timers and self._timers[0][0] <= self._now:
            _, _, handle, owner = heappop(self._timers)
            self._due.append((handle, owner))
        for _ in range(len(self._soon)):
            self._step(*self._soon.popleft())
        while self._due:
            self._reach(*self._due.popleft())

    def _advance(self) -> None:
        """Jump to the next timer that still counts."""
        while self._timers and self._timers[0][2].cancelled():
            heappop(self._timers)
        if not self._timers:
            raise Stalled(f"at {self._now:.3f} s")
        if self._timers[0][0] > self._now:
            self._now, self._spins = self._timers[0][0], 0

    def _reach(self, handle: asyncio.Handle, owner: Owner | None) -> None:
        """Let a timer go off; for its owner that is a moment, unless it stops right before it."""
        if owner is not None and not owner.frozen and not handle.cancelled():
            owner.moments += 1
            if owner.moments == owner.stops_at:
                owner.on_stop()
        self._step(handle, owner)

    def _step(self, handle: asyncio.Handle, owner: Owner | None) -> None:
        """Take one step, unless its owner stopped before it."""
        if handle.cancelled():
            return
        self._spins += 1
        if self._spins > _SPINS_MAX:
            raise Spinning(f"at {self._now:.3f} s, {handle!r}")
        if owner is not None and owner.frozen:
            owner.parked.append(handle)
        else:
            handle._run()

    def thaw(self, owner: Owner) -> None:
        """Let a frozen process go on where it stopped."""
        owner.frozen = False
        while owner.parked:
            self._soon.append((owner.parked.popleft(), owner))

    # --- what a machine would do ------------------------------------------------------------------

    async def getaddrinfo(self, host: Any, port: Any, **kwargs: Any) -> Any:
        """Resolve a name to the one address there is."""
        if not self.harbour.resolve(host):
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("192.0.2.1", port))]

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """Connect a socket that nothing will ever be sent through."""
        await self.harbour.dial(address)

    async def create_connection(self, *args: Any, **kwargs: Any) -> Any:
        """Put the caller's protocol on a wire in memory; the socket is given back at once."""
        sock = kwargs["sock"]
        if kwargs.get("ssl"):
            raise OSError(errno.EPROTO, "there is no TLS here")
        sock.close()
        protocol = args[0]()
        return self.harbour.join(protocol), protocol

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run it here and now: a thread would live in another time."""
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:
            future.set_exception(error)
        return future

    def _process_events(self, event_list: object) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nobody else could wake this loop."""


def _owner(context: Context | None) -> Owner | None:
    """Tell whose step a callback will be."""
    return OWNER.get() if context is None else context.get(OWNER)


def context_of(owner: Owner) -> Context:
    """Make the context in which a process runs."""
    context = copy_context()
    context.run(OWNER.set, owner)
    return context


def _complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Keep what asyncio would print: in a storm each of these is a fault."""
    if isinstance(loop, SimLoop):
        loop.complaints.append(f"{context.get('message')}: {context.get('exception')!r}")
