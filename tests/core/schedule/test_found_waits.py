"""Found in review: waits without an end."""

from __future__ import annotations

from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, copies_of, story


def test_a_quota_that_cannot_be_read_again_is_no_witness() -> None:
    """Read before the call, silent after it: no conclusion, a person is asked in the end, the run ends."""
    tale = story(copies_of(2, EAST))
    (call,) = tale.go()
    tale.wait(1)
    tale.lose(call)
    tale.silent["survey", EAST] = Reason.SERVER_ERROR
    assert tale.wait(12 * 3600) == []
    assert {tale.state(copy) for copy in call.chunk.copies} == {(State.DOUBTFUL, Reason.NEEDS_PERSON)}
    assert tale.finished()
