"""`orchestrator status --watch`: the status again and again, until the run ends. Only looks."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable

import click

HOME = "\x1b[H"
REST = "\x1b[J"
END_OF_LINE = "\x1b[K"


def watch(look: Callable[[], tuple[list[str], bool]], every_s: float) -> None:
    """Show what `look` returns, its lines and whether the run goes on, until it does not.

    A terminal is redrawn in place and gets as many lines as fit; elsewhere each time is printed below
    the last.
    """
    terminal = sys.stdout.isatty()
    while True:
        lines, goes_on = look()
        if terminal and goes_on:
            _redraw(lines)
        else:
            click.echo(HOME + REST if terminal else "", nl=False)
            click.echo("\n".join(lines))
        if not goes_on:
            return
        if not terminal:
            click.echo()
        sys.stdout.flush()
        time.sleep(every_s)


def _redraw(lines: list[str]) -> None:
    """Draw over what is there; nothing is wiped first, so nothing flickers."""
    width, height = shutil.get_terminal_size()
    shown = fitting(lines, width, height)
    click.echo(HOME + "".join(f"{line}{END_OF_LINE}\n" for line in shown) + REST, nl=False)


def fitting(lines: list[str], width: int, height: int) -> list[str]:
    """Cut lines to what a terminal of this size can hold, the line of the cursor left free."""
    room = max(1, height - 1)
    cut = [line if len(line) <= width else line[: width - 1] + "…" for line in lines]
    if len(cut) <= room:
        return cut
    return [*cut[: room - 1], f"… {len(cut) - room + 1} more lines: `orchestrator status` shows them"]
