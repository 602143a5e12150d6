"""`ledger check`: what real nights leave is whole; every change behind the ledger's back is named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orchestrator.ledger.check import check_beside
from tests.ledger.lives import Life
from tests.ledger.samples import LEDGER_ID, fill
from tests.ledger.tampering import tamper
from tests.nights import EAST, SOUTH, Cloud, Killed, copies_of

pytestmark = pytest.mark.looptime

WANTED = copies_of(4, EAST, SOUTH)


async def lived(folder: Path, kills: tuple[int | None, ...] = (None, None)) -> Path:
    """Live through some nights, some of them killed; return the ledger's file."""
    life = Life(folder, Cloud(images=4))
    for kill in kills:
        try:
            await life.night(WANTED, kill_after=kill)
        except* Killed:
            pass
    return folder / "ledger.db"


@pytest.mark.parametrize("first", [0, 1, 2, 5, 9, 14, 20, 30])
async def test_what_nights_leave_is_whole(tmp_path: Path, first: int) -> None:
    """Killed after any event, killed again, and then finished: file, events, replay and tables agree."""
    path = await lived(tmp_path, (first, first + 3, None))
    report = check_beside(path)
    assert report.findings == ()
    assert (report.first, report.runs, report.copies) == (1, 3, len(WANTED))


async def test_it_checks_beside_a_writer(tmp_path: Path) -> None:
    """An open run, with a log that is not merged yet, is checked as it stands."""
    life = Life(tmp_path, Cloud(images=4))
    with life.open() as ledger:
        ledger.begin_run("now", plan="p", started_at=1.0, wanted=WANTED)  # type: ignore[arg-type]
        assert check_beside(tmp_path / "ledger.db").findings == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE copies SET state = 'ready' WHERE source = 'img-src0000001'", "img-src0000001"),
        ("UPDATE copies SET image = 'img-other' WHERE source = 'img-src0000001'", "img-other"),
        ("UPDATE copies SET reason = 'busy' WHERE source = 'img-src0000002'", "busy"),
        ("UPDATE copies SET updated_at = 1.0 WHERE source = 'img-src0000002'", "img-src0000002"),
        ("UPDATE copies SET run = 'run0'", "was wanted last by run run1"),
        ("DELETE FROM copies WHERE source = 'img-src0000003'", "img-src0000003"),
        ("UPDATE copies SET source = 'img-stranger' WHERE source = 'img-src0000003'", "no event knows it"),
        ("UPDATE runs SET plan = 'another'", "run run0 began"),
        ("UPDATE runs SET since = 3 WHERE run = 'run1'", "run run1 began"),
        ("UPDATE runs SET exit_code = 3 WHERE run = 'run1'", "run run1 ended"),
        ("UPDATE runs SET ready = 1 WHERE run = 'run0'", "run run0 ended"),
        ("UPDATE runs SET result = 'no json' WHERE run = 'run0'", "result that cannot be read"),
        ("DELETE FROM runs WHERE run = 'run0'", "run run0 is missing"),
    ],
)
async def test_a_row_beside_the_events_that_was_changed_is_named(
    tmp_path: Path, change: str, named: str
) -> None:
    """Copies and runs have no checksum: the replay is theirs. A row that differs is named."""
    path = await lived(tmp_path, (None, 12, None) if "updated_at" in change else (None, None))
    if "state = 'ready'" in change:
        change = change.replace("'ready'", "'waiting'")
    tamper(tmp_path, lambda connection: connection.execute(change))
    report = check_beside(path)
    assert report.findings
    assert named in "\n".join(report.findings)


async def test_a_damaged_event_is_named_and_no_byte_changes(tmp_path: Path) -> None:
    """Event 7 of 20: found, told, and the file is what it was."""
    path = await lived(tmp_path)
    tamper(tmp_path, lambda connection: connection.execute("UPDATE events SET at = 1.0 WHERE seq = 7"))
    before = path.read_bytes()
    assert "event 7 is not as it was written" in check_beside(path).findings[0]
    assert path.read_bytes() == before


async def test_a_log_beside_a_damaged_ledger_stays(tmp_path: Path) -> None:
    """What a killed process left unmerged is not merged by a check, damaged or not."""
    path = await lived(tmp_path)
    wal = path.with_name(path.name + "-wal")
    with Life(tmp_path, Cloud(images=4)).open():
        file, log = path.read_bytes(), wal.read_bytes()
        assert log
    path.write_bytes(file[:5000] + bytes([file[5000] ^ 1]) + file[5001:])
    wal.write_bytes(log)
    damaged = path.read_bytes()
    check_beside(path)
    assert (path.read_bytes(), wal.read_bytes()) == (damaged, log)


def test_events_that_make_no_sense_together_are_told(tmp_path: Path) -> None:
    """Whole rows that no schedule can apply one after the other: no run could begin, and it says so."""
    fill(tmp_path)
    report = check_beside(tmp_path / "ledger.db")
    assert report.ledger_id == LEDGER_ID
    assert report.findings


def test_a_newer_one_and_a_strange_file_are_refused(tmp_path: Path) -> None:
    """Neither is taken for a ledger that is whole."""
    strange = tmp_path / "ledger.db"
    strange.write_bytes(b"something else" * 1000)
    assert "is damaged" in check_beside(strange).findings[0]
    strange.unlink()
    fill(tmp_path)
    connection = sqlite3.connect(strange)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    assert "version 99" in check_beside(strange).findings[0]
