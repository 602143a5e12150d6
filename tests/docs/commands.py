"""Finds the commands of ours that a page shows, and parses them as click would; runs none of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from orchestrator.cli.main import cli

_FENCED = re.compile(r"^( *)```([a-z]*)\n(.*?)^ *```", re.M | re.S)
_INDENTED = re.compile(r"^    (orchestrator .*)$", re.M)
_PROGRAM = "orchestrator"
_VARIABLE = re.compile(r"[A-Z_]+=\S*")


@dataclass(frozen=True, slots=True)
class Command:
    """One command line of ours: the words after the program's name."""

    words: tuple[str, ...]

    @property
    def verb(self) -> str:
        """The verb."""
        return self.words[0]

    def __str__(self) -> str:
        return shlex.join((_PROGRAM, *self.words))


@dataclass(frozen=True, slots=True)
class Shell:
    """What a page tells the shell itself: `cd FOLDER` or `export NAME=VALUE`."""

    words: tuple[str, ...]


Step = Command | Shell


def steps(page: Path) -> list[Step]:
    """Return the steps of a page in their order, from its blocks and its indented lines."""
    text = page.read_text(encoding="utf-8")
    found: list[tuple[int, Step]] = []
    for block in _FENCED.finditer(text):
        found += [(block.start(), step) for step in _of_block(block[2], block[3])]
    bare = _FENCED.sub(lambda block: " " * len(block[0]), text)
    for line in _INDENTED.finditer(bare):
        found += [(line.start(), step) for step in _of_line(line[1])]
    return [step for _, step in sorted(found, key=lambda each: each[0])]


def _of_block(language: str, text: str) -> Iterator[Step]:
    """Read a fenced block: a shell's, a crontab's, or one without a language."""
    if language not in ("sh", "console", "cron", ""):
        return
    for line in text.replace("\\\n", " ").splitlines():
        command = line.strip()
        if language == "cron":
            command = command.split(maxsplit=5)[-1]
        if language or command.startswith(f"{_PROGRAM} "):
            yield from _of_line(command)


def _of_line(line: str) -> Iterator[Step]:
    """Read one line: without its comment, each command of a chain, what is inside of `$(...)` too."""
    bare = re.sub(r"(^|\s)#.*", "", line)
    bare = re.sub(r"""(?:eval "|\w+=)\$\(([^)]*)\)"?""", r"\1", bare)
    for piece in re.split(r"&&|\|\||\||;", bare):
        if step := _of_piece(re.sub(r"\s>\s*\S+", "", piece)):
            yield step


def _of_piece(piece: str) -> Step | None:
    """Read one simple command; None for a program that is not ours."""
    if "<" in piece:
        return None
    words = shlex.split(piece)
    if words[:2] == ["sudo", "-u"]:
        words = words[3:]
    while words and (words[0] == "env" or _VARIABLE.fullmatch(words[0])):
        words = words[1:]
    if words[:1] in (["cd"], ["export"]):
        return Shell(tuple(words))
    if not words or words[0].rpartition("/")[2] != _PROGRAM or words[1:2] == ["--version"]:
        return None
    return Command(tuple(words[1:]))


def parse(command: Command) -> None:
    """Let click read a command; raises ClickException for a verb, option or argument that is not there."""
    group: click.Command = cli
    words = list(command.words)
    context = click.Context(cli, info_name=_PROGRAM)
    while isinstance(group, click.Group):
        name = words.pop(0)
        found = group.get_command(context, name)
        if found is None:
            raise click.UsageError(f"no such verb: {name}")
        group = found
    group.make_context(command.verb, words)
