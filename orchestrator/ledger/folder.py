"""The state folder: makes it private, names what lives in it, opens files there and follows no links."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.errors import SettingsError

LEDGER = "ledger.db"
LOCK = "lock"
LOGS = "logs"

_OURS = (LEDGER, LOCK, LOGS, "simulated", "backup")
"""How the names begin that this program gives in a state folder."""

_ELSEWHERE = "or set ORCHESTRATOR_STATE_DIR to another folder"


def prepare_folder(path: Path) -> Path:
    """Make the state folder and its logs/ where absent, refuse one that others could tamper with.

    Returns the absolute path. A new folder gets mode 0700, whatever the umask, and so does one that
    others can look into, unless something of theirs is in it. Raises SettingsError.
    """
    folder = path.absolute()
    with _explained(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        _make_private(folder)
        _make_private(folder / LOGS, ours=True)
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        raise SettingsError(f"{folder} cannot be written to. Give yourself permission, {_ELSEWHERE}.")
    return folder


def make_private(folder: Path) -> None:
    """Make a folder of ours below the state folder, refuse one that others could tamper with."""
    with _explained(folder):
        _make_private(folder)


def open_private(folder: Path, name: str, flags: int) -> int:
    """Open a file of the state folder, 0600 and not inherited by child processes; return its descriptor.

    A link, a pipe or a device under that name is refused. Raises SettingsError.
    """
    path = folder / name
    with _explained(path):
        folder_fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fd = os.open(name, flags | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600, dir_fd=folder_fd)
        finally:
            os.close(folder_fd)
    try:
        refuse_strange(path, os.fstat(fd))
        with _explained(path):
            os.fchmod(fd, 0o600)
    except BaseException:
        os.close(fd)
        raise
    return fd


def refuse_strange(path: Path, info: os.stat_result) -> None:
    """Raise SettingsError unless this is a regular file of our own."""
    if stat.S_ISLNK(info.st_mode):
        raise SettingsError(
            f"{path} is a symbolic link, and none is followed here. Put the file itself there."
        )
    if not stat.S_ISREG(info.st_mode):
        raise SettingsError(f"{path} is not a regular file. Move it away.")
    if info.st_uid != os.geteuid():
        raise SettingsError(
            f"{path} belongs to user {info.st_uid}, not to you ({os.geteuid()}). "
            f"Run as its owner, {_ELSEWHERE}."
        )


def _make_private(folder: Path, *, ours: bool = False) -> None:
    """Make one folder with mode 0700; one that is there already and holds nothing foreign gets that too."""
    made = False
    with suppress(FileExistsError):
        os.mkdir(folder, 0o700)
        made = True
    if folder.is_symlink():
        raise SettingsError(
            f"{folder} is a symbolic link, and none is followed here. "
            f"Set ORCHESTRATOR_STATE_DIR to the folder that it points to."
        )
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if made:
            os.fchmod(fd, 0o700)
        info = os.fstat(fd)
        _refuse_shared(folder, info)
        if info.st_mode & 0o077 and (ours or all(name.startswith(_OURS) for name in os.listdir(fd))):
            os.fchmod(fd, 0o700)
    finally:
        os.close(fd)


def _refuse_shared(folder: Path, info: os.stat_result) -> None:
    """Raise SettingsError when somebody else could put files into the folder."""
    if info.st_uid != os.geteuid():
        raise SettingsError(
            f"{folder} belongs to user {info.st_uid}, not to you ({os.geteuid()}). "
            f"Run as its owner, {_ELSEWHERE}."
        )
    if info.st_mode & 0o022:
        raise SettingsError(
            f"{folder} can be written to by others (mode {stat.S_IMODE(info.st_mode):04o}). "
            f"Run `chmod go-w {folder}`, {_ELSEWHERE}."
        )


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a SettingsError that says where and what to do."""
    try:
        yield
    except OSError as error:
        raise SettingsError(f"{path}: {_says(error)}. Mend that, {_ELSEWHERE}.") from error
    except ValueError as error:
        raise SettingsError(f"{str(path)!r} is no file name ({error}). Set another one.") from error


def _says(error: OSError) -> str:
    """Put an error of the operating system into words."""
    words = {
        errno.ELOOP: "is a symbolic link, and none is followed here",
        errno.ENOTDIR: "is not a folder, or lies in something that is not",
        errno.EEXIST: "is not a folder, or lies in something that is not",
        errno.EROFS: "lies on a read-only file system",
        errno.ENOSPC: "the disk is full",
        errno.EACCES: "permission denied",
    }
    return words.get(error.errno or 0, error.strerror or str(error))
