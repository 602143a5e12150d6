"""Random walks through bad weather: after every step counts, replay and promises hold; each run ends."""

from __future__ import annotations

import pytest

from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from tests.core.schedule.walks import walk

TEXTS = ("mark", "platform", "none")


@pytest.mark.parametrize("seed", range(120))
def test_every_step_of_a_walk_keeps_the_promises(seed: int) -> None:
    """What is read back from the ledger equals the live state, nothing is made twice, the run ends.

    Refusals of every kind, lost calls with late effects, silent reads, blind listings, quotas that
    move, images that break or go, and processes that die and come back wanting less.
    """
    tale = walk(seed, TEXTS[seed % 3])
    for _ in range(50):
        tale.step()
    tale.end()
    open_ends = {
        (s.state, s.reason) for s in tale.schedule.standings() if s.state not in (State.READY, State.FAILED)
    }
    assert tale.schedule.stopped or open_ends <= {(State.DOUBTFUL, Reason.NEEDS_PERSON)}
