"""Resolves a plan's selectors: lists the source regions, nothing more, before a run knows what it wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.cloud.inventory import Inventory
from orchestrator.core.model import ImageId, Region, Sighting
from orchestrator.core.plan import Plan
from orchestrator.core.plan.resolving import Resolved, resolve
from orchestrator.core.upkeep import Selected


@dataclass(frozen=True, slots=True)
class Selecting:
    """A plan whose selectors were resolved, what the ledger keeps of that, and what was listed for it."""

    resolved: Resolved
    events: tuple[Selected, ...]
    listings: Mapping[Region, tuple[Sighting, ...]]


async def resolved_plan(
    plan: Plan, inventory: Inventory, *, now: float, copies: frozenset[ImageId]
) -> Selecting:
    """Resolve a plan; one without selectors needs no request.

    `copies` are the images that the ledger knows for copies. Raises PlanError for what a selector
    forbids, CloudSilent or CredentialsRefused where a source region cannot be listed.
    """
    listings = {region: await inventory.images(region) for region in plan.selects()}
    resolved = resolve(plan, listings, now=now, copies=copies)
    events = tuple(
        Selected(
            at=now,
            replication=each.name,
            region=each.source,
            selector=str(found.selector),
            images=tuple(image.image for image in found.matched),
            family=found.selector.family.pattern if found.selector.family is not None else "",
        )
        for each, found in resolved.selections
    )
    return Selecting(resolved, events, listings)
