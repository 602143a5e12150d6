"""Keys that end while the program runs: real files, rewritten by somebody, and a gate for new keys only."""

from __future__ import annotations

import pytest

from tests.e2e.support import EAST, KEY, SOUTH, Cloud, Home, MakeHome, check_once, copies_of

OLD, NEW = "secret-of-yesterday-evening", "secret-of-this-morning"
FILES = {"JDCLOUD_ACCESS_KEY": "key", "JDCLOUD_SECRET_KEY": "secret"}


def put(home: Home, key: str, secret: str) -> None:
    """Write keys into their files, and let the environment name those alone."""
    for (variable, name), text in zip(FILES.items(), (key, secret), strict=True):
        path = home.folder / name
        path.write_text(f"{text}\n", encoding="ascii")
        path.chmod(0o600)
        home.environ.pop(variable, None)
        home.environ[f"{variable}_FILE"] = str(path)


def admit(cloud: Cloud, **keys: str) -> None:
    """Let these keys in, and no others."""
    cloud._ask("POST", "keys", {"keys": keys})


@pytest.mark.parametrize("renewed", [True, False])
def test_a_night_goes_on_with_the_keys_of_the_morning(
    own_cloud: Cloud, make_home: MakeHome, renewed: bool
) -> None:
    """Rewritten files: exit 0, everything once. The old ones still: exit 77. Neither secret is anywhere."""
    home, sources = make_home(own_cloud), own_cloud.take(3)
    plan = home.plan(sources, EAST, SOUTH)
    put(home, KEY, OLD)
    admit(own_cloud, **{KEY: OLD})
    own_cloud.hold(EAST, SOUTH)
    running = home.held(plan, "--json", "-v")
    admit(own_cloud, AKMORNING=NEW)
    if renewed:
        put(home, "AKMORNING", NEW)
    own_cloud.calm()
    done = running.wait()
    assert done.code == (0 if renewed else 77), done.err
    assert ("the cloud refused the old keys" in done.err) is renewed
    final = [line for line in done.err.splitlines() if "refused the credentials" in line]
    assert not [line for line in final if "tried again" in line]
    left = [path for path in home.state.rglob("*") if path.is_file()]
    for path in (*left, *home.folder.glob("*.out"), *home.folder.glob("*.err")):
        text = path.read_bytes()
        assert OLD.encode() not in text, path
        assert NEW.encode() not in text, path
    if renewed:
        check_once(own_cloud, copies_of(sources, EAST, SOUTH))
