"""A plan with selectors becomes a plan with images, once the source regions were listed. Pure.

What was matched is told selector by selector, so that a night can say in the morning what it took
the plan to mean.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from orchestrator.core.model import ImageId, Region, Sighting
from orchestrator.core.plan.plan import COPIES_MAX, Plan, Replication
from orchestrator.core.select import Selection, select
from orchestrator.errors import PlanError


@dataclass(frozen=True, slots=True)
class Resolved:
    """A plan whose every image is named, and what each selector matched, by replication."""

    plan: Plan
    selections: tuple[tuple[Replication, Selection], ...] = ()

    def warnings(self) -> tuple[str, ...]:
        """Say which selectors matched nothing, each with its place."""
        told = ((each.selector.where, each.warning()) for _, each in self.selections)
        return tuple(f"{where}: {warning}" for where, warning in told if warning is not None)


def resolve(
    plan: Plan,
    listings: Mapping[Region, Sequence[Sighting]],
    *,
    now: float,
    copies: Container[ImageId] = (),
) -> Resolved:
    """Put the images that its selectors match into a plan; `listings` has every region of `plan.selects()`.

    `copies` are images known to be copies, which are never selected; `now` is in UTC epoch seconds.
    Raises PlanError with everything that a selector forbids (`required`, `at_most`), and for too many copies.
    """
    selections = tuple(
        (each, select(selector, listings[each.source], now=now, copies=copies))
        for each in plan.replications
        for selector in each.selectors
    )
    complaints = [(s.selector.where, s.complaint()) for _, s in selections]
    if wrong := tuple(f"{where}: {said}" for where, said in complaints if said is not None):
        raise PlanError(wrong)
    replications = tuple(_with_images(each, selections) for each in plan.replications)
    resolved = replace(plan, replications=replications)
    if len(resolved.copies()) > COPIES_MAX:
        raise PlanError((f"{plan.name}: the selectors make more than {COPIES_MAX:,} copies; set at_most",))
    return Resolved(resolved, selections)


def _with_images(each: Replication, selections: Sequence[tuple[Replication, Selection]]) -> Replication:
    """Add to the images that a replication names those that its selectors matched, each once."""
    selected = (image.image for owner, found in selections if owner is each for image in found.matched)
    return replace(each, images=tuple(dict.fromkeys([*each.images, *selected])), selectors=())
