"""Credentials: where they come from, what is refused, and that nothing shows them."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from pathlib import Path

import pytest

from orchestrator.errors import CredentialsMissing, SettingsError
from orchestrator.settings.credentials import Credentials, secrets_of
from orchestrator.settings.secret import Secret
from tests.credentials_home import CANARY, GIVEN, KEY, NAMES, TOKEN, Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


# --- environment ----------------------------------------------------------------------------------


def test_environment(home: Home) -> None:
    """Two variables are enough; a session token comes along when it is set."""
    found = home.load(GIVEN)
    assert (found.access_key, found.secret_key.reveal(), found.session_token) == (KEY, CANARY, None)
    found = home.load({**GIVEN, "JDCLOUD_SESSION_TOKEN": TOKEN})
    assert found.session_token == Secret(TOKEN)
    assert secrets_of(found) == (CANARY, TOKEN)
    assert secrets_of(home.load({**GIVEN, "JDCLOUD_SESSION_TOKEN": ""})) == (CANARY,)


@pytest.mark.parametrize("environ", [{}, dict.fromkeys(NAMES, ""), {"JDCLOUD_SESSION_TOKEN": TOKEN}])
def test_nothing_given(home: Home, environ: dict[str, str]) -> None:
    """Without credentials the error names every way to give them."""
    error = home.refusal(environ)
    assert isinstance(error, CredentialsMissing)
    ways = ("JDCLOUD_ACCESS_KEY", "JDCLOUD_SECRET_KEY", "JDCLOUD_ACCESS_KEY_FILE", "JDCLOUD_SECRET_KEY_FILE")
    assert all(way in str(error) for way in (*ways, "--profile"))
    assert error.exit_code == 2


@pytest.mark.parametrize(("given", "missing"), [(NAMES[0], NAMES[1]), (NAMES[1], NAMES[0])])
def test_one_of_two_given(home: Home, given: str, missing: str) -> None:
    """When half is missing the error names that half."""
    error = home.refusal({given: CANARY})
    assert isinstance(error, CredentialsMissing)
    assert str(error).startswith(f"{missing} is not set. Set ")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("bad", [" ", "\n", "\r", "\t", "\0", "\x1b", "\x7f", "é", "\u202e", "\udcff"])
@pytest.mark.parametrize("form", ["{bad}{value}", "{value}{bad}", "x{bad}{value}"])
def test_unfit_values_are_refused_unseen(home: Home, name: str, bad: str, form: str) -> None:
    """A value that no header can carry is refused by its name, and never repeated."""
    error = home.refusal({**GIVEN, name: form.format(bad=bad, value=CANARY)})
    assert isinstance(error, SettingsError)
    assert str(error).startswith(f"{name}: holds a blank, a control character or one outside ASCII")


# --- profiles -------------------------------------------------------------------------------------

PROFILE = f"""[sim]
access_key = {KEY}
secret_key = {CANARY}%=
region_id = cn-north-1
endpoint = 127.0.0.1:18080
scheme = http
timeout = 20

