"""Found in review: what a decision changed is missing after a replay."""

from __future__ import annotations

from orchestrator.core.limits import Limits
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, Story, copies_of
from tests.core.schedule.test_replay import replayed


def test_what_a_decision_forgot_is_forgotten_in_the_replay_too() -> None:
    """A parked region is tried again while a doubt lasts and quotas are silent: same states from the ledger.

    The retry, begun by `decide`, takes back that the quota cannot be read, and no event says so. The
    replay then counts listings that the run did not, asks for a person where the run called again,
    and the ledger cannot be opened any more: a doubtful copy cannot be called.
    """
    limits = Limits(
        workers=2, settle_s=60, poll_interval_s=20, max_attempts=6, quota_interval_s=59.5,
        backoff_initial_s=10, requests_per_minute=100_000,
    )  # fmt: skip
    tale = Story(limits=limits)
    tale.silent["survey", EAST] = Reason.SERVER_ERROR
    tale.begin(copies_of(11, EAST))
    doubtful, single = tale.wait(30)
    tale.lose(doubtful)
    tale.refuse(single, Reason.QUOTA_IMAGE)
    (probe,) = tale.wait(90)
    tale.refuse(probe, Reason.QUOTA_IMAGE)
    tale.wait(20)
    tale.silent.clear()
    tale.wait(600)
    assert replayed(tale, limits).states() == tale.schedule.states()
