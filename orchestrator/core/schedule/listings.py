"""What a complete listing of a destination settles: what is there already, what is gone, what was made.

Every run lists its destinations before the first call; doubtful copies have theirs listed until
they are found or, after SETTLE_TIME, surely absent. An image that is shown counts at once; that
one is not shown counts only when the listing is complete, did not change while it was read, and
is trusted (`evidence.trusted`).
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.core.messages import Checked, Listed
from orchestrator.core.model import PAGE_SIZE, ImageId, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.answers import give_up
from orchestrator.core.schedule.audit import examine
from orchestrator.core.schedule.doubts import foretell, settle, settled_by, traces_of
from orchestrator.core.schedule.evidence import judge_text, made_by_others, owner, trusted
from orchestrator.core.schedule.findings import answered, watch
from orchestrator.core.schedule.hearsay import contradicts
from orchestrator.core.schedule.lifecycle import Step
from orchestrator.core.schedule.likeness import Likeness, lookalikes, resembling
from orchestrator.core.schedule.looking import foresee, plan_look
from orchestrator.core.schedule.readings import LIVE, Evidence, Listing
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.relay import made_of, verify
from orchestrator.core.schedule.tracks import Destination, Track

_ORDER = {"ready": 0, "error": 2}
"""Of two images of one copy the ready one counts, and a broken one last."""


def listed(register: Register, event: Listed) -> None:
    """Take one page in; conclude when it was the last one."""
    restarts = register.destination(event.region).failures["list"]
    destination = answered(register, event.region, "list")
    destination.failures["list"] = restarts  # only a conclusion ends a row of them
    listing = destination.listing
    if event.page == 1:
        listing = destination.listing = Listing(began=event.began, total=event.total)
    changed = event.page != listing.page + 1 or event.total != listing.total
    images = [sighting for sighting in event.images if sighting.image not in destination.pruned]
    _adopt_shown(register, destination, images)
    listing.page, listing.shown = event.page, listing.shown + event.shown
    _keep(destination, listing, images)
    short = event.shown == 0 and listing.shown < listing.total
    if changed or short or listing.shown > listing.total:
        _again(register, destination, restarts + 1)
    elif listing.shown == listing.total and not _hides(destination, listing, event.shown):
        destination.listing = Listing()
        destination.failures["list"] = 0
        _conclude(register, destination, listing)


def _adopt_shown(register: Register, destination: Destination, images: Iterable[Sighting]) -> None:
    """Take over every image that certainly is a copy of the plan."""
    for sighting in sorted(images, key=lambda s: _ORDER.get(s.status, 1)):
        track = owner(register, destination, sighting)
        if track is not None:
            adopt(register, track, sighting)


def _keep(destination: Destination, listing: Listing, images: Iterable[Sighting]) -> None:
    """Keep what a page shows."""
    for sighting in images:
        track = destination.images.get(sighting.image)
        if track is None or track.image is None or sighting.status not in LIVE:
            listing.images.append(sighting)
        else:
            listing.known.append(track.image)  # the text that is there already, not another one like it


def _hides(destination: Destination, listing: Listing, shown: int) -> bool:
    """Tell whether a page after this one is asked for although all are shown that were announced.

    Where absence would decide something, a full page is not taken for the last one on the word of
    a total: the page after it must be empty.
    """
    seen = {sighting.image for sighting in listing.images}.union(listing.known)
    missing = any(t.unconfirmed and image not in seen for image, t in destination.images.items())
    return shown >= PAGE_SIZE and (missing or bool(destination.doubtful))


def _again(register: Register, destination: Destination, restarts: int) -> None:
    """Start a listing over that changed while it was read; give up after MAX_ATTEMPTS."""
    destination.listing = Listing()
    destination.failures["list"] = restarts
    destination.again_at["list"] = register.now + min(1.0, register.limits.backoff_initial_s)
    if restarts >= register.limits.max_attempts:
        give_up(register, destination, Reason.UNCONFIRMED, "the listing changes while it is read")


def checked(register: Register, event: Checked) -> None:
    """Believe that an image is gone only when the cloud says so of this very image."""
    destination = answered(register, event.region, "check")
    track = destination.images.get(event.image)
    if track is None:
        return
    destination.to_check.pop(event.image, None)
    if event.sighting is not None and event.sighting.status == "deleting" and track.unconfirmed:
        _check_again(register, track, event.image)
    elif event.sighting is not None:
        adopt(register, track, event.sighting)
    elif track.state is State.COPYING:
        register.name_image(track, None)
        register.move(track, Step.END, Reason.VANISHED, f"{event.image} is gone")
    elif track.state is State.READY and not track.unconfirmed:
        register.name_image(track, None)
        register.move(track, Step.END, Reason.VANISHED, f"{event.image} was ready and is gone")
    elif track.unconfirmed:
        register.name_image(track, None)
        ready = track.state is State.READY
        register.move(track, Step.GONE if ready else Step.RENEW, Reason.DELETED, f"{event.image} is gone")


def _check_again(register: Register, track: Track, image: ImageId) -> None:
    """Wait for an image that somebody is deleting to be gone; give up on one that never goes."""
    destination = track.destination
    track.misses += 1
    if track.misses < register.limits.max_attempts:
        destination.to_check[image] = None
        destination.check_at = register.now + register.limits.poll_interval_s * track.misses
    elif track.state is State.FAILED:
        register.restate(track, Reason.UNCONFIRMED, f"{image} is being deleted and does not go")
    else:
        register.move(track, Step.END, Reason.UNCONFIRMED, f"{image} is being deleted and does not go")


def adopt(register: Register, track: Track, sighting: Sighting) -> None:
    """Take over what the cloud shows of an image that certainly is this copy."""
    verify(register, track, sighting)
    if sighting.status == "deleting" or track.state is State.CALLING:
        return
    if track.state is State.DOUBTFUL and made_by_others(register, track, sighting):
        return  # our own lost call may have made another one: its doubt is settled first
    if track.image == sighting.image:
        _recognise(register, track, sighting)
        return
    if track.state is State.READY and track.image is None:  # a person said so, and named no image
        register.name_image(track, sighting.image)
        verify(register, track, sighting)
        register.restate(track, Reason.ADOPTED)
        return
    if track.image is not None and (track.state is not State.FAILED or sighting.status == "error"):
        return  # another image of the same source: the copy we know of counts
    if track.state is State.FAILED and sighting.status == "error":
        return
    register.carry(track, made_of(register, track, sighting))
    register.name_image(track, sighting.image)
    verify(register, track, sighting)
    track.seen, track.misses = True, 0
    if track.destination.evidence is Evidence.UNKNOWN:
        judge_text(register, track, sighting)
    register.move(track, *_standing(sighting, Reason.ADOPTED))
    foresee(register, track, sighting.progress)
    if track.call is None:
        track.lost_at = None  # no call of this ledger's is lost
    plan_look(register, track.destination)


def _standing(sighting: Sighting, reason: Reason) -> tuple[Step, Reason]:
    """Say what an image that is newly ours means for its copy."""
    if sighting.status == "ready":
        return Step.SEE_READY, reason
    if sighting.status == "error":
        return Step.END, Reason.COPY_ERROR
    return Step.FIND, Reason.ADOPTED


def _recognise(register: Register, track: Track, sighting: Sighting) -> None:
    """Confirm, or correct, what is known of a copy whose image was known before."""
    if track.state is State.COPYING:
        watch(register, track, sighting)
    elif not track.unconfirmed:
        return
    elif track.state is State.FAILED and sighting.status == "error":
        register.restate(track, Reason.COPY_ERROR, f"{sighting.image} is still there")
    elif track.state is State.READY and sighting.status != "error":
        register.restate(track, Reason.CONFIRMED)
    else:
        register.move(track, *_standing(sighting, Reason.COPIED))


def _conclude(register: Register, destination: Destination, listing: Listing) -> None:
    """Draw what a complete, unchanged listing says about what it does not show."""
    shown = {sighting.image for sighting in listing.images if sighting.status != "deleting"}
    shown.update(listing.known)
    destination.turned = set()
    destination.list_at = register.now + _pause_s(register)
    doubtful = [t for t in destination.doubtful.values() if settled_by(register, t, listing)]
    due = max((track.since + register.limits.settle_s for track in doubtful), default=0.0)
    trust = trusted(destination, shown, listing.total, due)
    missing = [t for t in destination.images.values() if t.unconfirmed and t.image not in shown]
    if trust is None and (doubtful or missing):
        destination.wants_control = True
        return
    traces = traces_of(register, destination, listing)
    for track in doubtful:
        settle(register, track, traces, trust=bool(trust))
    if any(track.state is State.WAITING for track in doubtful):
        _adopt_shown(register, destination, listing.images)
    if register.rebuilds:
        foretell(register, destination, traces)
    if not destination.listed:
        _conclude_first(register, destination, listing, missing if trust else [])
        if not trust:
            _cannot_confirm(register, missing, listing)
    examine(register, destination, listing, trusted=bool(trust))


def _pause_s(register: Register) -> float:
    """Return the pause between two listings while a doubt lasts."""
    limits = register.limits
    return min(max(limits.poll_interval_s, limits.settle_s / 10), limits.settle_s)


def _conclude_first(
    register: Register, destination: Destination, listing: Listing, missing: list[Track]
) -> None:
    """End the first listing of a run: from now on calls may be sent here."""
    destination.listed = True
    for track in missing:
        if track.image:
            destination.to_check[track.image] = None
    loose = (t for t in destination.tracks if t.lost_at is not None)
    doubted = resembling(register, destination, loose, listing.images)
    there = lookalikes(register, destination, listing.images) - doubted
    if destination.evidence in (Evidence.UNKNOWN, Evidence.NONE):
        there -= _ask_about(register, destination, [s for s in listing.images if s.image in there])
    destination.lookalikes |= there


def _ask_about(register: Register, destination: Destination, images: list[Sighting]) -> set[ImageId]:
    """Doubt the copies that this ledger never called and that the text of an image names, among others.

    A ledger before this one may have made it. What accepted copies carry will say whether texts
    tell here; else it is left to a person, once. A name alone is no reason: golden images are
    often built in each region under one name. But a text that names an image that nobody knows
    yet is one where copies are relayed. Returns those images.
    """
    likeness, asked = Likeness.of(register, destination, images), set[ImageId]()
    shown = {sighting.image: sighting for sighting in images if sighting.status in LIVE}
    for track in destination.tracks:
        new = track.wanted and track.state is State.WAITING and track.call is None and not track.asked
        named = (*likeness.by_source.get(track.copy.source, ()), *likeness.guessed(track)) if new else ()
        alike = [i for i in named if i in shown and not contradicts(register, track, shown[i])]
        if alike:
            track.asked = True
            asked.update(alike)
            register.move(track, Step.DOUBT, Reason.LOOKALIKE, ", ".join(sorted(alike)))
    return asked


def _cannot_confirm(register: Register, missing: list[Track], listing: Listing) -> None:
    """Give up, for this run, on copies that an untrustworthy listing does not show."""
    detail = f"the listing shows {listing.total} images"
    for track in missing:
        if track.state is State.FAILED:
            register.restate(track, Reason.UNCONFIRMED, detail)
        else:
            register.move(track, Step.END, Reason.UNCONFIRMED, detail)
