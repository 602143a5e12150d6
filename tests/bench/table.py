"""The figures as a page of Markdown: headline, goals, a table per kind of night, the models. Pure text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from tests.bench import goals, headline, paired
from tests.bench.cells import Cell, fingerprint
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
  every 30 s. It is a model of tests/bench/sdk_script.py, and held against that below. The pauses are
  generous: with the usual ones (1, 2, 4 ... s) all tries are over before a locked source is free.
- **again**: the same script, started again for what is missing until a run brings nothing new. The script
  itself ends early by giving up; this one shows what a whole night costs that way.
- **strict**: fixed chunks, one destination after the other, one chunk at a time, one describeImages per
  chunk every 30 s.
- **ours**: the real schedule under its default limits. The loop around it is the benchmark's own: no
  ledger, no network, no computing time; it is held against the program below.
- **relay**: the same for a plan with `relay: true`, over the lower bound with relay. How long a copy between
  two destinations takes is drawn as for one from the origin. Without this column the core cannot relay yet.

Not modelled: lost answers, server errors, other users of the account, a cloud that slows down under load,
copies that fail. The durations are assumed (10 minutes for 8 GB): no document gives any. Ratios are about
the order of things, not about seconds.

**makespan / bound** is the time until the last copy is noticed as ready, over the lower bound of *the
copies that this policy made*: a policy that leaves copies out is measured by less work, and one that made
none has 0.00. **calls / minimum**
counts copyImages calls, refused ones too, over ceil(n/10) summed over the destinations. **polls per copy**
are all describe requests, listings included, over the copies made. **noticed late** is the median over the
copies of the time between ready and noticed as a share of the copy's duration. **left out** are copies
that the cloud would have allowed and that the policy did not make or never noticed, **twice** those that
it made although a living one was there. All are medians over the seeds. **ours / again** is the time in which
ours had as many copies ready as *again* ever had, over the makespan of *again*: median, then the worst seed
(- where it made none); **relay / ours** is the makespan with relay over that without."""

_HELD = f"""\
The same nights over HTTP, with real programs against the simulator's own server, 60 to 120 times faster:
*script* is tests/bench/sdk_script.py on the official SDK, *ours* is `orchestrator run`. Each entry reads
model, median (least to most over twenty draws of its jitter and of each request's time) · real; a round is
the 10 minutes of a usual copy. The model's requests take as long as the script's did in the mean. **within**
says that every real figure lies in the model's range, or outside of it by no more than
{paired.stated()}.
These figures depend on the machine and are no part of the hash."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the figures come from."""

    date: str
    commit: str
    command: str
    seeds: str
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What was measured, and what stands on the page beside it.

    `skipped` names the nights that were asked for and not measured; `notes` is text of people's
    (why a goal is missed, what was tried), `costs` that of the cost curve, `plots` are files.
    """

    cells: Sequence[Cell]
    skipped: Sequence[str] = ()
    pairs: Sequence[paired.Pair] = ()
    unpaired: str = ""
    notes: str = ""
    costs: str = ""
    plots: Sequence[str] = field(default=())


def page(results: Results, origin: Origin) -> str:
    """Write the whole page."""
    parts = [
        "# What a night costs: measured side by side",
        f"Written by `{origin.command}` ({origin.seeds}) in {origin.minutes:.1f} minutes, on {origin.date}, "
        f"commit {origin.commit}. Same command, same figures: their hash is `{fingerprint(results.cells)}`.",
        _skipped(results.skipped),
        "## At a glance",
        "Medians over all kinds of night and 3 and 5 destinations: 100 images · 1,000 images.",
        headline.block(results.cells),
        "## The goals, and where ours stands",
        "\n".join(goals.lines(results.cells)),
        "Judged by the medians of each line below; the comparison with the script by its worst seed.",
        results.notes,
        "## Night by night",
        *tables(results.cells),
        *(f"![{plot.removesuffix('.svg')}]({plot})" for plot in results.plots),
        results.costs,
        *_pairs(results),
        "## What is modelled",
        _MODELLED,
        "The lower bounds and why they hold: [docs/scheduling.md](../docs/scheduling.md#the-lower-bounds).",
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _skipped(skipped: Sequence[str]) -> str:
    """Name what is missing, so that no line is cut in silence."""
    return (
        "\n".join(["**Not measured, the time was over:**", *(f"- {name}" for name in skipped)])
        if skipped
        else ""
    )


def _pairs(results: Results) -> list[str]:
    """Show the models beside what they model, if that was asked for."""
    if not results.pairs and not results.unpaired:
        return []
    held = "\n".join(paired.lines(results.pairs)) if results.pairs else ""
    return ["## The models, held against what they model", _HELD, held, results.unpaired]


def tables(cells: Sequence[Cell]) -> list[str]:
    """Make one table per kind of night that was measured."""
    made = []
    for name, kind in KINDS.items():
        mine = [cell for cell in cells if cell.key.kind == name]
        titles = ["destinations", "images", "seeds", *(title for title, _, _ in _COLUMNS)]
        titles += ["ours / again", "relay / ours"]
        if mine:
            legend = f"**{name}**: {kind.says}. Each entry reads {' · '.join(mine[0].policies)}."
            head = [legend, "", _line(titles), _line(["---"] * len(titles))]
            made.append("\n".join([*head, *map(_row, mine)]))
    return made


def _row(cell: Cell) -> str:
    """Write one line: all policies in one entry, in the order of the legend."""
    entries = [
        " · ".join(shape.format(cell.median(policy, figure)) for policy in cell.policies)
        for _, figure, shape in _COLUMNS
    ]
    key = cell.key
    ratios = [_ratio(cell.against("again")), _ratio(cell.relayed() if "relay" in cell.policies else [])]
    return _line([str(key.regions), f"{key.images:,}", str(len(cell.nights)), *entries, *ratios])


def _ratio(ratios: Sequence[float]) -> str:
    """Write median and worst."""
    return f"{median(ratios):.2f}, {max(ratios):.2f}" if ratios else "-"


def _line(entries: Sequence[str]) -> str:
    return f"| {' | '.join(entries)} |"
