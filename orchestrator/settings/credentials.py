"""The account's credentials: from the environment, from files, or from a profile of the official CLI.

Never from the command line or a settings file, and no message here repeats a value: where a text
may be a secret by mistake, such as a file name that leads nowhere, it is not repeated either.
"""

from __future__ import annotations

import configparser
import difflib
import errno
import os
import shlex
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.errors import CredentialsMissing, SettingsError
from orchestrator.settings.secret import Secret

ACCESS_KEY = "JDCLOUD_ACCESS_KEY"
SECRET_KEY = "JDCLOUD_SECRET_KEY"  # noqa: S105 - a variable's name
SESSION_TOKEN = "JDCLOUD_SESSION_TOKEN"  # noqa: S105 - a variable's name
FILE_MAX = 64 * 1024

_REMEDY = f"Set {ACCESS_KEY} and {SECRET_KEY}, or {ACCESS_KEY}_FILE and {SECRET_KEY}_FILE, or give --profile."
_UNFIT = "holds a blank, a control character or one outside ASCII (not shown, it may be a secret)"


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a request is signed with. The access key is no secret, but people mix the two up: not shown."""

    access_key: str = field(repr=False)
    secret_key: Secret
    session_token: Secret | None = None


def secrets_of(credentials: Credentials) -> tuple[str, ...]:
    """Give the plain texts that must appear in no output: for the progress log's last defence."""
    token = credentials.session_token
    return (credentials.secret_key.reveal(), *((token.reveal(),) if token else ()))


def load_credentials(
    *, environ: Mapping[str, str], home: Path, profile: str | None, warn: Callable[[str], None]
) -> Credentials:
    """Read the credentials; a profile, when given, wins over the environment.

    Raises SettingsError for what is there and cannot be used, CredentialsMissing for what is not
    there. `warn` gets a sentence when the official CLI's file can be read by others.
    """
    if profile is not None:
        return _from_profile(home / ".jdc" / "config", profile, warn)
    return environment_credentials(environ, home)


# --- environment ----------------------------------------------------------------------------------


def environment_credentials(environ: Mapping[str, str], home: Path) -> Credentials:
    """Read the variables and their _FILE forms; all complaints at once, as `load_credentials`."""
    found: dict[str, str | None] = {}
    complaints = []
    for name in (ACCESS_KEY, SECRET_KEY, SESSION_TOKEN):
        found[name], complaint = _variable(name, environ, home)
        complaints += [complaint] if complaint else []
    if complaints:
        raise SettingsError("\n".join([*complaints, "docs/settings.md tells how credentials are given."]))
    access, secret, token = found[ACCESS_KEY], found[SECRET_KEY], found[SESSION_TOKEN]
    if access is None and secret is None:
        raise CredentialsMissing(f"No credentials. {_REMEDY}")
    if access is None or secret is None:
        raise CredentialsMissing(f"{ACCESS_KEY if access is None else SECRET_KEY} is not set. {_REMEDY}")
    return Credentials(access, Secret(secret), Secret(token) if token else None)


def _variable(name: str, environ: Mapping[str, str], home: Path) -> tuple[str | None, str]:
    """Read one value: (value or None, complaint or nothing). An empty variable counts as not set."""
    text, path = environ.get(name), environ.get(f"{name}_FILE")
    if text and path:
        return None, f"{name}: {name}_FILE is set as well; unset one of the two"
    if text:
        return (text, "") if _fit(text) else (None, f"{name}: {_UNFIT}")
    if path:
        full = home / path[2:] if path.startswith("~/") else Path(path)
        value, complaint = _read_private(full, _credential_folder(environ))
        return value, f"{name}_FILE: {complaint}" if complaint else ""
    return None, ""


def _credential_folder(environ: Mapping[str, str]) -> Path | None:
    """Name the folder systemd made for this service's credentials, if it did (LoadCredential=)."""
    text = environ.get("CREDENTIALS_DIRECTORY", "")
    return Path(text) if text.startswith("/") else None


# --- files ----------------------------------------------------------------------------------------


def _read(path: Path, flags: int = 0) -> tuple[os.stat_result, bytes]:
    """Open a file without waiting for a pipe's other end, look at it, read FILE_MAX bytes and one more."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | flags)
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            return found, b""
        with open(number, "rb", closefd=False) as file:
            return found, file.read(FILE_MAX + 1)
    finally:
        os.close(number)


def _read_private(path: Path, systemd: Path | None) -> tuple[str | None, str]:
    """Read a file that only its owner can read: (value, "") or (None, complaint)."""
    try:
        found, data = _read(path, os.O_NOFOLLOW)
    except (OSError, ValueError) as error:
        return None, _unopened(path, error)
    inside = systemd is not None and path.parent == systemd
    objection = file_objection(found, path, euid=os.geteuid(), systemd=inside)
    return (None, objection) if objection else _content(path, data)


def _unopened(path: Path, error: OSError | ValueError) -> str:
    """Say why a file could not be opened; a name that is no file's is not repeated."""
    if isinstance(error, OSError) and error.errno == errno.ELOOP:
        return f"{path} is a symbolic link, which is not followed; name the file itself"
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return "the file cannot be read by this user; change its owner or run as the user who owns it"
    return "the file cannot be opened; check that the name is right and leads to a file"


