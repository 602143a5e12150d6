"""The canary bites: each way in which a test can leak a secret fails it, and the report repeats no secret."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.canary import HEAD, PASSWORD, SECRET, TOKEN, Heard, found_in, holds, leaks, redacted
from tests.settings_place import ROOT

LEAKS = {
    "stdout": "print(SECRET)",
    "stderr": "print(TOKEN, file=sys.stderr)",
    "read": "print(SECRET); capsys.readouterr()",
    "child": "subprocess.run([sys.executable, '-c', code('print', SECRET)], capture_output=True)",
    "inherited": "os.write(1, SECRET.encode())",
    "argv": "subprocess.run(['true', SECRET])",
    "log": "logging.getLogger('aiohttp.client').debug('sent %s', SECRET)",
    "logged-error": "logging.getLogger().error('failed', exc_info=ValueError(SECRET))",
    "screen": "Heard().write(PASSWORD)",
    "file": "(tmp_path / 'f').write_bytes(b'x' * 70_000 + SECRET.encode())",
    "deep-file": "(tmp_path / 'a').mkdir(); (tmp_path / 'a' / 'f').write_text(TOKEN)",
    "file-name": "(tmp_path / PASSWORD).touch()",
    "gone-folder": "t = tempfile.TemporaryDirectory(); Path(t.name, 'f').write_text(SECRET); t.cleanup()",
    "raised": "raise ValueError(SECRET)",
    "expected": "pytest.raises(ValueError, int, SECRET)",
    "cause": "with pytest.raises(OSError): raise_from(OSError('x'), ValueError(SECRET))",
    "context": "with pytest.raises(OSError): raise_from_none(OSError('x'), ValueError(SECRET))",
    "argument": "with pytest.raises(OSError): raise OSError(1, 'x', [SECRET])",
    "attribute": "with pytest.raises(OSError): raise carrying(OSError('x'), SECRET)",
    "base64": "print(b64encode(b'user:' + SECRET.encode()).decode())",
    "hex": "print(SECRET.encode().hex())",
    "quoted": "print(quote(SECRET, safe=''))",
    "cut": "print(SECRET[:-1])",
    "signature": "print('Signature=' + '0' * 64)",
    "seal": "print(signing.signature(SECRET, signing.Scope('20260101T000000Z', 'r', 'vm'), 'text'))",
    "excused-elsewhere": "print(SECRET)",
    "excused-without-reason": "print(SECRET)",
}
FINE = {
    "quiet": "Secret(SECRET), print('nothing', '0' * 64)",
    "held": "holds(tmp_path / 'key', 'it is the key').write_text(SECRET)",
    "excused": "print(SECRET)",
}
MARKS = {
    "excused": "@pytest.mark.shows_canary('output', reason='to see that this is possible')",
    "excused-elsewhere": "@pytest.mark.shows_canary('file', reason='for files only')",
    "excused-without-reason": "@pytest.mark.shows_canary('output')",
}
PREAMBLE = """
import logging, os, pytest, subprocess, sys, tempfile
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote
from orchestrator.cloud import signing
from orchestrator.settings.secret import Secret
from tests.canary import PASSWORD, SECRET, TOKEN, Heard, holds

def code(word, text):
    return f"{word}(bytes({list(text.encode())}).decode())"

def raise_from(error, cause):
    raise error from cause

def raise_from_none(error, cause):
    try:
        raise cause
    except ValueError:
        raise error from None

def carrying(error, text):
    error.held = text
    return error
