"""The run lock: one run per state folder, freed by the kernel when its process dies. Never a stale lock file.

It is an flock: a forked child that does not exec would share it, so this program never forks. The
lock is whichever file has its name: one run takes it from another by putting a new file there, and
what the other holds then is no lock any more. It keeps runs apart; that the other, when it wakes,
does no harm is the affair of the ledger's epoch.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import anyio

from orchestrator.core.model import RunId
from orchestrator.errors import LockHeld, SettingsError
from orchestrator.ledger.folder import LOCK, open_private

POLL_S = 0.5
_TEXT_MAX = 4096
_REPLACED_MAX = 10
_NEXT = f"{LOCK}.next"


@dataclass(frozen=True, slots=True, kw_only=True)
class LockOwner:
    """Who holds the lock: run, process id, host name, and since when (UTC epoch seconds)."""

    run: RunId
    pid: int
    host: str
    started_at: float

    def __str__(self) -> str:
        """Say it as LockHeld and `status` show it."""
        since = datetime.fromtimestamp(self.started_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"run {self.run}, process {self.pid} on {self.host}, since {since}"


class RunLock:
    """A held lock; leaving its `with` block frees it, and so does the end of the process, however it ends."""

    def __init__(self, fd: int, owner: LockOwner) -> None:
        """Take over a descriptor that is locked already; `attempt` and `acquire` make one."""
        self._fd: int | None = fd
        self.owner = owner

    @classmethod
    def attempt(cls, folder: Path, *, owner: LockOwner) -> RunLock:
        """Take the lock now. Raises LockHeld, which says who holds it, or SettingsError."""
        with _gate(folder, fcntl.LOCK_SH):
            return cls._attempt(folder, owner)

    @classmethod
    def seize(cls, folder: Path, *, owner: LockOwner, holder: LockOwner) -> RunLock:
        """Take the lock although `holder` has it, dead, frozen or alive.

        The caller must take the ledger's epoch next, before it believes anything. Raises LockHeld
        when the lock is in other hands by now, for nobody agreed to that.
        """
        with _gate(folder, fcntl.LOCK_EX):
            found = read_owner(folder)
            if found == holder:
                return cls._replace(folder, owner)
        if found is not None:
            raise LockHeld(f"The lock is in other hands by now: {found}. Nothing was taken over.")
        return cls.attempt(folder, owner=owner)

    @classmethod
    def _replace(cls, folder: Path, owner: LockOwner) -> RunLock:
        """Lock a file of another name, and give it the lock's name."""
        fd = open_private(folder, _NEXT, os.O_RDWR | os.O_CREAT)
        try:
            _lock(folder / _NEXT, fd)
            _write_owner(fd, owner)
            os.replace(folder / _NEXT, folder / LOCK)
        except BaseException:
            os.close(fd)
            raise
        return cls(fd, owner)

    @classmethod
    def _attempt(cls, folder: Path, owner: LockOwner) -> RunLock:
        """Lock the file that has the lock's name."""
        for _ in range(_REPLACED_MAX):
            fd = open_private(folder, LOCK, os.O_RDWR | os.O_CREAT)
            try:
                _lock(folder / LOCK, fd)
                if _is_still(folder / LOCK, fd):
                    _write_owner(fd, owner)
                    return cls(fd, owner)
            except BaseException:
                os.close(fd)
                raise
            os.close(fd)
        raise LockHeld(f"{folder / LOCK} is replaced again and again. Find out by whom, run again.")

    @classmethod
    async def acquire(
        cls,
        folder: Path,
        *,
        owner: Callable[[], LockOwner],
        wait_s: float = 0.0,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
    ) -> RunLock:
        """Take the lock, trying again for up to `wait_s` seconds. Raises like `attempt`.

        `owner` names who takes it at the moment of each try, so that "since" is when it was taken.
        """
        left_s = wait_s
        while True:
            try:
                return cls.attempt(folder, owner=owner())
            except LockHeld:
                if left_s <= 0:
                    raise
            pause_s = min(POLL_S, left_s)
            await sleep(pause_s)
            left_s -= pause_s

    def release(self) -> None:
        """Free the lock. The file stays: removing it would let two runs lock two files of one name."""
        if self._fd is None:
            return
        with suppress(OSError):
            os.ftruncate(self._fd, 0)
        # Not by closing alone: a child that is just being started still has the descriptor until its exec.
        fcntl.flock(self._fd, fcntl.LOCK_UN)
        os.close(self._fd)
        self._fd = None

    def __enter__(self) -> RunLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def read_owner(folder: Path) -> LockOwner | None:
    """Tell who wrote the lock file last; None after an orderly end. A killed owner's name stays in it."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        fd = os.open(folder / LOCK, flags)
    except OSError:
        return None
    try:
        return _parse(os.read(fd, _TEXT_MAX))
    except OSError:
        return None
    finally:
        os.close(fd)


def is_held(folder: Path) -> bool:
    """Tell whether somebody holds the lock, as far as this machine can see. Makes nothing."""
    try:
        fd = os.open(folder / LOCK, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(fd, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


@contextmanager
def _gate(folder: Path, kind: int) -> Iterator[None]:
    """Keep those who take a lock and the one who takes it over apart for a moment, by locking the folder.

    Where a folder cannot be locked nobody is kept out, and the epoch alone decides.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:  # whoever opens the lock in it says what is wrong
        yield
        return
    try:
        _pass(fd, kind)
        yield
        with suppress(OSError):
            fcntl.flock(fd, fcntl.LOCK_UN)
    finally:
        os.close(fd)


def _pass(fd: int, kind: int) -> None:
    """Go through the gate, which stands open but for the moment of a take-over."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        raise LockHeld("Another run takes the lock at this very moment. Run again.") from None
    except OSError:
        pass  # no gate here


def _lock(path: Path, fd: int) -> None:
    """Lock an open file without waiting; raise LockHeld when somebody else has it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = _parse(os.pread(fd, _TEXT_MAX, 0))
        who = f"Another run holds the lock: {owner}" if owner else f"Another run holds the lock {path}"
        raise LockHeld(f"{who}. Wait for it, give --lock-wait, or --take-over if it hangs.") from None
    except OSError as error:
        raise SettingsError(
            f"{path}: this file system gives no locks ({error.strerror}). "
            f"Set ORCHESTRATOR_STATE_DIR to a folder on a local disk."
        ) from error


def _is_still(path: Path, fd: int) -> bool:
    """Tell whether the locked file is the one that others find under that name."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(fd))
    except FileNotFoundError:
        return False


def _write_owner(fd: int, owner: LockOwner) -> None:
    """Leave a line for the one who comes second. The lock holds without it, so a full disk is no matter."""
    with suppress(OSError):
        os.ftruncate(fd, 0)
        os.pwrite(fd, json.dumps(asdict(owner)).encode() + b"\n", 0)


def _parse(text: bytes) -> LockOwner | None:
    """Read the line back; None for anything else, an owner that has not written it yet included."""
    try:
        fields = json.loads(text)
        owner = LockOwner(
            run=RunId(str(fields["run"])),
            pid=int(fields["pid"]),
            host=str(fields["host"]),
            started_at=float(fields["started_at"]),
        )
        str(owner)  # a time that no calendar has
    except (ValueError, KeyError, TypeError, OverflowError, OSError, RecursionError):
        return None
    return owner
