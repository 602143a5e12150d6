"""What a run leaves behind: folders nobody else can enter, and no secret anywhere."""

from __future__ import annotations

import stat
from pathlib import Path

from tests.canary import SECRET, TOKEN, WRONG
from tests.e2e.support import EAST, Cloud, Home, MakeHome, images


def leaks(home: Home, *secrets: str) -> list[Path]:
    """Name the files of a home, outputs of all its processes included, that hold one of some texts."""
    files = [path for path in home.folder.rglob("*") if path.is_file()]
    texts = [secret.encode() for secret in secrets]
    return [path for path in files if any(text in path.read_bytes() for text in texts)]


def test_no_secret_is_left_anywhere(cloud: Cloud, make_home: MakeHome) -> None:
    """After a good night, told as loudly as can be, no file and no output holds the key's secret or token."""
    home = make_home(cloud, JDCLOUD_SESSION_TOKEN=TOKEN, ORCHESTRATOR_LOG_LEVEL="debug")
    sources = cloud.take(2)
    assert home.call("run", home.plan(sources, EAST), "-vv", "--json").code == 0
    for verb in (["status", "--json"], ["log"], ["runs", "--json"]):
        assert home.call(*verb).code == 0
    assert (home.state / "ledger.db").is_file()
    assert leaks(home, SECRET, TOKEN) == []
    assert leaks(home, sources[0]), "a search that finds nothing proves nothing"


def test_a_refused_secret_is_not_shown_either(cloud: Cloud, make_home: MakeHome) -> None:
    """A 401 is reported without what was refused."""
    home = make_home(cloud, JDCLOUD_SECRET_KEY=WRONG, ORCHESTRATOR_LOG_LEVEL="debug")
    assert home.call("run", home.plan(cloud.take(2), EAST), "-vv", "--json").code == 77
    assert leaks(home, WRONG) == []


def test_a_secret_in_the_wrong_place_is_not_repeated(make_home: MakeHome) -> None:
    """A secret given as a file name, or with a blank in it, is refused without being repeated."""
    for name, text in (("JDCLOUD_SECRET_KEY_FILE", WRONG), ("JDCLOUD_SECRET_KEY", f"{WRONG} x")):
        home = make_home(None)
        home.environ.pop("JDCLOUD_SECRET_KEY")
        home.environ[name] = text
        assert home.call("run", home.plan(images(1), EAST), "-vv").code != 0
        assert leaks(home, WRONG) == [], name


def test_state_is_for_its_owner_alone(cloud: Cloud, make_home: MakeHome) -> None:
    """Folders of the state are 0700 and files 0600, whatever the umask was."""
    home = make_home(cloud)
    done = home.call(
        "-c", 'umask 000; exec "$@"', "sh", str(Path(home.environ["PATH"].split(":")[0], "orchestrator")),
        "run", home.plan(cloud.take(2), EAST), program=["/bin/sh"],
    )  # fmt: skip
    assert done.code == 0, done.err
    found = {path: stat.S_IMODE(path.lstat().st_mode) for path in [home.state, *home.state.rglob("*")]}
    kinds = {path.relative_to(home.state).as_posix() for path in found}
    assert {".", "ledger.db", "lock", "logs", "logs/latest"} <= kinds
    files = {path: mode for path, mode in found.items() if path.is_file() and not path.is_symlink()}
    assert len(files) >= 3
    assert set(files.values()) == {0o600}
    assert {mode for path, mode in found.items() if path.is_dir()} == {0o700}
