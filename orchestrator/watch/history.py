"""What the ledger remembers of each plan's runs: last run, last success, quotas. It only reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from orchestrator.core.messages import Surveyed
from orchestrator.core.model import Copy, Region, RunId, State
from orchestrator.core.verdict import Part, Result
from orchestrator.ledger.port import RunRow
from orchestrator.ledger.reader import LedgerReader
from orchestrator.watch.result import KILLED, parts_from_json, result_from_json
from orchestrator.watch.text import well_formed

LOOK_BACK = 366
"""Runs of a plan that are searched for its last success: a year of nights."""

QUOTA_RUNS = 30
"""Runs whose readings of quotas are looked at: a night that finds everything done reads none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanHistory:
    """What is remembered of one plan. Times are UTC epoch seconds; None is never.

    `started_at` is the newest run's, which has no end where `open`; `last` is the newest run that
    ended. A success is a run in which everything that the plan wanted, nothing narrowed away, was
    seen ready: of the plan, with exit code 0, and of each (replication, destination).
    """

    plan: str
    started_at: float
    open: bool
    last: Result | None
    success_at: float | None
    part_success_at: Mapping[tuple[str, Region], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Every plan that ran lately, and each quota as it was last read."""

    plans: tuple[PlanHistory, ...]
    quotas: tuple[Surveyed, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The run of the same plan before this one. `failed` is None where it left no result (it was killed)."""

    run: RunId
    verdict: str
    failed: frozenset[Copy] | None


@dataclass(frozen=True, slots=True)
class _Past:
    """What one run that ended says about success."""

    at: float
    exit_code: int
    parts: tuple[Part, ...]


def read_history(reader: LedgerReader, *, since: float, ended: Result | None = None) -> History:
    """Read what is remembered of the plans whose newest run began at `since` or later.

    `ended` is the run that has just ended: it counts also where the ledger could not take its end.
    Raises what the reader does.
    """
    rows = reader.runs()
    by_plan: dict[str, list[RunRow]] = {}
    for row in rows:
        by_plan.setdefault(row.plan, []).append(row)
    plans = [_plan(reader, of_plan, ended) for of_plan in by_plan.values() if of_plan[0].started_at >= since]
    return History(plans=tuple(plans), quotas=_quotas(reader, rows[:QUOTA_RUNS]))


def run_before(reader: LedgerReader, run: RunId, plan: str) -> Before | None:
    """Find the newest other run of a plan; None where there is none. Raises what the reader does."""
    row = next((row for row in reader.runs() if row.plan == well_formed(plan) and row.run != run), None)
    if row is None:
        return None
    result = _result(reader, row)
    failed = frozenset(s.copy for s in result.copies if s.state is State.FAILED) if result else None
    return Before(run=row.run, verdict=row.verdict or KILLED, failed=failed)


def earlier_results(reader: LedgerReader, plan: str, most: int) -> Iterator[Result]:
    """Read what a plan's runs came to, the newest first; looks at the last `most` runs, of any plan.

    What cannot be read is passed over. Raises what the reader does.
    """
    rows = (row for row in reader.runs()[:most] if row.plan == well_formed(plan))
    return filter(None, (_result(reader, row) for row in rows))


def _plan(reader: LedgerReader, rows: Sequence[RunRow], ended: Result | None) -> PlanHistory:
    """Put together what is known of one plan; `rows` are its runs, the newest first."""
    own = ended if ended is not None and ended.run in {row.run for row in rows} else None
    over = [row for row in rows if row.finished_at is not None and (own is None or row.run != own.run)]
    last = own or next(filter(None, (_result(reader, row) for row in over)), None)
    success_at, parts = _successes(_pasts(reader, over, own), last.parts if last else ())
    newest = rows[0]
    return PlanHistory(
        plan=newest.plan,
        started_at=newest.started_at,
        open=newest.finished_at is None and (own is None or own.run != newest.run),
        last=last,
        success_at=success_at,
        part_success_at=parts,
    )


def _pasts(reader: LedgerReader, over: Sequence[RunRow], own: Result | None) -> Iterator[_Past]:
    """Go back through the runs that ended, the newest first; what cannot be read is passed over."""
    if own is not None:
        yield _Past(own.finished_at, own.exit_code, own.parts)
    for row in over[:LOOK_BACK]:
        text = reader.result(row.run)
        if text is None or row.finished_at is None or row.exit_code is None:
            continue
        with suppress(ValueError, TypeError, AttributeError):  # a newer version's, or none of ours
            yield _Past(row.finished_at, row.exit_code, parts_from_json(text))


def _successes(
    pasts: Iterable[_Past], wanted: Sequence[Part]
) -> tuple[float | None, dict[tuple[str, Region], float | None]]:
    """Find the last success of a plan and of each of its parts; stop when all are found."""
    success_at: float | None = None
    parts: dict[tuple[str, Region], float | None]
    parts = dict.fromkeys((part.replication, part.destination) for part in wanted)
    for past in pasts:
        if success_at is None and past.exit_code == 0 and all(part.whole for part in past.parts):
            success_at = past.at
        for part in past.parts:
            key = (part.replication, part.destination)
            if part.whole and key in parts and parts[key] is None:
                parts[key] = past.at
        if success_at is not None and None not in parts.values():
            break
    return success_at, parts


def _result(reader: LedgerReader, row: RunRow) -> Result | None:
    """Read what a run came to; None where that cannot be read."""
    text = reader.result(row.run)
    if text is None:
        return None
    try:
        return result_from_json(text)
    except ValueError:
        return None


def _quotas(reader: LedgerReader, rows: Sequence[RunRow]) -> tuple[Surveyed, ...]:
    """Keep the newest reading of each quota."""
    newest: dict[tuple[str, str], Surveyed] = {}
    for row in reversed(rows):
        newest |= {(event.region, event.resource.value): event for event in reader.surveys(row.run)}
    return tuple(newest[key] for key in sorted(newest))
