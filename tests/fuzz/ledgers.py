"""Ledgers cut anywhere or with one bit flipped: each is refused and left as it is, or is an earlier state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from orchestrator.core.messages import Event
from orchestrator.errors import LedgerDamaged
from tests.ledger.samples import ONE_OF_EACH, RUN, begun, fill, open_ledger
from tests.ledger.tampering import look, read

_LARGE = 400
_QUICK = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a disk that syncs nothing is ten times as fast
_NAMES = ("ledger.db", "ledger.db-wal")


@dataclass(frozen=True, slots=True)
class Sample:
    """A ledger's files by name, and the events that they hold."""

    files: dict[str, bytes]
    events: tuple[Event, ...]


@cache
def samples() -> tuple[Sample, ...]:
    """Make three ledgers: small and closed, small and killed with all of it in the log, and a larger one."""
    large = tuple(begun(number) for number in range(_LARGE))
    return _closed(ONE_OF_EACH), _killed(ONE_OF_EACH), _closed(large)


def cuts() -> int:
    """Count the cases that cut the small ledger, at every byte; they come before those of chance."""
    return len(samples()[0].files["ledger.db"])


def try_ledger(chance: Random, number: int) -> str:
    """Spoil a ledger: the first cases cut the small one at every byte, the others are drawn."""
    if number < cuts():
        sample = samples()[0]
        return judge(sample, {"ledger.db": sample.files["ledger.db"][:number]})
    sample = chance.choice(samples())
    name = chance.choice(sorted(sample.files))
    spoil = _cut if chance.random() < 0.3 else _flip
    return judge(sample, {**sample.files, name: spoil(sample.files[name], chance)})


def judge(sample: Sample, files: dict[str, bytes]) -> str:
    """Open spoilt files in both ways; raise AssertionError unless each is refused or an earlier state."""
    with TemporaryDirectory(dir=_QUICK) as folder:
        place = Path(folder)
        for name, data in files.items():
            (place / name).write_bytes(data)
        outcomes = {_look(place, sample, files), _open(place, sample, files)}
    return " and ".join(sorted(outcomes))


def _look(place: Path, sample: Sample, files: dict[str, bytes]) -> str:
    """Read as `status` does: nothing is changed, whatever comes of it."""
    try:
        events = look(place)
    except LedgerDamaged:
        return _left_alone(place, files, "refused")
    return _left_alone(place, files, _earlier(events, sample))


def _open(place: Path, sample: Sample, files: dict[str, bytes]) -> str:
    """Open as a run does; what can be opened can be written to, and the rest is left alone."""
    try:
        events = read(place)
    except LedgerDamaged:
        return _left_alone(place, files, "refused")
    try:
        with open_ledger(place) as ledger:
            ledger.record(begun(7), run=RUN)
    except LedgerDamaged:  # an index that only a write looks at: refused in time, nothing is written
        assert read(place) == events, "refused, and changed"
        return "refused on writing"
    assert read(place) == (*events, begun(7)), "what was written is not there, or not behind the rest"
    return _earlier(events, sample)


def _left_alone(place: Path, files: dict[str, bytes], outcome: str) -> str:
    """Hold the files to being what they were, byte for byte."""
    now = {name: (place / name).read_bytes() for name in _NAMES if (place / name).exists()}
    assert {**now, **files} == now, f"{outcome}, and changed"
    assert all(not data for name, data in now.items() if name not in files), f"{outcome}, and added to"
    return outcome


def _earlier(events: tuple[Event, ...], sample: Sample) -> str:
    """Say how much is left; it must be a beginning of what was written."""
    assert events == sample.events[: len(events)], f"{len(events)} events, and not those that were written"
    return "whole" if len(events) == len(sample.events) else "earlier"


def _closed(events: tuple[Event, ...]) -> Sample:
    """Make a ledger that was closed as at the end of a run: one file."""
    with TemporaryDirectory() as folder:
        fill(Path(folder), events)
        return Sample(dict(_files(Path(folder))), events)


def _killed(events: tuple[Event, ...]) -> Sample:
    """Make a ledger as a killed run leaves it: most of it is in the write-ahead log."""
    with TemporaryDirectory() as folder, open_ledger(Path(folder)) as ledger:
        for event in events:
            ledger.record(event, run=RUN)
        return Sample(dict(_files(Path(folder))), events)


def _files(place: Path) -> Iterator[tuple[str, bytes]]:
    """Read a ledger's files, the ones that last."""
    for name in _NAMES:
        if (place / name).exists():
            yield name, (place / name).read_bytes()


def _cut(data: bytes, chance: Random) -> bytes:
    """Cut the end off."""
    return data[: chance.randrange(len(data))]


def _flip(data: bytes, chance: Random) -> bytes:
    """Flip one bit."""
    flipped = bytearray(data)
    flipped[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return bytes(flipped)
