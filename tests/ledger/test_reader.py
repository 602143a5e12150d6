"""The read-only side: sees what is committed, beside a writer or alone, and never disturbs."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.messages import Unanswered
from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from orchestrator.errors import LedgerUnwritable
from orchestrator.ledger.reader import LedgerReader
from orchestrator.ledger.schema import STEPS
from tests.ledger.samples import (
    EAST,
    LEDGER_ID,
    NEXT_RUN,
    NOW,
    ONE_OF_EACH,
    RUN,
    begun,
    change,
    copy,
    fill,
    open_ledger,
)


def open_reader(folder: Path) -> LedgerReader:
    """Open a reader where there is a ledger."""
    reader = LedgerReader.open(folder)
    assert reader is not None
    return reader


def test_no_ledger_is_no_reader(tmp_path: Path) -> None:
    """Before the first run there is nothing to read, and looking makes no file."""
    assert LedgerReader.open(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_a_reader_follows_a_writer(tmp_path: Path) -> None:
    """A reader sees each commit at once and keeps no writer from writing, in the middle of reading too."""
    with open_ledger(tmp_path) as ledger, open_reader(tmp_path) as reader:
        ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=[copy(1), copy(2)])
        reading = reader.copies(RUN)
        assert next(reading).state is State.WAITING
        ledger.record(begun(1), [change(1, State.CALLING, Reason.CALLED)], run=RUN)
        assert [standing.copy for standing in reading] == [copy(2)]
        assert [standing.state for standing in reader.copies(RUN)] == [State.CALLING, State.WAITING]
        assert tuple(reader.events()) == (begun(1),)
        assert reader.runs()[0].counts.pending == 2


def test_the_states_of_every_copy(tmp_path: Path) -> None:
    """What `plan` compares with: all copies, those that only an earlier run wanted included."""
    with open_ledger(tmp_path) as ledger, open_reader(tmp_path) as reader:
        ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=[copy(1), copy(2)])
        ledger.record(begun(1), [change(1, State.READY, Reason.COPIED)], run=RUN)
        ledger.begin_run(NEXT_RUN, plan="q", started_at=NOW, wanted=[copy(3)])
        assert reader.states() == {copy(1): State.READY, copy(2): State.WAITING, copy(3): State.WAITING}


def test_a_reader_beside_a_process_that_writes(tmp_path: Path) -> None:
    """While another process writes as fast as it can, every look is whole and none goes backwards."""
    command = [sys.executable, "-m", "tests.ledger.writer", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        seen = 0
        with open_reader(tmp_path) as reader:
            for _ in range(50):
                reported = int(child.stdout.readline())
                events = len(tuple(reader.events()))
                assert events >= max(seen, reported)
                seen = events
        child.kill()


def test_a_reader_after_a_kill_sees_the_log(tmp_path: Path) -> None:
    """What a killed process committed is seen by `status` before any run has opened the ledger again."""
    command = [sys.executable, "-m", "tests.ledger.writer", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) == 20:
                child.kill()
    size = (tmp_path / "ledger.db-wal").stat().st_size
    with open_reader(tmp_path) as reader:
        assert len(tuple(reader.events())) >= 20
    assert (tmp_path / "ledger.db-wal").stat().st_size == size


def test_a_reader_of_a_closed_ledger(tmp_path: Path) -> None:
    """A ledger that was closed properly is one file, and read as such."""
    fill(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.db"]
    with open_reader(tmp_path) as reader:
        assert (reader.ledger_id, reader.version) == (LEDGER_ID, len(STEPS))
        assert tuple(reader.events()) == ONE_OF_EACH


@pytest.fixture
def sealed() -> Iterator[Path]:
    """Give a folder with a closed ledger in which this process can make no file, root's rights set aside."""
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder)
        folder.chmod(0o500)
        if root:
            os.chown(folder / "ledger.db", 65534, -1)
            os.chown(folder, 65534, -1)
            os.seteuid(65534)
        try:
            yield folder
        finally:
            if root:
                os.seteuid(0)
            folder.chmod(0o700)


def test_a_reader_where_no_file_can_be_made(sealed: Path) -> None:
    """A ledger on a read-only backup is read as it stands."""
    with open_reader(sealed) as reader:
        assert tuple(reader.events()) == ONE_OF_EACH
    assert [file.name for file in sealed.iterdir()] == ["ledger.db"]


def test_a_reader_does_not_overlook_a_pending_log(sealed: Path) -> None:
    """Where a log is pending and cannot be read along, the reader refuses and shows no older state."""
    sealed.chmod(0o700)
    (sealed / "ledger.db-wal").write_bytes(b"something")
    sealed.chmod(0o500)
    with pytest.raises(LedgerUnwritable, match="permission"):
        open_reader(sealed)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    """The connection itself refuses to write."""
    fill(tmp_path)
    with open_reader(tmp_path) as reader, pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader._connection.execute("DELETE FROM copies")


def test_calls_are_counted_by_the_clouds_names(tmp_path: Path) -> None:
    """Each request of a run counts once, answered or not, and those of other runs do not."""
    fill(tmp_path)
    unanswered = Unanswered(at=NOW, read="list", region=EAST, reason=Reason.TIMEOUT)
    with open_ledger(tmp_path) as ledger:
        for read in ("inspect", "look", "check", "survey", "snapshot", "describeQuota"):
            ledger.record(replace(unanswered, read=read), run=RUN)
        ledger.record(unanswered, run=NEXT_RUN)
    with open_reader(tmp_path) as reader:
        assert reader.calls(RUN) == {
            "copyImages": 1,
            "describeImage": 2,
            "describeImages": 6,
            "describeQuota": 3,
            "describeQuotas": 2,
        }
        assert reader.calls(NEXT_RUN) == {"describeImages": 1}
