"""A ledger read back under other settings says what happened, not what would happen now."""

from __future__ import annotations

from orchestrator.core.codec import from_json, kind_of, to_json
from orchestrator.core.limits import Limits
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from tests.core.schedule.stories import EAST, LEDGER, Story, copies_of, story


def replayed(tale: Story, limits: Limits) -> Schedule:
    """Read a ledger back as the next run does, perhaps under other settings."""
    schedule = Schedule(limits, LEDGER)
    schedule.recover(from_json(kind_of(event), to_json(event)) for event in tale.told)
    return schedule


def test_a_longer_settle_time_does_not_change_what_happened() -> None:
    """A night with SETTLE_TIME=1m is replayed after the setting became 15m: same states, no IllegalStep."""
    tale = story(copies_of(1, EAST), settle_s=60)
    (call,) = tale.go()
    tale.lose(call)
    tale.accept(*tale.wait(300))
    assert replayed(tale, Limits(settle_s=900)).states() == tale.schedule.states()


def test_fewer_attempts_do_not_change_what_happened() -> None:
    """A night with MAX_ATTEMPTS=20 is replayed after the setting became 2: same states, no IllegalStep."""
    tale = story(copies_of(1, EAST), max_attempts=20)
    calls = tale.go()
    for _ in range(3):
        tale.refuse(calls[0], Reason.UNREACHABLE)
        calls = tale.wait(600)
    tale.accept(*calls)
    assert replayed(tale, Limits(max_attempts=2)).states() == tale.schedule.states()


def test_a_shorter_copy_timeout_does_not_change_what_happened() -> None:
    """A copy that took three hours is ready, also when COPY_TIMEOUT is one hour by now."""
    tale = story(copies_of(1, EAST), copy_timeout_s=6 * 3600)
    tale.accept(*tale.go())
    tale.wait(3 * 3600)
    tale.finish()
    tale.wait(60)
    assert replayed(tale, Limits(copy_timeout_s=3600)).states() == tale.schedule.states()


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