def file_objection(found: os.stat_result, path: Path, *, euid: int, systemd: bool) -> str:
    """Say why an open file must not hold a secret, or nothing.

    `systemd` means that it lies in the folder systemd made for this service: there root's files
    carry an access list, which shows up as group-readable although no group can read them
    (systemd issue 29435).
    """
    mode = stat.S_IMODE(found.st_mode)
    tolerated = 0o040 if systemd and found.st_uid == 0 else 0
    if not stat.S_ISREG(found.st_mode):
        return f"{path} is not a regular file"
    if found.st_uid not in (euid, 0):
        return f"{path} belongs to user {found.st_uid}, not to this user ({euid}); change its owner"
    if mode & 0o077 & ~tolerated:
        return f"{path} has mode {mode:04o}, others can read it; run: chmod 600 {shlex.quote(str(path))}"
    return ""


def _content(path: Path, data: bytes) -> tuple[str | None, str]:
    """Take the one value out of a file's bytes, without the newline that editors add."""
    if len(data) > FILE_MAX:
        return None, f"{path} is larger than {FILE_MAX} bytes; that is no credential"
    text = _decoded(data)
    if text is None:
        return None, f"{path} is not UTF-8"
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        return None, f"{path} is empty"
    return (value, "") if _fit(value) else (None, f"{path} {_UNFIT}")


def _decoded(data: bytes) -> str | None:
    """Decode UTF-8. The error would carry the bytes with it, so it ends here."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _fit(value: str) -> bool:
    """Tell whether a value can be a credential: visible ASCII, as it travels in a header."""
    return all("!" <= char <= "~" for char in value)


# --- the official CLI's profiles ------------------------------------------------------------------


def _from_profile(path: Path, profile: str, warn: Callable[[str], None]) -> Credentials:
    """Read one profile of the official CLI (`jdc configure add`); only its two keys are taken."""
    profiles = _profiles(path, warn)
    if profile not in profiles:
        near = difflib.get_close_matches(profile, profiles.sections(), n=1, cutoff=0)
        hint = f"the nearest is {near[0]!r}" if near else "it has no profile at all; see `jdc configure add`"
        raise SettingsError(f"--profile {profile!r}: {path} has no such profile; {hint}")
    values = [profiles[profile].get(key, "") for key in ("access_key", "secret_key")]
    for key, value in zip(("access_key", "secret_key"), values, strict=True):
        if not value:
            raise SettingsError(f"{path}: profile {profile!r} has no {key}; see `jdc configure add`")
        if not _fit(value):
            raise SettingsError(f"{path}: {key} of profile {profile!r} {_UNFIT}")
    return Credentials(values[0], Secret(values[1]))


def _profiles(path: Path, warn: Callable[[str], None]) -> configparser.RawConfigParser:
    """Read the CLI's file, which that tool writes world-readable: so warn, and go on."""
    text, mode, complaint = _read_shared(path)
    if complaint:
        raise SettingsError(f"{path} {complaint}")
    if mode & 0o077:
        warn(f"{path} has mode {mode:04o}, others can read it; run: chmod 600 {shlex.quote(str(path))}")
    parser, line = configparser.RawConfigParser(), 0
    try:
        parser.read_string(text)
    except configparser.MissingSectionHeaderError as error:
        line = error.lineno
    except (configparser.DuplicateSectionError, configparser.DuplicateOptionError) as error:
        line = error.lineno or 1
    except configparser.ParsingError as error:
        line = error.errors[0][0]
    if line:  # the parser's own text would repeat lines of the file
        raise SettingsError(f"{path}:{line}: not `[profile]`, `key = value`, each once; mend that line")
    return parser


def _read_shared(path: Path) -> tuple[str, int, str]:
    """Read the CLI's file: its text, its mode, and what is wrong with it or nothing."""
    try:
        found, data = _read(path)
    except FileNotFoundError:
        return (
            "",
            0,
            "is not there; make a profile with `jdc configure add`, or give the environment variables",
        )
    except OSError as error:
        return "", 0, f"cannot be read: {error.strerror}"
    text = _decoded(data) if stat.S_ISREG(found.st_mode) and len(data) <= FILE_MAX else None
    if text is None:
        return "", 0, f"is not a UTF-8 text file of at most {FILE_MAX} bytes"
    return text, stat.S_IMODE(found.st_mode), ""