"""


def name_of(leak: str) -> str:
    """Name the test of a leak."""
    return f"test_{leak.replace('-', '_')}"


def run(folder: Path, bodies: dict[str, str], *options: str) -> subprocess.CompletedProcess[bytes]:
    """Run tests with these bodies in a pytest of its own, with this suite's watch."""
    tests = "\n\n".join(
        f"{MARKS.get(leak, '')}\ndef {name_of(leak)}(tmp_path, capsys):\n    {body}"
        for leak, body in bodies.items()
    )
    (folder / "test_leaks.py").write_text(PREAMBLE + tests, encoding="utf-8")
    (folder / "conftest.py").write_text("from tests.conftest import pytest_configure\n", encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:looptime", *options, "."]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    environ = {name: value for name, value in environ.items() if not name.startswith("PYTEST_")}
    inner = folder / "inner"
    inner.mkdir()
    return subprocess.run(
        [*command, f"--basetemp={inner}/base"], cwd=folder, env=environ, capture_output=True, check=False
    )


@pytest.mark.shows_canary("file", reason="the tests in there leak on purpose")
@pytest.mark.parametrize("options", [("-n", "0"), ("-n", "2")], ids=["alone", "two workers"])
def test_every_leak_fails_its_test_and_no_other(tmp_path: Path, options: tuple[str, str]) -> None:
    """Each is named with its test, and the whole report holds no secret in any form."""
    done = run(tmp_path, LEAKS | FINE, "-rfE", *options)
    said = done.stdout.decode()
    told = {name for name in map(name_of, LEAKS | FINE) if f"leaked by test_leaks.py::{name}:" in said}
    assert told == set(map(name_of, LEAKS)), said
    assert done.returncode == 1
    assert found_in(done.stdout + done.stderr) == []


def test_a_clean_suite_passes(tmp_path: Path) -> None:
    """Nothing is found where nothing is."""
    assert run(tmp_path, {"quiet": FINE["quiet"]}, "-n", "0").returncode == 0


@pytest.mark.shows_canary("file", reason="the session in there leaks on purpose")
def test_what_is_left_behind_at_the_very_end_is_found(tmp_path: Path) -> None:
    """A file that a session's fixture writes when it is torn down fails the last test, and is named."""
    body = "pass\n\n@pytest.fixture(scope='session', autouse=True)\ndef late(tmp_path_factory):\n    yield\n"
    body += "    (tmp_path_factory.mktemp('late') / 'book').write_text(SECRET)\n"
    done = run(tmp_path, {"quiet": body}, "-n", "0")
    assert done.returncode == 1
    assert re.search(rb"late0/book holds the secret", done.stdout)


@pytest.mark.parametrize("canary", [SECRET, TOKEN, PASSWORD], ids=["secret", "token", "password"])
@pytest.mark.parametrize("before", range(6))
def test_every_form_is_known(canary: str, before: int) -> None:
    """Plain, quoted, hexadecimal, or in base64 at any place: it is found, and gone once redacted."""
    text = "x" * before + canary + "y" * before
    encoded = b64encode(text.encode()).decode()
    forms = [text, quote(text, safe=""), text.encode().hex(), text.encode().hex().upper(), encoded]
    for form in forms:
        assert found_in(form)
        assert found_in(form[: len(form) - 2 * before - 4]), "cut off at its end"
        assert found_in(redacted(form)) == []


def test_nothing_is_found_in_nothing() -> None:
    """Hashes, ids, signatures of nobody and half an end of a canary are no finds."""
    for text in ("", "0" * 64, "Signature=***", HEAD[:-1], "Kanary"):
        assert found_in(text) == []


@pytest.mark.shows_canary("file", "output", reason="to be found")
def test_a_folder_can_be_searched(tmp_path: Path) -> None:
    """For machines without pytest: which file holds what; links are not followed, excused ones left out."""
    (tmp_path / "book").write_text(f"a {TOKEN}")
    (tmp_path / "link").symlink_to(tmp_path / "book")
    holds(tmp_path / "key", "it is the key").write_text(SECRET)
    assert leaks(tmp_path) == [f"{tmp_path / 'book'}: the session token"]
    Heard().write(SECRET)


def test_an_excuse_needs_a_reason(tmp_path: Path) -> None:
    """A file is excused by saying why."""
    with pytest.raises(ValueError, match="say why"):
        holds(tmp_path / "key", "")
