"""`rehearse` as a user meets it: no account, no trace, and on request a look at the cloud as it is."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.e2e.support import EAST, SOUTH, Cloud, MakeHome, images


def inside(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Show everything in a folder: mode, time of change, content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        info = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(info.st_mode) else b""
        found[str(path)] = (info.st_mode, info.st_mtime_ns, content)
    return found


def test_it_needs_no_account_and_leaves_no_trace(make_home: MakeHome) -> None:
    """In an empty home without credentials: the same JSON twice, and not one new file."""
    home = make_home()
    del home.environ["JDCLOUD_ACCESS_KEY"], home.environ["JDCLOUD_SECRET_KEY"]
    plan = home.plan(images(30), EAST, SOUTH)
    before = inside(home.folder)
    first, again = home.call("rehearse", plan, "--json"), home.call("rehearse", plan, "--json")
    assert (first.code, first.err) == (0, "")
    assert first.json["counts"] == {"wanted": 60, "ready": 60, "failed": 0, "pending": 0}
    assert first == again
    names = {path for path in inside(home.folder) if Path(path).suffix not in (".out", ".err")}
    assert names == set(before), "a file beside what the two processes printed"


def test_what_does_not_fit_is_in_the_exit_code(make_home: MakeHome) -> None:
    """A shortage is told in words and by exit code 3."""
    home = make_home()
    done = home.call("rehearse", home.plan(images(7), EAST), "--quota", "5/15")
    assert done.code == 3
    assert "needs 7 images, 5 of 5 are free, 2 short" in done.out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--quota", "5"], "give two numbers"),
        (["--quota", "5/15", "--from-cloud"], "Leave one out"),
        (["--weather", "sunny"], "sunny"),
        (["--seed", "-1"], "-1"),
    ],
)
def test_bad_options_are_one_error(options: list[str], said: str, make_home: MakeHome) -> None:
    """Exit 2 and a sentence; nothing is rehearsed."""
    home = make_home()
    done = home.call("rehearse", home.plan(images(1), EAST), *options)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_ledger_and_the_cloud_are_only_read(own_cloud: Cloud, make_home: MakeHome) -> None:
    """After a night: what is there is not made again, the ledger's file stays as it was, no call is sent."""
    home = make_home(own_cloud)
    assert home.call("run", home.plan(own_cloud.take(3), EAST)).code == 0
    plan = home.plan(images(5), EAST, name="more.yaml")
    state, calls = inside(home.state), own_cloud.books()["requests"]["copyImages"]
    plain = home.call("rehearse", plan, "--json")
    tonight = home.call("rehearse", plan, "--from-cloud", "--json")
    assert (plain.code, tonight.code) == (0, 0)
    assert inside(home.state) == state
    assert own_cloud.books()["requests"]["copyImages"] == calls
    (plain_east,), (east,) = plain.json["destinations"], tonight.json["destinations"]
    assert (plain_east["there"], plain_east["made"]) == (0, 5)
    assert (east["there"], east["made"]) == (3, 2)
    assert (east["images"]["limit"], east["images"]["used"]) == (1000, 3)
    assert "the ledger has seen" in " ".join(plain.json["assumed"])
