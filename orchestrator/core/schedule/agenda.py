"""What to do next: the one request that matters most now, or when to ask again.

Order of a run: inspect the sources, list each destination, read its quotas, then call and watch.
One read at a time per region, one call at a time per source, as many calls as there are workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import inf

from orchestrator.core.apis import COPY_IMAGES, DESCRIBE_IMAGE, DESCRIBE_IMAGES, quota_api
from orchestrator.core.messages import Check, Inspect, List, Look, Read, Submit, Survey
from orchestrator.core.model import CHUNK_MAX, PAGE_SIZE, Chunk, Region, Resource
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import audit
from orchestrator.core.schedule.chunking import Gathering, gather, put_back
from orchestrator.core.schedule.linger import waits
from orchestrator.core.schedule.parking import blocked, full, park, probe
from orchestrator.core.schedule.readings import Evidence
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination
from orchestrator.core.schedule.turns import in_turn, take_turn
from orchestrator.core.schedule.window import most_in_flight

_AWAITED = 3
"""Failures of a region's first reads after which the other regions go on without it."""


def next_read(register: Register) -> Read | None:
    """Return the most urgent read that may be sent now, and mark it as under way."""
    return _next_inspect(register) or _next_destination_read(register)


def _next_inspect(register: Register) -> Read | None:
    """Ask for up to 100 sources that nothing is known of in this run."""
    if not register.may_send(DESCRIBE_IMAGES):
        return None
    for region, images in register.to_inspect.items():
        if not images or region in register.inspecting or register.inspect_at[region] > register.now:
            continue
        batch = tuple(islice(images, PAGE_SIZE))
        for image in batch:
            del images[image]
        register.inspecting[region] = batch
        return Inspect(region, batch)
    return None


def _next_destination_read(register: Register) -> Read | None:
    """Ask the destination that was served longest ago, of those that are due, for what it needs most."""
    idle = [d for d in register.destinations.values() if not d.reading]
    for destination in sorted(idle, key=lambda d: d.served):
        read = _read_of(register, destination)
        if read is not None:
            register.served += 1
            destination.reading, destination.served = True, register.served
            return read
    return None


def _read_of(register: Register, destination: Destination) -> Read | None:
    """Choose one destination's next read: quotas, listing, single images, copies under way."""
    now = register.now
    probe(destination, now)
    if destination.wants_control or _wants_quotas(destination):
        first = destination.wants_control or Resource.IMAGE in destination.stale
        resource = Resource.IMAGE if first else Resource.SNAPSHOT
        if _may(register, destination, "survey", quota_api(resource)):
            return Survey(destination.region, resource)
    if _wants_listing(register, destination) and _may(register, destination, "list", DESCRIBE_IMAGES):
        return List(destination.region, destination.listing.page + 1)
    wants_check = destination.to_check and destination.check_at <= now
    if wants_check and _may(register, destination, "check", DESCRIBE_IMAGE):
        return Check(destination.region, next(iter(destination.to_check)))
    looks = _may(register, destination, "look", DESCRIBE_IMAGES)
    return _next_look(register, destination) if looks else None


def _may(register: Register, destination: Destination, read: str, api: str) -> bool:
    """Tell whether a kind of read may be sent: no failure and no throttle holds it."""
    return destination.may(read, register.now) and register.may_send(api)


def _wants_quotas(destination: Destination) -> bool:
    """Tell whether quotas must be read before the next call there."""
    wanted = destination.listed and destination.waiting > 0
    return wanted and bool(destination.stale) and not blocked(destination)


def _wants_listing(register: Register, destination: Destination) -> bool:
    """Tell whether a (page of a) listing is due: the run's first, or one for a doubt."""
    if destination.listing.page:
        return True
    if not destination.listed:
        known = not any(
            _inspects(register, region) for region in (*register.to_inspect, *register.inspecting)
        )
        wanted = destination.unsettled > 0 or bool(destination.doubtful)
        return wanted and known and destination.list_at <= register.now
    return audit.due(destination) or (bool(destination.doubtful) and destination.list_at <= register.now)


def _inspects(register: Register, origin: Region) -> bool:
    """Tell whether sources of an origin that answers are still being inspected."""
    under_way = bool(register.to_inspect[origin]) or origin in register.inspecting
    return under_way and register.inspect_failures[origin] < _AWAITED


def _next_look(register: Register, destination: Destination) -> Read | None:
    """Look at the next hundred copies under way, when the pause since the last round is over."""
    if not destination.batches:
        if not destination.copying or register.now < destination.look_at:
            return None
        images = tuple(destination.copying)
        destination.batches = [images[i : i + PAGE_SIZE] for i in range(0, len(images), PAGE_SIZE)]
    return Look(destination.region, destination.batches.pop(0))


def next_call(register: Register) -> Submit | None:
    """Form the next chunk that may be sent now, for the destination whose turn it is; lock its carriers."""
    if not may_call(register) or _still_listing(register):
        return None
    for destination in in_turn(register):
        gathered = _chunk_for(register, destination) if _takes_calls(destination, register.now) else None
        if gathered is not None:
            return _hand_out(register, destination, gathered)
    return None


