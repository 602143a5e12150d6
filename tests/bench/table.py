"""The figures as a page of Markdown: goals, one table per kind of night, and what is modelled. Pure text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from inspect import getdoc
from statistics import median
from textwrap import indent

from tests.bench import bound, goals
from tests.bench.cells import Cell
from tests.bench.figures import POLICIES
from tests.bench.nights import KINDS, LATENCY_S, ROOM

_COLUMNS = (
    ("makespan / bound", "bound", "{:.2f}"),
    ("calls / minimum", "calls", "{:.2f}"),
    ("polls per copy", "polls", "{:.1f}"),
    ("noticed late", "delay", "{:.1%}"),
    ("left out", "missing", "{:,.0f}"),
    ("twice", "broken", "{:,.0f}"),
)

_MODELLED = f"""\
Every policy meets the simulator's own world, in virtual time: each request takes {LATENCY_S:g} s, half before
the world acts and half after; a source is locked while it is being copied; the cloud refuses what its
quotas do not hold. How long each copy takes is drawn per seed before any policy begins, so that all of
them meet the same night; no policy knows it. {ROOM} copies in flight per destination (REGION_COPIES) are a
limit that the policies keep, not one that the simulated cloud enforces (a script that has given a chunk up
knows nothing of its copies any more, and may exceed it then).

- **script**: what people write today. Chunks of ten per destination in plan order, a thread pool with
  {ROOM // 10} workers per destination (as many as its room holds), the whole chunk again on any error, up to
  8 tries with a pause that doubles from 30 s to 300 s, half of it jitter; then one describeImage per image
  every 30 s. It is a model of a script, not yet held against a real one on the official SDK. The pauses are
  generous: with the usual ones (1, 2, 4 ... s) all tries are over before a locked source is free.
- **again**: the same script, started again for what is missing until a run brings nothing new. The script
  itself ends early by giving up; this one shows what a whole night costs that way.
- **strict**: fixed chunks, one destination after the other, one chunk at a time, one describeImages per
  chunk every 30 s.
- **ours**: the real schedule under its default limits. The loop around it is the benchmark's own: no
  ledger, no network, no computing time.

Relay does not exist yet, so it has no column. Not modelled: lost answers, server errors, other users of the
account, a cloud that slows down under load, copies that fail. The durations are assumed (10 minutes for
8 GB): no document gives any. Ratios are about the order of things, not about seconds.

**makespan / bound** is the time until the last copy is noticed as ready, over the lower bound of *the
copies that this policy made*: a policy that leaves copies out is measured by less work, and one that made
none has 0.00. **calls / minimum**
counts copyImages calls, refused ones too, over ceil(n/10) summed over the destinations. **polls per copy**
are all describe requests, listings included, over the copies made. **noticed late** is the median over the
copies of the time between ready and noticed as a share of the copy's duration. **left out** are copies
that the cloud would have allowed and that the policy did not make or never noticed, **twice** those that
it made although a living one was there. All are medians over the seeds. **ours / again** is our makespan
over that of *again*, median and worst seed, for the nights in which it copied as much as we did (- where
there is none)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the figures come from."""

    date: str
    commit: str
    command: str
    seeds: str
    minutes: float


def page(cells: Sequence[Cell], origin: Origin) -> str:
    """Write the whole page."""
    head = [
        "# What a night costs: measured side by side",
        f"Written by `{origin.command}` ({origin.seeds}) in {origin.minutes:.1f} minutes, on {origin.date}, "
        f"commit {origin.commit}. Same command, same figures.",
        "## The goals, and where ours stands today",
        "\n".join(goals.lines(cells)),
        "Judged by the medians of each line below; the comparison with the script by its worst seed.",
        "## Night by night",
        f"Each entry reads {' · '.join(POLICIES)}.",
    ]
    formula = indent(getdoc(bound) or "", "    ")
    tail = ["## What is modelled", _MODELLED, "## The lower bound", formula]
    return "\n\n".join([*head, *tables(cells), *tail]) + "\n"


def tables(cells: Sequence[Cell]) -> list[str]:
    """Make one table per kind of night that was measured."""
    made = []
    for name, kind in KINDS.items():
        rows = [_row(cell) for cell in cells if cell.key.kind == name]
        titles = ["destinations", "images", "seeds", *(title for title, _, _ in _COLUMNS), "ours / again"]
        if rows:
            head = [f"**{name}**: {kind.says}.", "", _line(titles), _line(["---"] * len(titles))]
            made.append("\n".join([*head, *rows]))
    return made


def _row(cell: Cell) -> str:
    """Write one line: all policies in one entry, in the order of the legend."""
    entries = [
        " · ".join(shape.format(cell.median(policy, figure)) for policy in POLICIES)
        for _, figure, shape in _COLUMNS
    ]
    ratios = cell.against("again")
    against = f"{median(ratios):.2f}, {max(ratios):.2f}" if ratios else "-"
    key = cell.key
    return _line([str(key.regions), f"{key.images:,}", str(len(cell.nights)), *entries, against])


def _line(entries: Sequence[str]) -> str:
    return f"| {' | '.join(entries)} |"
