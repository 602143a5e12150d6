"""`orchestrator status` and `orchestrator runs` as plain text; light to load, reads and prints nothing."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.core.model import Region, RunId, State
from orchestrator.core.verdict import Counts, Overview, Result, Standing
from orchestrator.watch.result import RUNNING, Running, counts_shape
from orchestrator.watch.summary import calls_line, counts_text, pending_lines, trouble_lines, verdict_text
from orchestrator.watch.text import clean, columns, date_text, iso, span, well_formed

_DESTINATIONS = ("destination", "wanted", "ready", "copying", "waiting", "in doubt", "failed", "ETA", "note")
_RUNS = ("run", "started", "took", "verdict", "exit", "wanted", "ready", "failed", "pending", "plan")


def status_lines(view: Result | Running, now: float) -> list[str]:
    """Tell where a run stands: verdict, failures with what to do, a row per destination, what waits."""
    overviews = view.overviews if isinstance(view, Running) else ()
    return [
        *_head(view, now),
        *trouble_lines(view.copies),
        *_table(view.copies, overviews),
        *pending_lines(view.copies),
        f"{counts_text(view.counts)}; {calls_line(view.calls)}",
    ]


def _head(view: Result | Running, now: float) -> list[str]:
    """Name the run, and say since when it runs or how it ended."""
    name = f"run {clean(view.run)} of {clean(view.plan)}"
    since = date_text(view.started_at)
    if isinstance(view, Running) and view.killed:
        return [f"{name}: began {since} and was killed; the next run takes its copies over"]
    if isinstance(view, Running):
        return [f"{name}: running since {since} ({span(now - view.started_at)})"]
    took = span(view.finished_at - view.started_at)
    return [f"{name}: {since} to {date_text(view.finished_at)} ({took})", verdict_text(view)]


def _table(copies: Iterable[Standing], overviews: Sequence[Overview]) -> list[str]:
    """Align a row per destination under a head; no rows when nothing is wanted."""
    states: dict[Region, Counter[State]] = defaultdict(Counter)
    for standing in copies:
        states[standing.copy.destination][standing.state] += 1
    known = {overview.region: overview for overview in overviews}
    rows = [_row(region, states[region], known.get(region)) for region in sorted(states)]
    return columns([_DESTINATIONS, *rows], right=frozenset(range(1, 8))) if rows else []


def _row(region: Region, states: Counter[State], overview: Overview | None) -> tuple[str, ...]:
    """Write one destination; percent, ETA and note are known only while a run goes on."""
    under_way = states[State.COPYING] + states[State.CALLING]
    percent = f" {overview.percent}%" if overview and overview.percent is not None and under_way else ""
    return (
        clean(region),
        str(states.total()),
        str(states[State.READY]),
        f"{under_way}{percent}",
        str(states[State.WAITING]),
        str(states[State.DOUBTFUL]),
        str(states[State.FAILED]),
        span(overview.eta_s) if overview and overview.eta_s is not None else "",
        clean(overview.note) if overview else "",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run in the table of runs. Times are UTC epoch seconds.

    `verdict` is that of the result, `running`, or `killed` for a run that ended without a word.
    """

    run: RunId
    plan: str
    started_at: float
    finished_at: float | None = None
    verdict: str = RUNNING
    exit_code: int | None = None
    counts: Counts | None = None


def runs_lines(runs: Sequence[RunLine], now: float) -> list[str]:
    """Align a row per run under a head, in the order given."""
    if not runs:
        return ["no runs yet"]
    return columns([_RUNS, *(_run_row(run, now) for run in runs)], right=frozenset({2, *range(4, 9)}))


def _run_row(run: RunLine, now: float) -> tuple[str, ...]:
    """Write one run; what is not known stays a dash."""
    end = now if run.finished_at is None and run.verdict == RUNNING else run.finished_at
    counts = run.counts
    numbers = (counts.wanted, counts.ready, counts.failed, counts.pending) if counts else ("-",) * 4
    return (
        clean(run.run),
        date_text(run.started_at),
        "-" if end is None else span(end - run.started_at),
        clean(run.verdict),
        "-" if run.exit_code is None else str(run.exit_code),
        *map(str, numbers),
        clean(run.plan),
    )


def runs_json(runs: Sequence[RunLine]) -> str:
    """Write the runs as one line of JSON: an array of objects like `run --json` without calls and copies."""
    return json.dumps([_run_shape(run) for run in runs])


def _run_shape(run: RunLine) -> dict[str, object]:
    """Write one run."""
    return {
        "run": run.run,
        "plan": well_formed(run.plan),
        "verdict": run.verdict,
        "exit_code": run.exit_code,
        "started_at": iso(run.started_at),
        "finished_at": None if run.finished_at is None else iso(run.finished_at),
        "counts": counts_shape(run.counts) if run.counts else None,
    }
