"""What of an observation is worth recording: all that any copy can ever need, and no more. Pure.

The ledger keeps every event, so what is left out here is what keeps it small.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.messages import Checked, Event, Inspected, Listed, Seen
from orchestrator.core.model import Sighting
from orchestrator.core.schedule.belonging import disowned
from orchestrator.core.schedule.evidence import relevant
from orchestrator.core.schedule.readings import Evidence
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.relay import awaited
from orchestrator.core.schedule.tracks import Destination


def essence(register: Register, event: Event) -> Event:
    """Return an event with what is worth keeping of the images that it shows."""
    match event:
        case Inspected():
            return replace(event, images=tuple([_plain(register, s) for s in event.images]))
        case Listed():
            page = relevant(register, event)
            return replace(page, images=tuple(disowned(_plain(register, s)) for s in page.images))
        case Seen():
            destination = register.destination(event.region)
            return replace(event, images=tuple([_looked_at(register, destination, s) for s in event.images]))
        case Checked(sighting=Sighting() as sighting):
            return replace(event, sighting=disowned(_plain(register, sighting)))
        case _:
            return event


def _plain(register: Register, sighting: Sighting) -> Sighting:
    """Leave out what the schedule never asks for, and what only a relay compares in a run without any."""
    if sighting.os_type or sighting.shared:
        sighting = replace(sighting, os_type="", shared=False)
    compared = sighting.platform or sighting.architecture
    return replace(sighting, platform="", architecture="") if compared and not register.relaying else sighting


def _looked_at(register: Register, destination: Destination, sighting: Sighting) -> Sighting:
    """Keep of a copy under way its status and progress, and what is to be learned or compared."""
    slimmed = slim(sighting, keep_text=destination.evidence is Evidence.UNKNOWN)
    if not register.relaying or sighting.status != "ready":
        return slimmed
    track = destination.images.get(sighting.image)
    if track is None or not awaited(track):
        return slimmed
    name = sighting.name if sighting.name not in track.source.names else ""
    return replace(
        slimmed,
        name=name,
        size_mb=sighting.size_mb,
        snapshots=sighting.snapshots,
        encrypted=sighting.encrypted,
        platform=sighting.platform,
        architecture=sighting.architecture,
    )


def slim(sighting: Sighting, *, keep_text: bool) -> Sighting:
    """Return what a look at a known copy is worth keeping of an image."""
    text = sighting.text if keep_text else ""
    return Sighting(image=sighting.image, status=sighting.status, progress=sighting.progress, text=text)
