"""Keeps what a ledger's events come to beside it, so that a start need not take a million of them in.

It is never the truth: a snapshot that is missing, torn, of another program or not of this ledger's
past is passed over, and the events are taken in instead. That each event is as it was written is
verified all the same. Nothing here may stop a run.
"""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import IO, Protocol

from orchestrator import __version__
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Event
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.tables import form_of_lines, from_lines, to_lines
from orchestrator.errors import SettingsError
from orchestrator.ledger.folder import LEDGER, open_private
from orchestrator.ledger.sqlite import Ledger

SNAPSHOT = f"{LEDGER}.snapshot"

WORTH = 10_000
"""Events that a start may take in one by one before a snapshot is made of them: under a second."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a snapshot is of: the program, the ledger, its event number `place` and that row's checksum."""

    form: str
    ledger: str
    place: int
    checksum: str


class Readable(Protocol):
    """What bringing a schedule back needs of a ledger: whoever writes it has that, and whoever only looks."""

    @property
    def ledger_id(self) -> str:
        """Name the ledger."""
        ...

    @property
    def path(self) -> Path:
        """Its file."""
        ...

    def checksum(self, seq: int) -> bytes:
        """Return the checksum that an event was written with; KeyError where there is none."""
        ...

    def events(self, *, after: int = 0) -> Iterator[Event]:
        """Read the events behind the first `after`."""
        ...


def recovered(ledger: Readable, limits: Limits) -> Schedule:
    """Bring the schedule back: from the snapshot and the events after it, or from all events.

    The next thing to happen to it is a Begun or a Settled: a snapshot keeps what those can need.
    Raises LedgerDamaged and LedgerTooNew like `Ledger.events`.
    """
    with _collector_resting():
        schedule, place = remembered(ledger, limits)
        schedule.recover(ledger.events(after=place))
    return schedule


def remembered(ledger: Readable, limits: Limits) -> tuple[Schedule, int]:
    """Bring the schedule back as the snapshot has it, with its last event: an empty one and 0 without."""
    return _from_snapshot(ledger, limits) or (Schedule(limits, ledger.ledger_id), 0)


def keep_snapshot(ledger: Ledger, schedule: Schedule, *, worth: int | None = None) -> bool:
    """Make a snapshot when so many events came since the last one; tell whether one was made.

    `schedule` is what the ledger's events come to; no run may be going on. That it cannot be written
    changes nothing.
    """
    path, known = ledger.path.with_name(SNAPSHOT), _known_place(ledger)
    if ledger.head - known < (WORTH if worth is None else worth):
        return False
    draft = f"{SNAPSHOT}.new"
    try:
        fd = open_private(path.parent, draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        with open(fd, "wb") as file, _collector_resting():
            _write(file, _stamp(ledger, ledger.head), schedule)
        os.replace(path.with_name(draft), path)
    except (OSError, SettingsError):
        with suppress(OSError):
            path.with_name(draft).unlink(missing_ok=True)
        return False
    return True


def _known_place(ledger: Ledger) -> int:
    """Tell from which event on a start takes the events in."""
    with _opened(ledger.path) as file:
        stamp = _read_stamp(file) if file else None
        return stamp.place if stamp is not None and _fits(ledger, stamp) else ledger.base


def _stamp(ledger: Readable, place: int) -> Stamp:
    """Say what a snapshot of this ledger up to an event must say; raises KeyError without that event."""
    return Stamp(_form(), ledger.ledger_id, place, ledger.checksum(place).hex())


@cache
def _form() -> str:
    """Name the form that this program gives a snapshot: another one may keep more, or less."""
    return f"{__version__} {form_of_lines()}"


def _write(file: IO[bytes], stamp: Stamp, schedule: Schedule) -> None:
    """Write the stamp, the memory line by line, and what they sum up to; on disk when this returns."""
    total = blake2b()
    for line in _lines(stamp, schedule):
        total.update(line)
        file.write(line)
    file.write(total.hexdigest().encode())
    file.flush()
    os.fsync(file.fileno())


def _lines(stamp: Stamp, schedule: Schedule) -> Iterator[bytes]:
    yield json.dumps(asdict(stamp)).encode() + b"\n"
    for line in to_lines(schedule.register):
        yield line.encode() + b"\n"


# --- reading --------------------------------------------------------------------------------------


def _from_snapshot(ledger: Readable, limits: Limits) -> tuple[Schedule, int] | None:
    """Bring the schedule back as the snapshot has it, with the last event in it; None if that is no good."""
    with _opened(ledger.path) as file:
        stamp = _read_stamp(file) if file else None
        if file is None or stamp is None or not _fits(ledger, stamp):
            return None
        schedule = Schedule(limits, ledger.ledger_id)
        try:
            from_lines(schedule.register, _memory(file))
        except Exception:  # whatever it is: the events are still there
            return None
        return schedule, stamp.place


@contextmanager
def _opened(ledger: Path) -> Iterator[IO[bytes] | None]:
    """Open the snapshot, None where there is none that can be read."""
    fd = None
    if os.path.lexists(ledger.with_name(SNAPSHOT)):
        with suppress(SettingsError):
            fd = open_private(ledger.parent, SNAPSHOT, os.O_RDONLY)
    if fd is None:
        yield None
        return
    with open(fd, "rb") as file:
        yield file


def _read_stamp(file: IO[bytes]) -> Stamp | None:
    """Read the first line; None for one that this program did not write."""
    try:
        found = json.loads(file.readline(1000))
        stamp = Stamp(**found)
    except (OSError, ValueError, TypeError):
        return None
    return stamp if isinstance(stamp.place, int) else None


def _fits(ledger: Readable, stamp: Stamp) -> bool:
    """Tell whether a snapshot is of this ledger's past, and of this program."""
    try:
        return stamp == _stamp(ledger, stamp.place)
    except KeyError:
        return False


def _memory(file: IO[bytes]) -> Iterator[str]:
    """Read the lines behind the stamp; ValueError in the end when they are not as they were written."""
    file.seek(0)
    total = blake2b(file.readline())
    for line in file:
        if line == total.hexdigest().encode():
            return
        total.update(line)
        yield line.decode()
    raise ValueError("the snapshot is not as it was written")


@contextmanager
def _collector_resting() -> Iterator[None]:
    """Let the collector rest while millions of records are made that all stay, or none goes in circles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
