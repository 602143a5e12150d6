"""The state folder: private from the first moment, and refused where others could tamper with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from orchestrator.ledger.folder import open_private, prepare_folder


def mode(path: Path) -> int:
    """Read the permission bits."""
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_a_new_folder_is_private_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    """The folder and logs/ are made with mode 0700, files in them with 0600."""
    before = os.umask(umask)
    try:
        folder = prepare_folder(tmp_path / "state")
        os.close(open_private(folder, "file", os.O_RDWR | os.O_CREAT))
    finally:
        os.umask(before)
    assert folder == tmp_path / "state"
    assert (mode(folder), mode(folder / "logs"), mode(folder / "file")) == (0o700, 0o700, 0o600)


def test_preparing_twice_changes_nothing(tmp_path: Path) -> None:
    """A folder that is there already is used as it is, also one that others may read."""
    folder = prepare_folder(tmp_path / "a" / "b" / "state")
    folder.chmod(0o755)
    assert prepare_folder(folder) == folder
    assert mode(folder) == 0o755


def test_a_relative_folder_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages and later work name the folder in full."""
    monkeypatch.chdir(tmp_path)
    assert prepare_folder(Path("state")) == tmp_path / "state"


@pytest.mark.parametrize("bits", [0o720, 0o702, 0o777, 0o1777])
@pytest.mark.parametrize("part", ["state", "state/logs"])
def test_a_folder_that_others_write_to_is_refused(tmp_path: Path, bits: int, part: str) -> None:
    """Where somebody else could put a ledger, nothing is stored; the command that mends it is said."""
    prepare_folder(tmp_path / "state")
    (tmp_path / part).chmod(bits)
    with pytest.raises(SettingsError, match=f"chmod go-w {tmp_path / part}`"):
        prepare_folder(tmp_path / "state")


@pytest.mark.parametrize("part", ["state", "state/logs"])
@pytest.mark.parametrize("dangling", [False, True])
def test_a_linked_folder_is_refused(tmp_path: Path, part: str, dangling: bool) -> None:
    """A symbolic link in the place of the folder or of logs/ is not followed."""
    target = tmp_path / "target"
    if not dangling:
        target.mkdir(mode=0o700)
    if part != "state":
        (tmp_path / "state").mkdir(mode=0o700)
    (tmp_path / part).symlink_to(target)
    with pytest.raises(SettingsError, match="symbolic link"):
        prepare_folder(tmp_path / "state")
    assert not dangling or not target.exists()


@pytest.mark.parametrize("part", ["state", "state/logs", "state/below"])
def test_a_file_in_the_way_is_said(tmp_path: Path, part: str) -> None:
    """A file where a folder must be is named."""
    wanted = tmp_path / "state"
    if part == "state/below":
        wanted.write_text("")
        wanted = wanted / "below"
    else:
        (tmp_path / part).parent.mkdir(exist_ok=True, mode=0o700)
        (tmp_path / part).write_text("")
    with pytest.raises(SettingsError, match="is not a folder"):
        prepare_folder(wanted)


@pytest.mark.parametrize("name", ["x" * 300, "a\0b"])
def test_a_name_that_cannot_be_is_said(tmp_path: Path, name: str) -> None:
    """A name that no folder can have gives a settings error, not a traceback."""
    with pytest.raises(SettingsError):
        prepare_folder(tmp_path / name)


def test_a_read_only_place_is_said() -> None:
    """A place where nothing can be made (here the kernel's own) is named, with the setting to change."""
    with pytest.raises(SettingsError, match=r"/proc/orchestrator.*ORCHESTRATOR_STATE_DIR"):
        prepare_folder(Path("/proc/orchestrator"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("part", ["state", "state/logs"])
def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, part: str) -> None:
    """A folder of another user is refused, by root as well: root's files would lock its owner out."""
    prepare_folder(tmp_path / "state")
    os.chown(tmp_path / part, 12345, -1)
    with pytest.raises(SettingsError, match="belongs to user 12345"):
        prepare_folder(tmp_path / "state")


def test_an_existing_file_is_made_private(tmp_path: Path) -> None:
    """A file that was restored with a lax mode gets 0600 when it is opened."""
    (tmp_path / "file").write_text("")
    (tmp_path / "file").chmod(0o666)
    os.close(open_private(tmp_path, "file", os.O_RDWR))
    assert mode(tmp_path / "file") == 0o600


def test_an_opened_file_is_not_inherited(tmp_path: Path) -> None:
    """No child process gets the descriptor."""
    fd = open_private(tmp_path, "file", os.O_RDWR | os.O_CREAT)
    try:
        assert not os.get_inheritable(fd)
    finally:
        os.close(fd)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    """A file that is not there gives a settings error that names it."""
    with pytest.raises(SettingsError, match="absent"):
        open_private(tmp_path, "absent", os.O_RDWR)
