"""What a snapshot holds brings back the schedule that was written, and nothing else is taken for it."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from orchestrator.core.codec import to_json
from orchestrator.core.columns import (
    CallTable,
    Column,
    CopyTable,
    SightingTable,
    SourceTable,
    Table,
    column,
    from_text,
    sightings,
    to_line,
)
from orchestrator.core.memory import KnownCall, KnownCopy, KnownSource
from orchestrator.core.messages import Ended
from orchestrator.core.model import ImageId, Region, RunId, Sighting
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.tables import from_lines, to_lines
from tests.core.schedule.stories import EAST, EAST1, LEDGER, NORTH, SOUTH, copies_of, image_id, story
from tests.core.schedule.twins import after_begun
from tests.core.schedule.walks import walk, written

TEXTS = ("mark", "platform", "none")
ENDED = Ended(at=1.0, run=RunId("r"), verdict="", exit_code=0)


@pytest.mark.parametrize("relay", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_the_lines_bring_every_record_back(seed: int, relay: bool) -> None:
    """Whatever moment it is, in tables of any length: field by field what all events give."""
    tale = walk(seed, TEXTS[seed % 3], relay=relay)
    for step in range(40):
        tale.step()
        if step % 8 == 7:
            whole, short = Schedule(tale.limits, LEDGER), Schedule(tale.limits, LEDGER)
            whole.recover(map(written, tale.told))
            from_lines(short.register, to_lines(whole.register, rows=1 + step))
            assert after_begun(short) == after_begun(whole)


def test_lines_are_the_same_when_they_are_written_again() -> None:
    """What was brought back is written as it was read, with sources that were seen and some that were not."""
    tale = story(copies_of(30, EAST, SOUTH))
    tale.accept(*tale.go()[:3])
    tale.finish()
    for source in list(tale.schedule.register.sources.values())[::3]:
        source.sighting = None
    lines = list(to_lines(tale.schedule.register, rows=7))
    again = Schedule(tale.limits, LEDGER)
    from_lines(again.register, lines)
    assert list(to_lines(again.register, rows=7)) == lines
    assert len([line for line in lines if line.startswith("copies ")]) == -(-60 // 7)


def test_an_image_that_was_a_source_before_its_original_comes_back() -> None:
    """A copy that carries others may have been known longer than what it is a copy of."""
    tale = story(copies_of(3, SOUTH, origin=EAST))
    register = tale.schedule.register
    track = register.track(copies_of(9, EAST1, origin=NORTH)[-1])
    register.carrier(track, EAST, image_id(1))
    again = Schedule(tale.limits, LEDGER)
    from_lines(again.register, to_lines(register, rows=2))
    carrier = again.register.sources[EAST, image_id(1)]
    assert carrier.original is again.register.sources[NORTH, track.copy.source]


@pytest.mark.parametrize(
    ("table", "record", "instead"),
    [
        (SightingTable, Sighting, {}),
        (SourceTable, KnownSource, {"sighting": ["sighting", "sightings"]}),
        (CopyTable, KnownCopy, {"copy": ["source", "destination"]}),
        (CallTable, KnownCall, {}),
    ],
)
def test_a_snapshot_keeps_what_a_compaction_keeps(
    table: type, record: type, instead: dict[str, list[str]]
) -> None:
    """Field for field and in the same order: one that is added to the record and not here is noticed."""
    expected = [name for field in fields(record) for name in instead.get(field.name, [field.name])]
    assert [field.name for field in fields(table)] == ["rows", *expected]


# --- columns --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "values",
    [[], ["a"], ["a", "a", "a"], ["a", "b", "a", "b", "a"], ["a", "b", "c"], [None, None, 1.5], [(), (1, 2)]],
)
def test_a_column_gives_back_its_values(values: list[object]) -> None:
    """One value, one for all, few different ones, all different, none."""
    made = column(values)
    assert list(made.values(len(values))) == values
    assert len(made.words) <= max(1, len(values))


@pytest.mark.parametrize(
    "wrong", [Column(("a", "b")), Column(("a", "b"), (0, 1, 0, 1)), Column(()), Column(("a",), (0,))]
)
def test_a_column_of_another_length_is_refused(wrong: Column[str]) -> None:
    """No row goes without a value, and none is made up."""
    with pytest.raises(ValueError, match="a table of 3 rows"):
        list(wrong.values(3))


def test_sightings_are_those_that_the_constructor_makes() -> None:
    """Every field is filled, and what comes out is frozen, equal and hashed like any other."""
    full = Sighting(
        image=ImageId("img-1"), status="ready", progress=7, name="n", text="t", size_mb=9, snapshots=("s",),
        encrypted=True, root_device="r", image_source="i", owner="o", platform="p", architecture="a",
        os_type="l", created="c", shared=True,
    )  # fmt: skip
    seen = [
        full,
        replace(full, progress=None, snapshots=(), shared=False),
        Sighting(image=full.image, status=""),
    ]
    tale = story(copies_of(3, EAST))
    for source, sighting in zip(tale.schedule.register.sources.values(), seen, strict=True):
        source.sighting = sighting
    made = sightings(table_of(tale.schedule).sightings)
    assert made == seen
    assert [hash(sighting) for sighting in made] == [hash(sighting) for sighting in seen]
    with pytest.raises(AttributeError):
        setattr(made[0], fields(Sighting)[0].name, "other")


def table_of(schedule: Schedule) -> SourceTable:
    """Write a schedule and read its table of sources."""
    lines = [line.partition(" ") for line in to_lines(schedule.register)]
    (table,) = [from_text(name, text) for name, _, text in lines if name == "sources"]
    assert isinstance(table, SourceTable)
    return table


@pytest.mark.parametrize(
    "line",
    [
        "", "copies", "copies {}", "regions {}", f"ended {to_json(ENDED)}",
        'remembered {"at":"soon"}',
    ],
)  # fmt: skip
def test_a_line_that_is_none_of_ours_is_refused(line: str) -> None:
    """Another name, another event, another shape: whoever reads a snapshot then takes the events in."""
    with pytest.raises((ValueError, KeyError, TypeError)):
        from_lines(Schedule(story(copies_of(1, EAST)).limits, LEDGER).register, [line])


def test_a_table_that_is_too_short_is_refused() -> None:
    """A column that lost a value does not shift the others."""
    table: Table = table_of(story(copies_of(3, EAST)).schedule)
    assert isinstance(table, SourceTable)
    short = replace(table, names=Column((("a",), ("b",))), origin=Column((Region("x"),)))
    with pytest.raises(ValueError, match="rows"):
        from_lines(Schedule(story(copies_of(1, EAST)).limits, LEDGER).register, [to_line(short)])
