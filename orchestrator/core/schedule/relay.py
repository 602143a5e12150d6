"""Relay: what makes a ready copy fit to carry further copies of its original, and what ends that.

It says what may carry; who travels from where is `agenda`'s affair. The original always may, so
whatever goes wrong here costs time and no copy: a carrier that is refused for good is passed over
for the rest of the run, and its copy waits for another one, the original at last.
"""

from __future__ import annotations

from orchestrator.core.likeness import features
from orchestrator.core.marks import platform_source, read_mark
from orchestrator.core.model import CallId, ImageId, Sighting, State
from orchestrator.core.reasons import Nature, Reason
from orchestrator.core.schedule.lifecycle import Step
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Source, Track

_PERHAPS_GONE = (Reason.NOT_FOUND, Reason.SOURCE_STATUS)


# --- which may carry ------------------------------------------------------------------------------


def awaited(track: Track) -> bool:
    """Tell whether a copy that is or becomes ready might carry another one in this run."""
    others = (other for other in track.source.tracks if other is not track)
    return any(t.relay and t.unsettled and t.state is not State.COPYING for t in others)


def verify(register: Register, track: Track, sighting: Sighting) -> None:
    """Judge by what the cloud shows of a copy's image whether it may carry others; before `move`.

    It must be ready and equal its original. What is known of one side only counts as a difference:
    to pass a good carrier over costs time, what a wrong one passes on costs the copies.
    """
    if not register.relaying or sighting.image != track.image or not awaited(track):
        return
    if sighting.status in ("error", "deleting"):
        track.fit = False
    elif sighting.status == "ready" and track.fit is None:
        original = track.source.sighting
        track.fit = original is not None and features(original) == features(sighting)
        if track.fit:
            _enlist(register, track, sighting)


def _enlist(register: Register, track: Track, sighting: Sighting) -> None:
    """Make a copy's image a carrier: it gets a record, and its name, which it passes on, is remembered."""
    carrier = register.carrier(track, track.copy.destination, sighting.image)
    carrier.freed_at = register.now
    if sighting.name:
        track.source.names.add(sighting.name)
    if track.state is State.READY:
        register.offer_siblings(track)


# --- what ends it ---------------------------------------------------------------------------------


def pass_over(register: Register, track: Track, nature: Nature, reason: Reason, detail: str) -> None:
    """Take a carrier that was refused for good out of this run; its copy waits for another one."""
    if nature is Nature.ROUTE_PERMANENT:
        track.destination.shut.add(track.carrier.origin)
    else:
        retire(register, track.carrier, reason)
    register.move(track, Step.REFUSE, Reason.RELAY_REFUSED, detail)


def retire(register: Register, carrier: Source, reason: Reason) -> None:
    """Let an image carry nothing more in this run; where it may be gone, ask for it by itself."""
    region = register.destination(carrier.origin)
    copy = region.images.get(carrier.image)
    if copy is None:
        return
    copy.fit = False
    if reason in _PERHAPS_GONE and copy.state is State.READY:
        region.to_check[carrier.image] = None


# --- where an image came from ---------------------------------------------------------------------


def carriers(register: Register, call: CallId) -> tuple[Source, ...]:
    """Return the images that a call sent, one for each of its copies."""
    tracks = register.calls[call]
    if call not in register.relays:
        return tuple(track.source for track in tracks)
    via, images = register.relays[call]
    return tuple(register.carrier(t, via, image) for t, image in zip(tracks, images, strict=True))


def made_of(register: Register, track: Track, sighting: Sighting) -> Source:
    """Return the image that this copy was made of, as far as its text tells; else the original."""
    mark = read_mark(sighting.text)
    if mark is None:
        return _named(register, track, platform_source(sighting.text))
    called = register.calls.get(mark.call, ()) if mark.ledger == register.ledger else ()
    if track in called:
        return carriers(register, mark.call)[called.index(track)]
    sibling = register.tracks.get(track.copy._replace(destination=mark.via)) if mark.via else None
    return track.source if sibling is None else _named(register, track, sibling.image)


def _named(register: Register, track: Track, image: ImageId | None) -> Source:
    """Return the record of the image that a text names, if that is a copy of the same original."""
    for sibling in track.source.tracks:
        if image is not None and sibling.image == image and sibling is not track:
            return register.carrier(track, sibling.copy.destination, image)
    known = register.by_image.get(image, []) if image is not None else []
    return next((record for record in known if record.original is track.source), track.source)
