"""The rules of a selector: a mapping in a list of images becomes a Selector. It selects nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from orchestrator.core.plan.complaints import Page
from orchestrator.core.plan.keys import SELECTOR_KEYS, advice
from orchestrator.core.plan.scalars import as_duration, as_flag, as_number, as_pattern
from orchestrator.core.plan.shape import as_fields, as_items, as_text, below
from orchestrator.core.plan.yaml_text import Fields, Items, Node
from orchestrator.core.select import Selector

T = TypeVar("T")

_BOTH = "name and name_regex cannot both be there; keep one of them"


@dataclass(frozen=True, slots=True)
class _Parts:
    """The values of one selector, read key by key; a key that is not there, or is wrong, is None."""

    page: Page
    path: str
    fields: dict[str, Node]

    def text(self, key: str) -> str | None:
        text = self._read(key, partial(as_text, wanted="text"))
        return None if text is None else text.value

    def number(self, key: str) -> int | None:
        return self._read(key, partial(as_number, least=1))

    def pattern(self, key: str) -> re.Pattern[str] | None:
        return self._read(key, as_pattern)

    def duration(self, key: str) -> float | None:
        return self._read(key, as_duration)

    def flag(self, key: str) -> bool:
        return self._read(key, as_flag) or False

    def _read(self, key: str, read: Callable[[Node, Page, str], T | None]) -> T | None:
        """Read the value of a key, if the key is there."""
        node = self.fields.get(key)
        return None if node is None else read(node, self.page, below(self.path, key))

    def texts(self, key: str) -> tuple[str, ...]:
        """Take one text or a list of them."""
        node, path = self.fields.get(key), below(self.path, key)
        if node is None:
            return ()
        if not isinstance(node, Items):
            one = self.text(key)
            return () if one is None else (one,)
        items = as_items(node, self.page, path, "a list of names")
        texts = (as_text(item, self.page, f"{path}[{i}]", "text") for i, item in enumerate(items))
        return tuple(text.value for text in texts if text is not None)


def selector_of(node: Fields, page: Page, path: str) -> Selector:
    """Judge one selector; what was complained of is left out."""
    names = ", ".join(key.name for key in SELECTOR_KEYS)
    fields = as_fields(node, page, path, advice(SELECTOR_KEYS), f"a mapping of {names}")
    if not node.entries:
        page.add(node.place, path, "an empty selector would mean every image; write name: '*' for that")
    if {"name", "name_regex"} <= fields.keys():
        page.add(node.entries["name_regex"][0], below(path, "name_regex"), _BOTH)
    parts = _Parts(page, path, fields)
    return Selector(
        where=f"{page.file}:{node.place.line}:{node.place.column}",
        name=parts.text("name"),
        name_regex=parts.pattern("name_regex"),
        latest=parts.number("latest"),
        family=parts.pattern("family"),
        max_age_s=parts.duration("max_age"),
        os_type=parts.text("os_type"),
        platform=parts.text("platform"),
        architecture=parts.text("architecture"),
        exclude=parts.texts("exclude"),
        required=parts.flag("required"),
        at_most=parts.number("at_most"),
    )
