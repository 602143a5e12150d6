"""Names and descriptions of copies: templates, checked with the plan, filled for a ready copy. Pure.

The rule for names is the cloud's (modifyImageAttribute, copyImages of the official SDK): 1 to 32
characters, Chinese, digits, letters, `_`, `-` and `.`; a description has at most 256.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

NAME_MAX = 32
DESCRIPTION_MAX = 256

FIELDS = ("source_name", "source_image", "source_region", "date")
"""What a template may name; `date` is the day the copy was made, `20261124`."""

_FIELD = re.compile(r"\{([^{}]*)\}")
_OUTSIDE = re.compile(r"[^0-9A-Za-z_.\-\u4e00-\u9fff]")


def template_fault(template: str, *, is_name: bool) -> str | None:
    """Say what is wrong with a template, if anything: a field, a brace, a character, the length."""
    for field in _FIELD.findall(template):
        if field not in FIELDS:
            near = get_close_matches(field[:64], FIELDS, n=1)
            hint = f", did you mean {{{near[0]}}}?" if near else f"; there are {', '.join(FIELDS)}"
            return f"unknown field {{{field[:64]}}}{hint}"
    rest = _FIELD.sub("", template)
    if "{" in rest or "}" in rest:
        return "a brace that opens or closes nothing; fields are written {source_name}"
    most = NAME_MAX if is_name else DESCRIPTION_MAX // 2
    if len(rest) + (not rest and not _FIELD.search(template)) > most:
        return f"longer than {most} characters even without its fields"
    bad = _OUTSIDE.search(rest) if is_name else None
    if bad is not None:
        return f"the character {bad.group()!a} is not allowed in a name: Chinese, letters, digits, _ - . are"
    return None


def name_of(template: str, fields: dict[str, str]) -> str:
    """Fill a name's template; the source's name is cut so that all fits, what is not allowed becomes `-`."""
    room = max(0, NAME_MAX - len(_filled(template, fields | {"source_name": ""})))
    whole = _filled(template, fields | {"source_name": fields["source_name"][:room]})
    return _OUTSIDE.sub("-", whole)[:NAME_MAX]


def description_of(template: str | None, mark: str, fields: dict[str, str]) -> str:
    """Write a copy's description: the words for people, then the mark that a later rebuild reads."""
    words = _filled(template, fields) if template else ""
    room = DESCRIPTION_MAX - len(mark) - 3
    words = "".join(c if c.isprintable() else " " for c in words)[: max(room, 0)].strip()
    return f"{words} | {mark}" if words else mark


def _filled(template: str, fields: dict[str, str]) -> str:
    """Put the fields in."""
    return _FIELD.sub(lambda found: fields[found.group(1)], template)
