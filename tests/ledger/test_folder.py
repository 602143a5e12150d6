"""The state folder: private from the first moment, and refused where others could tamper with it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from orchestrator.core.model import RunId
from orchestrator.errors import SettingsError
from orchestrator.ledger.connect import backup
from orchestrator.ledger.folder import open_private, prepare_folder
from orchestrator.ledger.lock import LockOwner, RunLock, read_owner
from orchestrator.ledger.reader import LedgerReader
from orchestrator.ledger.sqlite import Ledger
from orchestrator.watch.progress_log import ProgressLog

OWNER = LockOwner(run=RunId("r1"), pid=1, host="here", started_at=1.0)


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


@pytest.mark.parametrize("bits", [0o755, 0o750, 0o711, 0o700])
@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_folder_that_others_look_into_is_closed(tmp_path: Path, bits: int, umask: int) -> None:
    """One that is there already is private too once it is used, whoever made it for us."""
    folder = tmp_path / "a" / "b" / "state"
    (folder / "logs").mkdir(parents=True)
    for name in ("ledger.db", "ledger.db-wal", "lock", "simulated", "logs/other"):
        (folder / name).write_text("")
    for part in (folder, folder / "logs"):
        part.chmod(bits)
    before = os.umask(umask)
    try:
        assert prepare_folder(folder) == prepare_folder(folder) == folder
    finally:
        os.umask(before)
    assert (mode(folder), mode(folder / "logs")) == (0o700, 0o700)


def test_a_folder_with_something_foreign_stays_open(tmp_path: Path) -> None:
    """Who names a home or /var/lib as state folder does not find everybody else locked out; logs/ is ours."""
    (tmp_path / "state" / "public_html").mkdir(parents=True)
    (tmp_path / "state").chmod(0o755)
    folder = prepare_folder(tmp_path / "state")
    assert (mode(folder), mode(folder / "logs"), mode(folder / "public_html")) == (0o755, 0o700, 0o755)


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


def write_into(folder: Path, name: str) -> None:
    """Begin to write into one file of a state folder as a run does."""
    if name == "lock":
        RunLock.attempt(folder, owner=OWNER).release()
    else:
        Ledger.open(folder, ids=lambda: "ledgerledger", now=1.0).close()


@pytest.mark.parametrize("name", ["ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db-journal", "lock"])
@pytest.mark.parametrize("dangling", [False, True], ids=["to a file", "to nothing"])
def test_no_file_is_opened_through_a_link(tmp_path: Path, name: str, dangling: bool) -> None:
    """A link in the place of any file is refused by those who write, and its target stays as it was."""
    folder, target = prepare_folder(tmp_path / "state"), tmp_path / "target"
    if not dangling:
        target.write_text("precious")
    (folder / name).symlink_to(target)
    with pytest.raises(SettingsError, match="symbolic link"):
        write_into(folder, name)
    assert target.exists() is not dangling
    assert dangling or target.read_text() == "precious"


def test_looking_opens_no_file_through_a_link_either(tmp_path: Path) -> None:
    """A reader is refused a linked ledger; a linked lock, or a pipe in its place, names no owner."""
    folder, target = prepare_folder(tmp_path / "state"), tmp_path / "target"
    with RunLock.attempt(folder, owner=OWNER):
        assert read_owner(folder) == OWNER
        target.write_bytes((folder / "lock").read_bytes())
    (folder / "lock").unlink()
    (folder / "lock").symlink_to(target)
    assert read_owner(folder) is None
    (folder / "lock").unlink()
    os.mkfifo(folder / "lock")
    assert read_owner(folder) is None
    (folder / "ledger.db").symlink_to(target)
    with pytest.raises(SettingsError, match="symbolic link"):
        LedgerReader.open(folder)


def test_a_log_is_not_written_through_a_link(tmp_path: Path) -> None:
    """The log of a run goes into a file of its own or nowhere; `latest` is replaced, never followed."""
    folder, target = prepare_folder(tmp_path / "state") / "logs", tmp_path / "target"
    target.write_text("precious")
    (folder / "r1.jsonl").symlink_to(target)
    (folder / "latest").symlink_to(target)
    troubles: list[OSError] = []
    with ProgressLog.open(
        folder, RunId("r1"), level="info", clock=lambda: 1.0, trouble=troubles.append
    ) as log:
        log.note("run.signal", "warning", signal="SIGINT")
    assert len(troubles) == 1
    assert target.read_text() == "precious"
    assert (folder / "latest").readlink() == Path("r1.jsonl")


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_backup_is_private_and_follows_no_link(tmp_path: Path, umask: int) -> None:
    """A copy of the ledger has mode 0600; where something is already, also a dangling link, none is made."""
    folder = prepare_folder(tmp_path / "state")
    before = os.umask(umask)
    try:
        Ledger.open(folder, ids=lambda: "ledgerledger", now=1.0).close()
        backup(folder / "ledger.db", tmp_path / "copy")
    finally:
        os.umask(before)
    assert mode(tmp_path / "copy") == mode(folder / "ledger.db") == 0o600
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(FileExistsError):
        backup(folder / "ledger.db", tmp_path / "link")
    assert not (tmp_path / "nothing").exists()


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
