"""What surrounds the copying of one run: what came before it, what may be missing, what follows.

A run without selectors, best effort and labels has none of it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from orchestrator.core.messages import Event
from orchestrator.core.model import Copy, Region
from orchestrator.core.tolerance import Tolerated, tolerated
from orchestrator.core.verdict import (
    EXIT_DEADLINE,
    EXIT_INCOMPLETE,
    EXIT_OK,
    INCOMPLETE_NOTICES,
    Notice,
    Result,
    Verdict,
)
from orchestrator.errors import OrchestratorError

Learn = Callable[[Event], None]
Before = Callable[[Learn], Awaitable[Sequence[Notice]]]
Again = Callable[[Learn, frozenset[Region]], Awaitable[Sequence[Notice]]]
Finish = Callable[[Learn, frozenset[Copy]], Awaitable[Sequence[Notice]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extras:
    """What surrounds one run.

    What comes `before` it (selectors told, room made), what is done `again` when copies have become
    ready and others wait for room, and what it must `finish` are handed the engine's way to take an
    event in; `again` also the destinations that it is for, the last the copies that this run made.
    `fault` is why it cannot even begin. `efforts` are the copies wanted by best effort with the night
    on which they fail, `missed` the nights that each destination has missed in a row.
    """

    before: tuple[Before, ...] = ()
    again: Again | None = None
    fault: OrchestratorError | None = None
    efforts: Mapping[Copy, int] = field(default_factory=dict)
    missed: Mapping[Region, int] = field(default_factory=dict)
    finish: Finish | None = None

    def tolerances(self, result: Result) -> tuple[Tolerated, ...]:
        """Pick the copies that are missing and may be."""
        return tolerated(result.copies, self.efforts, self.missed)


def with_notices(result: Result, notices: Iterable[Notice], allowed: Sequence[Tolerated]) -> Result:
    """Add what no copy's state tells: what may be missing fails nothing, what is not as asked for does."""
    said = (*notices, *(Notice("tolerated", _tolerated(each)) for each in allowed))
    verdict, code = result.verdict, result.exit_code
    missing = result.counts.wanted - result.counts.ready
    may_lack = bool(allowed) and len(allowed) == missing and not result.strangers
    if may_lack and code in (EXIT_INCOMPLETE, EXIT_DEADLINE):
        verdict, code = Verdict.OK, EXIT_OK
    if verdict is Verdict.OK and any(notice.kind in INCOMPLETE_NOTICES for notice in said):
        verdict, code = Verdict.PARTIAL, EXIT_INCOMPLETE
    return replace(result, verdict=verdict, exit_code=code, notices=said)


def _tolerated(each: Tolerated) -> str:
    """Say which copy is missing, and since when it may not be."""
    copy = each.standing.copy
    which = f"{copy.source} to {copy.destination} is missing ({each.standing.reason.value})"
    return f"{which}: night {each.night} of best effort, a failure from night {each.limit} on"
