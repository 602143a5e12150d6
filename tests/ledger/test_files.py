"""A file that is cut, flipped, foreign, linked or without its log: refused, left as it is, or right."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.errors import LedgerDamaged, SettingsError
from tests.ledger.samples import ONE_OF_EACH, RUN, fill, open_ledger
from tests.ledger.tampering import SEED, assert_refused, look, read, tamper


def test_flipped_bits_of_the_file_are_refused_or_harmless(tmp_path: Path) -> None:
    """A bit flipped anywhere in the file gives a refusal or exactly the events that were written."""
    whole = tmp_path / "whole"
    whole.mkdir()
    fill(whole)
    data = (whole / "ledger.db").read_bytes()
    dice = random.Random(SEED)
    refused = 0
    for number in range(300):
        folder = tmp_path / str(number)
        folder.mkdir()
        flips = bytearray(data)
        place = dice.randrange(len(data))
        flips[place] ^= 1 << dice.randrange(8)
        (folder / "ledger.db").write_bytes(flips)
        for way in (look, read):
            try:
                assert way(folder) == ONE_OF_EACH, f"byte {place}"
            except LedgerDamaged:
                refused += 1
    assert refused > 20


def test_a_broken_structure_is_noticed_before_the_night(tmp_path: Path) -> None:
    """A page of the projection that is gone is noticed at the start, though every event is whole."""
    fill(tmp_path)
    file = tmp_path / "ledger.db"
    with closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'copies'").fetchone()
    data = bytearray(file.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = bytes(4096)
    file.write_bytes(data)
    with pytest.raises(LedgerDamaged, match="damaged and was left as it is"):
        open_ledger(tmp_path)
    assert file.read_bytes() == data


def test_a_ledger_cut_anywhere_is_refused(tmp_path: Path) -> None:
    """A ledger whose end is missing, by one byte or nearly all of it, is refused and stays as it is."""
    fill(tmp_path)
    file = tmp_path / "ledger.db"
    data = file.read_bytes()
    dice = random.Random(SEED)
    pages = range(0, len(data), 4096)
    for size in (
        *pages,
        1,
        15,
        16,
        99,
        100,
        511,
        len(data) - 1,
        *(dice.randrange(len(data)) for _ in range(60)),
    ):
        file.write_bytes(data[:size])
        with pytest.raises(LedgerDamaged):
            read(tmp_path)
        assert file.read_bytes() == data[:size]
        assert [entry.name for entry in tmp_path.iterdir()] == ["ledger.db"]


def test_a_cut_log_gives_an_earlier_state(tmp_path: Path) -> None:
    """A write-ahead log cut anywhere gives the events up to some earlier commit, never anything else."""
    home = tmp_path / "home"
    home.mkdir()
    ledger = open_ledger(home)
    for event in ONE_OF_EACH:
        ledger.record(event, run=RUN)
    file, log = (home / "ledger.db").read_bytes(), (home / "ledger.db-wal").read_bytes()
    ledger.close()
    lengths = set()
    step = max(1, len(log) // 60)
    for size in (*range(0, len(log), step), len(log)):
        folder = tmp_path / f"{size}"
        folder.mkdir()
        (folder / "ledger.db").write_bytes(file)
        (folder / "ledger.db-wal").write_bytes(log[:size])
        events = look(folder)
        assert events == ONE_OF_EACH[: len(events)]
        assert read(folder) == events
        lengths.add(len(events))
    assert lengths == set(range(len(ONE_OF_EACH) + 1))


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"not a database at all, but long enough to hold a header" * 20, b"\0" * 8192]
)
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty file, text or zeros under the ledger's name are refused and never overwritten."""
    (tmp_path / "ledger.db").write_bytes(content)
    assert_refused(tmp_path, "damaged and was left as it is")


def test_another_programs_database_is_refused(tmp_path: Path) -> None:
    """A database of another program under the ledger's name is refused and not written to."""
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        connection.execute("CREATE TABLE events (seq INTEGER PRIMARY KEY)")
    assert_refused(tmp_path, "no ledger of this program")


def test_a_damaged_ledger_keeps_its_log_apart(tmp_path: Path) -> None:
    """A refused ledger with a pending log stays byte for byte: closing does not merge the log into it."""
    home, copied = tmp_path / "home", tmp_path / "copied"
    home.mkdir()
    ledger = open_ledger(home)
    for event in ONE_OF_EACH:
        ledger.record(event, run=RUN)
    tamper(home, lambda connection: connection.execute("UPDATE events SET body = '{}' WHERE seq = 7"))
    shutil.copytree(home, copied)
    ledger.close()
    names = ("ledger.db", "ledger.db-wal")
    before = [(copied / name).read_bytes() for name in names]
    assert len(before[1]) > 0
    with pytest.raises(LedgerDamaged, match="event 7 "):
        read(copied)
    assert [(copied / name).read_bytes() for name in names] == before


def test_a_log_without_its_ledger_is_refused(tmp_path: Path) -> None:
    """A ledger that was deleted while its log stayed is not replaced by an empty one."""
    home = tmp_path / "home"
    home.mkdir()
    ledger = open_ledger(home)
    ledger.record(ONE_OF_EACH[0], run=RUN)
    log = (home / "ledger.db-wal").read_bytes()
    ledger.close()
    (home / "ledger.db").unlink()
    (home / "ledger.db-wal").write_bytes(log)
    with pytest.raises(LedgerDamaged, match="it is gone"):
        open_ledger(home)
    assert not (home / "ledger.db").exists()
    assert (home / "ledger.db-wal").read_bytes() == log


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_a_linked_ledger_is_refused(tmp_path: Path, suffix: str) -> None:
    """A symbolic link in the place of the ledger or of its companions is not followed."""
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    fill(home)
    name = home / f"ledger.db{suffix}"
    if suffix:
        elsewhere.write_bytes(b"")
    else:
        name.rename(elsewhere)
    name.symlink_to(elsewhere)
    for way in (read, look):
        with pytest.raises(SettingsError, match="symbolic link"):
            way(home)


def test_a_folder_in_place_of_the_ledger_is_refused(tmp_path: Path) -> None:
    """Something that is no file under the ledger's name is refused in words."""
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(SettingsError, match="not a regular file"):
        read(tmp_path)
