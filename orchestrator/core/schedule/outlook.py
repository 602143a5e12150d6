"""What can be said of the schedule at a moment: why a copy waits, where each one stands."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

from orchestrator.core.apis import COPY_IMAGES
from orchestrator.core.model import Resource, State
from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.core.schedule.admission import lacking, shortage
from orchestrator.core.schedule.looking import eta_s
from orchestrator.core.schedule.parking import blocked
from orchestrator.core.schedule.readings import Park
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track
from orchestrator.core.schedule.window import held_back, most_in_flight
from orchestrator.core.verdict import Overview, Shortage, Standing


def why(register: Register, track: Track) -> tuple[Reason, str]:
    """Say why a copy stands where it stands, in one code and one phrase."""
    parked = track.destination.park
    if track.state is not State.WAITING:
        return track.reason, track.detail
    stopped = register.stop or register.closed
    if stopped is not None:
        return stopped, track.detail
    if parked is not None:
        return parked.reason, _full(track.destination, parked)
    if track.deferred:
        return lacking(track.destination), _short(track.destination)
    if track.reason is Reason.QUEUED:
        return Reason.QUEUED, _queued(register, track)
    return track.reason, track.detail


def _full(destination: Destination, parked: Park) -> str:
    """Describe a full destination in numbers."""
    resource = Resource.SNAPSHOT if parked.reason is Reason.QUOTA_SNAPSHOT else Resource.IMAGE
    quota = destination.quotas.get(resource)
    numbers = f"{quota.used + quota.committed} of {quota.limit} {resource.value}s used, " if quota else ""
    said = f"{numbers}{destination.waiting} waiting"
    return "; ".join(part for part in (_short(destination), said) if part)


def _short(destination: Destination) -> str:
    """Count what fits into a destination's quotas, if not all of it does."""
    lacks = shortage(destination)
    return lacks.told(destination.region) if lacks else ""


def _queued(register: Register, track: Track) -> str:
    """Describe what a copy that nothing is wrong with waits for."""
    holder = track.source.holder
    if holder is not None and holder is not track:
        return f"its source is being copied to {holder.copy.destination}"
    if not track.source.inspected:
        return "its source has not been looked at yet"
    if not track.destination.listed:
        return f"{track.copy.destination} has not been listed yet"
    region_copies = register.limits.region_copies
    if track.destination.in_flight >= most_in_flight(track.destination, region_copies):
        held = held_back(track.destination, region_copies)
        said = f"{track.destination.in_flight} copies to {track.copy.destination} are under way"
        return f"{said}, {held}" if held else said
    return ""


def standing(register: Register, track: Track) -> Standing:
    """Describe where one copy stands, for people and for JSON."""
    reason, detail = why(register, track)
    return Standing(
        copy=track.copy,
        state=track.state,
        reason=reason,
        detail=detail,
        image=track.image,
        progress=track.progress if track.state is State.COPYING else None,
        via=track.carrier.origin if track.relayed else None,
        carrier=track.carrier.image if track.relayed else None,
    )


def overview(register: Register) -> tuple[Overview, ...]:
    """Describe every destination that this run wants something of."""
    wanted = (d for d in register.destinations.values() if d.states.total())
    return tuple(_at_a_glance(register, destination) for destination in wanted)


def _at_a_glance(register: Register, destination: Destination) -> Overview:
    """Count one destination's wanted copies and say what it waits for."""
    copying = destination.copying.values()
    progress = [track.progress for track in copying if track.wanted and track.progress]
    lacks, region_copies = shortage(destination), register.limits.region_copies
    held = held_back(destination, region_copies) if destination.admitted else ""
    return Overview(
        region=destination.region,
        states=Counter(destination.states),
        percent=round(sum(progress) / len(progress)) if progress else None,
        eta_s=eta_s(register, destination),
        note="; ".join(
            part for part in (_note(destination, lacks), _pause(register, destination), held) if part
        ),
        shortage=lacks,
        images=_quota(destination, Resource.IMAGE),
        snapshots=_quota(destination, Resource.SNAPSHOT),
    )


def _quota(destination: Destination, resource: Resource) -> tuple[int, int] | None:
    """Tell how much of a quota is used, by what was read and sent since, and how much there is."""
    quota = destination.quotas.get(resource)
    if quota is None or resource in destination.blind:
        return None
    return quota.used + quota.committed, quota.limit


def _pause(register: Register, destination: Destination) -> str:
    """Say that a throttle holds the calls that copies wait for, or slows them down, if one does."""
    if not destination.admitted or blocked(destination):
        return ""
    until = register.paused_until(COPY_IMAGES)
    if until > register.now:
        return f"calls pause until {_clock(until)}, the cloud limits their rate"
    most = register.pace.allowances.most(COPY_IMAGES)
    return f"at most {most} requests a minute, learned from refusals" if most else ""


def _clock(at: float) -> str:
    """Write a time of day in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%H:%M:%SZ")


def _note(destination: Destination, lacks: Shortage | None) -> str:
    """Say in one phrase what a destination waits for, if it does."""
    parked = destination.park
    if parked is not None and blocked(destination):
        said = lacks.told() if lacks else MEANINGS[parked.reason].says
        return f"{said}; tried again at {_clock(parked.until)}"
    if destination.doubtful:
        return f"{len(destination.doubtful)} lost calls are looked for"
    if destination.unsettled and not destination.listed:
        return "being listed"
    return lacks.told() if lacks else ""
