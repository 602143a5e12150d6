"""Texts of a plan that stand for something: numbers, durations, yes or no, patterns. It knows no keys.

Each function returns None for what it complained of.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from orchestrator.core.durations import parse_duration
from orchestrator.core.plan.complaints import Page, shown
from orchestrator.core.plan.keys import COUNT_MAX
from orchestrator.core.plan.shape import as_text
from orchestrator.core.plan.yaml_text import Node

_NUMBER = re.compile(r"[+-]?[0-9]{1,9}\Z")
_FLAGS: Mapping[str, bool] = {"true": True, "false": False}
_PATTERN_MAX = 512


def as_flag(node: Node, page: Page, path: str) -> bool | None:
    """Take true or false, and nothing like them."""
    text = as_text(node, page, path, "true or false")
    if text is None:
        return None
    if text.value not in _FLAGS:
        page.add(text.place, path, f"'{shown(text.value)}' is neither true nor false")
    return _FLAGS.get(text.value)


def as_number(node: Node, page: Page, path: str, *, least: int) -> int | None:
    """Take a whole number from `least` to a million."""
    wanted = f"a whole number from {least:,} to {COUNT_MAX:,}"
    text = as_text(node, page, path, wanted)
    if text is None:
        return None
    number = int(text.value) if _NUMBER.match(text.value) else None
    if number is None or not least <= number <= COUNT_MAX:
        page.add(text.place, path, f"'{shown(text.value)}' is not {wanted}")
        return None
    return number


def as_duration(node: Node, page: Page, path: str) -> float | None:
    """Take a duration such as 14d; returns seconds."""
    text = as_text(node, page, path, "a duration such as 14d")
    if text is None:
        return None
    try:
        return parse_duration(text.value)
    except ValueError as error:
        page.add(text.place, path, shown(str(error), 200))
        return None


def as_pattern(node: Node, page: Page, path: str) -> re.Pattern[str] | None:
    """Take a regular expression of at most 512 characters."""
    text = as_text(node, page, path, "a regular expression")
    if text is None:
        return None
    if len(text.value) > _PATTERN_MAX:
        page.add(text.place, path, f"longer than {_PATTERN_MAX} characters")
        return None
    try:
        return re.compile(text.value)
    except (re.error, RecursionError, OverflowError) as error:
        page.add(text.place, path, f"'{shown(text.value)}' is no regular expression: {shown(str(error))}")
        return None
