"""The one table that turns events into JSON and back. Kinds are for ever: they are only added."""

from __future__ import annotations

from functools import cache

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
}
_NAMES = {event: name for name, event in KINDS.items()}


def kind_of(event: Event) -> str:
    """Name an event's kind, as ledger and log write it."""
    return _NAMES[type(event)]


@cache
def _adapter(kind: str) -> TypeAdapter[Event]:
    """Build the reader and writer of one kind; they are compiled on first use."""
    return TypeAdapter(KINDS[kind])


def to_json(event: Event) -> str:
    """Write an event's fields as JSON, leaving out those that hold their default."""
    return _adapter(kind_of(event)).dump_json(event, exclude_defaults=True).decode()


def from_json(kind: str, body: str) -> Event:
    """Read an event back; KeyError for an unknown kind, ValueError for a body that is not of it."""
    return _adapter(kind).validate_json(body)
