"""`ledger backup`: a consistent, private, checked copy beside a writer; and the words of both verbs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from orchestrator.cli.main import cli
from orchestrator.errors import LedgerDamaged, UsageError
from orchestrator.ledger.backup import back_up
from orchestrator.ledger.check import check_beside
from tests.ledger.lives import Life
from tests.ledger.tampering import tamper
from tests.nights import EAST, Cloud, copies_of

pytestmark = pytest.mark.looptime

NOW = 1_800_000_000.0


async def lived(folder: Path) -> Life:
    """Live through a night."""
    life = Life(folder, Cloud(images=2))
    await life.night(copies_of(2, EAST))
    return life


async def test_a_copy_beside_a_writer_is_the_ledger(tmp_path: Path) -> None:
    """Made while another process has it open: whole, of mode 0600, named after the time, readable alone."""
    life = await lived(tmp_path)
    with life.open():
        report = back_up(tmp_path, None, now=NOW)
    assert report.path == tmp_path / "backups" / "ledger-20270115t080000z.db"
    assert (report.findings, report.copies) == ((), 2)
    assert report.path.stat().st_mode & 0o777 == 0o600
    assert report.path.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in report.path.parent.iterdir()] == [report.path.name]


async def test_a_restored_copy_goes_on(tmp_path: Path) -> None:
    """Put in the ledger's place it is the ledger: the next night finds everything done."""
    life = await lived(tmp_path)
    report = back_up(tmp_path, tmp_path / "copy.db", now=NOW)
    (tmp_path / "ledger.db").unlink()
    report.path.rename(tmp_path / "ledger.db")
    await life.night(copies_of(2, EAST))
    assert len(life.cloud.world.books()["calls"]) == 1
    assert check_beside(tmp_path / "ledger.db").findings == ()


async def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that is there stays as it is; so does a folder that is not there."""
    await lived(tmp_path)
    target = tmp_path / "mine"
    target.write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        back_up(tmp_path, target, now=NOW)
    assert target.read_text() == "mine"
    with pytest.raises(UsageError, match="cannot be made"):
        back_up(tmp_path, tmp_path / "no" / "copy.db", now=NOW)


async def test_a_damaged_ledger_gives_no_copy(tmp_path: Path) -> None:
    """What is not whole is no backup: no file stays behind."""
    await lived(tmp_path)
    tamper(tmp_path, lambda connection: connection.execute("UPDATE events SET at = 1.0 WHERE seq = 3"))
    with pytest.raises(LedgerDamaged, match="event 3"):
        back_up(tmp_path, tmp_path / "copy.db", now=NOW)
    assert not (tmp_path / "copy.db").exists()


async def test_the_verbs_say_what_they_found(tmp_path: Path) -> None:
    """In words and as JSON: whole or not, and where; 0 or 65. A PLAN may be named."""
    await lived(tmp_path)
    state = ["--state-dir", str(tmp_path)]
    whole = CliRunner().invoke(cli, ["ledger", "check", "plan.yaml", *state], standalone_mode=False)
    assert (whole.return_value, whole.exception) == (0, None)
    assert "whole: file, events, replay" in whole.output
    copied = CliRunner().invoke(cli, ["ledger", "backup", *state], standalone_mode=False)
    assert "2 copies, checked" in copied.output
    tamper(tmp_path, lambda connection: connection.execute("DELETE FROM copies"))
    broken = CliRunner().invoke(cli, ["ledger", "check", "--json", *state], standalone_mode=False)
    assert broken.return_value == 65
    assert json.loads(broken.output)["whole"] is False
    none = CliRunner().invoke(
        cli, ["ledger", "check", "--state-dir", str(tmp_path / "no")], standalone_mode=False
    )
    assert isinstance(none.exception, UsageError)
