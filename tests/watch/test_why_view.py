"""What `why` says of a copy: state, since when, why."""

from __future__ import annotations

import json

from orchestrator.core.model import Copy, ImageId, Region, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.explaining import Explanation
from orchestrator.watch.why_view import why_json, why_lines

COPY = Copy(ImageId("img-a"), Region("cn-north-1"), Region("cn-east-2"))
RUN = RunId("r1")


def told(since: float) -> dict[Copy, Explanation]:
    """Tell of a copy that has been waiting since then."""
    phrase = "no room"
    return {
        COPY: Explanation(
            state=State.WAITING, reason=Reason.QUOTA_IMAGE, phrase=phrase, since=since, until=None
        )
    }


def test_a_copy_that_never_moved_has_waited_since_no_time() -> None:
    """The ledger holds no moment for it, so none is told: above all not 1970."""
    assert why_lines(told(0), run=RUN, goes_on=True, now=9e9) == [
        "img-a cn-north-1 > cn-east-2: waiting: no room [quota-image]"
    ]
    assert json.loads(why_json(told(0), run=RUN, goes_on=True))[0]["since"] is None


def test_a_copy_that_moved_says_since_when() -> None:
    """The moment of its last step is there, in words and in JSON."""
    (line,) = why_lines(told(60), run=RUN, goes_on=True, now=9e9)
    assert "waiting since 1970-01-01 00:01:00Z: no room" in line
    assert json.loads(why_json(told(60), run=RUN, goes_on=True))[0]["since"].startswith("1970-01-01T00:01:00")
