"""What each replication of a plan came to in each of its destinations; counts, and decides nothing."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from orchestrator.core.model import Copy, State
from orchestrator.core.plan import Plan
from orchestrator.core.verdict import Part, Standing


def parts_of(plan: Plan, copies: Iterable[Standing], unconfirmed: AbstractSet[Copy]) -> tuple[Part, ...]:
    """Count by replication and destination, in the order of the plan.

    `copies` are those that the run wanted. One that two replications want counts in both, one of
    `unconfirmed` as not ready: that an earlier run saw it proves nothing about this one.
    """
    ready = {standing.copy for standing in copies if standing.state is State.READY} - unconfirmed
    return tuple(
        Part(
            replication=each.name,
            destination=region,
            planned=len(each.images),
            ready=sum(Copy(image, each.source, region) in ready for image in each.images),
        )
        for each in plan.replications
        for region in each.destinations
    )
