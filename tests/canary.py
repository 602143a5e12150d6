"""The one secret, token and password that every test uses, and how to find them where nobody may show them.

All three begin and end alike, with letters that occur nowhere by chance. So a search for two short
texts, in each form in which a text may travel, finds any of the three, also one that was cut off.
"""

from __future__ import annotations

import io
import re
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from pathlib import Path

HEAD, TAIL = "Kanary7Qx9Zv", "Zq8Vw3Xyranak"
SECRET = f"{HEAD}/s+{TAIL}"
"""The secret key of every account; `/` and `+` so that quoting it changes it."""
TOKEN = f"{HEAD}/t+{TAIL}"
"""The session token of every account that has one."""
PASSWORD = f"{HEAD}-p-{TAIL}"
"""The password of every proxy, which must stand in a URL as it is."""
WRONG = f"{HEAD}-w-{TAIL}"
"""The secret of who has the wrong one."""
EXAMPLE = "SKEXAMPLE-secret-0001"
"""The secret in the signatures that the official signers made (`cloud/signing-vectors.json`)."""

_NAMES = {
    SECRET: "the secret",
    TOKEN: "the session token",
    PASSWORD: "the proxy's password",
    WRONG: "a secret",
}
_SEAL = re.compile(rb"(?<![0-9a-fA-F])[0-9a-f]{64}(?![0-9a-fA-F])")
_SEALED = re.compile(rb"Signature=[0-9a-fA-F]{64}")

Ear = Callable[[str, str], None]
ears: list[Ear] = []
"""Who wants to hear what was shown: called with where and what. The watch of the suite is one."""

exempt: dict[Path, str] = {}
"""The files that must hold a secret, each with why; see `holds`."""


def holds(path: Path, why: str) -> Path:
    """Say that a file must hold a secret, as the world file of a cloud that knows its keys; return it."""
    if not why:
        raise ValueError("say why")
    exempt[path.absolute()] = why
    return path


class Heard(io.StringIO):
    """A screen whose every word is searched."""

    def write(self, text: str) -> int:
        """Write a text, and let everybody hear it."""
        for ear in ears:
            ear("output", text)
        return super().write(text)


def _inside_base64(text: bytes) -> set[bytes]:
    """Give what base64 makes of a text wherever in another text it stands: three shifts, two alphabets."""
    found = set()
    for encode in (b64encode, urlsafe_b64encode):
        for shift, first in enumerate((0, 2, 3)):
            whole = (shift + len(text)) * 8 // 6
            found.add(encode(bytes(shift) + text)[first:whole])
    return found


def _forms() -> dict[bytes, str]:
    """Give each form of the two ends with its name."""
    forms: dict[bytes, str] = {}
    for end in (HEAD, TAIL):
        text = end.encode()
        forms |= dict.fromkeys(_inside_base64(text), "in base64") | {text: ""}
        forms |= dict.fromkeys((text.hex().encode(), text.hex().upper().encode()), "in hex")
    return forms | {EXAMPLE.encode(): ""}


FORMS = _forms()
"""What is searched for -> how it is written."""


def found_in(data: str | bytes, seals: frozenset[str] | set[str] = frozenset()) -> list[str]:
    """Say which secrets are in a text, in words that do not repeat them.

    A complete signature counts, since a server might still accept it: one that stands after its name,
    or, bare, one of `seals`.
    """
    text = data.encode(errors="surrogatepass") if isinstance(data, str) else data
    found = [_named(text, form, how) for form, how in FORMS.items() if form in text]
    if b"Signature=" in text and _SEALED.search(text):
        found.append("a signature")
    if seals and any(match.group().decode() in seals for match in _SEAL.finditer(text)):
        found.append("a signature that was just made")
    return list(dict.fromkeys(found))


def _named(text: bytes, form: bytes, how: str) -> str:
    """Name what one form is of, as exactly as it is known."""
    if how:
        return f"a secret {how}"
    whole = [name for canary, name in _NAMES.items() if canary.encode() in text]
    return " and ".join(whole) or ("the example's secret" if form == EXAMPLE.encode() else "part of a secret")


def redacted(text: str) -> str:
    """Put stars in the place of every secret in every form, so that a report of a leak does not leak."""
    for whole in (*_NAMES, *(form.decode() for form in FORMS)):
        text = text.replace(whole, "***")
    return re.sub(r"(Signature=)[0-9a-fA-F]{64}", r"\1***", text)


def leaks(*folders: Path, seals: frozenset[str] | set[str] = frozenset()) -> list[str]:
    """Search every file below some folders, names included; say which holds what. Links are not followed."""
    told = []
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            found = found_in(path.name) + (found_in_file(path, seals) or [])
            told += [f"{redacted(str(path))}: {what}" for what in found]
    return told


def found_in_file(path: Path, seals: frozenset[str] | set[str] = frozenset()) -> list[str]:
    """Search one regular file, unless it must hold a secret; what vanished meanwhile holds nothing."""
    if path.is_symlink() or not path.is_file() or path.absolute() in exempt:
        return []
    try:
        return found_in(path.read_bytes(), seals)
    except (FileNotFoundError, PermissionError):
        return []
