"""The live table on a terminal, a row per destination, redrawn only when told; loads rich: import lazily."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TextIO

import rich.console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.core.model import State
from orchestrator.core.verdict import Overview
from orchestrator.watch.text import clean, span

_HEADS = ("destination", "", "waiting", "copying", "ready", "failed", "ETA")
_QUOTAS = ("images", "snapshots")
_NOTE = "note"
_BAR = 20
_QUOTA_BAR = 6
_STYLES = {"ready": "green", "failed": "red", "copying": "cyan"}


class _Unbreakable(rich.console.Console):
    """A rich console that goes silent when nobody reads it, instead of ending the program."""

    def on_broken_pipe(self) -> None:
        """Say nothing more."""
        self.quiet = True


class LiveTable:
    """A table at the bottom of a terminal. No thread redraws it: call `draw`.

    Raises OSError or ValueError when the stream is gone; `Console` deals with that.
    """

    def __init__(self, stream: TextIO, environ: Mapping[str, str]) -> None:
        self._console = _Unbreakable(
            file=stream, force_terminal=True, markup=False, highlight=False, emoji=False, _environ=environ
        )
        self._live = Live(
            console=self._console, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
        )

    def start(self) -> None:
        """Take the bottom of the terminal."""
        self._live.start()

    def draw(self, overviews: Sequence[Overview]) -> None:
        """Show this now."""
        self._live.update(build_table(overviews), refresh=True)

    def print_above(self, line: str, *, loud: bool = False) -> None:
        """Print a line that stays, above the table."""
        self._console.print(Text(line, style="bold red" if loud else ""), soft_wrap=True)

    def stop(self) -> None:
        """Leave the last table standing and give the terminal back."""
        self._live.stop()


def build_table(overviews: Sequence[Overview]) -> Table:
    """Build the table: a row per destination, and the sum when there are several."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    quotas = any(view.images or view.snapshots for view in overviews)
    for head in (*_HEADS, *(_QUOTAS if quotas else ()), _NOTE):
        numeric = head not in ("destination", "", _NOTE)
        table.add_column(
            head,
            justify="right" if numeric else "left",
            no_wrap=head != _NOTE,
            style=_STYLES.get(head),
            overflow="fold",
        )
    for overview in overviews:
        table.add_row(*_cells(overview, quotas=quotas))
    if len(overviews) > 1:
        table.add_row(*_cells(_sum(overviews), quotas=quotas), style="bold")
    return table


def _quota(pair: tuple[int, int] | None) -> Text | Table:
    """Draw how much of a quota is used, red when it is full; nothing where that is not known."""
    if pair is None:
        return Text("")
    used, limit = pair
    cell, style = Table.grid(padding=(0, 1, 0, 0)), "red" if used >= limit else "yellow"
    bar = ProgressBar(
        total=max(limit, 1), completed=min(used, limit), width=_QUOTA_BAR, complete_style=style,
        finished_style=style,
    )  # fmt: skip
    cell.add_row(bar, Text(f"{used}/{limit}", style=style if used >= limit else ""))
    return cell


def _cells(view: Overview, *, quotas: bool) -> list[Text | ProgressBar | Table]:
    """Write one row; texts, not markup, so that a foreign note cannot style or link anything."""
    states = view.states
    under_way = states.get(State.COPYING, 0) + states.get(State.CALLING, 0)
    percent = f" {view.percent}%" if under_way and view.percent is not None else ""
    doubtful = states.get(State.DOUBTFUL, 0)
    notes = [clean(view.note)] if view.note else []
    cells = (
        clean(view.region),
        str(states.get(State.WAITING, 0)),
        f"{under_way}{percent}",
        str(states.get(State.READY, 0)),
        str(states.get(State.FAILED, 0)),
        "" if view.eta_s is None else span(view.eta_s),
    )
    name, *numbers = (Text(cell) for cell in cells)
    shelves = [_quota(view.images), _quota(view.snapshots)] if quotas else []
    note = Text("; ".join([*([f"{doubtful} in doubt"] if doubtful else []), *notes]))
    return [name, _bar(view, under_way), *numbers, *shelves, note]


def _bar(view: Overview, under_way: int) -> ProgressBar:
    """Draw how much is ready; a copy under way counts as much as it has come."""
    done = view.states.get(State.READY, 0) + under_way * (view.percent or 0) / 100
    total = sum(view.states.values())
    return ProgressBar(total=max(total, 1), completed=done, width=_BAR)


def _sum(overviews: Sequence[Overview]) -> Overview:
    """Add the destinations up; the slowest decides the ETA, and one that cannot tell decides nothing."""
    region = type(overviews[0].region)("all")
    states = {state: sum(view.states.get(state, 0) for view in overviews) for state in State}
    under_way = sum(view.states.get(State.COPYING, 0) * (view.percent or 0) for view in overviews)
    copying = states[State.COPYING]
    etas = [view.eta_s for view in overviews if view.eta_s is not None]
    return Overview(
        region=region,
        states=states,
        percent=round(under_way / copying) if copying else None,
        eta_s=max(etas, default=None),
    )
