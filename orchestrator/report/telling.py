"""The story of a run: its result, what its events tell, and the runs before it, put together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orchestrator.core.verdict import Result, Standing, count
from orchestrator.ledger.port import RunRow
from orchestrator.report.lineage import by_place, lineage
from orchestrator.report.retelling import NAMELESS, Retold
from orchestrator.report.story import CopyStory, EarlierRun, Story
from orchestrator.watch.result import KILLED, RUNNING, Running
from orchestrator.watch.summary import verdict_text
from orchestrator.watch.text import some

EARLIER_MAX = 14
"""As many earlier runs of the plan are compared."""


def tell(view: Result | Running, retold: Retold | None, rows: Sequence[RunRow], told_at: float) -> Story:
    """Put the story of a run together; `rows` are all runs, the newest first, `told_at` UTC epoch seconds.

    A finished run stands where its result says, one without an end where its events say.
    """
    ended = view if isinstance(view, Result) else None
    standings = retold.standings if retold is not None and ended is None else view.copies
    bare = Story(
        run=view.run,
        plan=view.plan,
        verdict=_verdict(view),
        exit_code=ended.exit_code if ended else None,
        sentence=verdict_text(ended) if ended else "",
        started_at=view.started_at,
        finished_at=ended.finished_at if ended else None,
        until=_until(view, retold, told_at),
        told_at=told_at,
        counts=count(standings),
        requests=view.calls,
        copies=_copies(standings, retold),
        whole=retold is not None,
        earlier=earlier_runs(view, rows),
        strangers=ended.strangers if ended else (),
    )
    story = bare if ended else replace(bare, sentence=_unended(bare))
    return story if retold is None else _with_course(story, retold)


def earlier_runs(view: Result | Running, rows: Sequence[RunRow]) -> tuple[EarlierRun, ...]:
    """Take the runs of the same plan before this one, the newest first."""
    same = (row for row in rows if row.plan == view.plan and row.run != view.run)
    before = (row for row in same if row.started_at <= view.started_at)
    return tuple(
        EarlierRun(
            run=row.run,
            started_at=row.started_at,
            finished_at=row.finished_at,
            verdict=row.verdict or KILLED,
            counts=row.counts,
        )
        for row, _ in zip(before, range(EARLIER_MAX), strict=False)
    )


def _verdict(view: Result | Running) -> str:
    """Name the verdict, or how a run without an end stands."""
    if isinstance(view, Result):
        return view.verdict.value
    return KILLED if view.killed else RUNNING


def _until(view: Result | Running, retold: Retold | None, told_at: float) -> float:
    """Tell up to when anything is known: of a killed run, the last that it did."""
    if isinstance(view, Result):
        return view.finished_at
    if not view.killed:
        return max(told_at, view.started_at)
    return retold.until if retold is not None else view.started_at


def _unended(story: Story) -> str:
    """Say in one sentence how a run without an end stands."""
    counts = story.counts
    said = [f"{story.verdict}: {counts.ready} of {some(counts.wanted, 'copy', 'copies')} ready"]
    said += [f"{counts.failed} failed"] if counts.failed else []
    said += [f"{counts.pending} not done"] if counts.pending else []
    end = "; the next run takes its copies over" if story.verdict == KILLED else " yet"
    return ", ".join(said) + end


def _copies(standings: Sequence[Standing], retold: Retold | None) -> tuple[CopyStory, ...]:
    """Join where the copies stand with how they came there, and trace the relayed ones back."""
    made = by_place(standings)
    known = retold.copies if retold is not None else {}
    return tuple(
        replace(
            known.get(standing.copy) or CopyStory(standing=standing, name="", family=NAMELESS),
            standing=standing,
            lineage=lineage(standing, made),
        )
        for standing in standings
    )


def _with_course(story: Story, retold: Retold) -> Story:
    """Add what only the events tell."""
    return replace(
        story,
        calls=retold.calls,
        quotas=retold.quotas,
        overviews=retold.overviews,
        upkeep=retold.upkeep,
        traffic=retold.traffic.summed(story.until),
    )
