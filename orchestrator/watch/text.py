"""Words for people: times, spans, columns, and foreign text made harmless; nothing here knows an event."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from orchestrator.core.model import Copy

CLIP = 300
"""Most characters of one foreign text in a line for people."""

_AT_ONCE_S = 0.05
"""A pause below this rounds to no tenth of a second."""

UNKNOWN_TIME = "--:--:--"


def clean(text: str, most: int = CLIP) -> str:
    """Neutralise a foreign text: no control, bidi, zero-width or lone surrogate character survives.

    They are written as their escapes, other blanks become a space, and what is longer than
    `most` characters ends in an ellipsis.
    """
    short = text if len(text) <= most else text[: most - 1] + "…"
    return short if short.isprintable() else "".join(_harmless(letter) for letter in short)


def neutral(text: str) -> str:
    """Neutralise a text of several lines and any length, as `clean` does; its lines stay lines."""
    return "\n".join(clean(line, len(line)) for line in text.split("\n"))


def _harmless(letter: str) -> str:
    """Write one character so that no terminal acts on it."""
    if letter.isprintable():
        return letter
    if unicodedata.category(letter) == "Zs":
        return " "
    return letter.encode("unicode_escape").decode("ascii")


def well_formed(text: str) -> str:
    """Replace lone surrogates, which no UTF-8 can carry, and keep everything else."""
    return text.encode("utf-8", "replace").decode("utf-8")


def iso(at: float) -> str | None:
    """Write epoch seconds as ISO UTC with milliseconds and Z; None for a time no calendar has."""
    try:
        moment = datetime.fromtimestamp(at, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def from_iso(text: str) -> float:
    """Read what `iso` wrote. Raises ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()


def clock_text(at: float) -> str:
    """Write epoch seconds as the UTC time of day, `03:12:07Z`."""
    stamp = iso(at)
    return f"{stamp[11:19]}Z" if stamp else UNKNOWN_TIME


def date_text(at: float) -> str:
    """Write epoch seconds as UTC date and time, `2026-11-23 03:12:07Z`."""
    stamp = iso(at)
    return f"{stamp[:10]} {stamp[11:19]}Z" if stamp else UNKNOWN_TIME


def span(seconds: float, *, spoken: bool = False) -> str:
    """Write a duration with its two largest units: `41s`, `12m`, `2h 5m`; spoken: `41 s`, `2 h 5 min`."""
    units = (" h", " min", " s") if spoken else ("h", "m", "s")
    whole = round(max(0.0, min(seconds, 1e9)))
    hours, minutes, rest = whole // 3600, whole % 3600 // 60, whole % 60
    if hours:
        return f"{hours}{units[0]} {minutes}{units[1]}" if minutes else f"{hours}{units[0]}"
    if minutes:
        return f"{minutes}{units[1]} {rest}{units[2]}" if rest and minutes < 5 else f"{minutes}{units[1]}"
    return f"{rest}{units[2]}"


def again(seconds: float, *, spoken: bool = False) -> str:
    """Say when something is tried again: `tried again in 41s`; tenths below a second, then `at once`."""
    if seconds < _AT_ONCE_S:
        return "tried again at once"
    if seconds < 1 - _AT_ONCE_S:
        return f"tried again in {seconds:.1f}{' s' if spoken else 's'}"
    return f"tried again in {span(seconds, spoken=spoken)}"


def compact(copy: Copy) -> str:
    """Write a copy as logs carry it: `img-x cn-north-1>cn-east-2`."""
    return f"{copy.source} {copy.origin}>{copy.destination}"


def spaced(copy: Copy) -> str:
    """Write a copy as people read it: `img-x cn-north-1 > cn-east-2`."""
    return clean(f"{copy.source} {copy.origin} > {copy.destination}")


def some(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: `1 copy`, `3 copies`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def columns(rows: Sequence[Sequence[str]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Align rows of equal length with two spaces between columns; `right` names those flush right."""
    if not rows:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = (
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join(cells).rstrip())
    return lines
