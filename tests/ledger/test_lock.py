"""The run lock: one holder, freed by the kernel, not inherited, and it says who holds it."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.core.model import RunId
from orchestrator.errors import LockHeld, SettingsError
from orchestrator.ledger.lock import LockOwner, RunLock, is_held, read_owner

FIRST = LockOwner(run=RunId("run-1"), pid=4711, host="night-1", started_at=1_790_000_000.5)
SECOND = LockOwner(run=RunId("run-2"), pid=4712, host="night-2", started_at=1_790_000_060.0)
THIRD = LockOwner(run=RunId("run-3"), pid=4713, host="night-1", started_at=1_790_000_120.0)

HOLDER = """
import subprocess, sys
from pathlib import Path
from tests.ledger.test_lock import FIRST, RunLock
child = "import os, sys; print(os.getpid(), flush=True); sys.stdin.read()"
with RunLock.attempt(Path(sys.argv[1]), owner=FIRST):
    subprocess.Popen([sys.executable, "-c", child], close_fds=False).wait()
"""


def test_the_second_is_told_who_holds_it_since_when(tmp_path: Path) -> None:
    """The second run ends with 75 and learns run, process, host and start of the first."""
    with RunLock.attempt(tmp_path, owner=FIRST), pytest.raises(LockHeld) as refusal:
        RunLock.attempt(tmp_path, owner=SECOND)
    assert refusal.value.exit_code == 75
    assert "run run-1, process 4711 on night-1, since 2026-09-21T14:13:20Z" in str(refusal.value)
    assert "--lock-wait" in str(refusal.value)


def test_a_released_lock_can_be_taken(tmp_path: Path) -> None:
    """After the block the lock is free, its file stays, and releasing twice does no harm."""
    with RunLock.attempt(tmp_path, owner=FIRST) as lock:
        assert read_owner(tmp_path) == FIRST
        lock.release()
    assert read_owner(tmp_path) is None
    with RunLock.attempt(tmp_path, owner=SECOND):
        assert read_owner(tmp_path) == SECOND
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_a_longer_name_leaves_no_rest(tmp_path: Path) -> None:
    """The line of a new owner replaces a longer one that a killed process left."""
    (tmp_path / "lock").write_text("x" * 1000)
    with RunLock.attempt(tmp_path, owner=FIRST):
        assert read_owner(tmp_path) == FIRST


def test_a_killed_holder_frees_the_lock(tmp_path: Path) -> None:
    """Killed with -9 the holder frees the lock at once, though a process that it started lives on."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        grandchild = int(holder.stdout.readline())
        with pytest.raises(LockHeld, match="process 4711 on night-1"):
            RunLock.attempt(tmp_path, owner=SECOND)
        holder.kill()
        holder.wait()
        assert read_owner(tmp_path) == FIRST
        RunLock.attempt(tmp_path, owner=SECOND).release()
        os.kill(grandchild, 0)


def test_a_forked_child_does_not_keep_a_released_lock(tmp_path: Path) -> None:
    """A lock that is given back is free, even where something else still has its descriptor."""
    lock = RunLock.attempt(tmp_path, owner=FIRST)
    assert lock._fd is not None
    shared = os.dup(lock._fd)  # what a child has between fork and exec
    try:
        lock.release()
        RunLock.attempt(tmp_path, owner=SECOND).release()
    finally:
        os.close(shared)


async def test_waiting_takes_the_lock_when_it_is_freed(tmp_path: Path) -> None:
    """With a time to wait, the second tries again and again and gets the lock once it is free."""
    first = RunLock.attempt(tmp_path, owner=FIRST)
    pauses: list[float] = []

    async def sleep(pause_s: float) -> None:
        pauses.append(pause_s)
        if len(pauses) == 3:
            first.release()

    with await RunLock.acquire(tmp_path, owner=lambda: SECOND, wait_s=600, sleep=sleep):
        assert read_owner(tmp_path) == SECOND
    assert pauses == [0.5, 0.5, 0.5]


@pytest.mark.parametrize(("wait_s", "pauses"), [(0.0, []), (0.2, [0.2]), (1.2, [0.5, 0.5, 0.2])])
async def test_waiting_ends_in_time(tmp_path: Path, wait_s: float, pauses: list[float]) -> None:
    """The wait is as long as asked, then who holds the lock is said."""
    slept: list[float] = []

    async def sleep(pause_s: float) -> None:
        slept.append(pause_s)

    with RunLock.attempt(tmp_path, owner=FIRST), pytest.raises(LockHeld, match="run-1"):
        await RunLock.acquire(tmp_path, owner=lambda: SECOND, wait_s=wait_s, sleep=sleep)
    assert slept == pytest.approx(pauses)


