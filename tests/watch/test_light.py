"""Asking for the status loads nothing heavy, and times and spans read well."""

from __future__ import annotations

import subprocess
import sys

import pytest

from orchestrator.watch.text import again, clean, clock_text, columns, from_iso, iso, some, span
from tests.watch.samples import NIGHT

HEAVY = ("rich", "structlog", "aiohttp", "jinja2", "asyncio")


def test_status_and_log_load_nothing_heavy() -> None:
    """The modules behind `status`, `runs`, `log` and the console load neither rich nor structlog."""
    names = ("status_view", "summary", "log_view", "console", "log_files")
    imports = "\n".join(f"import orchestrator.watch.{name}" for name in names)
    code = f"{imports}\nimport sys\nprint([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("seconds", "short", "spoken"),
    [
        (-5, "0s", "0 s"),
        (0.4, "0s", "0 s"),
        (41, "41s", "41 s"),
        (59.6, "1m", "1 min"),
        (90, "1m 30s", "1 min 30 s"),
        (725, "12m", "12 min"),
        (3600, "1h", "1 h"),
        (3900, "1h 5m", "1 h 5 min"),
        (180_000, "50h", "50 h"),
        (float("inf"), "277777h 46m", "277777 h 46 min"),
    ],
)
def test_a_span_has_two_units_at_most(seconds: float, short: str, spoken: str) -> None:
    """Durations are short in tables and readable aloud in sentences."""
    assert (span(seconds), span(seconds, spoken=True)) == (short, spoken)


def test_times_are_utc_with_z_and_come_back() -> None:
    """A time is written with milliseconds and read back; one that no calendar has is none."""
    assert iso(NIGHT + 0.25) == "2026-11-23T03:12:07.250Z"
    assert from_iso("2026-11-23T03:12:07.250Z") == NIGHT + 0.25
    assert [iso(at) for at in (float("nan"), float("inf"), 1e18)] == [None, None, None]
    assert clock_text(float("nan")) == "--:--:--"
    with pytest.raises(ValueError, match="no time zone"):
        from_iso("2026-11-23T03:12:07")


def test_clean_keeps_words_and_breaks_spells() -> None:
    """Letters of any script stay; what could act on a terminal becomes its escape."""
    assert clean("镜像 img-1") == "镜像 img-1"
    assert clean("a\u3000b\u00a0c") == "a b c"
    assert clean("\x1b[0m\u200b\ud800") == "\\x1b[0m\\u200b\\ud800"
    assert clean("x" * 301) == "x" * 299 + "…"


def test_columns_align_and_leave_no_blanks_at_the_end() -> None:
    """Numbers stand flush right, words flush left."""
    assert columns([("a", "n"), ("bb", "10"), ("c", "")], right=frozenset({1})) == ["a    n", "bb  10", "c"]
    assert columns([]) == []
    assert [some(1, "copy", "copies"), some(2, "copy", "copies"), some(0, "line")] == [
        "1 copy",
        "2 copies",
        "0 lines",
    ]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-1, "at once"), (0, "at once"), (0.049, "at once"), (0.05, "in 0.1 s"), (0.24, "in 0.2 s"),
        (0.94, "in 0.9 s"), (0.96, "in 1 s"), (1.4, "in 1 s"), (41, "in 41 s"), (900, "in 15 min"),
    ],
)  # fmt: skip
def test_a_short_pause_is_not_called_none(seconds: float, said: str) -> None:
    """Whatever the pause, nobody reads that something is tried again in 0 s; both ways of writing agree."""
    assert again(seconds, spoken=True) == f"tried again {said}"
    assert again(seconds) == f"tried again {said}".replace(" s", "s").replace(" min", "m")
