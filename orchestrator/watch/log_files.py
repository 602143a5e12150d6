"""The files of the progress log: where they are, one that is written line by line, and which are too old."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from orchestrator.core.model import RunId

LATEST = "latest"
_SUFFIX = ".jsonl"
_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_DAY_S = 86_400

Trouble = Callable[[OSError], None]


def log_path(folder: Path, run: RunId | None = None) -> Path:
    """Name the log of a run, or the link to the newest, in the folder STATE_DIR/logs.

    Raises ValueError for a run id that is no plain file name.
    """
    if run is None:
        return folder / LATEST
    if _RUN.fullmatch(run) is None:
        raise ValueError(f"{run!r} is not the id of a run: letters, digits, dots and dashes are")
    return folder / f"{run}{_SUFFIX}"


class LogFile:
    """A file that takes whole lines and never raises: a failing disk is reported once per gap.

    `lost` counts the lines that could not be written since the last good one.
    """

    def __init__(self, path: Path, trouble: Trouble) -> None:
        self.path = path
        self.lost = 0
        self.error = ""
        self._trouble = trouble
        self._torn = False
        self._descriptor: int | None = None
        try:
            self._descriptor = self._open()
        except OSError as error:
            self._report(error)

    def _open(self) -> int:
        """Open for appending, readable by nobody else, never through a link or into a pipe."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            os.close(descriptor)
            raise OSError(f"{self.path} is not a regular file; move it away")
        self._torn = state.st_size > 0 and os.pread(descriptor, 1, state.st_size - 1) != b"\n"
        return descriptor

    def write_line(self, line: str) -> bool:
        """Append one line at once and say whether it is in the file; a torn line is closed first."""
        if self._descriptor is None:
            self.lost += 1
            return False
        try:
            self._write_all(self._descriptor, ("\n" if self._torn else "") + line + "\n")
        except OSError as error:
            self.lost += 1
            self._report(error)
            return False
        return True

    def _write_all(self, descriptor: int, text: str) -> None:
        """Write every byte; remember when only some of them arrived."""
        rest = text.encode("utf-8", "backslashreplace")
        while rest:
            written = os.write(descriptor, rest)
            rest = rest[written:]
            self._torn = bool(rest)

    def _report(self, error: OSError) -> None:
        """Tell somebody, the first time in a gap."""
        if not self.error:
            self.error = error.strerror or str(error)
            self._trouble(error)

    def recovered(self) -> tuple[int, str]:
        """Give the number of lost lines and why, and forget them."""
        gap = (self.lost, self.error)
        self.lost, self.error = 0, ""
        return gap

    def link_latest(self) -> None:
        """Let `latest` point here, at no moment at nothing."""
        passing = self.path.with_name(f".{LATEST}-{self.path.name}")
        try:
            passing.unlink(missing_ok=True)
            passing.symlink_to(self.path.name)
            passing.replace(self.path.with_name(LATEST))
        except OSError as error:
            self._trouble(error)

    def close(self) -> None:
        """Close the file; what is written afterwards is lost silently."""
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


def prune_logs(folder: Path, *, before: float, keep: Path) -> int:
    """Remove the `*.jsonl` files last written before a UTC epoch second, except `keep`; count them.

    Links, folders and every other name stay, and what cannot be removed stays silently.
    """
    removed = 0
    with suppress(OSError):
        for path in folder.glob(f"*{_SUFFIX}"):
            if path != keep and _is_old(path, before):
                with suppress(OSError):
                    path.unlink()
                    removed += 1
    return removed


def days_ago(now: float, days: float) -> float:
    """Give the UTC epoch second this many days before `now`."""
    return now - days * _DAY_S


def _is_old(path: Path, before: float) -> bool:
    """Say whether it is a regular file that nobody wrote to since."""
    with suppress(OSError):
        state = path.lstat()
        return stat.S_ISREG(state.st_mode) and state.st_mtime < before
    return False
