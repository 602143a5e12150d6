"""The checks of the state folder, and of what kind of disk it lies on."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.diagnosis import Finding, Level
from orchestrator.doctor.folder import folder_findings, kind_of

MOUNTS = """\
22 1 0:20 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:25 / /home rw - nfs4 server:/home rw
31 30 0:26 / /home/local\\040disk rw - xfs /dev/sdb1 rw
40 22 0:30 / /run rw - tmpfs tmpfs rw
41 22 0:31 / /run rw - ramfs none rw
a torn line
"""


def first(folder: Path, mounts: str = "") -> Finding:
    """Take the finding about the folder itself."""
    return next(iter(folder_findings(folder, mounts)))


def private(folder: Path, mode: int = 0o700) -> Path:
    """Make a folder of this mode."""
    folder.mkdir()
    folder.chmod(mode)
    return folder


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/lib/x", "ext4"),
        ("/home/me/state", "nfs4"),
        ("/homer/state", "ext4"),
        ("/home/local disk/state", "xfs"),
        ("/run/x", "ramfs"),  # the later of two mounts at one place
    ],
)
def test_the_deepest_mount_tells_the_kind_of_disk(path: str, kind: str) -> None:
    """As the kernel resolves it: the longest mount point above, of equal ones the last."""
    assert kind_of(Path(path), MOUNTS) == kind


def test_nothing_is_said_of_disks_that_nobody_knows() -> None:
    """Without a table of mounts there is no kind."""
    assert kind_of(Path("/x"), "") == ""


@pytest.mark.parametrize(("kind", "said"), [("nfs4", "network"), ("tmpfs", "lost at a restart")])
def test_a_disk_that_is_not_here_or_does_not_stay_is_a_warning(tmp_path: Path, kind: str, said: str) -> None:
    """Locks on a network file system may not hold; what lies in memory is lost."""
    mounts = f"22 1 0:20 / / rw - {kind} none rw\n"
    found = [f for f in folder_findings(private(tmp_path / "s"), mounts) if f.check == "disk"]
    assert [(f.level, said in f.found) for f in found] == [(Level.WARN, True)]


def test_a_folder_that_is_not_there_yet_is_in_order(tmp_path: Path) -> None:
    """The first run makes it; looking for it makes nothing."""
    finding = first(tmp_path / "not" / "there")
    assert (finding.level, "not there yet" in finding.found) == (Level.OK, True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("mode", "level"), [(0o700, Level.OK), (0o750, Level.WARN), (0o770, Level.FAIL), (0o707, Level.FAIL)]
)
def test_what_others_may_do_there(tmp_path: Path, mode: int, level: Level) -> None:
    """To look in is a warning, to write is a failure; the command that mends it is named, not run."""
    folder = private(tmp_path / "state", mode)
    finding = first(folder)
    assert finding.level is level
    assert level is Level.OK or f"chmod 700 {folder}" in finding.mend
    assert folder.stat().st_mode & 0o777 == mode


def test_links_and_files_are_no_folder(tmp_path: Path) -> None:
    """Neither is followed or used."""
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to(private(tmp_path / "real"))
    assert [first(tmp_path / name).level for name in ("file", "link")] == [Level.FAIL, Level.FAIL]
