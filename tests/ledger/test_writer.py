"""One writer: overtaken, out of space, killed, robbed of its file, it never writes half of anything."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.core.messages import Begun, Called, Event
from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Labelled, Pruned
from orchestrator.errors import LedgerUnwritable, Overtaken
from orchestrator.ledger.reader import LedgerReader
from tests.ledger.samples import NEXT_RUN, NOW, ONE_OF_EACH, RUN, begun, change, copy, open_ledger


def test_an_overtaken_writer_writes_nothing(tmp_path: Path) -> None:
    """Once another process has taken an epoch, every write of the first is refused and leaves no trace."""
    with open_ledger(tmp_path) as first, open_ledger(tmp_path) as second:
        assert first.take_epoch() == 1
        first.begin_run(RUN, plan="p", started_at=NOW, wanted=[copy(1)])
        first.record(begun(1), run=RUN)
        first.confirm_epoch()
        assert second.take_epoch() == 2
        with pytest.raises(Overtaken):
            first.confirm_epoch()
        with pytest.raises(Overtaken):
            first.record(begun(2), [change(1, State.READY, Reason.COPIED)], run=RUN)
        with pytest.raises(Overtaken):
            first.begin_run(NEXT_RUN, plan="p", started_at=NOW, wanted=[copy(2)])
        with pytest.raises(Overtaken) as refusal:
            first.end_run(RUN, finished_at=NOW, verdict="ok", exit_code=0, result_json="{}")
        assert refusal.value.exit_code == 75
        assert second.record(begun(3), run=RUN) == 2
        assert tuple(second.events()) == (begun(1), begun(3))
    reader = LedgerReader.open(tmp_path)
    assert reader is not None
    with reader:
        assert [(row.run, row.finished_at) for row in reader.runs()] == [(RUN, None)]
        assert [standing.state for standing in reader.copies(RUN)] == [State.WAITING]


def test_the_one_who_takes_over_goes_on_after_the_last_event(tmp_path: Path) -> None:
    """Taking an epoch also learns what the other wrote after this one opened."""
    with open_ledger(tmp_path) as first, open_ledger(tmp_path) as second:
        first.take_epoch()
        first.record(begun(1), run=RUN)
        second.take_epoch()
        assert second.record(begun(2), run=RUN) == 2


def test_two_writers_of_one_epoch_are_refused(tmp_path: Path) -> None:
    """Even without an epoch taken, a writer that is not the last who wrote is stopped."""
    with open_ledger(tmp_path) as first, open_ledger(tmp_path) as second:
        first.record(begun(1), run=RUN)
        with pytest.raises(Overtaken):
            second.record(begun(2), run=RUN)


def test_a_full_disk_stops_the_run_and_loses_nothing(tmp_path: Path) -> None:
    """Out of space, `record` refuses and stores nothing; with space again, the same ledger goes on."""
    with open_ledger(tmp_path) as ledger:
        ledger.record(begun(1), run=RUN)
        connection = ledger._connection
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        long = Begun(at=NOW, run=RUN, plan="x" * 100_000)
        moved = [change(1, State.READY, Reason.COPIED)]
        with pytest.raises(LedgerUnwritable, match="Free space") as refusal:
            ledger.record(long, moved, run=RUN)
        assert refusal.value.exit_code == 1
        assert tuple(ledger.events()) == (begun(1),)
        assert connection.execute("SELECT count(*) FROM copies").fetchone() == (0,)
        connection.execute("PRAGMA max_page_count = 1000000")
        assert ledger.record(long, moved, run=RUN) == 2
        assert tuple(ledger.events()) == (begun(1), long)


def test_a_full_disk_while_a_run_begins_leaves_no_run(tmp_path: Path) -> None:
    """The marking of a large plan that does not fit is undone whole."""
    with open_ledger(tmp_path) as ledger:
        ledger._connection.execute("PRAGMA max_page_count = 20")
        with pytest.raises(LedgerUnwritable):
            ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=[copy(n) for n in range(5_000)])
        assert ledger._connection.execute("SELECT count(*) FROM copies").fetchone() == (0,)
        assert ledger._connection.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_a_locked_ledger_is_said(tmp_path: Path) -> None:
    """Another program that keeps the database locked is named as the cause, and nothing is written."""
    with open_ledger(tmp_path) as ledger, closing(sqlite3.connect(tmp_path / "ledger.db")) as other:
        ledger._connection.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerUnwritable, match="Another program keeps it locked"):
            ledger.record(begun(1), run=RUN)
        other.rollback()
        assert ledger.record(begun(1), run=RUN) == 1


@pytest.mark.parametrize("replaced", [False, True])
def test_a_ledger_taken_away_is_noticed(tmp_path: Path, replaced: bool) -> None:
    """An intent written into a file that nobody can find again is not durable: it is refused."""
    with open_ledger(tmp_path) as ledger:
        ledger.record(begun(1), run=RUN)
        (tmp_path / "ledger.db").rename(tmp_path / "moved.db")
        if replaced:
            (tmp_path / "ledger.db").write_bytes(b"")
        with pytest.raises(LedgerUnwritable, match="deleted or replaced"):
            ledger.record(begun(2), run=RUN)


@pytest.mark.parametrize("event", ONE_OF_EACH, ids=lambda event: type(event).__name__)
@pytest.mark.parametrize("stored", [True, False])
def test_nothing_sent_is_claimed_only_where_nothing_was(tmp_path: Path, event: Event, stored: bool) -> None:
    """An intent on disk may be on its way; a deletion or a new name has happened, be it on disk or not."""
    sent = isinstance(event, Pruned | Labelled) or (isinstance(event, Called) and stored)
    with open_ledger(tmp_path) as ledger:
        if stored:
            ledger.record(event, run=RUN)
        (tmp_path / "ledger.db").unlink()
        with pytest.raises(LedgerUnwritable) as refusal:
            ledger.record(begun(1) if stored else event, run=RUN)
    assert ("so nothing more was sent" in str(refusal.value)) is sent
    assert ("so nothing was sent" in str(refusal.value)) is not sent


def test_files_are_private_whatever_the_umask(tmp_path: Path) -> None:
    """The ledger and its companions have mode 0600 under any umask, and a restored one gets it again."""
    before = os.umask(0)
    try:
        with open_ledger(tmp_path) as ledger:
            ledger.record(begun(1), run=RUN)
            modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
        (tmp_path / "ledger.db").chmod(0o644)
        open_ledger(tmp_path).close()
    finally:
        os.umask(before)
    assert modes == {"ledger.db": 0o600, "ledger.db-wal": 0o600, "ledger.db-shm": 0o600}
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600


def test_commits_are_synchronous_and_the_log_is_on(tmp_path: Path) -> None:
    """The settings that make a commit survive a power cut are in force."""
    with open_ledger(tmp_path) as ledger:
        assert ledger._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert ledger._connection.execute("PRAGMA synchronous").fetchone() == (2,)


def test_a_killed_writer_loses_nothing_that_it_reported(tmp_path: Path) -> None:
    """After kill -9 in the middle of writing, every event that `record` returned for is found again."""
    reported = 0
    for _ in range(3):
        goal = reported + 50
        command = [sys.executable, "-m", "tests.ledger.writer", str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            for line in child.stdout:
                reported = int(line)
                if reported == goal:
                    child.kill()
        with open_ledger(tmp_path) as ledger:
            events = tuple(ledger.events())
            assert len(events) >= reported
            (moved,) = ledger._connection.execute("SELECT count(*) FROM copies").fetchone()
            assert moved == max(int(event.plan) for event in events if isinstance(event, Begun))
            (check,) = ledger._connection.execute("PRAGMA integrity_check").fetchone()
            assert check == "ok"
        reported = len(events)


def test_a_creation_that_was_killed_starts_anew(tmp_path: Path) -> None:
    """A half-made ledger has a passing name; the next start makes a whole one and leaves nothing behind."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        (tmp_path / f"ledger.db.new{suffix}").write_bytes(b"half of it")
    with open_ledger(tmp_path) as ledger:
        ledger.record(begun(1), run=RUN)
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Where no ledger can be made, the error names the place."""
    with pytest.raises(LedgerUnwritable, match="nowhere"):
        open_ledger(tmp_path / "nowhere")
