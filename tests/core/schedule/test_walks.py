"""Random walks through bad weather: after every step counts, replay and promises hold; each run ends."""

from __future__ import annotations

import pytest

from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from tests.core.schedule.walks import Walk, walk

TEXTS = ("mark", "platform", "none")


@pytest.mark.parametrize("seed", range(120))
def test_every_step_of_a_walk_keeps_the_promises(seed: int) -> None:
    """What is read back from the ledger equals the live state, nothing is made twice, the run ends.

    Refusals of every kind, lost calls with late effects, silent reads, blind listings, quotas that
    move, images that break or go, and processes that die and come back wanting less.
    """
    _take(walk(seed, TEXTS[seed % 3]))


@pytest.mark.parametrize("seed", range(90))
def test_every_step_of_a_relayed_walk_keeps_the_promises(seed: int) -> None:
    """The same where ready copies carry others at random: one carrier goes to one destination at a time."""
    _take(walk(seed, TEXTS[seed % 3], relay=True))


def _take(tale: Walk) -> None:
    """Go fifty steps, then to the end of the run."""
    for _ in range(50):
        tale.step()
    tale.end()
    open_ends = {
        (s.state, s.reason) for s in tale.schedule.standings() if s.state not in (State.READY, State.FAILED)
    }
    assert tale.schedule.stopped or open_ends <= {(State.DOUBTFUL, Reason.NEEDS_PERSON)}
