"""What the program costs to run, by size: the pure core, a start from a long ledger, the command line.

`python -m tests.bench.cost` measures all of it (some minutes) and writes benchmarks/cost.md, which becomes
a chapter of the results, and the pictures beside it. Absolute figures are published; only ratios are held
to (`cost_guard`).
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pydantic import TypeAdapter

from tests.bench.cost_ledger import Start
from tests.bench.cost_night import Figures
from tests.bench.cost_start import Loading
from tests.bench.plot import Points, line_chart

ROOT = Path(__file__).parent.parent.parent
SIZES = (1_000, 10_000, 100_000, 1_000_000)
EVENTS = (10_000, 100_000, 1_000_000)

_COLUMNS: tuple[tuple[str, Callable[[Figures], float], str], ...] = (
    ("events", lambda row: row.events, "{:,.0f}"),
    ("events a second", lambda row: row.events_s, "{:,.0f}"),
    ("changes a second", lambda row: row.changes_s, "{:,.0f}"),
    ("µs per event", lambda row: row.event_us, "{:.0f}"),
    ("µs per decide", lambda row: row.decide_us, "{:.1f}"),
    ("µs per copy", lambda row: row.copy_us, "{:.1f}"),
    ("µs per copy, the night after", lambda row: row.again_us, "{:.1f}"),
    ("bytes per copy", lambda row: row.bytes, "{:,.0f}"),
    ("peak MiB", lambda row: row.peak_mb, "{:,.0f}"),
)
_RATIOS = ("µs per event", "µs per decide", "µs per copy", "µs per copy, the night after", "bytes per copy")

_SAYS = """\
A plan of n/3 images for 3 destinations passes a whole night through the pure core, in the order in which
the engine calls it (`timed`, `essence`, `apply`, `finished`, `decide`); the cloud accepts everything, and
whatever is looked at is ready. Times are CPU time of the core alone on one core, without cloud, ledger and
log; each size has a process of its own, in which Python's garbage collection runs as ever and counts. An
event is what one request came to: a call of ten copies is two events (its intent, its answer) and twenty
changes, a look at a hundred copies is one. So *changes a second* says more than *events a second* about the
work that is done. *Bytes per copy* is what the process has grown by at its peak over the number of copies,
plan, schedule and the simulated cloud's own lists together."""


def measure(sizes: Sequence[int] = SIZES) -> list[Figures]:
    """Measure nights of these sizes, one process each. Raises CalledProcessError."""
    return [TypeAdapter(Figures).validate_json(_run("cost_night", str(size))) for size in sizes]


def measure_starts(events: Sequence[int] = EVENTS) -> list[Start]:
    """Measure a start from ledgers of so many events, one process each."""
    return [TypeAdapter(Start).validate_json(_run("cost_ledger", str(number))) for number in events]


def measure_loading() -> Loading:
    """Measure how long the command line takes to say something."""
    return TypeAdapter(Loading).validate_json(_run("cost_start"))


def _run(module: str, *arguments: str) -> str:
    """Run a measurement in a process of its own; return what it prints."""
    command = [sys.executable, "-m", f"tests.bench.{module}", *arguments]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def page(rows: Sequence[Figures], starts: Sequence[Start] = (), loading: Loading | None = None) -> str:
    """Write the chapter: the figures, their ratios to the smallest size, and what goes with them."""
    parts = ["## What it costs to run", _SAYS, _table(rows, _figures), _ratios(rows)]
    parts += [f"![{title}](cost-{name}.svg)" for name, title in _TITLES.items()]
    if starts:
        parts.append(_starts(starts))
    if loading is not None:
        parts.append(loading.says())
    return "\n\n".join(parts) + "\n"


def _figures(row: Figures) -> list[str]:
    return [f"{row.copies:,}", *(shape.format(get(row)) for _, get, shape in _COLUMNS)]


def _table(rows: Sequence[Figures], entries: Callable[[Figures], list[str]]) -> str:
    head = ["copies", *(title for title, _, _ in _COLUMNS)]
    return "\n".join(map(_line, [head, ["---:"] * len(head), *map(entries, rows)]))


def _ratios(rows: Sequence[Figures]) -> str:
    """Write the same as ratios to the smallest size: flat is 1."""
    columns = [(title, get) for title, get, _ in _COLUMNS if title in _RATIOS]
    head = [f"ratio to {rows[0].copies:,}", *(title for title, _ in columns)]
    body = [[f"{row.copies:,}", *(f"{get(row) / get(rows[0]):.2f}" for _, get in columns)] for row in rows]
    return "\n".join(map(_line, [head, ["---:"] * len(head), *body]))


def _starts(starts: Sequence[Start]) -> str:
    """Write how long a start takes."""
    head = ["events", "copies", "all taken in, s", "from a snapshot, s", "snapshot written, s", "peak MiB"]
    body = [
        [f"{s.events:,}", f"{s.copies:,}", f"{s.replay_s:.2f}", f"{s.snapshot_s:.2f}", f"{s.keep_s:.2f}",
         f"{s.peak_mb:,.0f}"]
        for s in starts
    ]  # fmt: skip
    says = (
        "**A start from a long ledger**, in CPU seconds: every event read, verified and taken in (as after a "
        "night that was killed), or from the snapshot that a run leaves beside a long ledger, where the "
        "events before it are verified only."
    )
    return "\n".join([says, "", *map(_line, [head, ["---:"] * len(head), *body])])


def _line(entries: Sequence[str]) -> str:
    return f"| {' | '.join(entries)} |"


_TITLES: Mapping[str, str] = {
    "time": "CPU time by size, per event, per decide and per copy",
    "memory": "Bytes per copy by size",
    "peak": "Peak memory of the whole process",
    "rate": "Events and changes a second",
}


def charts(rows: Sequence[Figures]) -> dict[str, str]:
    """Draw the curves: file name -> SVG."""

    def line(get: Callable[[Figures], float]) -> Points:
        return [(row.copies, get(row)) for row in rows]

    drawn: dict[str, tuple[str, dict[str, Points]]] = {
        "time": ("µs", {
            "per event": line(lambda r: r.event_us), "per decide": line(lambda r: r.decide_us),
            "per copy": line(lambda r: r.copy_us), "per copy, the night after": line(lambda r: r.again_us),
        }),
        "memory": ("bytes", {"per copy": line(lambda r: r.bytes)}),
        "peak": ("MiB", {"whole process": line(lambda r: r.peak_mb)}),
        "rate": ("a second", {
            "events": line(lambda r: r.events_s), "changes of copies": line(lambda r: r.changes_s)
        }),
    }  # fmt: skip
    return {
        f"cost-{name}.svg": line_chart(lines, title=_TITLES[name], x="copies in the plan", y=unit)
        for name, (unit, lines) in drawn.items()
    }


def main() -> None:
    """Measure everything; print the chapter, and write it and its pictures into benchmarks/."""
    rows = measure()
    text = page(rows, measure_starts(), measure_loading())
    for name, drawing in {"cost.md": text, **charts(rows)}.items():
        (ROOT / "benchmarks" / name).write_text(drawing, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
