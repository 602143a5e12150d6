"""What the copies that wait would take: sources, room in quotas, calls, gigabytes, time. It only counts."""

from __future__ import annotations

from orchestrator.core.diff import CODES, Basis, Effect, Effort, Need, Row, SourceLook
from orchestrator.core.model import Resource, State
from orchestrator.core.plan import preview
from orchestrator.core.schedule.batches import queued_s
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Source, Track


def source_looks(register: Register) -> tuple[SourceLook, ...]:
    """Show every source that this run looks at: of whatever copies were neither there nor under way."""
    wanted = (track for track in register.tracks.values() if track.wanted)
    open_ones = (track for track in wanted if track.source.inspected or track.state is State.WAITING)
    return tuple(_source_look(source) for source in dict.fromkeys(track.source for track in open_ones))


def _source_look(source: Source) -> SourceLook:
    """Show one source."""
    return SourceLook(
        image=source.image,
        region=source.origin,
        sighting=source.sighting if source.inspected and source.shown else None,
        read=source.inspected,
    )


def needs(register: Register) -> tuple[Need, ...]:
    """Hold what waits for each destination against what its quotas leave free."""
    waited_for = (d for d in register.destinations.values() if d.waiting and d.listed)
    return tuple(_need(destination) for destination in waited_for)


def _need(destination: Destination) -> Need:
    """Hold one destination's needs against its quotas."""
    waiting = [t for t in destination.tracks if t.wanted and t.state is State.WAITING]
    return Need(
        region=destination.region,
        images=len(waiting),
        snapshots=sum(track.needs(Resource.SNAPSHOT) for track in waiting),
        free_images=_free(destination, Resource.IMAGE),
        free_snapshots=_free(destination, Resource.SNAPSHOT),
        fit=destination.admitted,
    )


def _free(destination: Destination, resource: Resource) -> int | None:
    """Return what a quota leaves free; None where it could not be read."""
    quota = destination.quotas.get(resource)
    return None if quota is None or resource in destination.blind else quota.room


def effort(register: Register, rows: tuple[Row, ...]) -> Effort:
    """Estimate what the copies that would be sent cost."""
    sent = [register.tracks[row.copy] for row in rows if CODES[row.code].effect is Effect.SENDS]
    sizes = [track.source.sighting.size_mb if track.source.sighting else None for track in sent]
    return Effort(
        chunks=preview(track.copy for track in sent),
        moved_mb=sum(size for size in sizes if size),
        unsized=sum(not size for size in sizes),
        takes_s=_takes_s(register, sent),
        basis=_basis(register, sent),
    )


def _takes_s(register: Register, sent: list[Track]) -> float:
    """Estimate how long they take: as long as the busiest source, or the busiest destination."""
    sources = dict.fromkeys(track.source for track in sent)
    destinations = {id(track.destination): track.destination for track in sent}.values()
    busiest_s = max(map(register.forecasts.remaining_s, sources), default=0.0)
    return max([busiest_s, *(queued_s(register, destination) for destination in destinations)])


def _basis(register: Register, sent: list[Track]) -> Basis:
    """Say what the forecast rests on."""
    routes = {(track.copy.origin, track.copy.destination) for track in sent}
    if all(map(register.forecasts.knows, routes)):
        return Basis.HISTORY
    return Basis.OTHER_ROUTES if register.forecasts.routes else Basis.ASSUMED
