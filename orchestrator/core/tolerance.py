"""Best effort: which missing copies do not make a night a failure, as their destination may be down. Pure.

A destination is tolerated for fewer nights in a row than the plan says. A night is a day of the
cloud's calendar on which the plan was run: two runs on one day are one night, and the last one counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.core.cloud_time import day_of
from orchestrator.core.model import Copy, Region, State
from orchestrator.core.plan import Plan
from orchestrator.core.verdict import Result, Standing


@dataclass(frozen=True, slots=True)
class Tolerated:
    """A copy that is missing and may be: this is the `night`th night in a row of `limit` that would fail."""

    standing: Standing
    night: int
    limit: int


def best_effort(plan: Plan) -> dict[Copy, int]:
    """Return the copies that every replication wants by best effort, with the night on which they fail."""
    efforts: dict[Copy, int] = {}
    if all(each.policy.fail_after_nights is None for each in plan.replications):
        return efforts
    for copy, replications in plan.wanting().items():
        nights = [each.policy.fail_after_nights for each in replications]
        strict = [number for number in nights if number is not None]
        if len(strict) == len(nights):
            efforts[copy] = min(strict)
    return efforts


def nights_missed(earlier: Iterable[Result], plan: str, region: Region, now: float) -> int:
    """Count the nights in a row before tonight on which a destination was not served in full.

    `earlier` are results, the newest first; those of other plans, and of tonight, are passed over, and so
    are those that say nothing of the destination: of a part of the plan, or of a run that could not begin.
    """
    missed, last = 0, day_of(now)
    for result in earlier:
        day = day_of(result.started_at)
        there = [s.state for s in result.copies if s.copy.destination == region]
        if result.plan != plan or result.narrowed or not there or day == last:
            continue
        last = day
        if all(state is State.READY for state in there):
            break
        missed += 1
    return missed


def tolerated(
    copies: Iterable[Standing], efforts: Mapping[Copy, int], missed: Mapping[Region, int]
) -> tuple[Tolerated, ...]:
    """Pick the missing copies that a run may end green without."""
    missing = (s for s in copies if s.state is not State.READY and s.copy in efforts)
    told = (Tolerated(s, missed.get(s.copy.destination, 0) + 1, efforts[s.copy]) for s in missing)
    return tuple(each for each in told if each.night < each.limit)
