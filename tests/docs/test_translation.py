"""The Chinese README is the English one in another language: same code, same sections, same links."""

from __future__ import annotations

import re

from tests.docs.reference import DOCS

ENGLISH, CHINESE = (
    (DOCS.parent / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md")
)


def blocks(text: str) -> list[str]:
    """Return the code blocks without their comments, which are translated."""
    found = re.findall(r"^```([a-z]*\n.*?)^```", text, re.M | re.S)
    return [re.sub(r"\s+#.*$", "", block, flags=re.M) for block in found]


def test_the_code_is_the_same() -> None:
    """Whoever reads Chinese types the same commands, in the same order."""
    assert len(blocks(ENGLISH)) > 8
    assert blocks(CHINESE) == blocks(ENGLISH)


def test_the_sections_are_the_same() -> None:
    """Every section has its counterpart, and every row of the two tables."""
    for mark in ("## ", "| `orchestrator ", "| 7"):
        count = ENGLISH.count(f"\n{mark}")
        assert count > 1
        assert CHINESE.count(f"\n{mark}") == count


def test_the_links_are_the_same() -> None:
    """The Chinese README leads to every page that the English one does, and each leads to the other."""
    english, chinese = (set(re.findall(r"\]\(([^)#:]+)", text)) for text in (ENGLISH, CHINESE))
    assert english - chinese == {"README.zh-CN.md"}
    assert chinese - english == {"README.md"}


def test_options_are_named_in_both() -> None:
    """No option of the table of commands was lost in translation."""
    english, chinese = (set(re.findall(r"`(--?[a-z][a-z-]*)", text)) for text in (ENGLISH, CHINESE))
    assert english == chinese