def test_a_removed_lock_file_does_not_split_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is replaced between opening and locking is not the lock: the new one is taken."""
    real, times = os.fchmod, iter([True, False])

    def fchmod(fd: int, mode: int) -> None:
        real(fd, mode)
        if next(times):
            (tmp_path / "lock").unlink()

    monkeypatch.setattr(os, "fchmod", fchmod)
    with RunLock.attempt(tmp_path, owner=FIRST):
        assert read_owner(tmp_path) == FIRST
        monkeypatch.undo()
        with pytest.raises(LockHeld, match="run-1"):
            RunLock.attempt(tmp_path, owner=SECOND)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "1", "null", '{"run": "r"}', '{"run": 1, "pid": "x", "host": 1, "started_at": 1}', "\xff",
     '{"run": "r", "pid": 1, "host": "h", "started_at": 1e300}', "[" * 4000],
)  # fmt: skip
def test_a_strange_line_hides_only_the_name(tmp_path: Path, text: str) -> None:
    """Whatever stands in the lock file, the lock holds and the second gets a clear refusal."""
    with RunLock.attempt(tmp_path, owner=FIRST):
        (tmp_path / "lock").write_text(text, encoding="latin-1")
        assert read_owner(tmp_path) is None
        with pytest.raises(LockHeld, match=r"Another run holds the lock /.*/lock\. "):
            RunLock.attempt(tmp_path, owner=SECOND)


def test_the_lock_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    """The lock has mode 0600 under any umask."""
    for umask in (0, 0o777):
        before = os.umask(umask)
        try:
            RunLock.attempt(tmp_path, owner=FIRST).release()
        finally:
            os.umask(before)
        assert stat.S_IMODE((tmp_path / "lock").stat().st_mode) == 0o600
        (tmp_path / "lock").unlink()


def test_a_linked_lock_is_refused(tmp_path: Path) -> None:
    """A symbolic link in the place of the lock is not followed and its target not touched."""
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / "lock").symlink_to(target)
    with pytest.raises(SettingsError, match="symbolic link"):
        RunLock.attempt(tmp_path, owner=FIRST)
    assert target.read_text() == "precious"


def test_a_pipe_in_place_of_the_lock_is_refused(tmp_path: Path) -> None:
    """A named pipe is refused and blocks nobody."""
    os.mkfifo(tmp_path / "lock")
    with pytest.raises(SettingsError, match="not a regular file"):
        RunLock.attempt(tmp_path, owner=FIRST)


def test_a_lock_can_be_taken_over(tmp_path: Path) -> None:
    """The successor holds the lock, third ones are kept out, and the end of the former changes nothing."""
    former = RunLock.attempt(tmp_path, owner=FIRST)
    with RunLock.seize(tmp_path, owner=SECOND, holder=FIRST):
        assert read_owner(tmp_path) == SECOND
        for _ in range(2):
            with pytest.raises(LockHeld, match="run-2"):
                RunLock.attempt(tmp_path, owner=THIRD)
            former.release()
        assert read_owner(tmp_path) == SECOND
    RunLock.attempt(tmp_path, owner=THIRD).release()
    assert [file.name for file in tmp_path.iterdir()] == ["lock"]


def test_only_the_one_agreed_upon_is_overtaken(tmp_path: Path) -> None:
    """Who took the lock after the question was answered keeps it."""
    with RunLock.attempt(tmp_path, owner=THIRD):
        with pytest.raises(LockHeld, match=r"in other hands by now: run run-3.*Nothing was taken over"):
            RunLock.seize(tmp_path, owner=SECOND, holder=FIRST)
        assert read_owner(tmp_path) == THIRD


def test_of_two_that_take_over_one_does(tmp_path: Path) -> None:
    """Both were allowed to take over from the same run: the second finds the lock in other hands."""
    former = RunLock.attempt(tmp_path, owner=FIRST)
    with RunLock.seize(tmp_path, owner=SECOND, holder=FIRST), pytest.raises(LockHeld, match="run-2"):
        RunLock.seize(tmp_path, owner=THIRD, holder=FIRST)
    former.release()


def test_a_lock_that_was_freed_meanwhile_is_simply_taken(tmp_path: Path) -> None:
    """The other run came to its end between question and answer: there is nothing to take over."""
    RunLock.attempt(tmp_path, owner=FIRST).release()
    with RunLock.seize(tmp_path, owner=SECOND, holder=FIRST):
        assert read_owner(tmp_path) == SECOND


def test_a_take_over_that_was_killed_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    """What it had prepared is used by the next one, whatever stands in it."""
    former = RunLock.attempt(tmp_path, owner=FIRST)
    (tmp_path / "lock.next").write_text("x" * 1000)
    with RunLock.seize(tmp_path, owner=SECOND, holder=FIRST):
        assert read_owner(tmp_path) == SECOND
    former.release()


@pytest.mark.parametrize("kind", [fcntl.LOCK_EX, fcntl.LOCK_SH])
def test_nobody_slips_in_during_a_take_over(tmp_path: Path, kind: int) -> None:
    """While one takes over no other takes the lock; while one takes it nobody takes over."""
    former = RunLock.attempt(tmp_path, owner=FIRST)
    gate = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(gate, kind)
        with pytest.raises(LockHeld, match="this very moment"):
            RunLock.seize(tmp_path, owner=SECOND, holder=FIRST)
        with pytest.raises(LockHeld, match="this very moment" if kind == fcntl.LOCK_EX else "run-1"):
            RunLock.attempt(tmp_path, owner=THIRD)
    finally:
        os.close(gate)
        former.release()


def test_looking_whether_it_is_held_disturbs_nobody(tmp_path: Path) -> None:
    """Free before, held during, free after; no file is made, and no link followed."""
    assert not is_held(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with RunLock.attempt(tmp_path, owner=FIRST):
        assert is_held(tmp_path)
        assert read_owner(tmp_path) == FIRST
    assert not is_held(tmp_path)
    (tmp_path / "lock").unlink()
    (tmp_path / "lock").symlink_to("elsewhere")
    assert not is_held(tmp_path)
