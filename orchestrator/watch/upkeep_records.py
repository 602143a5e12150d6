"""Events of upkeep as records of the progress log: their level and fields; writes nothing."""

from __future__ import annotations

from typing import assert_never

from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Labelled, Pruned, Selected, Upkeep, Verified
from orchestrator.watch.names import Level


def upkeep_level(event: Upkeep) -> Level:
    """Warn of what did not come out as it was wished."""
    match event:
        case Selected():
            fine = bool(event.images)
        case Pruned():
            fine = event.reason is Reason.PRUNED
        case Labelled():
            fine = event.reason is Reason.LABELLED
        case Verified():
            fine = not event.differs
        case _:
            assert_never(event)
    return "info" if fine else "warning"


def upkeep_fields(event: Upkeep) -> dict[str, object]:
    """Give the event's own fields, as `names.EVENTS` lists them."""
    match event:
        case Selected():
            named = {"replication": event.replication, "selector": event.selector}
            return {**named, "source_region": event.region, "images": list(event.images)}
        case Pruned():
            source = event.copy.source if event.copy else None
            where = {"destination_region": event.region, "destination_image": event.image}
            return {**where, "source_image": source, "reason": event.reason.value, "detail": event.detail}
        case Labelled():
            why = {"name": event.name, "reason": event.reason.value, "detail": event.detail}
            return {**_where(event), **why}
        case Verified():
            return {**_where(event), "differs": list(event.differs)}
        case _:
            assert_never(event)


def _where(event: Labelled | Verified) -> dict[str, object]:
    """Name a copy that is ready."""
    copy = event.copy
    return {
        "destination_region": copy.destination,
        "destination_image": event.image,
        "source_image": copy.source,
    }
