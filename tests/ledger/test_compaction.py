"""Compaction: old events go, what later nights need stays; a kill leaves one or the other."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.core.messages import Begun, Remembered
from orchestrator.core.model import RunId, State
from orchestrator.core.schedule import Schedule
from orchestrator.errors import LedgerUnwritable, Overtaken
from orchestrator.ledger.check import check_beside
from orchestrator.ledger.compaction import compact
from orchestrator.ledger.reader import LedgerReader
from tests.core.schedule.twins import after_begun
from tests.ledger.lives import LIMITS, Life
from tests.nights import EAST, SOUTH, Cloud, Killed, check_books, copies_of

pytestmark = pytest.mark.looptime

WANTED = copies_of(3, EAST, SOUTH)


async def live(folder: Path, nights: int) -> Life:
    """Live through nights, the second of them killed."""
    life = Life(folder, Cloud(images=3))
    for number in range(nights):
        try:
            await life.night(WANTED, kill_after=14 if number == 1 else None)
        except* Killed:
            pass
    return life


def recovered(life: Life) -> Schedule:
    """Read the ledger as the next run does."""
    with life.open() as ledger:
        schedule = Schedule(LIMITS, ledger.ledger_id)
        schedule.recover(ledger.events())
    return schedule


async def test_old_events_go_and_everything_goes_on(tmp_path: Path) -> None:
    """Six nights, two kept: fewer events, the same schedule, a whole ledger, nothing made again."""
    life = await live(tmp_path, 6)
    whole = after_begun(recovered(life))
    with life.open() as ledger:
        gone = compact(ledger, nights=2)
        events = list(ledger.events())
    assert gone > 0
    assert sum(isinstance(event, Begun) for event in events) == 2
    assert isinstance(events[0], Remembered)
    assert after_begun(recovered(life)) == whole
    report = check_beside(tmp_path / "ledger.db")
    assert (report.findings, report.first, report.runs) == ((), gone + 1, 6)
    schedule = await life.night(WANTED)
    assert set(schedule.states().values()) == {State.READY}
    assert check_beside(tmp_path / "ledger.db").findings == ()
    check_books(life.cloud)


async def test_few_nights_are_left_alone(tmp_path: Path) -> None:
    """Nothing goes before there are twice as many as are kept, nor right after it went."""
    life = await live(tmp_path, 4)
    with life.open() as ledger:
        assert compact(ledger, nights=3) == 0
        assert compact(ledger, nights=2) > 0
        assert compact(ledger, nights=2) == 0
        assert compact(ledger, nights=1) > 0


async def test_a_memory_is_made_of_a_memory(tmp_path: Path) -> None:
    """Compacted every night for ten nights, it stays small and knows every call that was ever sent."""
    life = Life(tmp_path, Cloud(images=3))
    for number in range(10):
        await life.night(copies_of(1 + number % 3, EAST, SOUTH))
        with life.open() as ledger:
            compact(ledger, nights=1)
    schedule = recovered(life)
    assert len(schedule.register.calls) == len(life.cloud.world.books()["calls"])
    assert set(schedule.states().values()) == {State.READY}
    assert check_beside(tmp_path / "ledger.db").findings == ()


async def test_a_failed_compaction_changes_nothing(tmp_path: Path) -> None:
    """A disk that is full in the middle of it leaves the old ledger, whole, to read and to write."""
    life = await live(tmp_path, 6)
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path)) as connection:
        before = connection.execute("SELECT * FROM events").fetchall()
    with life.open() as ledger:
        connection = ledger._connection
        connection.execute(
            "CREATE TEMP TRIGGER full AFTER INSERT ON main.events BEGIN SELECT RAISE(FAIL, 'full'); END"
        )
        with pytest.raises((sqlite3.Error, LedgerUnwritable)):
            compact(ledger, nights=2)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM events").fetchall() == before
    assert check_beside(path).findings == ()


async def test_somebody_overtaken_compacts_nothing(tmp_path: Path) -> None:
    """Only the one writer may: whoever was overtaken is refused before the first change."""
    life = await live(tmp_path, 4)
    with life.open() as ledger, life.open(), pytest.raises(Overtaken):
        compact(ledger, nights=1)
    assert check_beside(tmp_path / "ledger.db").first == 1


async def test_a_reader_in_the_midst_of_it_reads_on(tmp_path: Path) -> None:
    """`log` and `status` that have begun to read get every event of the state they began with."""
    life = await live(tmp_path, 6)
    reader = LedgerReader.open(tmp_path)
    assert reader is not None
    with reader, life.open() as ledger:
        number = sum(1 for _ in reader.events())
        events = reader.events()
        next(events)
        compact(ledger, nights=1)
        assert 1 + sum(1 for _ in events) == number
        assert sum(1 for _ in reader.events()) < number


async def test_a_run_that_went_is_known_by_its_row(tmp_path: Path) -> None:
    """Its row stays; it has no events, not even a part of the memory."""
    life = await live(tmp_path, 5)
    with life.open() as ledger:
        compact(ledger, nights=2)
    reader = LedgerReader.open(tmp_path)
    assert reader is not None
    with reader:
        assert [row.run for row in reader.runs()] == [f"run{n}" for n in (4, 3, 2, 1, 0)]
        assert list(reader.events(until_run=RunId("run0"))) == []
        kept = list(reader.events(until_run=RunId("run3")))
        assert isinstance(kept[0], Remembered)
