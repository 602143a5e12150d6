"""What the documentation takes from the code is what the code says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.cli.main import cli
from orchestrator.core import verdict
from tests.docs.reference import DOCS, error_classes, pages

ROOT = DOCS.parent


@pytest.mark.parametrize(("path", "expected"), list(pages()), ids=lambda each: getattr(each, "name", ""))
def test_pages_say_what_the_code_says(path: Path, expected: str) -> None:
    """Commands, fates, APIs and errors are those of the code; `python -m tests.docs --write` mends them."""
    assert path.read_text(encoding="utf-8") == expected, "run: python -m tests.docs --write"


def codes_in(name: str) -> set[int]:
    """Read the exit codes that a page's first table of them lists."""
    text = (ROOT / name).read_text(encoding="utf-8")
    table = re.split(r"^\| *(?:Code|exit code|退出码) .*\n\|[-|]+\n", text, maxsplit=1, flags=re.M)[1]
    rows = re.findall(r"^\| ([0-9, ]+) \|", table.split("\n\n")[0], re.M)
    return {int(code) for row in rows for code in row.split(",")}


@pytest.mark.parametrize("name", ["docs/exit-codes.md", "docs/cron.md", "README.md", "README.zh-CN.md"])
def test_every_exit_code_is_listed(name: str) -> None:
    """Whatever code a verdict, an error or a signal leads to is in the table, and no other."""
    raised = {kind.exit_code for kind in error_classes()}
    judged = {value for name, value in vars(verdict).items() if name.startswith("EXIT_")}
    assert codes_in(name) == raised | judged | {128 + 2, 128 + 15}


def test_every_verb_has_its_exit_codes() -> None:
    """The table of codes by command leaves no verb out."""
    text = (DOCS / "exit-codes.md").read_text(encoding="utf-8")
    table = text.split("<!-- verbs:")[1].split("<!-- end of verbs -->")[0]
    named = {
        name for row in re.findall(r"^\| (`[^|]+) \|", table, re.M) for name in re.findall(r"`(\w+)`", row)
    }
    assert named == set(cli.commands)


def test_the_index_leads_to_every_page() -> None:
    """docs/README.md names each page beside it."""
    links = set(re.findall(r"\]\(([a-z-]+\.md)\)", (DOCS / "README.md").read_text(encoding="utf-8")))
    assert links == {path.name for path in DOCS.glob("*.md")} - {"README.md"}
