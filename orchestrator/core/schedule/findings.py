"""What the answer to a read means: inspections, quotas, looks. Listings and checks are in `listings`."""

from __future__ import annotations

from orchestrator.core.apis import APIS_OF_READ, DESCRIBE_IMAGES
from orchestrator.core.messages import Inspected, Seen, Surveyed, Unanswered
from orchestrator.core.model import Region, Resource, Sighting, State
from orchestrator.core.reasons import MEANINGS, THROTTLES, Nature, Reason
from orchestrator.core.schedule.admission import admit
from orchestrator.core.schedule.answers import fail_image, give_up, give_up_confirming
from orchestrator.core.schedule.belonging import belongs
from orchestrator.core.schedule.carrying import able, unready
from orchestrator.core.schedule.counting import count, uncount
from orchestrator.core.schedule.culprits import suspect_alone
from orchestrator.core.schedule.evidence import judge_text
from orchestrator.core.schedule.lifecycle import Step
from orchestrator.core.schedule.looking import foresee, learn_duration, plan_look
from orchestrator.core.schedule.readings import Evidence, Listing, Quota
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.relay import retire, verify
from orchestrator.core.schedule.tracks import Destination, Source, Track

_SURVEYS_TRIED = 3
"""After so many failures, other than throttles, a quota counts as unknown; a refusal will tell."""

_MISSES = 3
"""Complete looks that miss a copy before it is asked for by itself."""


def inspected(register: Register, event: Inspected) -> None:
    """Learn names, sizes and snapshots of sources; fail what can surely not be copied."""
    register.proved = True
    register.throttles[DESCRIBE_IMAGES] = 0
    register.inspecting.pop(event.origin, None)
    register.inspect_failures[event.origin] = 0
    if not belongs(register, event):
        return
    shown = {sighting.image: sighting for sighting in event.images}
    for image in event.asked:
        register.to_inspect[event.origin].pop(image, None)  # a replay decides nothing, so it is still there
        source = register.source(event.origin, image)
        source.inspected, source.inspected_at, source.shown = True, event.at, image in shown
        if image in shown:
            _learn(register, source, shown[image])
            _preflight(register, source)
            _await_ready(register, source)
        else:
            # Deleted, or not ours to see: only the call itself can tell, and it should not take
            # nine others down with it. What was known stays: its copies are recognised by it.
            suspect_alone(source)
        waits_s = register.expect(source)
        for track in source.tracks:
            register.offer(track, waits_s)


def _learn(register: Register, source: Source, sighting: Sighting) -> None:
    """Take over what an inspection shows of a source; its size counts in every place where it waits."""
    for track in source.tracks:
        uncount(track)
    before_mb = source.size_mb
    source.learn(sighting)
    register.offers.resize(source, before_mb)
    for track in source.tracks:
        count(track)


def _preflight(register: Register, source: Source) -> None:
    """Fail the copies of a source that every call would refuse, without spending the call."""
    reason = obstacle(source.sighting) if source.sighting else None
    waiting = [t for t in source.tracks if t.wanted and t.state is State.WAITING]
    if reason is not None and waiting:
        fail_image(register, waiting[0], reason, "")


def _await_ready(register: Register, source: Source) -> None:
    """Look again later at a source that is not ready yet; fail its copies when that takes COPY_TIMEOUT."""
    waiting = [t for t in source.tracks if t.wanted and t.state is State.WAITING]
    if not unready(source):
        for track in waiting:
            if track.reason is Reason.SOURCE_PENDING:
                source.busy_since = None
                register.restate(track, Reason.QUEUED)
        return
    source.busy_since = register.now if source.busy_since is None else source.busy_since
    source.not_before = register.now + register.limits.poll_interval_s
    if waiting and register.now - source.busy_since > register.limits.copy_timeout_s:
        fail_image(register, waiting[0], Reason.SOURCE_PENDING, "")
        return
    for track in waiting:
        if track.reason is not Reason.SOURCE_PENDING:
            register.restate(track, Reason.SOURCE_PENDING)


def obstacle(sighting: Sighting) -> Reason | None:
    """Return why an image can never be copied as it is, from the preconditions of copyImages.

    Only what is said counts: an empty field is no obstacle.
    """
    if sighting.image_source not in ("", "private", "self"):
        return Reason.NOT_PRIVATE
    if sighting.root_device not in ("", "cloudDisk"):
        return Reason.LOCAL_DISK
    if sighting.encrypted:
        return Reason.ENCRYPTED
    if sighting.status in ("error", "deleting"):
        return Reason.SOURCE_STATUS
    return None


def surveyed(register: Register, event: Surveyed) -> None:
    """Note a quota; what is on its way now, or in doubt, is not counted in it yet, as far as we know."""
    destination = answered(register, event.region, "survey")
    calling = (t for call in register.open_calls for t in register.calls[call])
    here = [t for t in calling if t.destination is destination]
    committed = sum(t.needs(event.resource) for t in (*here, *destination.doubtful.values()))
    destination.vacating.surveyed(event.resource, destination.quotas.get(event.resource), event.used)
    destination.quotas[event.resource] = Quota(event.limit, event.used, committed, event.at)
    destination.stirred = True
    destination.stale.discard(event.resource)
    destination.blind.discard(event.resource)
    _admit(register, destination)
    if destination.wants_control and event.resource is Resource.IMAGE:
        destination.wants_control, destination.list_at = False, 0.0


def _admit(register: Register, destination: Destination) -> None:
    """Say anew which copies fit, and offer those that do now."""
    for track in admit(destination, register.now):
        register.offer(track)


