"""When two states are the same one: everything that can make a difference later, with times told from now.

It reads whatever records the schedule has, field by field, so that a field that is added counts by itself.
What is left out is named here, each with the reason why it makes no difference in this world.
"""

from __future__ import annotations

import marshal
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache, lru_cache
from hashlib import blake2b
from operator import attrgetter

from orchestrator.core.messages import Action
from orchestrator.core.model import Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.offers import Offer, Offers
from orchestrator.core.schedule.readings import Quota
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Source, Track
from tests.walk.cloud import LIMITS, TICK_S, Cloud, Request, moment
from tests.walk.moves import Node

_AGES = frozenset({"since", "began", "throttled_since"})
"""Times of the past that matter by their age; every other time matters only while it is to come."""

_OLDEST = 8
"""Ticks after which an age makes no difference: several settling times and every request are over."""

_NO_DIFFERENCE = {
    Register: {"limits", "ledger", "changes", "now", "by_image", "pace", "tracks", "sources", "destinations",
               "calls", "knocks", "served", "throttles", "forecasts", "horizon"},
    Offers: {"_forecasts", "_sources", "_destinations", "_size_mb"},
    Destination: {"region", "tracks", "served", "passed", "names", "number", "queued", "idle", "next_end",
                  "states", "unsettled", "in_flight", "doubtful", "copying", "images"},
    Source: {"image", "origin", "tracks", "busy_since", "tries", "held", "holder", "number", "freed_at",
             "finish"},
    Track: {"copy", "source", "destination", "order", "detail", "progress", "call", "reason", "ticket",
            "ends_at", "looked_at"},
}  # fmt: skip
"""Fields that make no difference in this world, beside constants and texts.

- counts and indexes that the copies' own states say too (the promise `counted` holds them to it);
- the pace (but for the caution after a throttle, `_wary`) and COPY_TIMEOUT (`busy_since`), which are out of
  reach; MAX_ATTEMPTS of `knocks` too;
- `throttles` and `tries`, which only lengthen pauses: all pauses are one tick here; what is learned and
  guessed of durations (`forecasts`, `horizon`, `ends_at` and the like): a tick is shorter than every guess,
  and nobody lingers here (CHUNK_LINGER is 0). What of it decides which image goes first stands in the
  ranks of the pools;
- `served`, `passed`, and whose turn it is (`Schedule._calls_first`): the engine asks until nothing is left;
- `names`, which matter between two pages of a listing: there is one page;
- a reason, but for "needs a person" (`Lens._track`).

Copies, sources and destinations are told by themselves; a call by its id, which says what it carries.
"""


