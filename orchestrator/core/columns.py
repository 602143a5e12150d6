"""Many records as a few columns of values, which are quick to write and to read. Data only, no meaning.

A snapshot keeps its copies and calls so: a record by itself repeats the name of every field and most of
what the one before it said.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, fields
from functools import cache
from hashlib import blake2b
from itertools import repeat
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from orchestrator.core.model import CallId, ImageId, Region, Sighting, State
from orchestrator.core.reasons import Reason

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Column(Generic[T]):
    """One value for each row: `words` are the values, or, with `places`, what each row has the place of.

    A single word without places is every row's.
    """

    words: tuple[T, ...]
    places: tuple[int, ...] = ()

    def values(self, rows: int) -> Iterable[T]:
        """Give the value of each of so many rows; ValueError where the column is of another length."""
        if len(self.words) == 1 and not self.places:
            return repeat(self.words[0], rows)
        if len(self.places or self.words) != rows:
            raise ValueError(f"a column of a table of {rows} rows has {len(self.places or self.words)}")
        return map(self.words.__getitem__, self.places) if self.places else self.words


def column(values: Iterable[T]) -> Column[T]:
    """Make the column of these values, which are hashable; each is said once where that is shorter."""
    each = tuple(values)
    words = dict.fromkeys(each)
    if len(words) == 1:
        return Column(tuple(words))
    if 2 * len(words) > len(each):
        return Column(each)
    places = {word: place for place, word in enumerate(words)}
    return Column(tuple(words), tuple(map(places.__getitem__, each)))


@dataclass(frozen=True, slots=True, kw_only=True)
class SightingTable:
    """So many sightings; the columns are the fields of `model.Sighting`."""

    rows: int
    image: Column[ImageId]
    status: Column[str]
    progress: Column[int | None]
    name: Column[str]
    text: Column[str]
    size_mb: Column[int | None]
    snapshots: Column[tuple[str, ...]]
    encrypted: Column[bool]
    root_device: Column[str]
    image_source: Column[str]
    owner: Column[str]
    platform: Column[str]
    architecture: Column[str]
    os_type: Column[str]
    created: Column[str]
    shared: Column[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTable:
    """So many sources; the columns are the fields of `memory.KnownSource`.

    `sighting` has the place of its row among the `sightings`, None for a source that was never seen.
    """

    rows: int
    image: Column[ImageId]
    origin: Column[Region]
    sighting: Column[int | None]
    sightings: SightingTable
    names: Column[tuple[str, ...]]
    original_origin: Column[Region | None]
    original: Column[ImageId | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyTable:
    """So many copies; the columns are the fields of `memory.KnownCopy`.

    Its copy is the first two: `source` has the place of the source among all of the tables before.
    """

    rows: int
    source: Column[int]
    destination: Column[Region]
    state: Column[State]
    reason: Column[Reason]
    detail: Column[str]
    image: Column[ImageId | None]
    answered: Column[bool]
    call: Column[CallId | None]
    marked: Column[bool]
    lost_at: Column[float | None]
    lost_runs: Column[int]
    asked: Column[bool]
    since: Column[float]
    ready_at: Column[float | None]
    progress: Column[int | None]
    seen: Column[bool]
    taken_over: Column[bool]
    reserved: Column[bool]
    via: Column[Region | None]
    carrier: Column[ImageId | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTable:
    """So many calls; the columns are the fields of `memory.KnownCall`."""

    rows: int
    call: Column[CallId]
    copies: Column[tuple[int, ...]]
    is_open: Column[bool]
    marked: Column[bool]
    via: Column[Region | None]
    carriers: Column[tuple[ImageId, ...]]


Table = SourceTable | CopyTable | CallTable

TABLES: dict[str, type[Table]] = {"sources": SourceTable, "copies": CopyTable, "calls": CallTable}
_NAMES = {table: name for name, table in TABLES.items()}


@cache
def _adapter(name: str) -> TypeAdapter[Table]:
    """Build the reader and writer of one kind of table; they are compiled on first use."""
    return TypeAdapter(TABLES[name])


def to_line(table: Table) -> str:
    """Write a table as one line: its name and JSON."""
    name = _NAMES[type(table)]
    return f"{name} {_adapter(name).serializer.to_json(table, exclude_defaults=True).decode()}"


def from_text(name: str, text: str) -> Table:
    """Read a table of this name back from its JSON; ValueError for a text that is none."""
    table: Table = _adapter(name).validator.validate_json(text)
    return table


def form() -> str:
    """Name the form of the tables: another one for every column that is added or changed."""
    kinds = (Column, SightingTable, *TABLES.values())
    shape = repr([[(field.name, field.type) for field in fields(kind)] for kind in kinds])
    return blake2b(shape.encode(), digest_size=8).hexdigest()


def sightings(table: SightingTable) -> list[Sighting]:
    """Make the sightings of a table, field by field.

    The constructor of a frozen record takes ten times as long as its slots do, and a ledger may hold
    half a million of them. Each slot of each is filled: `values` sees to that.
    """
    made = [object.__new__(Sighting) for _ in range(table.rows)]
    for field in fields(Sighting):
        fill = getattr(Sighting, field.name).__set__
        deque(map(fill, made, getattr(table, field.name).values(table.rows)), maxlen=0)
    return made
