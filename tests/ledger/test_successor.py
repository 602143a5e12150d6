"""Who overtook a run: said from what the successor left behind, and never in the way of the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.model import RunId
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.ledger.successor import overtaken
from tests.ledger.samples import NOW, open_ledger

FORMER, NEXT, LAST = (RunId(f"run-{number}") for number in (1, 2, 3))


def enter(folder: Path, *runs: RunId) -> None:
    """Enter runs into the ledger, an hour apart."""
    with open_ledger(folder) as ledger:
        for number, run in enumerate(runs):
            ledger.take_epoch()
            ledger.begin_run(run, plan="p", started_at=NOW + 3600 * number, wanted=())


@pytest.mark.parametrize("later", [(NEXT,), (NEXT, LAST)])
def test_the_run_that_came_next_is_named(tmp_path: Path, later: tuple[RunId, ...]) -> None:
    """It is the first one after ours, with its start, however many there were since."""
    enter(tmp_path, FORMER, *later)
    error = overtaken(tmp_path, FORMER)
    assert f"Run {FORMER} was overtaken by run {NEXT}, which began at 2026-09-21T15:13:20Z." in str(error)
    assert error.exit_code == 75


def test_a_run_that_was_never_entered_names_the_latest(tmp_path: Path) -> None:
    """Overtaken before its first word: the newest run is the one."""
    enter(tmp_path, NEXT, LAST)
    assert f"by run {LAST}," in str(overtaken(tmp_path, FORMER))


def test_who_only_has_the_lock_is_named_too(tmp_path: Path) -> None:
    """A successor that entered no run, as `settle`, is known by its lock."""
    enter(tmp_path, FORMER)
    owner = LockOwner(run=RunId("settle-x"), pid=1, host="h", started_at=NOW)
    with RunLock.attempt(tmp_path, owner=owner):
        assert "overtaken by run settle-x, process 1 on h" in str(overtaken(tmp_path, FORMER))


def test_what_cannot_be_told_is_left_out(tmp_path: Path) -> None:
    """No ledger, or one that cannot be read: the sentence stands without a name."""
    assert f"Run {FORMER} was overtaken. It stopped" in str(overtaken(tmp_path, FORMER))
    (tmp_path / "ledger.db").write_bytes(b"no ledger at all")
    assert f"Run {FORMER} was overtaken. It stopped" in str(overtaken(tmp_path, FORMER))
