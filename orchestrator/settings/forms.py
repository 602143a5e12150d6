"""The forms of single settings: each reads one value as people write it, or says what is wrong with it."""

from __future__ import annotations

import difflib
import re
import ssl
from pathlib import Path
from typing import Literal, get_args

LogLevel = Literal["debug", "info", "warning", "error", "critical"]

_COUNT = re.compile(r"[0-9]{1,18}", re.ASCII)

_REGION = re.compile(r"[a-z]{2,}(?:-[a-z]+)+-[0-9]+")

COUNT_MAX = 1_000_000_000
"""No cap that anybody meets: it only keeps a slip of the pen from asking for more tasks than memory."""


def count(value: object) -> int:
    """Read a whole number of 1 or more."""
    text = value.strip() if isinstance(value, str) else None
    number = int(text) if text and _COUNT.fullmatch(text) else value
    if isinstance(number, bool) or not isinstance(number, int):
        raise ValueError(f"{value!r:.60} is not a whole number of 1 or more")
    if not 1 <= number <= COUNT_MAX:
        raise ValueError(f"must be a whole number from 1 to {COUNT_MAX}")
    return number


def count_or_none(value: object) -> int | None:
    """Read a whole number of 1 or more, if there is one."""
    return None if value is None else count(value)


def share(value: object) -> float:
    """Read a share: a number from 0 to 1."""
    try:
        number = float(value) if isinstance(value, (str, int, float)) else -1.0
    except ValueError:
        number = -1.0
    if isinstance(value, bool) or not 0 <= number <= 1:
        raise ValueError(f"{value!r:.60} is not a number from 0 to 1")
    return number


def path_of(value: object) -> Path:
    """Read a path; the layers have made it absolute."""
    text = str(value) if isinstance(value, (str, Path)) else ""
    if not text.strip() or "\0" in text:
        raise ValueError("must be a path")
    if text.startswith("~"):
        raise ValueError(f"{text!r:.60}: only one's own ~/ is expanded; write the whole path")
    return Path(text)


def path_or_none(value: object) -> Path | None:
    """Read a path that need not be set."""
    return None if value is None else path_of(value)


def certificates(value: object) -> Path | None:
    """Read the path of a PEM file and try it, so that a wrong one is known before the first request."""
    if value is None:
        return None
    path = path_of(value)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=path)
    except ssl.SSLError:
        raise ValueError(f"{path} holds no certificates in PEM form") from None
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    return path


def region_ids(value: object) -> tuple[str, ...]:
    """Read region ids: a list, or a text with commas."""
    items = [item.strip() for item in value.split(",")] if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)):
        raise ValueError("must be a list of region ids")
    for item in items:
        if not isinstance(item, str) or not _REGION.fullmatch(item):
            raise ValueError(f"{item!r:.60} is not a region id such as cn-north-1")
    return tuple(dict.fromkeys(items))


def level(value: object) -> str:
    """Read a log level in any case."""
    level = value.strip().lower() if isinstance(value, str) else ""
    known = get_args(LogLevel)
    if level not in known:
        near = difflib.get_close_matches(level, known, n=1, cutoff=0)[0]
        raise ValueError(f"{value!r:.60} is none of {', '.join(known)}; the nearest is {near}")
    return level
