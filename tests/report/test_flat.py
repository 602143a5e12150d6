"""The report for machines: one object, or a row per copy that no spreadsheet runs."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest

from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.report.flat import COLUMNS, VERSION, defused, report_csv, report_json
from tests.report.nights import HOSTILE, rich_nights, story_of
from tests.report.samples import big_story, copy_story, some_upkeep


@pytest.mark.looptime
async def test_json_holds_what_the_story_holds(tmp_path: Path) -> None:
    """The object has a version and every copy, call, quota and earlier run, with the reasons explained."""
    keeper, result = await rich_nights(tmp_path / "state")
    story = story_of(keeper, result)
    told = json.loads(report_json(story))
    assert (told["version"], told["run"], told["verdict"]) == (VERSION, "run2", "partial")
    assert told["counts"] == {"wanted": 81, "ready": 63, "failed": 7, "pending": 11}
    assert len(told["copies"]) == 81
    assert [call["call"] for call in told["calls"]] == [call.call for call in story.calls]
    assert [run["run"] for run in told["earlier"]] == ["run1"]
    assert {quota["region"] for quota in told["quotas"]} == {"cn-east-1", "cn-east-2", "cn-south-1"}
    named = {copy["reason"] for copy in told["copies"]}
    assert named <= told["reasons"].keys()
    assert told["reasons"]["encrypted"]["advice"] == MEANINGS[Reason.ENCRYPTED].advice
    assert sum(told["traffic"]["counts"]["copyImages"]) == told["requests"]["copyImages"]
    assert any(copy["lineage"] for copy in told["copies"])


def test_upkeep_is_in_the_object() -> None:
    """Every event of upkeep is there with its kind, its image and its reason or difference."""
    told = json.loads(report_json(replace(big_story(6), upkeep=tuple(some_upkeep()))))["upkeep"]
    kinds = ["selected", "pruned", "pruned", "labelled", "verified", "verified"]
    assert [event["kind"] for event in told] == kinds
    assert [event.get("reason") for event in told] == [None, "pruned", "shared", "labelled", None, None]
    assert {event.get("image", "img-y") for event in told} == {"img-y"}
    assert [event.get("differs") for event in told[-2:]] == [[], ["size", ""]]


@pytest.mark.parametrize("text", [*HOSTILE, "\ud800"])
def test_json_is_ascii_and_one_line(text: str) -> None:
    """Whatever names say, the object is one line of ASCII that every parser reads."""
    written = report_json(replace(big_story(6), copies=(copy_story(7, name=text, text=text),)))
    assert written.isascii()
    assert "\n" not in written
    assert json.loads(written)["copies"][0]["name"].isascii() == text.replace("\ud800", "?").isascii()


def test_csv_has_a_row_for_each_copy_under_a_head() -> None:
    """Failures come first; lines end as RFC 4180 wants it; every row has every column."""
    text = report_csv(big_story(120))
    assert text.count("\r\n") == text.count("\n") == 121
    head, *rows = csv.reader(StringIO(text, newline=""))
    assert tuple(head) == COLUMNS
    assert {len(row) for row in rows} == {len(COLUMNS)}
    assert [row[1] for row in rows][:2] == ["failed", "failed"]
    first = next(csv.DictReader(StringIO(text, newline="")))
    assert first["reason"] == "copy-error"
    assert first["advice"] == MEANINGS[Reason.COPY_ERROR].advice
    assert first["copying_at"] < first["ended_at"]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(1)", "\tx", "\rx", "＝1"])
def test_a_cell_that_would_be_a_formula_is_defused(cell: str) -> None:
    """A spreadsheet shows the text instead of running it."""
    assert defused(cell) == f"'{cell}"
    assert defused(f"a{cell}") == f"a{cell}"


def test_no_cell_of_a_hostile_night_is_a_formula() -> None:
    """Whatever the images are called, no cell begins like a formula, and none holds a control character."""
    text = report_csv(replace(big_story(6), copies=tuple(copy_story(7, name=n, text=n) for n in HOSTILE)))
    cells = [cell for row in csv.reader(StringIO(text, newline="")) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert all(cell.isprintable() for cell in cells)