def seen(register: Register, event: Seen) -> None:
    """Judge each copy that was looked at; the missing ones are counted, not yet mourned."""
    destination = answered(register, event.region, "look")
    shown = {sighting.image: sighting for sighting in event.images}
    for image in event.asked:
        track = destination.copying.get(image)
        if track is None:
            continue
        if image in shown:
            watch(register, track, shown[image])
        else:
            _missed(register, track)
    _expire(register, destination)
    plan_look(register, destination)


def watch(register: Register, track: Track, sighting: Sighting) -> None:
    """Take over what the cloud says of one copy under way."""
    track.seen, track.misses = True, 0
    if track.destination.evidence is Evidence.UNKNOWN:
        judge_text(register, track, sighting)
    verify(register, track, sighting)
    if sighting.status == "ready":
        learn_duration(register, track)
        track.progress = sighting.progress
        register.move(track, Step.SEE_READY, Reason.COPIED)
    elif sighting.status == "error":
        register.move(track, Step.END, Reason.COPY_ERROR)
    else:
        foresee(register, track, sighting.progress)


def _missed(register: Register, track: Track) -> None:
    """Count a look without the copy. One never seen yet may only be late: it has SETTLE_TIME."""
    if track.seen or register.now - track.since >= register.limits.settle_s:
        track.misses += 1
    if track.misses >= _MISSES and track.image:
        track.destination.to_check[track.image] = None


def _expire(register: Register, destination: Destination) -> None:
    """Stop waiting, for this run, for copies that stay unready past COPY_TIMEOUT."""
    limit_s, late = register.limits.copy_timeout_s, list[Track]()
    for track in destination.copying.values():  # in the order in which they began
        if register.now - track.since <= limit_s:
            break
        late.append(track)
    for track in late:
        _give_up_stuck(register, track)


def _give_up_stuck(register: Register, track: Track) -> None:
    """Fail a copy that does not become ready, and its siblings: the cloud still holds their source.

    Those that another image may carry wait for that one; a carrier that is held is not the only one.
    """
    said = f"{track.image} in {track.copy.destination} is not ready"
    register.move(track, Step.END, Reason.COPY_TIMEOUT, said)
    if track.relayed:
        retire(register, track.carrier, Reason.BUSY)
        return
    for sibling in track.source.tracks:
        if sibling.wanted and sibling.state is State.WAITING and not any(able(sibling)):
            register.move(sibling, Step.END, Reason.BUSY, said)


def unanswered(register: Register, event: Unanswered) -> None:
    """Ask again later; give up on what nobody answers. That old keys were refused says nothing of it."""
    nature = MEANINGS[event.reason].nature
    counts = nature is not Nature.RENEWED
    register.knocks += counts and not register.proved
    if nature in THROTTLES:
        api = APIS_OF_READ[event.read][0]
        register.throttled(api, event.until, alone=nature is Nature.API_THROTTLE)
    in_vain = register.knocks >= register.limits.max_attempts
    if in_vain or nature in (Nature.CREDENTIALS, Nature.CONFIGURATION):
        register.stop = event.reason
    if event.read == "inspect" and nature is Nature.ROUTE_PERMANENT:
        _no_such_origin(register, event)
        return
    if event.read == "inspect":
        _uninspected(register, event, counts=counts)
        return
    destination = register.destination(event.region)
    destination.reading = False
    destination.failures[event.read] += counts
    destination.again_at[event.read] = event.until
    if event.read == "list":
        destination.listing = Listing()
    _give_in(register, destination, event)
    _expire(register, destination)


def _give_in(register: Register, destination: Destination, event: Unanswered) -> None:
    """Go on without an answer that was asked for in vain often enough."""
    failures, most = destination.failures[event.read], register.limits.max_attempts
    nature = MEANINGS[event.reason].nature
    if nature is Nature.ROUTE_PERMANENT:
        most = 1
    surveys = most if nature in THROTTLES else _SURVEYS_TRIED
    if event.read == "survey" and failures >= surveys:
        # Both, whatever was asked for: only events may decide this, or a replay would differ.
        destination.blind = set(Resource)
        destination.stale = set()
        destination.failures["survey"] = 0
        destination.wants_control = False
        _admit(register, destination)
    elif event.read == "list" and failures >= most:
        give_up(register, destination, event.reason, event.detail)
    elif event.read == "check" and failures >= most:
        destination.failures["check"] = 0
        give_up_confirming(register, destination, event.reason, event.detail)


def _no_such_origin(register: Register, event: Unanswered) -> None:
    """Fail the copies of an origin that the cloud does not know."""
    images = (*register.inspecting.pop(event.region, ()), *register.to_inspect.pop(event.region, ()))
    for image in images:
        register.source(event.region, image).inspected_at = event.at
        waiting = [t for t in register.source(event.region, image).tracks if t.state is State.WAITING]
        if waiting:
            fail_image(register, waiting[0], event.reason, event.detail)


def _uninspected(register: Register, event: Unanswered, *, counts: bool) -> None:
    """Put the sources back into the queue, or go on without knowing them."""
    images = register.inspecting.pop(event.region, ())
    register.inspect_failures[event.region] += counts
    register.inspect_at[event.region] = event.until
    if register.inspect_failures[event.region] < register.limits.max_attempts:
        register.to_inspect[event.region].update(dict.fromkeys(images))
        return
    rest = (*images, *register.to_inspect.pop(event.region, ()))
    inspected(register, Inspected(at=event.at, origin=event.region, asked=rest, images=()))


def answered(register: Register, region: Region, read: str) -> Destination:
    """Note that a read of this region came back with an answer."""
    register.proved = True
    destination = register.destination(region)
    destination.reading = False
    destination.failures[read] = 0
    destination.again_at.pop(read, None)
    register.throttles[APIS_OF_READ[read][0]] = 0
    return destination
