"""What happened to images beside their copying, for the page and for JSON: chosen, deleted, named. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import assert_never

from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Labelled, Pruned, Selected, Upkeep, Verified
from orchestrator.watch.text import iso, well_formed

Shape = dict[str, object]


@dataclass(frozen=True, slots=True)
class Kept:
    """The upkeep of a run, sorted. `unequal` are copies that are not like their source."""

    selected: tuple[Selected, ...]
    pruned: tuple[Pruned, ...]
    unpruned: tuple[Pruned, ...]
    labelled: tuple[Labelled, ...]
    unlabelled: tuple[Labelled, ...]
    equal: int
    unequal: tuple[Verified, ...]


def kept(upkeep: Iterable[Upkeep]) -> Kept:
    """Sort the upkeep of a run by what it was and whether it succeeded."""
    events = list(upkeep)
    pruned = [event for event in events if isinstance(event, Pruned)]
    labelled = [event for event in events if isinstance(event, Labelled)]
    verified = [event for event in events if isinstance(event, Verified)]
    unequal = tuple(event for event in verified if event.differs)
    return Kept(
        selected=tuple(event for event in events if isinstance(event, Selected)),
        pruned=tuple(event for event in pruned if event.reason is Reason.PRUNED),
        unpruned=tuple(event for event in pruned if event.reason is not Reason.PRUNED),
        labelled=tuple(event for event in labelled if event.reason is Reason.LABELLED),
        unlabelled=tuple(event for event in labelled if event.reason is not Reason.LABELLED),
        equal=len(verified) - len(unequal),
        unequal=unequal,
    )


def upkeep_shape(event: Upkeep) -> Shape:
    """Write one event for machines."""
    at = {"at": iso(event.at)}
    match event:
        case Selected():
            return {
                "kind": "selected",
                **at,
                "replication": well_formed(event.replication),
                "selector": well_formed(event.selector),
                "region": event.region,
                "images": list(event.images),
            }
        case Pruned():
            return {"kind": "pruned", **at, "region": event.region, **_about(event)}
        case Labelled():
            name = well_formed(event.name)
            return {"kind": "labelled", **at, "region": event.copy.destination, "name": name, **_about(event)}
        case Verified():
            differs = [well_formed(part) for part in event.differs]
            where = event.copy.destination
            return {"kind": "verified", **at, "region": where, "image": event.image, "differs": differs}
        case _:
            assert_never(event)


def _about(event: Pruned | Labelled) -> Shape:
    """Write what a deletion and a naming share."""
    detail = well_formed(event.detail)
    return {"image": well_formed(event.image), "reason": event.reason.value, "detail": detail}
