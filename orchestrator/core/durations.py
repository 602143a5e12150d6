"""Durations as people write them (`250ms`, `30s`, `15m`, `2h`, `1d`) to seconds. Reads no clock."""

from __future__ import annotations

import re

FORMS = "a duration above zero such as 250ms, 30s, 15m, 2h, 1d or a number of seconds"
LONGEST_S = 36_500 * 86_400.0
"""A hundred years: what is longer is a slip of the pen, and would overflow dates further on."""

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}
_TEXT = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,15})?|\.[0-9]{1,15}) ?(ms|s|m|h|d|)", re.ASCII)


def parse_duration(value: object) -> float:
    """Return seconds for a duration text or a plain number of seconds.

    Raises ValueError, with a message for people, for what is not a duration, not above zero,
    not finite, or longer than LONGEST_S.
    """
    seconds = _seconds(value)
    if seconds is None:
        raise ValueError(f"{value!r:.60} is not {FORMS}")
    if not 0 < seconds <= LONGEST_S:  # false for NaN as well
        raise ValueError(f"{value!r:.60} is not {FORMS} (at most 36500d)")
    return float(seconds)


def _seconds(value: object) -> float | None:
    """Read the number; its range is the caller's business."""
    if isinstance(value, bool):  # a bool is an int to Python, not to people
        return None
    if isinstance(value, (int, float)):
        return value
    found = _TEXT.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(found[1]) * _UNITS_S[found[2]] if found else None
