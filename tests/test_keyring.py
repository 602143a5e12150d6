"""Keys that are read again when the cloud refuses them: once each, never in circles, always masked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from orchestrator.errors import SettingsError
from orchestrator.settings.credentials import Credentials, load_credentials
from orchestrator.settings.keyring import CHANGES_MAX, Keyring
from orchestrator.settings.secret import Secret
from orchestrator.watch.masks import Mask


def keys(number: int, token: str | None = None) -> Credentials:
    """Make keys that differ by number."""
    return Credentials(f"AK{number}", Secret(f"secret-number-{number}"), Secret(token) if token else None)


class Source:
    """A source of keys that gives what it is told to, the last for ever; it counts the readings."""

    def __init__(self, *found: Credentials) -> None:
        self._found: Iterator[Credentials] = iter(found)
        self._last = found[0]
        self.readings = 0

    def __call__(self) -> Credentials:
        """Read once."""
        self.readings += 1
        self._last = next(self._found, self._last)
        return self._last


def test_renewed_keys_are_taken() -> None:
    """The source holds other keys than those refused: they are the ring's from now on, all three parts."""
    new = keys(2, token="the-token-of-number-2")
    ring = Keyring(keys(1), Source(new))
    assert ring.renew(keys(1)) == new
    assert ring.keys == new


def test_late_refusals_of_old_keys_read_nothing() -> None:
    """Requests that were under way with the old keys learn of the new ones without another reading."""
    source = Source(keys(2))
    ring = Keyring(keys(1), source)
    ring.renew(keys(1))
    before = source.readings
    assert [ring.renew(keys(1)) for _ in range(50)] == [keys(2)] * 50
    assert source.readings == before


def test_unchanged_keys_are_read_again_once() -> None:
    """The same keys stand there still: none are given, and a second refusal does not look again."""
    source = Source(keys(1))
    ring = Keyring(keys(1), source)
    assert ring.renew(keys(1)) is None
    before = source.readings
    assert before <= 3
    assert [ring.renew(keys(1)) for _ in range(50)] == [None] * 50
    assert source.readings == before


def test_keys_that_cannot_change_are_refused_for_good() -> None:
    """Without a source to read again there are no others."""
    assert Keyring(keys(1)).renew(keys(1)) is None


def test_a_source_that_cannot_be_read_counts_as_unchanged() -> None:
    """The file is gone or open to others: no keys, and no exception."""

    def reread() -> Credentials:
        raise SettingsError("others can read it")

    ring = Keyring(keys(1), reread)
    assert ring.renew(keys(1)) is None
    assert ring.keys == keys(1)


def test_refused_keys_never_come_back() -> None:
    """A source that goes back and forth between two refused keys ends the night, it does not prolong it."""
    ring = Keyring(keys(1), Source(keys(2), keys(2), keys(1)))
    assert ring.renew(keys(1)) == keys(2)
    assert ring.renew(keys(2)) is None
    assert ring.renew(keys(1)) is None, "the latest keys were refused as well"


def test_a_source_of_endless_keys_has_an_end() -> None:
    """Whatever a broken source invents, it is read for so many refusals and no more."""
    numbers: Sequence[Credentials] = [keys(n) for n in range(1, 1000) for _ in range(2)]
    ring, changes = Keyring(keys(0), Source(*numbers)), 0
    while ring.renew(ring.keys) is not None:
        changes += 1
    assert changes == CHANGES_MAX


def test_parts_that_are_replaced_one_by_one_are_waited_for() -> None:
    """A reading in the middle of a change is read again: two readings must agree."""
    torn = Credentials("AK2", Secret("secret-number-1"))
    ring = Keyring(keys(1), Source(torn, keys(2)))
    assert ring.renew(keys(1)) == keys(2)


def test_a_slow_change_mends_itself() -> None:
    """Keys torn between two files are refused as well, and then the rest of them is there."""
    torn = Credentials("AK2", Secret("secret-number-1"))
    ring = Keyring(keys(1), Source(torn, torn, keys(2)))
    assert ring.renew(keys(1)) == torn
    assert ring.renew(torn) == keys(2)


def test_every_secret_ever_read_is_masked() -> None:
    """A mask made before the change hides the old secret, the new one and its token."""
    ring = Keyring(keys(1), Source(keys(2, token="the-token-of-number-2")))
    mask = Mask(ring.secrets)
    ring.renew(keys(1))
    text = mask.text("secret-number-1 secret-number-2 the-token-of-number-2 and the rest")
    assert text == "*** *** *** and the rest"


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_files_are_read_again_and_must_still_be_private(tmp_path: Path, mode: int) -> None:
    """The real source: files rewritten by somebody are taken, unless others could have read them."""
    key, secret = tmp_path / "key", tmp_path / "secret"
    environ = {"JDCLOUD_ACCESS_KEY_FILE": str(key), "JDCLOUD_SECRET_KEY_FILE": str(secret)}

    def write(number: int) -> None:
        for path, text in ((key, f"AK{number}\n"), (secret, f"secret-number-{number}\n")):
            path.write_text(text)
            path.chmod(0o600)

    def load() -> Credentials:
        return load_credentials(environ=environ, home=tmp_path, profile=None, warn=print)

    write(1)
    ring = Keyring(load(), load)
    write(2)
    secret.chmod(mode)
    assert ring.renew(keys(1)) == (keys(2) if mode == 0o600 else None)
