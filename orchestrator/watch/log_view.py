"""Reads a progress log back: finished or still being written, line by line, and as sentences for people."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

from orchestrator.watch.text import UNKNOWN_TIME, clean
from orchestrator.watch.words import Line, sentence

POLL_S = 0.5
_BLOCK = 65_536
_MARKS = {"warning": "warning: ", "error": "ERROR: "}


def render(line: str) -> str | None:
    """Turn one JSON line of the log into one line for people; None for a torn or foreign line.

    `02:10:11 img-a to cn-east-2: the source image is being copied …; tried again in 41 s`. Times are
    UTC. What a person should know of is marked `warning:`, what somebody must act on `ERROR:`.
    """
    fields = _parse(line)
    if fields is None:
        return None
    stamp, level, name = fields.get("ts"), fields.get("level"), str(fields["event"])
    time = clean(stamp[11:19]) if isinstance(stamp, str) and len(stamp) >= 19 else UNKNOWN_TIME
    mark = _MARKS.get(level, "") if isinstance(level, str) else ""
    return f"{time} {mark}{sentence(name, fields)}{_date(name, stamp)}"


def is_last(line: str) -> bool:
    """Say whether a run wrote nothing after this line."""
    fields = _parse(line) if "run.finished" in line else None
    return fields is not None and fields["event"] == "run.finished"


def read_lines(path: Path) -> Iterator[str]:
    """Give the whole lines that a log holds now; a torn last line is left out.

    Raises FileNotFoundError when there is no log.
    """
    with path.open("rb") as file:
        for raw in file:
            if raw.endswith(b"\n"):
                yield _text(raw)


async def follow(
    path: Path,
    sleep: Callable[[float], Awaitable[None]],
    *,
    poll_s: float = POLL_S,
    over: Callable[[], bool] = lambda: False,
) -> AsyncIterator[str]:
    """Give a log's whole lines, those there are and those to come, until the run's last one.

    A run that was killed writes no last line: `over` says that nobody writes any more, and ends it
    once everything is read. Raises FileNotFoundError when there is no log.
    """
    rest = b""
    with path.open("rb") as file:
        while True:
            nobody_writes = over()
            while block := file.read(_BLOCK):
                *whole, rest = (rest + block).split(b"\n")
                for line in map(_text, whole):
                    yield line
                    if is_last(line):
                        return
            if nobody_writes:
                return
            await sleep(poll_s)


def _text(raw: bytes) -> str:
    """Decode one line; bytes that are no UTF-8 become marks, and the line a foreign one."""
    return raw.decode("utf-8", "replace").rstrip("\r\n")


def _parse(line: str) -> Line | None:
    """Read one line's fields; None unless it is an object that names its event."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    named = isinstance(fields, dict) and isinstance(fields.get("event"), str)
    return fields if named else None


def _date(name: str, stamp: object) -> str:
    """Say the date once, where a run starts and where it ends."""
    if name not in ("run.started", "run.finished") or not isinstance(stamp, str):
        return ""
    return f" (on {clean(stamp[:10])}, times are UTC)"
