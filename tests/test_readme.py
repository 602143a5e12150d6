"""The README and the documents say what is so: diagram, verbs, options, targets, links, exit codes."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from orchestrator.cli.main import _EPILOG, cli
from orchestrator.core.schedule.lifecycle import diagram

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh-CN.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMAND = re.compile(r"(?:\S+/)?orchestrator ([a-z]+)(.*)")


def code_of(document: Path) -> list[str]:
    """Return what a document shows as code: fenced lines without their comments, and inline spans."""
    text = document.read_text(encoding="utf-8")
    fenced = re.findall(r"^```[a-z]*\n(.*?)^```", text, re.M | re.S)
    lines = [line.split("#")[0].strip() for block in fenced for line in block.splitlines()]
    return lines + re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


def test_the_diagram_is_drawn_from_the_table() -> None:
    """The README's diagram is the transition table, not a memory of it."""
    assert f"```mermaid\n{diagram()}\n```" in README


def test_exit_codes_are_those_of_the_help() -> None:
    """README and --help list the same exit codes."""
    table = README.split("| exit code | |")[1].split("An unknown code")[0]
    rows = re.findall(r"^\| ([0-9, ]+) \|", table, re.M)
    assert {code for row in rows for code in row.split(", ")} == set(re.findall(r"\b\d+\b", _EPILOG))


def test_every_target_exists() -> None:
    """Each `make TARGET` of the documents is one of the Makefile's."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    code = [line for document in DOCUMENTS for line in code_of(document)]
    assert {found for line in code for found in re.findall(r"^make ([a-z-]+)", line)} <= targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path) -> None:
    """Relative links of the documents exist."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text(encoding="utf-8"))
    assert [link for link in links if not (document.parent / link).exists()] == []


def anchors(document: Path) -> set[str]:
    """Return the anchors of a document's headings, as the usual renderers make them."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    heads = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_anchor_is_a_heading(document: Path) -> None:
    """A link into a page leads to one of its headings."""
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", document.read_text(encoding="utf-8"))
    dead = [
        (page, anchor)
        for page, anchor in links
        if anchor not in anchors(document.parent / page if page else document)
    ]
    assert dead == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_exists_with_its_options(document: Path) -> None:
    """Whatever is shown as a command of ours has such a verb, and such options."""
    for line in code_of(document):
        found = COMMAND.match(line)
        if found is None:
            continue
        assert found[1] in cli.commands, line
        known = {option for param in cli.commands[found[1]].params for option in param.opts}
        assert set(re.findall(r"(?<= )--?[a-z][a-z-]*", found[2])) <= known | {"--help"}, line


def test_the_readme_names_every_verb_and_every_option_of_run() -> None:
    """Nothing that a user can type is missing from the table of commands."""
    table = README.split("| command | |")[1].split("Settings come from")[0]
    assert [verb for verb in cli.commands if f"`orchestrator {verb}" not in table] == []
    shared = {"--config", "--state-dir", "--set"}
    options = [p.opts[-1] for p in cli.commands["run"].params if isinstance(p, click.Option)]
    short = {"--quiet": "-q", "--verbose": "-v"}
    assert [o for o in options if o not in shared and f"`{short.get(o, o)}" not in table] == []
