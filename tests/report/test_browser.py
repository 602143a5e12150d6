"""The page in a real browser: quiet, without requests, usable by keyboard, light with ten thousand copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.report.page import report_html
from orchestrator.report.story import Story
from tests.report.chromium import PROGRAM, Tab, chromium
from tests.report.samples import big_story

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(PROGRAM is None, reason="Chromium is not installed: apt-get install chromium"),
]

MATCHING = "document.getElementById('matching').textContent"
ROWS = "document.querySelectorAll('#timeline .row').length"
FOCUSED = "document.activeElement.className"


def written(folder: Path, story: Story) -> Path:
    """Write the page of a story."""
    path = folder / "report.html"
    path.write_text(report_html(story), encoding="utf-8")
    return path


async def choose(tab: Tab, name: str, value: str) -> None:
    """Set a field of the filters as a person does."""
    script = f"(() => {{ const f = document.getElementById('{name}'); f.value = '{value}';"
    await tab.tell(f"{script} f.dispatchEvent(new Event('input', {{bubbles: true}}));"
                   f"f.dispatchEvent(new Event('change', {{bubbles: true}})); }})()")  # fmt: skip
    await tab.settle()


async def count(tab: Tab, selector: str) -> Any:
    """Count elements."""
    return await tab.tell(f"document.querySelectorAll({selector!r}).length")


async def test_the_page_is_quiet_and_asks_for_nothing(tmp_path: Path) -> None:
    """Nothing is said on the console and nothing but the file itself is asked for, whatever the names are."""
    path = written(tmp_path, big_story(60))
    async with chromium(tmp_path) as tab:
        await tab.open(path)
        for family in range(await count(tab, ".family > summary")):
            await tab.tell(f"document.querySelectorAll('.family > summary')[{family}].click()")
        await tab.settle()
        assert await tab.tell(ROWS) >= 60
        for view in ("table", "timeline"):
            await choose(tab, "by-view", view)
        assert tab.said == []
        assert tab.asked == [path.as_uri()]
        assert await count(tab, "main img, main script, main b, main iframe") == 0


async def test_filters_narrow_timeline_and_table(tmp_path: Path) -> None:
    """State, destination and text each narrow what is shown, and `Show all` brings everything back."""
    async with chromium(tmp_path) as tab:
        await tab.open(written(tmp_path, big_story(300)))
        assert await tab.tell(MATCHING) == "All 300 copies."
        await choose(tab, "by-text", "COPY-ERROR cn-south-1")
        assert await tab.tell(MATCHING) == "2 of 300 copies."
        assert await count(tab, ".lane") == 1
        await choose(tab, "by-view", "table")
        assert await count(tab, "#table tbody tr") == 2
        await choose(tab, "by-text", "")
        await tab.tell("document.querySelector('input[name=state][value=ready]').click()")
        await tab.settle()
        left = await tab.tell("[...document.querySelectorAll('#table tbody .state')].map((s) => s.className)")
        assert sorted(set(left)) == ["state failed", "state waiting"]
        await tab.tell("document.querySelector('input[name=region][value=cn-east-2]').click()")
        await tab.settle()
        assert "cn-east-2" not in await tab.tell("document.querySelector('#table tbody').textContent")
        await tab.tell("document.querySelector('#filters button[type=reset]').click()")
        await tab.settle()
        assert await tab.tell(MATCHING) == "All 300 copies."
        assert tab.said == []


async def test_the_keyboard_reaches_every_copy_and_its_details(tmp_path: Path) -> None:
    """Arrow keys go from line to line, a focused line tells its details, Enter opens them to stay."""
    async with chromium(tmp_path) as tab:
        await tab.open(written(tmp_path, big_story(12)))
        await tab.tell("document.querySelector('.lane > summary').focus()")
        for _ in range(20):
            await tab.press("ArrowDown")
            if await tab.tell(FOCUSED) == "row":
                break
        assert await tab.tell(FOCUSED) == "row"
        assert await tab.tell("document.activeElement.getAttribute('aria-describedby')") == "tip"
        told = await tab.tell("document.getElementById('tip').textContent")
        for part in ("Source image", "img-", "Destination image", "Reason", "State"):
            assert part in told
        await tab.press("Escape")
        assert await tab.tell("document.getElementById('tip').hidden") is True
        await tab.press("Enter")
        assert await tab.tell("document.activeElement.getAttribute('aria-expanded')") == "true"
        assert "Course" in await tab.tell("document.activeElement.nextElementSibling.textContent")
        await tab.press("Enter")
        assert await count(tab, ".details") == 0
        assert tab.said == []


async def test_times_are_shown_in_the_readers_zone(tmp_path: Path) -> None:
    """UTC first; local time on request, everywhere on the page, and the other one as the title."""
    async with chromium(tmp_path) as tab:
        await tab.open(written(tmp_path, big_story(12)))
        first = "document.querySelector('time')"
        assert await tab.tell(f"{first}.textContent") == "2026-11-23 03:12:07Z"
        await choose(tab, "by-zone", "local")
        assert await tab.tell(f"{first}.textContent") == "2026-11-23 11:12:07+08:00"
        assert await tab.tell(f"{first}.title") == "2026-11-23 03:12:07Z"
        assert await tab.tell("document.querySelector('.ticks span').textContent") == "11:12"


async def test_a_phone_needs_no_sideways_scrolling(tmp_path: Path) -> None:
    """On a narrow screen the page is as wide as the screen, with a line and its details open."""
    async with chromium(tmp_path) as tab:
        await tab.call(
            "Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True
        )
        await tab.open(written(tmp_path, big_story(60)))
        await tab.tell("document.querySelector('.row').click()")
        await tab.settle()
        assert await count(tab, ".details") == 1
        assert await tab.tell("document.documentElement.scrollWidth") == 390


async def test_ten_thousand_copies_stay_light(tmp_path: Path) -> None:
    """Only what is opened is drawn, a hundred lines at a time; a filter opens what it finds."""
    async with chromium(tmp_path) as tab:
        await tab.open(written(tmp_path, big_story(10_000)))
        assert await tab.tell(ROWS) == 0
        assert await count(tab, ".lane") == 3
        await tab.tell("document.querySelector('.lane > summary').click()")
        await tab.settle()
        assert await count(tab, ".lane[open] .items > li") == 100
        await tab.tell("document.querySelector('.lane[open] .more').click()")
        assert await count(tab, ".lane[open] .items > li") > 100
        await choose(tab, "by-text", "golden-007")
        assert await tab.tell(MATCHING) == "75 of 10,000 copies."
        assert await count(tab, ".lane[open] .family") == 3
        await choose(tab, "by-view", "table")
        assert await count(tab, "#table tbody tr") == 75
        assert tab.said == []


async def test_without_scripts_the_page_still_tells_what_failed(tmp_path: Path) -> None:
    """Where scripts are forbidden there are verdict, failures with advice, and the way to the rest."""
    async with chromium(tmp_path) as tab:
        await tab.call("Emulation.setScriptExecutionDisabled", value=True)
        await tab.open(written(tmp_path, big_story(120)))
        text = await _text(tab)
        for part in ("partial:", "What to do:", "orchestrator report --csv"):
            assert part in text


async def _text(tab: Tab) -> str:
    """Read a page as it is shown, without running anything in it."""
    root = await tab.call("DOM.getDocument", depth=0)
    html: str = (await tab.call("DOM.getOuterHTML", nodeId=root["root"]["nodeId"]))["outerHTML"]
    return html