def _takes_calls(destination: Destination, now: float) -> bool:
    """Tell whether a chunk may be formed for a destination, unless the last try is still good."""
    ready = destination.waiting and destination.listed and not destination.stale and not blocked(destination)
    return bool(ready) and (destination.stirred or destination.linger_until <= now)


def _still_listing(register: Register) -> bool:
    """Tell whether a destination has not been listed yet, so that no call may be sent anywhere.

    What it shows may be a copy under way that holds a source. One that does not answer is not
    waited for long: the others go on.
    """
    return any(True for _ in awaited(register))


def awaited(register: Register) -> Iterator[Destination]:
    """Go through the destinations whose first listing is still waited for."""
    for destination in register.destinations.values():
        if destination.unsettled and not destination.listed and destination.failures["list"] < _AWAITED:
            yield destination


def may_call(register: Register) -> bool:
    """Tell whether any call may be sent: the run goes on, a worker is free, no throttle holds."""
    busy = len(register.open_calls) + register.handed_out
    free = busy < register.limits.workers and register.may_send(COPY_IMAGES)
    return free and not register.rebuilds and register.stop is None and register.closed is None


def _chunk_for(register: Register, destination: Destination) -> Gathering | None:
    """Gather a chunk from any origin within the destination's room; park it when it is full."""
    refused = destination.park is not None or destination.ceiling is not None
    if refused and destination.asking:
        return None  # a destination that was full is tried with one call at a time
    reason, snapshots = full(destination), destination.quotas.get(Resource.SNAPSHOT)
    if reason is not None:
        if destination.asking:
            return None  # a refusal may give the room back
        park(register, destination, reason, register.now + register.limits.quota_interval_s)
        return None
    cap = min(CHUNK_MAX, destination.ceiling or CHUNK_MAX)
    if destination.evidence is Evidence.NONE:
        cap = 1  # nothing tells copies apart: a lost call shall put only one in doubt
    most = min(destination.room(most_in_flight(destination, register.limits.region_copies)), cap)
    if most < 1:
        return None
    gathered, squeezed = _best(register, destination, most, snapshots.room if snapshots else None)
    if gathered is not None:
        return None if _lingers(register, destination, gathered, cap) else gathered
    if squeezed and not destination.asking:
        park(register, destination, Reason.QUOTA_SNAPSHOT, register.now + register.limits.quota_interval_s)
    return None


def _best(
    register: Register, destination: Destination, most: int, snapshots: int | None
) -> tuple[Gathering | None, bool]:
    """Form a chunk on each route and keep the best; tell too whether snapshots kept a copy out of one."""
    routes = [
        route for route, pool in register.offers.pools.items() if route[1] == destination.region and pool
    ]
    found = [(route, gather(register, register.offers.pools[route], most, snapshots)) for route in routes]
    squeezed = any(gathered.squeezed for _, gathered in found)
    full_ones = sorted((pair for pair in found if pair[1].chosen), key=lambda pair: pair[1].key)
    for route, gathered in full_ones[1:]:
        put_back(register.offers.pools[route], gathered)
    if not full_ones:
        held_until = min((gathered.held_until for _, gathered in found), default=inf)
        destination.stirred, destination.linger_until = False, held_until
        return None, squeezed
    return full_ones[0][1], squeezed


def _lingers(register: Register, destination: Destination, gathered: Gathering, most: int) -> bool:
    """Tell whether a chunk waits for more copies; it is back in its pool then."""
    if not waits(register, destination, gathered, most):
        return False
    put_back(register.offers.pools[gathered.carriers[0].origin, destination.region], gathered)
    return True


def _hand_out(register: Register, destination: Destination, gathered: Gathering) -> Submit:
    """Lock the carriers and take the room at once, so that the next chunk sees them taken."""
    pairs = list(zip(gathered.chosen, gathered.carriers, strict=True))
    for track, carrier in pairs:
        register.carry(track, carrier)
        register.reserve(track, commit=True)
    register.handed_out += 1
    take_turn(register, destination)
    copies = tuple(track.copy for track in gathered.chosen)
    if all(carrier is track.source for track, carrier in pairs):
        return Submit(Chunk(copies), marked=destination.takes_marks)
    images = tuple(carrier.image for carrier in gathered.carriers)
    chunk = Chunk(copies, via=gathered.carriers[0].origin, carriers=images)
    return Submit(chunk, marked=destination.takes_marks)


def next_wake(register: Register) -> float:
    """Return when something becomes due by the clock alone; `inf` when only an event can help."""
    times = [register.offers.sleepers[0].key] if register.offers.sleepers else []
    times += [at for region, at in register.inspect_at.items() if register.to_inspect[region]]
    times += register.pauses.values()
    for destination in register.destinations.values():
        times += _wakes(destination)
    return min((t for t in times if t > register.now), default=inf)


def _wakes(destination: Destination) -> list[float]:
    """Return the times at which one destination wants something."""
    times = list(destination.again_at.values())
    if destination.park is not None and not destination.park.probing:
        times.append(destination.park.until)
    if destination.doubtful or not destination.listed:
        times.append(destination.list_at)
    if destination.copying:
        times.append(destination.look_at)
    if destination.to_check:
        times.append(destination.check_at)
    if destination.waiting:
        times.append(destination.linger_until)
    return times