[other]
access_key = AKOTHER
secret_key = {TOKEN}
"""


def test_profiles(home: Home) -> None:
    """A profile wins over the environment, down to its session token."""
    home.profiles(PROFILE)
    environ = {**GIVEN, "JDCLOUD_SESSION_TOKEN": TOKEN, "JDCLOUD_SECRET_KEY_FILE": "nowhere"}
    found = home.load(environ, "sim")
    assert (found.access_key, secrets_of(found)) == (KEY, (f"{CANARY}%=",))
    assert home.load({}, "other").access_key == "AKOTHER"
    assert home.warnings == []


def test_a_world_readable_profile_file_warns(home: Home) -> None:
    """The official CLI writes its file readable by all: one warning with the command, no refusal."""
    path = home.profiles(PROFILE, 0o644)
    assert home.load({}, "sim").access_key == KEY
    assert home.warnings == [f"{path} has mode 0644, others can read it; run: chmod 600 {path}"]


@pytest.mark.parametrize(
    ("text", "profile", "part"),
    [
        (PROFILE, "sum", "--profile 'sum': {path} has no such profile; the nearest is 'sim'"),
        (PROFILE, "", "--profile '': {path} has no such profile; the nearest is "),
        ("", "sim", "--profile 'sim': {path} has no such profile; it has no profile at all"),
        (f"[sim]\nsecret_key = {CANARY}", "sim", "{path}: profile 'sim' has no access_key"),
        ("[sim]\naccess_key = x\nsecret_key =", "sim", "{path}: profile 'sim' has no secret_key"),
        (
            f"[sim]\naccess_key = x\nsecret_key = {CANARY} y",
            "sim",
            "{path}: secret_key of profile 'sim' holds a",
        ),
        (
            f"[sim]\naccess_key = x\nsecret_key = {CANARY}\n  y",
            "sim",
            "{path}: secret_key of profile 'sim' holds",
        ),
        (f"secret_key = {CANARY}", "sim", "{path}:1: not `[profile]`"),
        (f"[sim]\n\n{CANARY}", "sim", "{path}:3: not `[profile]`"),
        (f"[sim]\na = 1\n[sim]\nsecret_key = {CANARY}", "sim", "{path}:3: not `[profile]`"),
        (f"[sim]\nsecret_key = x\nsecret_key = {CANARY}", "sim", "{path}:3: not `[profile]`"),
        ("#" * 65537, "sim", "{path} is not a UTF-8 text file of at most 65536 bytes"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bad_profiles(home: Home, text: str, profile: str, part: str) -> None:
    """A profile that cannot be used is refused with file, line or nearest name, and no value."""
    path = home.profiles(text)
    error = home.refusal(GIVEN, profile)
    assert isinstance(error, SettingsError)
    assert str(error).startswith(part.format(path=path))


def test_no_profile_file(home: Home) -> None:
    """Without the CLI's file the error says how to make one."""
    path = home.path / ".jdc/config"
    assert str(home.refusal({}, "sim")).startswith(
        f"{path} is not there; make a profile with `jdc configure add`"
    )
    path.mkdir(parents=True)
    assert str(home.refusal({}, "sim")).startswith(f"{path} is not a UTF-8 text file")


def test_a_profile_file_that_is_not_text(home: Home) -> None:
    """Bytes that are no UTF-8 are refused unseen."""
    home.file(f"[sim]\nsecret_key = {CANARY}".encode() + b"\xff", 0o600, ".jdc/config")
    assert "is not a UTF-8 text file" in str(home.refusal({}, "sim"))


# --- canary ---------------------------------------------------------------------------------------


def test_credentials_are_never_shown() -> None:
    """No way of printing shows a secret, nor the access key, which people mix up with it."""
    whole = Credentials(CANARY, Secret(CANARY), Secret(TOKEN))
    shown = [repr(whole), str(whole), f"{whole}", "%s" % whole, repr([whole])]  # noqa: UP031
    shown += [
        repr(whole.secret_key),
        str(whole.secret_key),
        f"{whole.secret_key:>30}",
        f"{whole.session_token!a}",
    ]
    assert not [text for text in shown if CANARY in text or TOKEN in text]
    assert not hasattr(whole.secret_key, "__dict__")


@pytest.mark.parametrize("spoil", [pickle.dumps, copy.copy, copy.deepcopy])
def test_secrets_refuse_to_be_copied(spoil: object) -> None:
    """Pickle, which feeds other processes and caches, gets nothing."""
    assert callable(spoil)
    with pytest.raises(TypeError, match="a secret is not pickled or copied"):
        spoil(Secret(CANARY))
    with pytest.raises(TypeError, match="a secret is not pickled or copied"):
        pickle.dumps(Credentials(KEY, Secret(CANARY), None))
    with pytest.raises(TypeError, match="a secret is not pickled or copied"):
        dataclasses.asdict(Credentials(KEY, Secret(CANARY), None))


def test_secrets_compare_by_text() -> None:
    """Equal texts are equal secrets, so that a changed file can be noticed; a text is no secret."""
    assert Secret("a") == Secret("a")
    assert hash(Secret("a")) == hash(Secret("a"))
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
