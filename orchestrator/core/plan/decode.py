"""Bytes of a file -> text that holds nothing invisible. It knows nothing of what the text means.

Line ends are LF, CRLF or CR. The three further line ends of YAML 1.1 (U+0085, U+2028, U+2029) are
refused with the control characters, so that lines are counted here as every editor counts them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.core.plan.complaints import START, Page, Place

_BOM = "\ufeff"
_INVISIBLE = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def decode(data: bytes, page: Page, path: str, size_max: int) -> str | None:
    """Read a file's bytes as UTF-8, with or without a byte order mark.

    None after a complaint: larger than `size_max` bytes, not UTF-8, or control characters.
    """
    if len(data) > size_max:
        page.add(START, path, f"larger than {size_max >> 20} MiB; split it")
        return None
    try:
        text = data.decode("utf-8").removeprefix(_BOM)
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8").removeprefix(_BOM)
        page.add(_end_of(before), path, f"not UTF-8: byte 0x{data[error.start]:02x}; save the file as UTF-8")
        return None
    clean = True
    for place, found in places(text, _INVISIBLE):
        clean = False
        page.add(place, path, f"control character U+{ord(found):04X}; remove it")
    return text if clean else None


def places(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[Place, str]]:
    """Find a pattern everywhere, each with its place, in one pass over the text.

    No match may begin between the CR and the LF of one line end.
    """
    line, line_start, past = 1, 0, 0
    for match in pattern.finditer(text):
        at = match.start()
        line += _line_ends(text, past, at)
        line_start = max(line_start, text.rfind("\n", past, at) + 1, text.rfind("\r", past, at) + 1)
        past = at
        yield Place(line, at - line_start + 1), match.group()


def _line_ends(text: str, start: int, end: int) -> int:
    """Count the line ends in a part of a text; CRLF is one."""
    return text.count("\n", start, end) + text.count("\r", start, end) - text.count("\r\n", start, end)


def _end_of(text: str) -> Place:
    """Find the place right behind a text."""
    line_start = max(text.rfind("\n"), text.rfind("\r")) + 1
    return Place(_line_ends(text, 0, len(text)) + 1, len(text) - line_start + 1)
