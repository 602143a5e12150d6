"""Whose turn it is to be called, of the destinations: where most work waits; nobody is passed over for long.

It says only in which order they are asked; whether a chunk can be formed there is not its affair.
"""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.core.schedule.batches import queued_s
from orchestrator.core.schedule.parking import blocked
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Track
from orchestrator.core.schedule.window import most_in_flight

_PATIENCE = 3
"""Calls that others may be given before a destination that has room for one goes first."""


def in_turn(register: Register) -> list[Destination]:
    """Order the destinations: who was passed over too often, longest first; then who has most to copy."""
    return sorted(register.destinations.values(), key=lambda destination: _rank(register, destination))


def _rank(register: Register, destination: Destination) -> tuple[int, float]:
    impatience = destination.passed if destination.passed >= _PATIENCE else 0
    return -impatience, -queued_s(register, destination)


def take_turn(register: Register, called: Destination) -> None:
    """Note that a call goes to this destination, and that others who had room for one were passed over.

    Its own turn is over only when a call is accepted (`answers`): one that is throttled was none.
    """
    for destination in register.destinations.values():
        if destination is not called and destination.admitted and not blocked(destination):
            room = destination.room(most_in_flight(destination, register.limits.region_copies))
            destination.passed += room > 0


def keep_turn(tracks: Iterable[Track]) -> None:
    """Give the images of a refused call back to the destination whose turn it was, and still is.

    Were they kept for the next destination now, the places that the call was to fill would stay empty
    for want of them, and the round of all destinations would be broken (measured: 1.23 times the bound).
    """
    for track in tracks:
        track.source.turn = track.destination.number
