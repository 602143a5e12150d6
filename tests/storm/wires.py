"""A connection without sockets: two transports, and bytes that take time between them.."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context

_GAP_S = 0.02
"""Between the last bytes and the end of a connection, so that whoever reads can take them."""


class Plug(asyncio.Transport):
    """One end of a connection. What is written goes to `outlet`; the network calls the rest.

    Callbacks into the protocol run in the context of whoever owns this end.
    """

    def __init__(
        self, loop: asyncio.AbstractEventLoop, context: Context, outlet: Callable[[bytes], None]
    ) -> None:
        super().__init__({"peername": ("192.0.2.1", 80), "sockname": ("192.0.2.2", 40000)})
        self.on_closed: Callable[[bool], None] = lambda hard: None
        self.severed = False
        self._loop = loop
        self._context = context
        self._outlet = outlet
        self._protocol: asyncio.BaseProtocol
        self._closing = self._lost = self._paused = self._ended = False
        self._backlog = bytearray()
        self._arrives_at = 0.0

    # --- for the protocol -------------------------------------------------------------------------

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes, unless this end was closed or cut off."""
        if data and not self._closing and not self.severed:
            self._outlet(bytes(data))

    def close(self) -> None:
        """Close in order: the other end sees an end of file."""
        self._leave(None, hard=False)

    def abort(self) -> None:
        """Close at once: the other end sees a reset."""
        self._leave(None, hard=True)

    def is_closing(self) -> bool:
        """Tell whether this end is closed or about to be."""
        return self._closing

    def pause_reading(self) -> None:
        """Keep what arrives from now on."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand over what was kept."""
        self._paused = False
        self._loop.call_soon(self._flush, context=self._context)

    def is_reading(self) -> bool:
        """Tell whether what arrives is handed over."""
        return not self._paused and not self._closing

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Say who is told."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Tell who is told."""
        return self._protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is ever buffered on this side."""

    def get_write_buffer_size(self) -> int:
        """Nothing is ever buffered on this side."""
        return 0

    def can_write_eof(self) -> bool:
        """Half-closed connections are not played."""
        return False

    # --- for the network --------------------------------------------------------------------------

    def begin(self, protocol: asyncio.BaseProtocol) -> None:
        """Tell the protocol that it is connected."""
        self._protocol = protocol
        self._context.run(protocol.connection_made, self)

    def deliver(self, data: bytes, delay_s: float) -> asyncio.TimerHandle:
        """Let bytes arrive here later, never before those that were sent earlier."""
        return self._later(delay_s, self._arrive, data)

    def end(self, delay_s: float, error: OSError | None) -> asyncio.TimerHandle:
        """Let the end of the connection arrive here, a moment after the last bytes: end of file or error."""
        self._arrives_at += _GAP_S
        return self._later(delay_s + _GAP_S, self._end, error)

    def _later(self, delay_s: float, step: Callable[..., None], *args: object) -> asyncio.TimerHandle:
        """Keep the order of arrivals."""
        self._arrives_at = max(self._loop.time() + delay_s, self._arrives_at)
        return self._loop.call_at(self._arrives_at, step, *args, context=self._context)

    def _arrive(self, data: bytes) -> None:
        """Hand bytes over, or keep them."""
        if self._closing:
            return
        self._backlog += data
        self._flush()

    def _flush(self) -> None:
        """Hand over what was kept; the end of the connection comes after the last byte."""
        if self._paused or self._closing:
            return
        data = bytes(self._backlog)
        self._backlog.clear()
        if data and isinstance(self._protocol, asyncio.Protocol):
            self._protocol.data_received(data)
        if self._ended and not self._closing:
            self._finish()

    def _end(self, error: OSError | None) -> None:
        """Take note that nothing more will come."""
        if error is not None:
            self._leave(error, hard=True)
            return
        self._ended = True
        if not self._backlog:
            self._finish()

    def _finish(self) -> None:
        """Tell the protocol of the end of file, and close as asyncio does when it has no wish."""
        if self._closing:
            return
        if isinstance(self._protocol, asyncio.Protocol):
            self._protocol.eof_received()
        self._leave(None, hard=False)

    def _leave(self, error: OSError | None, *, hard: bool) -> None:
        """Close this end once and tell the other."""
        if self._closing:
            return
        self._closing = True
        self.on_closed(hard)
        self._loop.call_soon(self._gone, error, context=self._context)

    def _gone(self, error: OSError | None) -> None:
        """Tell the protocol that the connection is over, once."""
        if not self._lost:
            self._lost = True
            self._protocol.connection_lost(error)
