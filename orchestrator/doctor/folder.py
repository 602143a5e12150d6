"""The checks of the state folder: whose it is, where it lies, room on its disk, its lock. Makes nothing."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from orchestrator.core.diagnosis import Finding, fail, ok, warn
from orchestrator.ledger.lock import is_held, read_owner

FOLDER, DISK, LOCK = "state folder", "disk", "lock"
FREE_WARN_MB, FREE_FAIL_MB = 256, 16
_MB = 1024 * 1024

_REMOTE = frozenset(
    """
    nfs nfs4 cifs smb3 smbfs 9p afs beegfs ceph glusterfs lustre gfs2 ocfs2
    fuse.sshfs fuse.glusterfs fuse.s3fs fuse.ceph
    """.split()  # noqa: SIM905 - twenty lines with one word each say no more
)
_FLEETING = frozenset(("tmpfs", "ramfs"))


def folder_findings(folder: Path, mounts: str) -> Iterator[Finding]:
    """Check a state folder; `mounts` is what /proc/self/mountinfo says, or nothing where there is none."""
    if not os.path.lexists(folder):
        yield _absent(folder)
        return
    finding = _unfit(folder)
    yield finding or ok(FOLDER, f"{folder} is a folder of yours, mode 0700")
    if not os.path.isdir(folder):
        return
    yield _disk(folder, mounts)
    yield _lock(folder)


def _absent(folder: Path) -> Finding:
    """Say whether the first run can make the folder."""
    parent = next(path for path in (*folder.absolute().parents, Path("/")) if os.path.exists(path))
    if os.access(parent, os.W_OK | os.X_OK, effective_ids=True):
        return ok(FOLDER, f"{folder} is not there yet; the first run makes it")
    mend = "Give yourself permission there, or set ORCHESTRATOR_STATE_DIR to another folder."
    return fail(FOLDER, f"{folder} is not there, and you may not write to {parent}", mend)


def _unfit(folder: Path) -> Finding | None:
    """Say what a run would complain about, or what lets others look in."""
    info, elsewhere = folder.lstat(), "or set ORCHESTRATOR_STATE_DIR to another folder."
    mode, quoted = stat.S_IMODE(info.st_mode), shlex.quote(str(folder))
    if stat.S_ISLNK(info.st_mode):
        mend = "Set ORCHESTRATOR_STATE_DIR to the folder that it points to."
        return fail(FOLDER, f"{folder} is a symbolic link, and none is followed", mend)
    if not stat.S_ISDIR(info.st_mode):
        return fail(FOLDER, f"{folder} is not a folder", f"Move it away, {elsewhere}")
    if info.st_uid != os.geteuid():
        found = f"{folder} belongs to user {info.st_uid}, not to you ({os.geteuid()})"
        return fail(FOLDER, found, f"Run as its owner, {elsewhere}")
    if mode & 0o022:
        return fail(FOLDER, f"{folder} can be written to by others (mode {mode:04o})", f"chmod 700 {quoted}")
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=True):
        return fail(FOLDER, f"{folder} cannot be written to (mode {mode:04o})", f"chmod 700 {quoted}")
    if mode & 0o077:
        return warn(FOLDER, f"{folder} can be read by others (mode {mode:04o})", f"chmod 700 {quoted}")
    return None


def _disk(folder: Path, mounts: str) -> Finding:
    """Check that the folder's disk is here, stays, and has room."""
    try:
        room = os.statvfs(folder)
    except OSError as error:
        return warn(DISK, f"nobody can say how much room {folder} has: {error.strerror}", "Look with `df`.")
    free_mb, kind = room.f_bavail * room.f_frsize // _MB, kind_of(folder.resolve(), mounts)
    elsewhere = "Set ORCHESTRATOR_STATE_DIR to a folder on a local disk."
    if free_mb < FREE_FAIL_MB:
        return fail(DISK, f"only {free_mb} MB are free at {folder}", "Free space there.")
    if kind in _REMOTE:
        return warn(DISK, f"{folder} lies on a network file system ({kind}): locks may not hold", elsewhere)
    if kind in _FLEETING:
        return warn(DISK, f"{folder} lies in memory ({kind}): the ledger is lost at a restart", elsewhere)
    if free_mb < FREE_WARN_MB:
        return warn(DISK, f"only {free_mb} MB are free at {folder}", "Free space there.")
    return ok(DISK, f"{'on a local disk, ' if kind else ''}enough room")


def kind_of(folder: Path, mounts: str) -> str:
    """Name the kind of file system that a folder lies on; "" where that is not known.

    Of the lines of /proc/self/mountinfo (proc(5)) the one with the longest mount point above it counts,
    and of equal ones the last.
    """
    best, kind = -1, ""
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5:
            continue
        point = Path(fields[4].replace("\\040", " "))
        depth = len(point.parts)
        if folder.is_relative_to(point) and depth >= best:
            best, kind = depth, after.split(" ")[0]
    return kind


def _lock(folder: Path) -> Finding:
    """Say who holds the lock, if somebody does."""
    if not is_held(folder):
        return ok(LOCK, "free")
    owner = read_owner(folder)
    mend = "Wait until that run has ended; if it hangs, `orchestrator run PLAN --take-over`."
    return warn(LOCK, f"held by {owner}" if owner else "held, and its holder has not said who it is", mend)
