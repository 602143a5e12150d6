"""The cloud's own times: `createTime`, which bears no zone. Pure; tells no time itself.

No document names the zone (field list of describeImages); China time is assumed, as the console shows it.
An age that is wrong by eight hours matters to nobody who keeps days.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_CHINA = timezone(timedelta(hours=8))
_FORM = "%Y-%m-%d %H:%M:%S"
_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


def created_s(text: str) -> float | None:
    """Read a `createTime` as UTC epoch seconds; None for what is no such time."""
    try:
        return datetime.strptime(text, _FORM).replace(tzinfo=_CHINA).timestamp()
    except ValueError:
        return None


def created_day(text: str) -> str:
    """Return the day of a `createTime` as `20261124`; nothing for what is no time."""
    found = _DAY.match(text)
    return "".join(found.groups()) if found else ""


def day_of(at: float) -> str:
    """Return the day, in the cloud's zone, of a time in UTC epoch seconds, as `20261124`."""
    return f"{datetime.fromtimestamp(at, _CHINA):%Y%m%d}"
