"""The line that monitoring reads: its form, and that nothing in it can be mistaken for something else."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from orchestrator.core.model import RunId
from orchestrator.core.probe import Alarm, Level, Probe
from orchestrator.core.reasons import Reason
from orchestrator.watch.probe_view import probe_line, unknown_line

FORM = re.compile(r"(OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+(\|(\S+=\S+)( \S+=\S+)*)?")
GOOD = Probe(level=Level.OK, alarms=(), run=RunId("r"), age_s=10_800.0, wanted=360, ready=360)
BAD = Probe(
    level=Level.CRITICAL, alarms=(Alarm.FAILED,), run=RunId("r"), going_on=True, wanted=5, ready=2, failed=2,
    deferred=1, reasons=Counter({Reason.COPY_ERROR: 2, Reason.QUOTA_IMAGE: 1}),
)  # fmt: skip


def test_a_good_line() -> None:
    """Level, plan, numbers, age; then the performance data with the limit as the critical value."""
    assert probe_line(GOOD, "plans/nightly.yaml", max_age_s=93_600) == (
        "OK - nightly.yaml: 360 of 360 ready; everything was ready 3h ago"
        "|age=10800s;;93600;0 ready=360;;;0;360 failed=0;;;0;360 deferred=0;;;0;360 person=0;;;0;360"
        " owed=0;;;0;360"
    )


def test_a_bad_line_says_what_is_wrong_first() -> None:
    """The alarm with what to do, the numbers with their reasons, what is not known, and what goes on."""
    line = probe_line(BAD, "n.yaml", max_age_s=93_600, others=1)
    assert line.partition("|")[0] == (
        "CRITICAL - n.yaml: copies failed; see `orchestrator status`; 2 of 5 ready, 2 failed, 1 without room "
        "(copy-error 2, quota-image 1); no run of the last 26h had everything ready; "
        "a run is going on; 1 other plan is no worse"
    )
    assert "age=" not in line


def test_what_best_effort_tolerates_is_not_called_ready() -> None:
    """A line that counts copies without room does not say as well that everything is ready."""
    lacking = replace(GOOD, level=Level.WARNING, alarms=(Alarm.TOLERATED,), ready=358, deferred=2)
    line = probe_line(replace(lacking, but_tolerated=True), "n.yaml", max_age_s=93_600)
    assert "; everything but what best effort lets be missing was ready 3h ago|" in line


@pytest.mark.parametrize("plan", ["a|b=1\nOK - x", "\x1b[2J", "'; rm"])
@pytest.mark.parametrize("answer", [GOOD, BAD, Probe(level=Level.UNKNOWN, alarms=(Alarm.NEVER,))])
def test_a_name_cannot_forge_the_line(plan: str, answer: Probe) -> None:
    """Whatever a plan is called: one line, one bar at most, no control character."""
    line = probe_line(answer, plan, max_age_s=1)
    assert FORM.fullmatch(line)
    assert line.isprintable()


def test_an_error_is_one_line_of_unknown() -> None:
    """A message of several lines, with a bar in it, becomes one line without performance data."""
    assert unknown_line("a|b\n  c\x07") == "UNKNOWN - a/b c\\x07"
