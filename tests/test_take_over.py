"""What `run --take-over` says before it asks: only what can be known, and nothing that a file could forge."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.cli.take_over import agreed_holder, known_of
from orchestrator.core.model import RunId
from orchestrator.errors import LockHeld
from orchestrator.ledger.lock import LockOwner, RunLock

NOW = 1_790_000_000.0
OWNER = LockOwner(run=RunId("run-1"), pid=os.getpid(), host="here", started_at=NOW - 7200)
NO_PROCESS = 2**22 + 1
"""A process id that Linux never gives."""


def said(folder: Path, owner: LockOwner) -> str:
    """Say what is known, in one text."""
    return "\n".join(known_of(owner, folder, host="here", now=NOW))


def test_the_holder_and_its_last_word_are_told(tmp_path: Path) -> None:
    """Run, process, host, since when and how long; and when something was recorded last, in either file."""
    for name, age_s in (("ledger.db", 9000), ("ledger.db-wal", 300)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (NOW - age_s, NOW - age_s))
    text = said(tmp_path, OWNER)
    assert f"run run-1, process {os.getpid()} on here, since 2026-09-21T12:13:20Z (2 h" in text
    assert "The last event was recorded 5 min" in text


def test_a_run_that_recorded_nothing(tmp_path: Path) -> None:
    """Without a ledger there is no last event."""
    assert "It has recorded nothing yet." in said(tmp_path, OWNER)


@pytest.mark.parametrize(
    ("owner", "words"),
    [
        (OWNER, "It is alive: if it does not hang, `kill "),
        (replace(OWNER, pid=NO_PROCESS), "There is no such process here"),
        (replace(OWNER, host="there"), "It runs on there; from here (here) nobody can see how it is."),
    ],
)
def test_no_more_is_said_than_can_be_seen(tmp_path: Path, owner: LockOwner, words: str) -> None:
    """A process of this machine is looked at; of another machine's nothing is claimed."""
    assert words in said(tmp_path, owner)


def test_a_forged_name_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    """Control characters in the lock file come out as their escapes."""
    forged = replace(OWNER, run=RunId("r\x1b[2J"), host="h\r\x07")
    assert all(line.isprintable() for line in known_of(forged, tmp_path, host="here", now=NOW))


def test_a_holder_without_a_name_is_not_overtaken(tmp_path: Path) -> None:
    """Who is not known cannot be agreed upon, a yes or not: how to find out is said."""
    with RunLock.attempt(tmp_path, owner=OWNER):
        (tmp_path / "lock").write_text("")
        with pytest.raises(LockHeld, match=r"`fuser .*lock` names the process"):
            agreed_holder(tmp_path, yes=True)


def test_nobody_holds_it(tmp_path: Path) -> None:
    """There is nothing to ask and nobody to overtake."""
    assert agreed_holder(tmp_path, yes=False) is None
    RunLock.attempt(tmp_path, owner=OWNER).release()
    assert agreed_holder(tmp_path, yes=False) is None
