"""The parts of the documentation that are written from the code: commands, fates, errors, APIs. Pure text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from inspect import cleandoc
from pathlib import Path

import click

from orchestrator import errors
from orchestrator.cli.main import cli
from orchestrator.core.apis import (
    COPY_IMAGES,
    DESCRIBE_IMAGE,
    DESCRIBE_IMAGES,
    DESCRIBE_QUOTA,
    DESCRIBE_QUOTAS,
)
from orchestrator.core.retention import DELETED, SAYS

DOCS = Path(__file__).parents[2] / "docs"
SHARED = ("--config", "--state-dir", "--set", "--help")
READS = (DESCRIBE_IMAGES, DESCRIBE_IMAGE, DESCRIBE_QUOTAS, DESCRIBE_QUOTA)
DELETE, MODIFY = "deleteImage", "modifyImageAttribute"

APIS: Mapping[str, tuple[str, ...]] = {
    "run": (COPY_IMAGES, *READS, DELETE, MODIFY),
    "plan": (DESCRIBE_IMAGES, DESCRIBE_IMAGE, DESCRIBE_QUOTAS, DESCRIBE_QUOTA),
    "prune": (DESCRIBE_IMAGES, DELETE),
    "doctor": (DESCRIBE_IMAGES, DESCRIBE_QUOTAS, DESCRIBE_QUOTA),
    "rehearse": (DESCRIBE_IMAGES, DESCRIBE_QUOTAS, DESCRIBE_QUOTA),
    "ledger": READS,
}
"""Which APIs a verb may call; a verb that is not here calls none. test_commands.py holds it true."""

NOTES: Mapping[tuple[str, str], str] = {
    ("run", DELETE): "with `--prune-first`",
    ("run", MODIFY): "where the plan has `label`",
    ("prune", DELETE): "with `--apply`",
}
ONLY: Mapping[str, str] = {
    "rehearse": "`rehearse --from-cloud`",
    "ledger": "`ledger rebuild`",
    "plan": "`plan`, without `--offline`",
}


def table(*rows: tuple[str, ...]) -> str:
    """Write a Markdown table; the first row is its head."""
    cells = [tuple(cell.replace("|", "\\|") for cell in row) for row in rows]
    lines = [f"| {' | '.join(row)} |" for row in cells]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])


def fates() -> str:
    """Write what becomes of an image, by the rule that decides."""
    rows = [(f"`{f.value}`", "goes" if f in DELETED else "stays", says) for f, says in SAYS.items()]
    return table(("code", "the image", "why"), *rows)


def apis() -> str:
    """Write which verb calls which API."""
    rows = []
    for verb, called in APIS.items():
        told = [f"`{api}`{_note(verb, api)}" for api in called]
        rows.append((ONLY.get(verb, f"`{verb}`"), ", ".join(told)))
    return table(("command", "calls"), *rows)


def _note(verb: str, api: str) -> str:
    """Say under which condition a verb calls an API."""
    note = NOTES.get((verb, api))
    return f" ({note})" if note else ""


def error_classes() -> list[type[errors.OrchestratorError]]:
    """Return every error that stops the program, in the order of their exit codes."""
    kinds = [k for k in vars(errors).values() if isinstance(k, type)]
    found = [k for k in kinds if issubclass(k, errors.OrchestratorError) and k is not errors.Interrupted]
    return sorted(found, key=lambda kind: kind.exit_code)


def error_table() -> str:
    """Write what stops a command, with its exit code and the message."""
    rows = [(str(kind.exit_code), _first_line(kind.__doc__)) for kind in error_classes()]
    return table(("code", "message"), *rows)


def _first_line(text: str | None) -> str:
    """Take the first line of a docstring."""
    return (text or "").strip().split("\n")[0]


def commands() -> str:
    """Write docs/commands.md."""
    shared = [p for p in cli.commands["run"].params if p.opts[-1] in SHARED]
    lines = [
        "# Commands",
        "",
        "Written from the program by `python -m tests.docs --write`; a test compares.",
        "`orchestrator VERB --help` says the same. What each command sends to the cloud is in",
        "[permissions.md](permissions.md), its exit codes are in [exit-codes.md](exit-codes.md).",
        "",
        "`orchestrator --version` says which version this is. Options that every command with settings",
        "has, and that are not repeated below:",
        "",
        _options(shared),
    ]
    for verb, command in cli.commands.items():
        lines += _command(verb, command)
        if isinstance(command, click.Group):
            for name, child in command.commands.items():
                lines += _command(f"{verb} {name}", child)
    return "\n".join(lines) + "\n"


def _command(name: str, command: click.Command) -> list[str]:
    """Write one verb: how it is called, what it does, its options."""
    context = click.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context)).replace("[OPTIONS] ", "").replace("[OPTIONS]", "")
    said = cleandoc(command.help or "")
    own = [p for p in command.params if isinstance(p, click.Option) and p.opts[-1] not in SHARED]
    options = ["", _options(own)] if own else []
    return ["", f"## {name}", "", f"    orchestrator {name} {usage}".rstrip(), "", said, *options]


def _options(options: Sequence[click.Parameter]) -> str:
    """Write a table of options."""
    rows = []
    for option in options:
        assert isinstance(option, click.Option)
        names = ", ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
        value = "" if option.is_flag or option.count else f" `{option.make_metavar(click.Context(cli))}`"
        rows.append((f"{names}{value}", option.help or ""))
    return table(("option", ""), *rows)


BLOCKS: Mapping[str, tuple[str, Callable[[], str]]] = {
    "fates": ("retention.md", fates),
    "apis": ("permissions.md", apis),
    "errors": ("exit-codes.md", error_table),
}
"""Name of a block -> the page that holds it, and what writes it."""


def pages() -> Iterator[tuple[Path, str]]:
    """Give every page that is written from the code, whole or in part, as it must be."""
    yield DOCS / "commands.md", commands()
    for name, (page, write) in BLOCKS.items():
        text = (DOCS / page).read_text(encoding="utf-8")
        begin, end = f"<!-- {name}: written by python -m tests.docs --write -->\n", f"<!-- end of {name} -->"
        head, found, rest = text.partition(begin)
        _, closed, tail = rest.partition(end)
        assert found, f"{page} has no block {name}"
        assert closed, f"the block {name} of {page} has no end"
        yield DOCS / page, f"{head}{begin}{write()}\n{end}{tail}"
