"""Writes what the schedule remembers as lines for a snapshot, and takes them in again.

The same memory as `memory.remember` gives, with sources, copies and calls in columns: a million of them are
read in seconds. What each record means is `memory`'s to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import count
from typing import assert_never

from orchestrator.core.codec import form_of, from_json, to_json
from orchestrator.core.columns import (
    TABLES,
    CallTable,
    CopyTable,
    SightingTable,
    SourceTable,
    column,
    form,
    from_text,
    sightings,
    to_line,
)
from orchestrator.core.memory import KnownCall
from orchestrator.core.messages import Remembered
from orchestrator.core.model import Copy, Sighting
from orchestrator.core.schedule import memory
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Source, Track

_ROWS = 10_000
"""Records in one line: enough that its names weigh nothing, few enough that it need not be spared."""


@dataclass(slots=True)
class _Known:
    """The records of the lines before, in their order: later ones name them by their places."""

    sources: list[Source] = field(default_factory=list)
    tracks: list[Track] = field(default_factory=list)


def form_of_lines() -> str:
    """Name the form of the lines: another one for every field that is added or changed anywhere."""
    return f"{form_of('remembered')} {form()}"


def to_lines(register: Register, *, rows: int = _ROWS) -> Iterator[str]:
    """Give the lines that bring this schedule back, in the order in which they are to be taken in."""
    yield f"remembered {to_json(memory.beginning(register))}"
    for sources in memory.batches(register.sources.values(), rows):
        yield to_line(_sources(sources))
    places = {source: place for place, source in enumerate(register.sources.values())}
    for tracks in memory.batches(register.tracks.values(), rows):
        yield to_line(_copies(tracks, places))
    for calls in memory.batches(memory.calls(register), rows):
        yield to_line(_calls(calls))
    for event in memory.shelves(register):
        yield f"remembered {to_json(event)}"


def from_lines(register: Register, lines: Iterable[str]) -> None:
    """Take lines in, into a schedule that knows nothing. Raises for what is none of ours."""
    register.replays = True
    known = _Known()
    for line in lines:
        _take_in(register, line, known)
    register.replays = False


def _take_in(register: Register, line: str, known: _Known) -> None:
    """Take in one line, or raise for one that this program does not write."""
    name, _, text = line.partition(" ")
    if name not in TABLES:
        event = from_json(name, text)
        if not isinstance(event, Remembered):
            raise TypeError(f"a snapshot holds no {name}")
        register.now = max(register.now, event.at)
        memory.recall(register, event)
        return
    match from_text(name, text):
        case SourceTable() as table:
            known.sources.extend(_restored_sources(register, table))
        case CopyTable() as table:
            known.tracks.extend(_restored_copies(register, table, known.sources))
        case CallTable() as table:
            _restore_calls(register, table, known.tracks)
        case never:
            assert_never(never)


# --- sources --------------------------------------------------------------------------------------


def _sources(sources: Sequence[Source]) -> SourceTable:
    """Put sources side by side, field by field."""
    seen = [source.sighting for source in sources if source.sighting is not None]
    place = count()
    return SourceTable(
        rows=len(sources),
        image=column([source.image for source in sources]),
        origin=column([source.origin for source in sources]),
        sighting=column([next(place) if source.sighting else None for source in sources]),
        sightings=_sightings(seen),
        names=column([tuple(sorted(source.names)) for source in sources]),
        original_origin=column([source.original.origin if source.original else None for source in sources]),
        original=column([source.original.image if source.original else None for source in sources]),
    )


def _sightings(seen: Sequence[Sighting]) -> SightingTable:
    """Put sightings side by side, field by field."""
    return SightingTable(
        rows=len(seen),
        image=column([each.image for each in seen]),
        status=column([each.status for each in seen]),
        progress=column([each.progress for each in seen]),
        name=column([each.name for each in seen]),
        text=column([each.text for each in seen]),
        size_mb=column([each.size_mb for each in seen]),
        snapshots=column([each.snapshots for each in seen]),
        encrypted=column([each.encrypted for each in seen]),
        root_device=column([each.root_device for each in seen]),
        image_source=column([each.image_source for each in seen]),
        owner=column([each.owner for each in seen]),
        platform=column([each.platform for each in seen]),
        architecture=column([each.architecture for each in seen]),
        os_type=column([each.os_type for each in seen]),
        created=column([each.created for each in seen]),
        shared=column([each.shared for each in seen]),
    )


def _restored_sources(register: Register, table: SourceTable) -> Iterator[Source]:
    """Know each source again as it was, and give its record."""
    seen, rows = sightings(table.sightings), table.rows
    for image, origin, place, names, original_origin, original in zip(
        table.image.values(rows),
        table.origin.values(rows),
        table.sighting.values(rows),
        table.names.values(rows),
        table.original_origin.values(rows),
        table.original.values(rows),
        strict=True,
    ):
        sighting = None if place is None else seen[place]
        yield memory.restored_source(register, image, origin, sighting, names, original_origin, original)


# --- copies ---------------------------------------------------------------------------------------


def _copies(tracks: Sequence[Track], places: Mapping[Source, int]) -> CopyTable:
    """Put copies side by side, field by field."""
    return CopyTable(
        rows=len(tracks),
        source=column([places[track.source] for track in tracks]),
        destination=column([track.copy.destination for track in tracks]),
        state=column([track.state for track in tracks]),
        reason=column([track.reason for track in tracks]),
        detail=column([track.detail for track in tracks]),
        image=column([track.image for track in tracks]),
        answered=column([track.answered for track in tracks]),
        call=column([track.call for track in tracks]),
        marked=column([track.marked for track in tracks]),
        lost_at=column([track.lost_at for track in tracks]),
        lost_runs=column([track.lost_runs for track in tracks]),
        asked=column([track.asked for track in tracks]),
        since=column([track.since for track in tracks]),
        ready_at=column([track.ready_at for track in tracks]),
        progress=column([track.progress for track in tracks]),
        seen=column([track.seen for track in tracks]),
        taken_over=column([track.taken_over for track in tracks]),
        reserved=column([track.reserved for track in tracks]),
        via=column([track.carrier.origin if track.relayed else None for track in tracks]),
        carrier=column([track.carrier.image if track.relayed else None for track in tracks]),
    )


def _restored_copies(register: Register, table: CopyTable, sources: Sequence[Source]) -> Iterator[Track]:
    """Let each copy stand where it stood, and give its record; it is named by its source's own texts."""
    columns = [getattr(table, each.name).values(table.rows) for each in fields(table)[1:]]
    for place, region, *rest in zip(*columns, strict=True):
        source, destination = sources[place], register.destination(region)
        track = register.enter(Copy(source.image, source.origin, region), source, destination)
        memory.restore_copy(register, track, *rest)
        yield track


# --- calls ----------------------------------------------------------------------------------------


def _calls(calls: Sequence[KnownCall]) -> CallTable:
    """Put calls side by side, field by field."""
    return CallTable(
        rows=len(calls),
        call=column([known.call for known in calls]),
        copies=column([known.copies for known in calls]),
        is_open=column([known.is_open for known in calls]),
        marked=column([known.marked for known in calls]),
        via=column([known.via for known in calls]),
        carriers=column([known.carriers for known in calls]),
    )


def _restore_calls(register: Register, table: CallTable, tracks: Sequence[Track]) -> None:
    """Know each call again."""
    rows, place = table.rows, tracks.__getitem__
    for call, copies, is_open, marked, via, carriers in zip(
        table.call.values(rows),
        table.copies.values(rows),
        table.is_open.values(rows),
        table.marked.values(rows),
        table.via.values(rows),
        table.carriers.values(rows),
        strict=True,
    ):
        memory.restore_call(register, call, tuple(map(place, copies)), is_open, marked, via, carriers)
