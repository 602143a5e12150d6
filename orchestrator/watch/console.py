"""Shows a run on stderr: a live table on a terminal, plain lines elsewhere; it never stops the run."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from orchestrator.core.messages import Change, Event
from orchestrator.core.model import Copy, State
from orchestrator.core.verdict import Overview
from orchestrator.watch.masks import Mask
from orchestrator.watch.plain import change_line, heartbeat_line
from orchestrator.watch.records import change_level, event_level, event_record
from orchestrator.watch.text import clock_text
from orchestrator.watch.words import sentence

if TYPE_CHECKING:
    from orchestrator.watch.live_table import LiveTable

HEARTBEAT_S = 300.0
_DUMB = frozenset({"", "dumb", "unknown"})
_NOTHING: Mapping[str, str] = MappingProxyType({})


class Console:
    """Shows a run on a stream, usually stderr (None when that was closed at start); a context manager.

    `quiet` shows trouble only: what somebody must act on. `verbose` adds what happens without a
    change of state. `progress=False` shows no table. `overview` is asked for the numbers when they
    are shown, `clock` gives UTC epoch seconds, `environ` is where TERM and NO_COLOR are
    looked up. Once the stream is gone, everything is said to nobody.
    """

    def __init__(
        self,
        stream: TextIO | None,
        *,
        quiet: bool = False,
        verbose: bool = False,
        progress: bool = True,
        overview: Callable[[], Sequence[Overview]],
        clock: Callable[[], float],
        environ: Mapping[str, str] = _NOTHING,
        heartbeat_s: float = HEARTBEAT_S,
        secrets: Sequence[str] = (),
    ) -> None:
        self._stream = stream if stream is not None else io.StringIO()
        self._quiet = quiet
        self._verbose = verbose
        self._overview = overview
        self._clock = clock
        self._environ = environ
        self._heartbeat_s = heartbeat_s
        self._mask = Mask(secrets)
        self._since: dict[Copy, float] = {}
        self._next_beat = clock() + heartbeat_s
        self._gone = stream is None
        self._wants_table = progress and not quiet and is_terminal(self._stream, environ)
        self._table: LiveTable | None = None

    def start(self) -> None:
        """Begin to show; on a terminal this is where rich is loaded."""
        self._next_beat = self._clock() + self._heartbeat_s
        if self._wants_table:
            self._safely(self._open_table)
            self.tick(self._clock())

    def event(self, event: Event, changes: Sequence[Change] = ()) -> None:
        """Show what an event and its changes tell a person who asked for this much."""
        level = event_level(event, changes)
        unquiet = level == "warning" and not self._quiet
        if level == "error" or unquiet or (self._verbose and level != "debug"):
            self._say(self._event_line(event, changes), loud=level == "error")
        for change in changes:
            self._change(change)

    def tick(self, now: float) -> None:
        """Redraw the table, or print the heartbeat when it is due. Call it about once a second."""
        if self._table is not None:
            table, overviews = self._table, self._overview()
            self._safely(lambda: table.draw(overviews))
        elif not self._quiet and now >= self._next_beat:
            self._next_beat = now + self._heartbeat_s
            self._say(heartbeat_line(now, self._overview()))

    def stop(self) -> None:
        """Draw the last table and give the terminal back; nothing happens the second time."""
        if self._table is not None:
            self.tick(self._clock())
        if self._table is not None:
            self._safely(self._table.stop)
        self._table, self._wants_table = None, False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.stop()

    def _open_table(self) -> None:
        """Load rich and take the terminal."""
        from orchestrator.watch.live_table import LiveTable

        table = LiveTable(self._stream, self._environ)
        table.start()
        self._table = table

    def _change(self, change: Change) -> None:
        """Show a change when it is trouble, or when lines are asked for; time copies on the way."""
        took_s = self._time(change)
        trouble = change_level(change) == "error"
        moved = change.before is not change.after
        told = not self._quiet and self._table is None and moved
        if trouble or told or self._verbose:
            known = change._replace(detail=self._mask.text(change.detail))
            self._say(change_line(known, took_s), loud=trouble)

    def _time(self, change: Change) -> float | None:
        """Remember when a copy's call went out, and say how long ago that is; None when unknown."""
        if change.after is State.CALLING:
            self._since[change.copy] = change.at
        began = self._since.get(change.copy)
        if change.after in (State.WAITING, State.READY, State.FAILED):
            self._since.pop(change.copy, None)
        return None if began is None else change.at - began

    def _event_line(self, event: Event, changes: Sequence[Change]) -> str:
        """Write an event as a sentence with its time."""
        record = event_record(event, changes)
        fields = {key: self._mask.value(value) for key, value in record.fields.items()}
        fields |= {"event": record.name, "level": record.level}
        return f"{clock_text(record.at)} {sentence(record.name, fields)}"

    def _say(self, line: str, *, loud: bool = False) -> None:
        """Print one line, above the table if there is one."""
        masked, table = self._mask.text(line), self._table
        if table is not None:
            self._safely(lambda: table.print_above(masked, loud=loud))
        else:
            self._safely(lambda: self._print(masked))

    def _print(self, line: str) -> None:
        """Write and flush one line; letters that the stream's encoding lacks become escapes."""
        encoding = self._stream.encoding or "utf-8"
        self._stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self._stream.flush()

    def _safely(self, show: Callable[[], None]) -> None:
        """Show something; a stream that is closed, full or hung up ends the showing, not the run."""
        if self._gone:
            return
        try:
            show()
        except (OSError, ValueError):
            self._gone, self._table = True, None


def is_terminal(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Say whether a table can be drawn there: a terminal that understands cursor movements."""
    try:
        return stream.isatty() and environ.get("TERM", "").lower() not in _DUMB
    except ValueError:
        return False
