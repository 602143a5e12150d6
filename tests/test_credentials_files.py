"""Credentials in files: which files are private enough, and what may stand in them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from orchestrator.settings.credentials import file_objection, secrets_of
from orchestrator.settings.secret import Secret
from tests.credentials_home import CANARY, GIVEN, KEY, NAMES, TOKEN, Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"])
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_files(home: Home, name: str, ending: bytes, mode: int) -> None:
    """Each value may stand in a private file, with or without one newline at its end."""
    environ = {key: value for key, value in GIVEN.items() if key != name}
    found = home.load({**environ, f"{name}_FILE": str(home.file(TOKEN.encode() + ending, mode))})
    values = dict(zip(NAMES, (found.access_key, found.secret_key, found.session_token), strict=True))
    value = values[name]
    assert (value.reveal() if isinstance(value, Secret) else value) == TOKEN
    assert home.load({**environ, f"{name}_FILE": "~/key"}) == found


@pytest.mark.parametrize("name", NAMES)
def test_value_and_file(home: Home, name: str) -> None:
    """A value and a file for the same thing is an error: nobody knows which one is meant."""
    error = home.refusal({**GIVEN, name: CANARY, f"{name}_FILE": str(home.file(b"x"))})
    assert str(error).startswith(f"{name}: {name}_FILE is set as well; unset one of the two")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602, 0o610, 0o601, 0o777])
def test_files_that_others_can_open(home: Home, mode: int) -> None:
    """The error names the file, its mode and the command that mends it."""
    path = home.file(CANARY.encode(), mode, "my key")
    error = home.refusal({**GIVEN, "JDCLOUD_SECRET_KEY": "", "JDCLOUD_SECRET_KEY_FILE": str(path)})
    expected = (
        f"JDCLOUD_SECRET_KEY_FILE: {path} has mode {mode:04o}, others can read it; run: chmod 600 '{path}'"
    )
    assert str(error).splitlines()[0] == expected


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"x" * 65537, "is larger than 65536 bytes"),
        (CANARY.encode() + b"\xff", "is not UTF-8"),
        (CANARY.encode() + b"\n\n", "holds a blank, a control character"),
        (f"{CANARY}\nsecond line\n".encode(), "holds a blank, a control character"),
        (b"\xef\xbb\xbf" + CANARY.encode(), "one outside ASCII"),
    ],
)
def test_bad_contents(home: Home, content: bytes, part: str) -> None:
    """A file that holds no single value is refused by its name alone."""
    path = home.file(content)
    error = home.refusal({"JDCLOUD_ACCESS_KEY": KEY, "JDCLOUD_SECRET_KEY_FILE": str(path)})
    assert str(error).startswith(f"JDCLOUD_SECRET_KEY_FILE: {path} ")
    assert part in str(error).splitlines()[0]


def test_the_largest_file(home: Home) -> None:
    """64 KiB are still read."""
    path = home.file(b"x" * 65536)
    assert (
        len(
            secrets_of(home.load({**GIVEN, "JDCLOUD_SECRET_KEY": "", "JDCLOUD_SECRET_KEY_FILE": str(path)}))[
                0
            ]
        )
        == 65536
    )


def test_what_is_no_file(home: Home) -> None:
    """Links are not followed; a folder and a pipe are refused at once instead of waited for."""
    os.symlink(home.file(CANARY.encode()), home.path / "link")
    os.mkfifo(home.path / "pipe", 0o600)
    for name, part in (
        ("link", "is a symbolic link"),
        ("pipe", "is not a regular"),
        ("", "is not a regular"),
    ):
        error = home.refusal({**GIVEN, "JDCLOUD_SESSION_TOKEN_FILE": str(home.path / name)})
        assert str(error).startswith(f"JDCLOUD_SESSION_TOKEN_FILE: {home.path / name} {part}")


@pytest.mark.parametrize("path", [CANARY, f"/none/{CANARY}", f"~/{CANARY}", f"{CANARY}\0"])
def test_a_secret_in_the_place_of_a_file_name(home: Home, path: str) -> None:
    """Who puts the secret itself into ..._FILE does not find it in the error."""
    error = home.refusal({**GIVEN, "JDCLOUD_SECRET_KEY": "", "JDCLOUD_SECRET_KEY_FILE": path})
    assert str(error).startswith("JDCLOUD_SECRET_KEY_FILE: the file cannot be opened; check that")


def looks(mode: int, owner: int) -> os.stat_result:
    """Make what fstat says of a regular file."""
    return os.stat_result((stat.S_IFREG | mode, 1, 1, 1, owner, owner, 10, 0, 0, 0))


@pytest.mark.parametrize(
    ("mode", "owner", "systemd", "part"),
    [
        (0o600, 1000, False, ""),
        (0o600, 0, False, ""),
        (0o400, 0, True, ""),
        (0o440, 0, True, ""),
        (0o440, 0, False, "has mode 0440"),
        (0o444, 0, True, "has mode 0444"),
        (0o460, 0, True, "has mode 0460"),
        (0o440, 1000, True, "has mode 0440"),
        (0o600, 1001, False, "belongs to user 1001, not to this user (1000)"),
        (0o600, 1001, True, "belongs to user 1001, not to this user (1000)"),
    ],
)
def test_owners_and_modes(mode: int, owner: int, systemd: bool, part: str) -> None:
    """Only this user's and root's files count; root's in systemd's own folder may look group-readable."""
    objection = file_objection(looks(mode, owner), Path("/key"), euid=1000, systemd=systemd)
    assert (part in objection) if part else objection == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that belongs to root")
def test_systemd_credentials(home: Home) -> None:
    """A group-readable file of root is taken from $CREDENTIALS_DIRECTORY itself and from nowhere else."""
    environ = {**GIVEN, "JDCLOUD_SECRET_KEY": "", "JDCLOUD_SECRET_KEY_FILE": str(home.file(b"x", 0o440))}
    assert home.load({**environ, "CREDENTIALS_DIRECTORY": str(home.path)}).secret_key.reveal() == "x"
    assert "has mode 0440" in str(home.refusal({**environ, "CREDENTIALS_DIRECTORY": str(home.path.parent)}))
    assert "has mode 0440" in str(home.refusal(environ))


def test_all_complaints_at_once(home: Home) -> None:
    """Three bad values are three lines, and the last line says where to read on."""
    error = home.refusal(
        {NAMES[0]: f"{CANARY} x", NAMES[1]: "x", f"{NAMES[1]}_FILE": "y", f"{NAMES[2]}_FILE": "none"}
    )
    assert [line.split(": ")[0] for line in str(error).splitlines()[:-1]] == [
        NAMES[0],
        NAMES[1],
        f"{NAMES[2]}_FILE",
    ]
    assert str(error).splitlines()[-1] == "docs/settings.md tells how credentials are given."
