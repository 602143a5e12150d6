"""`orchestrator cancel` where there is nothing to cancel, or nobody that it may end; real runs are in e2e."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestrator.cli.main import cli
from orchestrator.core.model import RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Verdict
from orchestrator.ledger.folder import LOCK
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.watch.cancel_view import ending_lines
from tests.watch.samples import result, standing

HERE = socket.gethostname()
OWNER = LockOwner(run=RunId("run-1"), pid=os.getpid(), host=HERE, started_at=1_790_000_000.0)


def cancel(folder: Path, *options: str) -> Result:
    """Call the verb."""
    return CliRunner().invoke(cli, ["cancel", "--state-dir", str(folder), *options], standalone_mode=False)


@contextmanager
def unsignalled() -> Iterator[list[int]]:
    """Collect the SIGTERMs that reach this process."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    try:
        yield heard
    finally:
        signal.signal(signal.SIGTERM, before)


def test_where_nothing_runs_there_is_nothing_to_cancel(tmp_path: Path) -> None:
    """An empty folder, and one whose last run was killed: said plainly, exit 0, nobody is signalled."""
    with unsignalled() as heard:
        empty = cancel(tmp_path / "state")
        RunLock.attempt(tmp_path, owner=OWNER).release()
        left = {"run": "run-1", "pid": os.getpid(), "host": HERE, "started_at": 1}
        (tmp_path / LOCK).write_text(json.dumps(left), encoding="utf-8")
        killed = cancel(tmp_path)
    for done in (empty, killed):
        assert done.exception is None
        assert done.output.endswith("there is nothing to cancel.\n")
    assert not heard
    assert not (tmp_path / "state").exists()


def test_a_run_on_another_machine_is_left_alone(tmp_path: Path) -> None:
    """Its name is told, exit 2, and no process of this machine with the same number is signalled."""
    with unsignalled() as heard, RunLock.attempt(tmp_path, owner=replace(OWNER, host="elsewhere")):
        done = cancel(tmp_path)
    assert getattr(done.exception, "exit_code", None) == 2
    assert "on elsewhere" in str(done.exception)
    assert not heard


def test_a_stranger_with_the_number_of_the_run_is_left_alone(tmp_path: Path) -> None:
    """When the lock file names a process that does not have it open, nobody is signalled."""
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        with RunLock.attempt(tmp_path, owner=replace(OWNER, pid=stranger.pid)):
            done = cancel(tmp_path)
        assert getattr(done.exception, "exit_code", None) == 75
        assert "does not say truly by whom" in str(done.exception)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.communicate()


def test_asking_without_waiting(tmp_path: Path) -> None:
    """--no-wait sends one SIGTERM to the run and says what happens next."""
    with unsignalled() as heard, RunLock.attempt(tmp_path, owner=OWNER):
        done = cancel(tmp_path, "--no-wait")
    assert done.exception is None
    assert heard == [signal.SIGTERM]
    assert done.output.splitlines() == [
        f"Run run-1 (process {os.getpid()}) was asked to stop: nothing more is submitted.",
        "What the cloud has begun goes on there, and the next run adopts it.",
    ]


@pytest.mark.parametrize(
    ("states", "said"),
    [
        ("cc", "2 copies that the cloud has begun go on there; the next run adopts them."),
        ("c", "1 copy that the cloud has begun goes on there; the next run adopts it."),
        ("cd", "1 copy was in calls without an answer; the next run looks before it calls again."),
        ("w", "Nothing is under way in the cloud."),
    ],
)
def test_the_ending_says_what_goes_on(states: str, said: str) -> None:
    """Copies under way and copies in doubt are counted apart, for the next run treats them apart."""
    ways = {
        "c": (State.COPYING, Reason.ACCEPTED),
        "d": (State.DOUBTFUL, Reason.TIMEOUT),
        "w": (State.WAITING, Reason.QUEUED),
    }
    copies = [standing(*ways[letter]) for letter in states]
    assert said in ending_lines(result(*copies, verdict=Verdict.INTERRUPTED, exit_code=143))
