"""Families of images: what is rebuilt every night under a new id, and mostly under a new name. Pure.

`golden-ubuntu-20261124` and `golden-ubuntu-20261125` are one family. A pattern of the plan says how
names group; without one, what varies from build to build is cut off the end.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_BUILD = re.compile(r"(?:[-_. ]*+(?:v|rc|r|build|b)?+\d[\dtz]*+)+$", re.IGNORECASE)
"""Numbers, dates, times and versions at the end of a name, with what joins them; possessive, or a long
name of digits would take for ever."""


def compiled(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
    """Make the patterns that a ledger keeps of its plans ready for use."""
    return tuple(re.compile(pattern) for pattern in dict.fromkeys(patterns))


def family_by(name: str, patterns: Iterable[re.Pattern[str]]) -> str:
    """Return the family of an image's name by the first of the patterns that finds anything in it."""
    return family_of(name, next((pattern for pattern in patterns if pattern.search(name)), None))


def family_of(name: str, pattern: re.Pattern[str] | None = None) -> str:
    """Return the family of an image's name; a name that is nothing but a number is its own family.

    With a pattern it is what its groups caught, joined by a dash, or all that it matched; a name it
    does not match falls under the rule for names without a pattern.
    """
    found = pattern.search(name) if pattern is not None else None
    if found is None:
        return _BUILD.sub("", name) or name
    caught = [part for part in found.groups() if part]
    return "-".join(caught) or found.group() or name
