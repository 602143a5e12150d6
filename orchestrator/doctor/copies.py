"""The checks of what lies in the destinations: room for what the plan needs, and what fits to no ledger."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

from orchestrator.core.diagnosis import Finding, fail, ok, warn
from orchestrator.core.messages import Surveyed
from orchestrator.core.model import Copy, ImageId, Region, Resource, Sighting
from orchestrator.core.orphans import Kind, Orphan, Shelf, live_copies, orphans
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.evidence import owner
from orchestrator.watch.text import some

SOURCES, ROOM, ORPHANS = "sources", "room", "orphans"
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """The copies that a plan wants, and its source images as they were described (by region and id)."""

    copies: tuple[Copy, ...]
    sources: Mapping[tuple[Region, ImageId], Sighting]


def shelf_of(schedule: Schedule | None, region: Region) -> Shelf:
    """Take out of a schedule what the ledger says of a region; an empty shelf where there is no ledger."""
    if schedule is None or region not in schedule.register.destinations:
        return Shelf(ledger=schedule.register.ledger if schedule else "")
    register, destination = schedule.register, schedule.register.destinations[region]

    def maker(sighting: Sighting) -> Copy | None:
        track = owner(register, destination, sighting)
        return track.copy if track else None

    return Shelf(
        ledger=register.ledger,
        entries={image: (track.copy, track.state) for image, track in destination.images.items()},
        accepted=frozenset(destination.former | destination.pruned),
        maker=maker,
    )


# --- the plan -------------------------------------------------------------------------------------


def source_findings(needs: Needs, listed: Iterable[Region]) -> Iterator[Finding]:
    """Say which source images are not there, in the regions that could be read."""
    for region in listed:
        wanted = dict.fromkeys(copy.source for copy in needs.copies if copy.origin == region)
        gone = [image for image in wanted if (region, image) not in needs.sources]
        if gone:
            mend = "Take them out of the plan or correct their ids."
            found = f"{len(gone)} of {len(wanted)} source images are not there: {_named(gone)}"
            yield fail(SOURCES, found, mend, where=region)
        elif wanted:
            yield ok(SOURCES, f"all {len(wanted)} source images are there", where=region)


def room_finding(
    region: Region, quotas: Sequence[Surveyed], needs: Needs, shelf: Shelf, listing: Sequence[Sighting]
) -> Finding:
    """Hold what the plan still needs in a destination against what its quotas leave."""
    there = live_copies(shelf, listing)
    missing = [c for c in needs.copies if c.destination == region and (c.origin, c.source) not in there]
    found = [needs.sources[c.origin, c.source] for c in missing if (c.origin, c.source) in needs.sources]
    takes = {
        Resource.IMAGE: len(found),
        Resource.SNAPSHOT: sum(len(sighting.snapshots) or 1 for sighting in found),
    }
    said = [_room(quota, takes[quota.resource] if needs.copies else None) for quota in quotas]
    if any(takes[quota.resource] > _free(quota) for quota in quotas):
        mend = "Delete images there that are not needed (with their snapshots), or ask for a higher quota."
        return fail(ROOM, "; ".join(said), mend, where=region)
    if not needs.copies and any(_free(quota) == 0 for quota in quotas):
        return warn(ROOM, "; ".join(said), "No copy fits there until images are deleted.", where=region)
    return ok(ROOM, "; ".join(said), where=region)


def _free(quota: Surveyed) -> int:
    return max(0, quota.limit - quota.used)


def _room(quota: Surveyed, takes: int | None) -> str:
    """Put one quota into words, and what a plan takes of it, if there is one."""
    free, noun = _free(quota), quota.resource.value
    if takes is None:
        return f"{quota.used} of {quota.limit} {noun}s used"
    short = f", {takes - free} short" if takes > free else ""
    return f"needs {some(takes, noun)}, {free} of {quota.limit} free{short}"


# --- orphans --------------------------------------------------------------------------------------


def orphan_findings(region: Region, shelf: Shelf, listing: Sequence[Sighting]) -> Iterator[Finding]:
    """Say what does not fit in a destination: a finding for each kind, with the step that mends it."""
    found = orphans(shelf, listing)
    for kind in Kind:
        same = [orphan for orphan in found if orphan.kind is kind]
        if same:
            yield _orphaned(region, kind, same)
    if not found:
        yield ok(ORPHANS, f"none among {len(listing)} private images", where=region)


def _orphaned(region: Region, kind: Kind, same: Sequence[Orphan]) -> Finding:
    """Word one kind."""
    ids = _named([image for orphan in same for image in orphan.images])
    number = some(len(same), "image")
    match kind:
        case Kind.BROKEN:
            mend = (
                "Delete them in the console, with their snapshots, or by `orchestrator prune PLAN --apply` "
                "where the plan has `keep`; the next run makes the copies again."
            )
            return warn(ORPHANS, f"{number} of ours in status error use up quota: {ids}", mend, where=region)
        case Kind.DUPLICATE:
            twins = ", ".join(_twins(orphan) for orphan in same[:_SHOWN])
            mend = "Choose which one stays and delete the others in the console, with their snapshots."
            return fail(ORPHANS, f"more than one live copy of a source: {twins}", mend, where=region)
        case Kind.STRANGER:
            mend = (
                "Delete them in the console if nobody needs them, or run `orchestrator ledger rebuild PLAN`."
            )
            said = f"{number} with this ledger's mark, unknown to it: {ids}"
            return warn(ORPHANS, said, mend, where=region)
        case Kind.FOREIGN:
            whose = ", ".join(sorted({orphan.ledger for orphan in same})[:_SHOWN])
            mend = "Use the STATE_DIR of that ledger; if it is lost, `orchestrator ledger rebuild PLAN`."
            said = f"{number} with the mark of another ledger ({whose}): {ids}"
            return warn(ORPHANS, said, mend, where=region)
        case Kind.MISSING:
            mend = "If somebody deleted them, `orchestrator run PLAN` makes them again."
            said = f"the ledger has {number} as ready, and nothing of the kind is there: {ids}"
            return warn(ORPHANS, said, mend, where=region)
        case _:
            assert_never(kind)


def _twins(orphan: Orphan) -> str:
    """Name a source and its copies."""
    origin, source = orphan.original or (Region("?"), ImageId("?"))
    return f"{source} of {origin} as {' and '.join(orphan.images)}"


def _named(images: Sequence[ImageId]) -> str:
    """Name the first images and count the rest."""
    more = len(images) - _SHOWN
    return ", ".join(images[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
