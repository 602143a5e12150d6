"""`orchestrator report`: one of three forms, of the latest run or a named one, from the ledger alone."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest

from orchestrator.core.model import RunId
from tests.e2e.processes import PROGRAM, Done, Running, scratch_environment
from tests.nights import EAST, Cloud, copies_of
from tests.report.nights import HOSTILE, Keeper, name_of


class Desk:
    """A home with a ledger of two nights, and the program."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state" / "orchestrator"
        self.state.parent.mkdir()

    def call(self, *words: str) -> Done:
        """Run the program to its end, with an environment built from scratch."""
        return Running(
            [*PROGRAM, *words], folder=self.folder, environ=scratch_environment(self.folder, {})
        ).wait()


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """Make an empty home."""
    return Desk(tmp_path)


@pytest.mark.looptime
async def test_the_three_forms_tell_the_same_run(desk: Desk) -> None:
    """HTML into a file, JSON and CSV to stdout, of the latest run; or of the run that is named."""
    keeper = Keeper(desk.state, Cloud(images=8, names=name_of))
    await keeper.night(copies_of(2, EAST))
    await keeper.night(copies_of(8, EAST))
    page = desk.call("report", "--html", "night.html")
    assert (page.code, page.out) == (0, "")
    assert page.err == "ok: 8 of 8 copies ready; the report is in night.html\n"
    text = (desk.folder / "night.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" not in text.partition('<script type="application/json"')[0]  # none failed
    assert "\\u003cscript\\u003ealert(1)" in text
    told = desk.call("report", "--json").json
    assert (told["version"], told["run"], len(told["copies"])) == (1, "run2", 8)
    assert {copy["name"] for copy in told["copies"]} >= {HOSTILE[0]}
    assert desk.call("report", "run1", "--json").json["counts"]["wanted"] == 2
    rows = list(csv.DictReader(StringIO(desk.call("report", "--csv").out, newline="")))
    assert [row["state"] for row in rows] == ["ready"] * 8
    assert "'=HYPERLINK" in "".join(row["name"] for row in rows)
    piped = desk.call("report", "--html", "-")
    assert piped.out.startswith("<!doctype html>")


@pytest.mark.looptime
async def test_a_run_without_an_end_is_reported_on(desk: Desk) -> None:
    """A killed run has a report, which says so; nothing is written to the ledger for it."""
    keeper = Keeper(desk.state, Cloud(images=3))
    await keeper.night(copies_of(3, EAST), ends=False)
    before = (desk.state / "ledger.db").read_bytes()
    told = desk.call("report", "--json").json
    assert (told["verdict"], told["finished_at"], told["exit_code"]) == ("killed", None, None)
    assert RunId(told["run"]) == "run1"
    assert (desk.state / "ledger.db").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "report needs one of --html FILE, --json and --csv."),
        (("--json", "--csv"), "report needs one of --html FILE, --json and --csv."),
        (("--json",), "Nothing was run here yet."),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_line(desk: Desk, words: tuple[str, ...], said: str) -> None:
    """Too few forms, too many, or no ledger: exit 2, one line that says what to do."""
    done = desk.call("report", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert said in done.err


@pytest.mark.looptime
async def test_a_page_that_cannot_be_written_is_said(desk: Desk) -> None:
    """A file that cannot be written is named with the reason, a run that is not there with the latest one."""
    await Keeper(desk.state, Cloud(images=1)).night(copies_of(1, EAST))
    done = desk.call("report", "--html", "nowhere/night.html")
    assert done.code == 2
    assert "--html nowhere/night.html: cannot be written: No such file or directory" in done.err
    missing = desk.call("report", "run7", "--csv")
    assert missing.code == 2
    assert "no run run7 in this ledger. The latest is run1." in missing.err


def test_asking_for_help_loads_nothing_heavy(desk: Desk) -> None:
    """`report --help` answers without the library that makes pages."""
    traced = Running(
        [PROGRAM[0], "-X", "importtime", *PROGRAM[1:], "report", "--help"],
        folder=desk.folder, environ=scratch_environment(desk.folder, {}),
    ).wait()  # fmt: skip
    assert traced.code == 0
    assert "--html FILE" in traced.out
    assert not [name for name in ("jinja2", "pydantic", "sqlite3", "aiohttp") if f"| {name}\n" in traced.err]
