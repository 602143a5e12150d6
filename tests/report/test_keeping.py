"""The reports that runs leave: whole files at their end, and never the reason why a run fails."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from orchestrator.core.limits import Limits
from orchestrator.ledger.snapshot import keep_snapshot, recovered, remembered
from orchestrator.ledger.sqlite import Ledger
from orchestrator.report import keeping
from orchestrator.report.files import write_whole
from orchestrator.report.keeping import LATEST
from orchestrator.report.reading import story_of_last
from tests.canary import SECRET, found_in
from tests.contract.running import House, reading
from tests.nights import EAST, SOUTH, Cloud, copies_of, image_id, now
from tests.report.nights import Keeper, story_of


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Make a house whose runs leave reports in a folder that is not there yet."""
    return House(tmp_path, options={"report_dir": tmp_path / "reports" / "nightly"})


def reports(house: House) -> Path:
    """Name the folder of the reports."""
    return house.folder / "reports" / "nightly"


@pytest.mark.looptime
async def test_every_run_leaves_its_report_and_the_latest(house: House) -> None:
    """RUN.html and RUN.json for each run, and latest.html is the page of the last one."""
    first = (await house.night(images=[image_id(1)])).result
    second = (await house.night(images=[image_id(2)])).result
    names = {f"{run}.{kind}" for run in (first.run, second.run) for kind in ("html", "json")}
    assert {path.name for path in reports(house).iterdir()} == {*names, LATEST}
    latest = (reports(house) / LATEST).read_text(encoding="utf-8")
    assert latest == (reports(house) / f"{second.run}.html").read_text(encoding="utf-8")
    told = json.loads((reports(house) / f"{second.run}.json").read_text(encoding="utf-8"))
    assert (told["run"], told["verdict"], told["exit_code"]) == (second.run, "ok", 0)
    assert told["counts"] == {"wanted": 2, "ready": 2, "failed": 0, "pending": 0}
    assert [run["run"] for run in told["earlier"]] == [first.run]
    assert found_in(latest) == []
    assert SECRET not in latest


@pytest.mark.looptime
@pytest.mark.parametrize("in_the_way", ["a file", "a folder"])
async def test_a_report_that_cannot_be_written_fails_nothing(house: House, in_the_way: str) -> None:
    """The run ends as it would have; the log says once what is wrong, before its last line."""
    if in_the_way == "a file":
        reports(house).parent.write_text("not a folder")
    else:
        (reports(house) / LATEST / "full").mkdir(parents=True)
    outcome = await house.night(destinations=[EAST])
    assert (outcome.result.exit_code, outcome.fault) == (0, None)
    lines = [json.loads(line) for line in outcome.log.read_text(encoding="utf-8").splitlines()]
    (trouble,) = [line for line in lines if line["event"] == "report.failed"]
    assert trouble["level"] == "warning"
    assert str(reports(house)) in trouble["error"]
    assert lines[-1]["event"] == "run.finished"
    with reading(house) as reader:
        assert reader.runs()[0].verdict == "ok"


@pytest.mark.looptime
async def test_a_fault_in_the_report_fails_nothing(house: House) -> None:
    """Even what nobody foresaw is caught, and named by its kind alone."""
    result = (await house.night(destinations=[EAST])).result
    with Ledger.open(house.state, ids=lambda: "testledger02", now=now()) as ledger:
        said = keeping.leave_reports(Path("no\0name"), ledger, result, now())
    assert said == "a fault of our own (ValueError); `orchestrator report -vv` shows it"


@pytest.mark.looptime
async def test_a_snapshot_spares_the_past_and_changes_nothing(tmp_path: Path) -> None:
    """What is told of a run from the snapshot of before is what all events tell."""
    keeper = Keeper(tmp_path / "state", Cloud(images=6))
    await keeper.night(copies_of(4, EAST))
    with Ledger.open(keeper.folder, ids=lambda: "testledger02", now=now()) as ledger:
        assert keep_snapshot(ledger, recovered(ledger, Limits()), worth=1)
        past = remembered(ledger, Limits())[1]
    assert past > 5
    result = await keeper.night(copies_of(6, EAST, SOUTH))
    with Ledger.open(keeper.folder, ids=lambda: "testledger02", now=now()) as ledger:
        assert remembered(ledger, Limits())[1] == past
        told = story_of_last(ledger, result, result.started_at + 86_000)
    assert told == story_of(keeper, result)


@pytest.mark.looptime
async def test_without_the_setting_nothing_is_written(tmp_path: Path) -> None:
    """A run leaves no report that nobody asked for."""
    house = House(tmp_path)
    await house.night(destinations=[EAST])
    assert not list(tmp_path.rglob("*.html"))


# --- files ----------------------------------------------------------------------------------------


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """The new text stands in a new file of that name, nothing else is left, the umask says who may read."""
    path = tmp_path / "report.html"
    path.write_text("old")
    before = path.stat().st_ino
    umask = os.umask(0o027)
    try:
        write_whole(path, "new\r\n")
    finally:
        os.umask(umask)
    assert path.read_bytes() == b"new\r\n"
    assert path.stat().st_ino != before
    assert path.stat().st_mode & 0o777 == 0o640
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    """A text that no UTF-8 can carry is refused, and the file of before is still there, alone."""
    path = tmp_path / "report.html"
    path.write_text("old")
    with pytest.raises(ValueError, match="surrogates"):
        write_whole(path, "\ud800")
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """Where a link stands, what it leads to is replaced."""
    (tmp_path / "real.html").write_text("old")
    link = tmp_path / "link.html"
    link.symlink_to("real.html")
    write_whole(link, "new")
    assert link.is_symlink()
    assert (tmp_path / "real.html").read_text() == "new"


def test_a_device_is_written_to() -> None:
    """/dev/null stays a device."""
    write_whole(Path("/dev/null"), "text")
    assert not Path("/dev/null").is_file()