class Lens:
    """Looks at one state from its own time."""

    def __init__(self, tick: int) -> None:
        self._tick = tick
        self._now = moment(tick)

    def schedule(self, schedule: Schedule) -> bytes:
        """Tell everything that a schedule holds."""
        register = schedule.register
        whole = (
            self._record(register),
            _wary(register),
            tuple(self._track(track) for track in register.tracks.values()),
            tuple(self._record(source) for source in register.sources.values()),
            tuple(self._destination(destination) for destination in register.destinations.values()),
        )
        return digest(whole)

    def cloud(self, cloud: Cloud) -> object:
        """Tell what the cloud holds; the order in which requests were sent makes no difference."""
        requests = sorted(map(self._request, cloud.requests), key=repr)
        return tuple(tuple(image) for image in cloud.images), tuple(requests)

    def _request(self, request: Request) -> tuple[object, ...]:
        """Tell a request by its age."""
        ended = self._tick - request.ended if request.orphan else -1
        action, answer = _action(request.action), request.answer
        return action, request.call, self._tick - request.sent, answer and self.see(answer), ended

    def _track(self, track: Track) -> object:
        """Tell one copy; what looking for it has shown matters only while it is under way."""
        if track.state is State.DOUBTFUL:
            return self._record(track, "seen"), track.reason is Reason.NEEDS_PERSON
        if track.state is State.COPYING:
            return self._record(track, "since" if track.seen else "")
        return self._record(track, "since", "seen", "absences", "listings", "misses")

    def _destination(self, destination: Destination) -> object:
        """Tell one destination; how old its quotas are matters only in doubt."""
        quotas = destination.quotas.values() if destination.doubtful else ()
        return self._record(destination), tuple(self.age(quota.at) for quota in quotas)

    def _record(self, record: object, *without: str) -> tuple[object, ...]:
        """Tell a record field by field."""
        kind: type = type(record)
        names, get = _fields(kind, *without)
        values = zip(names, get(record), strict=True)
        return tuple(self.age(value) if name in _AGES else self.see(value) for name, value in values)

    def see(self, value: object) -> object:
        """Tell any value in plain ones."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        short = _SHORT.get(kind)
        if short is not None:
            return short(value)
        if isinstance(value, float):
            return self.coming(value)
        if isinstance(value, dict):
            seen = [(self.see(k), self.see(v)) for k, v in value.items()] if value else []
            return sorted((item for item in seen if not _untouched(item[1])), key=repr)
        if isinstance(value, tuple | list):
            return [self.see(item) for item in value]
        if isinstance(value, Enum):
            return value.name
        if isinstance(value, set | frozenset):
            return sorted((self.see(item) for item in value), key=repr)
        return self._record(value)

    def coming(self, time: float) -> int:
        """Tell a time that is to come in ticks from now; all others are alike."""
        return 0 if time <= self._now else int(min((time - self._now) / TICK_S, 1e6))

    def age(self, time: object) -> int:
        """Tell how many ticks ago something was."""
        return int(min((self._now - time) / TICK_S, _OLDEST)) if isinstance(time, float) else -1


def _wary(register: Register) -> object:
    """Tell for which APIs the last request was throttled: one alone finds out whether they answer again."""
    allowances = register.pace.allowances
    return bool(allowances._key._row), sorted(api for api, own in allowances._apis.items() if own._row)


_PLENTY = 8
"""More room than this is never used: no world here wants as many copies in one destination."""

_PLAIN = frozenset({str, int, bool, type(None)})


@cache
def _fields(kind: type, *without: str) -> tuple[tuple[str, ...], Callable[[object], tuple[object, ...]]]:
    """Return the names of a record's fields that make a difference, and how to get them all at once."""
    skipped = {*_NO_DIFFERENCE.get(kind, ()), *without}
    names = [f.name for f in fields(kind)] if is_dataclass(kind) else list(vars(Register(LIMITS, "")))
    kept = tuple(name for name in names if name not in skipped)
    return kept, attrgetter(*kept) if len(kept) > 1 else lambda record: (getattr(record, kept[0]),)


def _untouched(value: object) -> bool:
    """Tell whether a value is a count, a time or a list as it is before its first use; False is an answer."""
    return value == [] or (type(value) is int and value == 0)


@lru_cache(10_000)
def _action(action: Action) -> object:
    """Tell an action, which holds no times."""
    return Lens(0).see(action)


@lru_cache(10_000)
def _sighting(sighting: Sighting) -> object:
    """Tell an image as the cloud showed it; no times in it."""
    return [getattr(sighting, field.name) for field in fields(sighting)]


_SHORT: dict[type, Callable[..., object]] = {
    Track: lambda track: track.order + 1,
    Source: lambda source: source.image,
    Destination: lambda destination: destination.region,
    Quota: lambda quota: (quota.used, min(quota.room, _PLENTY)),
    Sighting: lambda sighting: _sighting(sighting),
    Offer: lambda offer: (round(offer.key), offer.order, offer.ticket == offer.track.ticket),
}


def digest(value: object) -> bytes:
    """Shorten plain values to 16 bytes; equal values, and in practice only those, are equal then."""
    plain = marshal.dumps(value, 2)  # type: ignore[arg-type]  # version 2 knows no sharing: equal is equal
    return blake2b(plain, digest_size=16).digest()


def key(node: Node, schedule: bytes) -> bytes:
    """Return what two nodes have in common exactly when they are the same state."""
    lens = Lens(node.now)
    wake = lens.coming(node.wake)
    return digest(
        (schedule, lens.cloud(node.cloud), wake, node.asked, node.finished, node.faults, node.crashes)
    )
