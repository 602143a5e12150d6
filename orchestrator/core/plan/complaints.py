"""Complaints about files that somebody wrote: collected, bounded, in order. It reads and judges nothing.

A complaint is one line `file:line:column: path: message`. What is quoted from a file is shortened
and escaped, so that a file can neither move the cursor nor flood the terminal of who reads it.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple

SHOWN_MAX = 100
"""Most complaints printed; the rest is counted."""

KEPT_MAX = 1_000
"""Complaints after which nobody looks any further."""

_QUOTED_MAX = 64
_FILE_NAME_MAX = 4_096


class Place(NamedTuple):
    """A place in a file, both numbers from 1; columns are characters, not bytes."""

    line: int
    column: int


START = Place(1, 1)
"""Where a complaint about a whole file points."""


class Enough(Exception):
    """So many complaints were made that more of them would help nobody."""


class _Complaint(NamedTuple):
    """One complaint; the order of its fields is the order in which complaints are printed."""

    page: int
    place: Place
    path: str
    message: str


class Page:
    """The complaints about one file."""

    def __init__(self, file: str, number: int, kept: list[_Complaint]) -> None:
        self.file = shown(file, _FILE_NAME_MAX)
        self._number = number
        self._kept = kept

    def add(self, place: Place, path: str, message: str) -> None:
        """Take a complaint down. Raises Enough when the last one that is kept has been made."""
        self._kept.append(_Complaint(self._number, place, path, message))
        if len(self._kept) >= KEPT_MAX:
            raise Enough


class Complaints:
    """All complaints of one load: the plan's page first, then each list file's in order of mention."""

    def __init__(self) -> None:
        self._pages: list[Page] = []
        self._kept: list[_Complaint] = []

    def __len__(self) -> int:
        return len(self._kept)

    def page(self, file: str) -> Page:
        """Begin the page of one more file."""
        page = Page(file, len(self._pages), self._kept)
        self._pages.append(page)
        return page

    def lines(self) -> tuple[str, ...]:
        """Write the first hundred by position, and how many more there are."""
        total = len(self._kept)
        lines = [self._line(complaint) for complaint in sorted(self._kept)[:SHOWN_MAX]]
        if total > SHOWN_MAX:
            at_least = "at least " if total >= KEPT_MAX else ""
            lines.append(f"and {at_least}{total - SHOWN_MAX} more")
        return tuple(lines)

    def _line(self, complaint: _Complaint) -> str:
        """Write one complaint as people read it."""
        number, (line, column), path, message = complaint
        return f"{self._pages[number].file}:{line}:{column}: {path}: {message}"


def shown(text: str, longest: int = _QUOTED_MAX) -> str:
    """Make foreign text safe to print: one line, only printable characters, shortened."""
    head = text[:longest] + ("…" if len(text) > longest else "")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in head)


def nearest(word: str, known: Iterable[str]) -> str:
    """Name the known word that was probably meant: `, did you mean x?`, or nothing.

    Long words are not compared: that takes time that grows with the square of their length.
    """
    close = get_close_matches(word, sorted(known), n=1) if len(word) <= _QUOTED_MAX else []
    return f", did you mean {shown(close[0])}?" if close else ""
