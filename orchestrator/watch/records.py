"""An event or a change as one record of the progress log: name, level, fields; writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from orchestrator.core.codec import kind_of
from orchestrator.core.messages import (
    Accepted,
    Begun,
    Called,
    Change,
    Checked,
    Ended,
    Event,
    Inspected,
    Listed,
    Lost,
    Planned,
    Refused,
    Remembered,
    Seen,
    Settled,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import Sighting, State
from orchestrator.core.reasons import MEANINGS, THROTTLES, Nature, Reason
from orchestrator.core.upkeep import Labelled, Pruned, Selected, Verified
from orchestrator.watch.names import COPIES, EVENTS, Level
from orchestrator.watch.text import compact, iso
from orchestrator.watch.upkeep_records import upkeep_fields, upkeep_level

Fields = dict[str, object]

_STOPPING = frozenset({Nature.CREDENTIALS, Nature.CONFIGURATION})
_FINAL = _STOPPING | {Nature.IMAGE_PERMANENT, Nature.ROUTE_PERMANENT}
_CALM = frozenset({
    Nature.NORMAL, *THROTTLES, Nature.IMAGE_TRANSIENT, Nature.NOT_SENT, Nature.MARK, Nature.RENEWED,
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One line of the log before it is written. `at` is in UTC epoch seconds."""

    name: str
    level: Level
    at: float
    fields: Fields


def event_record(event: Event, changes: Sequence[Change]) -> Record:
    """Say what an event means for the log; `changes` are what it did to copies."""
    fields = _fields(event)
    fields["request"] = getattr(event, "request", "") or None
    fields["call"] = getattr(event, "call", None)
    name, _ = EVENTS[kind_of(event)]
    return Record(name=name, level=event_level(event, changes), at=event.at, fields=fields)


def change_record(change: Change, request: str | None = None) -> Record:
    """Say what a change means for the log; `request` is that of the event behind it."""
    name, _ = COPIES[change.after]
    fields: Fields = {
        "copy": compact(change.copy),
        "call": change.call,
        "request": request,
        "source_image": change.copy.source,
        "source_region": change.copy.origin,
        "destination_region": change.copy.destination,
        "destination_image": change.image,
        "reason": change.reason.value,
        "detail": change.detail,
        **({"via": change.via, "carrier": change.carrier} if change.carrier else {}),
        **_wait(change.at, change.until),
    }
    return Record(name=name, level=change_level(change), at=change.at, fields=fields)


def records(event: Event, changes: Sequence[Change]) -> list[Record]:
    """Give the record of an event and those of its changes, in this order."""
    first = event_record(event, changes)
    request = first.fields["request"]
    known = request if isinstance(request, str) else None
    return [first, *(change_record(change, known) for change in changes)]


def event_level(event: Event, changes: Sequence[Change]) -> Level:
    """Give an event its duty: see docs/log.md."""
    match event:
        case Refused():
            return _refusal_level(event.reason)
        case Unanswered():
            return _unanswered_level(event.reason)
        case Lost():
            return "warning"
        case Inspected() | Listed() | Seen() | Checked():
            return "info" if changes else "debug"
        case Remembered():
            return "debug"
        case Selected() | Pruned() | Labelled() | Verified():
            return upkeep_level(event)
        case Begun() | Planned() | Settled() | Ended() | Called() | Accepted() | Surveyed():
            return "info"
        case _:
            assert_never(event)


def _unanswered_level(reason: Reason) -> Level:
    """Tell a read that was throttled, or met old keys (info), from one that should be known of."""
    nature = MEANINGS[reason].nature
    if nature in _STOPPING:
        return "error"
    return "info" if nature in (*THROTTLES, Nature.RENEWED) else "warning"


def _refusal_level(reason: Reason) -> Level:
    """Tell a refusal that is merely tried again (info) from one that announces trouble."""
    nature = MEANINGS[reason].nature
    if nature in _STOPPING:
        return "error"
    return "info" if nature in _CALM else "warning"


def change_level(change: Change) -> Level:
    """Give a change its duty: see docs/log.md."""
    match change.after:
        case State.FAILED:
            return "error"
        case State.DOUBTFUL:
            return "error" if change.reason is Reason.NEEDS_PERSON else "warning"
        case State.WAITING:
            return _waiting_level(change)
        case State.CALLING | State.COPYING | State.READY:
            return "info"
        case _:
            assert_never(change.after)


