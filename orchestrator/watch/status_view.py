"""`orchestrator status` and `orchestrator runs` as plain text; light to load, reads and prints nothing."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.core.freshness import Cell
from orchestrator.core.model import Region, RunId, State
from orchestrator.core.reasons import MEANINGS, Nature
from orchestrator.core.verdict import Counts, Overview, Result, Standing
from orchestrator.watch.freshness_view import freshness_lines
from orchestrator.watch.result import RUNNING, Running, counts_shape
from orchestrator.watch.summary import (
    calls_line,
    counts_text,
    notice_lines,
    pending_lines,
    stranger_lines,
    trouble_lines,
    verdict_text,
)
from orchestrator.watch.text import clean, columns, date_text, iso, span, well_formed

_DESTINATIONS = ("destination", "wanted", "ready", "copying", "waiting", "in doubt", "failed", "ETA", "note")
_QUOTAS = ("images", "snapshots")
_RUNS = ("run", "started", "took", "verdict", "exit", "wanted", "ready", "failed", "pending", "plan")


def status_lines(view: Result | Running, now: float, cells: Sequence[Cell] = ()) -> list[str]:
    """Tell where a run stands: verdict, failures with what to do, what has no room or is in doubt.

    Then a row per destination, the freshness matrix if there are `cells`, and what merely waits.
    """
    overviews = view.overviews if isinstance(view, Running) else ()
    said = [*stranger_lines(view), *notice_lines(view)] if isinstance(view, Result) else []
    held_up = [standing for standing in view.copies if _is_held_up(standing)]
    others = [standing for standing in view.copies if not _is_held_up(standing)]
    return [
        *_head(view, now),
        *said,
        *trouble_lines(view.copies),
        *pending_lines(held_up),
        *_table(view.copies, overviews),
        *freshness_lines(cells, now, goes_on=isinstance(view, Running) and not view.killed),
        *pending_lines(others),
        f"{counts_text(view.counts)}; {calls_line(view.calls)}",
    ]


def _is_held_up(standing: Standing) -> bool:
    """Tell whether a copy will not come by waiting alone: quotas have no room for it, or it is in doubt."""
    full = standing.state is State.WAITING and MEANINGS[standing.reason].nature is Nature.QUOTA
    return full or standing.state is State.DOUBTFUL


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
    head: tuple[str, ...] = _DESTINATIONS
    if any(overview.images or overview.snapshots for overview in overviews):
        head = (*head[:-1], *_QUOTAS, head[-1])
        quotas = (_quotas(known.get(region)) for region in sorted(states))
        rows = [(*row[:-1], *quota, row[-1]) for row, quota in zip(rows, quotas, strict=True)]
    return columns([head, *rows], right=frozenset(range(1, len(head) - 1))) if rows else []


def _quotas(overview: Overview | None) -> tuple[str, str]:
    """Write what is used of both quotas of a destination; a dash where that is not known."""
    pairs = (overview.images, overview.snapshots) if overview else (None, None)
    images, snapshots = ("-" if pair is None else f"{pair[0]}/{pair[1]}" for pair in pairs)
    return images, snapshots


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
