"""What the cost curve says is measured, drawn and held to: flat in size, by ratios and never by a time."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.bench import cost, cost_guard, cost_ledger, cost_start
from tests.bench.cost_night import Figures, Night, measure, plan
from tests.bench.plot import line_chart, short

SVG = "{http://www.w3.org/2000/svg}"
ROWS = [
    Figures(
        copies=copies, events=copies // 3, changes=4 * copies, decides=copies, event_us=200.0 + place,
        decide_us=20.0, copy_us=60.0, again_us=8.0, bytes=1000.0, peak_mb=50.0 + copies / 1000,
    )
    for place, copies in enumerate((999, 9_999, 99_999))
]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.long] if n != "calls" else []) for n in cost_guard.MEASURES],
)
def test_a_copy_of_a_large_plan_costs_what_one_of_a_small_plan_does(name: str) -> None:
    """Function calls, CPU time and bytes per copy, large over small, are not worse than recorded."""
    said = list(cost_guard.worse({name: cost_guard.MEASURES[name]()}, cost_guard.read()))
    assert said == [], f"if that is meant, record it: {cost_guard.COMMAND}"


def test_a_million_copies_fit_into_a_gigabyte_and_a_half() -> None:
    """By the bytes of a small night: they are flat, as the test above holds."""
    assert cost_guard.bytes_per_copy(1800) < cost_guard.MOST_BYTES


def test_a_ratio_over_its_margin_is_worse_and_one_within_is_not() -> None:
    """The margin is a share of what was recorded."""
    before = {"calls": 1.0, "cpu": 1.2, "bytes": 1.0}
    assert list(cost_guard.worse({"calls": 1.049, "cpu": 1.9, "bytes": 1.14}, before)) == []
    assert len(list(cost_guard.worse({"calls": 1.06, "cpu": 2.0, "bytes": 1.2}, before))) == 3


def test_the_night_is_a_whole_one() -> None:
    """Every copy is made by full calls, looked at, and confirmed in the night after without a call."""
    night = Night(plan(600))
    night.run("first")
    night.check()
    calls, events = night.calls, night.applied.calls
    assert 60 <= calls <= 90
    assert events > 2 * calls
    night.run("second")
    night.check()
    assert (night.calls, night.applied.calls > events) == (calls, True)


def test_figures_count_every_event() -> None:
    """What is published is what was applied: four changes per copy, more than two events for each ten."""
    figures = measure(600, together=600)
    assert (figures.copies, figures.changes) == (600, 4 * 600)
    assert figures.events > 600 / 10 * 2
    assert figures.decides > figures.events
    assert figures.event_us * figures.events == pytest.approx(figures.copy_us * figures.copies)
    assert figures.changes_s > figures.events_s > 0


def test_a_start_is_measured_with_and_without_a_snapshot(tmp_path: Path) -> None:
    """The ledger holds as many events as were asked for; both ways give the same copies."""
    start = cost_ledger.measure(500, tmp_path)
    assert (start.events, start.copies) == (500, 375)
    assert min(start.replay_s, start.keep_s, start.snapshot_s) > 0


def test_the_page_shows_figures_ratios_and_pictures() -> None:
    """One line per size in both tables, one picture per curve, what a start costs, and the command line."""
    start = cost_ledger.Start(
        events=1000, copies=700, replay_s=1.0, keep_s=0.2, snapshot_s=0.3, peak_mb=50.0
    )  # fmt: skip
    loading = cost_start.Loading(nothing_ms=10.0, version_ms=20.0, help_ms=80.0, status_help_ms=90.0)
    text = cost.page(ROWS, [start], loading)
    assert text.count("| 9,999 |") == 2
    assert text.count(".svg)") == len(cost.charts(ROWS)) == 4
    assert all(f"({name})" in text for name in cost.charts(ROWS))
    assert "2.0 times `python -c pass`" in text
    assert "| 1,000 | 700 | 1.00 | 0.30 | 0.20 | 50 |" in text


def test_a_chart_is_a_picture_with_every_point() -> None:
    """Well-formed SVG: a line and its points per name, ticks at round numbers, labels, no background."""
    lines = {"a <b>": [(1_000, 2.0), (10_000, 4.0), (1_000_000, 7.5)], "c": [(1_000, 1.0)]}
    root = ET.fromstring(line_chart(lines, title="T & t", x="copies", y="µs"))
    assert len(root.findall(f"{SVG}polyline")) == 2
    assert len(root.findall(f"{SVG}circle")) == 4
    words = [text.text for text in root.findall(f"{SVG}text")]
    assert {"T & t", "copies", "µs", "a <b>", "c", "1k", "10k", "100k", "1M", "0", "2", "8"} <= set(words)
    places = [float(circle.attrib["cx"]) for circle in root.findall(f"{SVG}circle")]
    assert places[1] - places[0] == pytest.approx((places[2] - places[1]) / 2, abs=0.2)
    assert root.find(f"{SVG}rect[@width='100%']") is None


def test_a_chart_refuses_what_it_cannot_draw() -> None:
    """No points, or nothing where an axis has no zero: ValueError, no broken picture."""
    with pytest.raises(ValueError, match="needs points"):
        line_chart({"a": []}, title="", x="", y="")
    with pytest.raises(ValueError, match="no zero"):
        line_chart({"a": [(0, 1)]}, title="", x="", y="")


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (0.25, "0.25"), (999, "999"), (1500, "1.5k"), (2e6, "2M"), (3e9, "3G")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    """A tick has room for a few characters."""
    assert short(value) == text