def _waiting_level(change: Change) -> Level:
    """Keep the thousands of copies that merely queue out of sight, and show what a quota holds up."""
    if change.before is State.WAITING and change.reason is Reason.QUEUED:
        return "debug"
    return "warning" if MEANINGS[change.reason].nature is Nature.QUOTA else "info"


def _fields(event: Event) -> Fields:
    """Give the event's own fields, as `names.EVENTS` lists them."""
    match event:
        case Begun():
            return {"plan": event.plan}
        case Planned():
            return _planned(event)
        case Settled():
            word = "made" if event.made else "not made"
            region, image = event.copy.destination, event.image
            return {"destination_region": region, "destination_image": image, "status": word}
        case Ended():
            return {"verdict": event.verdict, "exit_code": event.exit_code}
        case Remembered():
            sources, calls = len(event.sources), len(event.calls)
            return {"copies": len(event.copies), "sources": sources, "calls": calls}
        case Called():
            return _called(event)
        case Accepted():
            made = [f"{source}>{copy}" for source, copy in event.pairs]
            return {"copies": len(event.pairs), "images": made}
        case Refused():
            named = {"reason": event.reason.value, "detail": event.detail, "source_image": event.culprit}
            return {**named, **_again(event)}
        case Lost():
            return {"reason": event.reason.value, "detail": event.detail}
        case Inspected() | Listed() | Surveyed() | Seen() | Checked() | Unanswered():
            return _read_fields(event)
        case Selected() | Pruned() | Labelled() | Verified():
            return upkeep_fields(event)
        case _:
            assert_never(event)


def _planned(event: Planned) -> Fields:
    """Count the copies wanted; the copies themselves would be a million lines."""
    return {
        "copies": len(event.copies),
        "sources": len({(copy.source, copy.origin) for copy in event.copies}),
        "destinations": sorted({copy.destination for copy in event.copies}),
    }


def _called(event: Called) -> Fields:
    """Name what travels in one call."""
    first = event.copies[0] if event.copies else None
    return {
        "copies": len(event.copies),
        "source_region": event.via or (first.origin if first else None),
        "destination_region": first.destination if first else None,
        "images": [copy.source for copy in event.copies],
        "marked": event.marked,
        **({"carriers": list(event.carriers)} if event.carriers else {}),
    }


def _read_fields(event: Inspected | Listed | Surveyed | Seen | Checked | Unanswered) -> Fields:
    """Give the fields of a read."""
    match event:
        case Inspected():
            shown = {sighting.image for sighting in event.images}
            missing = [image for image in event.asked if image not in shown]
            found = len(event.asked) - len(missing)
            asked = {"asked": len(event.asked), "found": found, "missing": missing}
            return {"source_region": event.origin, **asked}
        case Listed():
            counts = {"page": event.page, "total": event.total, "shown": event.shown or len(event.images)}
            return {"destination_region": event.region, **counts}
        case Surveyed():
            quota = {"limit": event.limit, "used": event.used, "free": max(0, event.limit - event.used)}
            return {"destination_region": event.region, "resource": event.resource.value, **quota}
        case Seen():
            return _seen(event)
        case Checked():
            status = event.sighting.status if event.sighting else "absent"
            return {"destination_region": event.region, "destination_image": event.image, "status": status}
        case Unanswered():
            why = {"read": event.read, "reason": event.reason.value, "detail": event.detail}
            return {"destination_region": event.region, **why, **_again(event)}
        case _:
            assert_never(event)


def _seen(event: Seen) -> Fields:
    """Count what a look showed."""
    return {
        "destination_region": event.region,
        "asked": len(event.asked),
        "found": len(event.images),
        "statuses": _statuses(event.images),
    }


def _statuses(images: Sequence[Sighting]) -> dict[str, int]:
    """Count images by the cloud's word for their status."""
    return dict(sorted(Counter(sighting.status for sighting in images).items()))


def _again(event: Refused | Unanswered) -> Fields:
    """Say when the same is tried again; no keys where that is never, or at once."""
    never = MEANINGS[event.reason].nature in _FINAL or event.until <= event.at
    return {} if never else _wait(event.at, event.until)


def _wait(at: float, until: float | None) -> Fields:
    """Say until when something waits; no keys when it does not."""
    stamp = None if until is None else iso(until)
    if until is None or stamp is None:
        return {}
    return {"wait_s": round(max(0.0, until - at), 3), "until": stamp}
