"""The one table that turns events into JSON and back. Kinds are for ever: they are only added."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from hashlib import blake2b

from pydantic import TypeAdapter

from orchestrator.core.messages import (
    Accepted,
    Begun,
    Called,
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
from orchestrator.core.upkeep import Labelled, Pruned, Selected, Verified

KINDS: dict[str, type[Event]] = {
    "begun": Begun,
    "planned": Planned,
    "called": Called,
    "accepted": Accepted,
    "refused": Refused,
    "lost": Lost,
    "inspected": Inspected,
    "listed": Listed,
    "surveyed": Surveyed,
    "seen": Seen,
    "checked": Checked,
    "unanswered": Unanswered,
    "settled": Settled,
    "ended": Ended,
    "remembered": Remembered,
    "selected": Selected,
    "pruned": Pruned,
    "labelled": Labelled,
    "verified": Verified,
}
_NAMES = {event: name for name, event in KINDS.items()}


def kind_of(event: Event) -> str:
    """Name an event's kind, as ledger and log write it."""
    return _NAMES[type(event)]


@cache
def _adapter(kind: str) -> TypeAdapter[Event]:
    """Build the reader and writer of one kind; they are compiled on first use."""
    return TypeAdapter(KINDS[kind])


@cache
def _reader(kind: str) -> Callable[[str], Event]:
    """Give the compiled reader itself: a ledger holds a million events."""
    return _adapter(kind).validator.validate_json


@cache
def _writer(kind: str) -> Callable[[Event], bytes]:
    """Give the compiled writer itself."""
    return partial(_adapter(kind).serializer.to_json, exclude_defaults=True)


def to_json(event: Event) -> str:
    """Write an event's fields as JSON, leaving out those that hold their default."""
    return _writer(kind_of(event))(event).decode()


def from_json(kind: str, body: str) -> Event:
    """Read an event back; KeyError for an unknown kind, ValueError for a body that is not of it."""
    return _reader(kind)(body)


def form_of(kind: str) -> str:
    """Name the form of a kind's body: another one for every field, at any depth, that is added or changed."""
    shape = repr(_adapter(kind).json_schema())
    return blake2b(shape.encode(), digest_size=8).hexdigest()
