"""A cloud that takes fewer requests than it is documented to: what a throttle costs a night, and what not."""

from __future__ import annotations

import pytest

from orchestrator.core.apis import COPY_IMAGES, DESCRIBE_IMAGES
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Look, Refused, Submit, Unanswered
from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.pace import Traffic
from tests.core.schedule.stories import EAST, LEDGER, SOUTH, Story, copies_of, story
from tests.core.schedule.test_pace import worst_minute
from tests.core.schedule.test_story_pace import Timed

MINUTE_S = 60.0


def throttled_look(tale: Story) -> float:
    """Let a look be throttled for the key; return for how long everything pauses then."""
    tale.tell(Unanswered(at=tale.now, read="look", region=EAST, reason=Reason.THROTTLED))
    return max(tale.schedule.register.pauses.values()) - tale.now


def bound(tale: Story) -> int | None:
    """Tell how many requests a minute the cloud was found to take."""
    return tale.schedule.register.pace.allowances.most(COPY_IMAGES)


def learn(jitter: float = 0.5) -> tuple[Story, int]:
    """Let the first call of a night be throttled three times; return how many requests went before it."""
    tale = story(copies_of(40, EAST, SOUTH), workers=1)
    (call,) = tale.go()
    went = len(tale.asked) - 1
    for _ in range(2):
        tale.refuse(call, Reason.THROTTLED)
        (call,) = tale.wait(5)
    tale.tell(Refused(at=tale.now, call=call.id, reason=Reason.THROTTLED), jitter)
    return tale, went


def learn_from_looks() -> tuple[Timed, int]:
    """Begin a call, then let looks be throttled three times; return how many requests went before them."""
    tale = Timed(limits=Limits(requests_per_minute=100_000, workers=1, poll_interval_s=1))
    tale.begin(copies_of(40, EAST, SOUTH))
    tale.accept(*tale.go())
    for _ in range(3):
        throttled_look(tale)
        tale.now += 5
    return tale, len(tale.asked)


# --- what a throttle does not cost ----------------------------------------------------------------


@pytest.mark.parametrize("reason", [Reason.THROTTLED, Reason.API_THROTTLED])
def test_a_throttled_call_leaves_its_images_to_the_destination_whose_turn_it_was(reason: Reason) -> None:
    """Ten images, two destinations: what did not reach the first goes there as soon as calls may go again."""
    tale = story(copies_of(10, EAST, SOUTH), workers=1)
    (call,) = tale.go()
    first = call.chunk.destination
    tale.refuse(call, reason)
    again = tale.wait(10)
    assert {each.chunk.destination for each in again} == {first}


@pytest.mark.parametrize(
    ("reason", "relay", "kept"),
    [
        (Reason.THROTTLED, False, True),
        (Reason.THROTTLED, True, True),
        (Reason.CONFLICT, False, True),
        (Reason.CONFLICT, True, False),
        (Reason.QUOTA_IMAGE, False, False),
    ],
)
def test_a_refused_call_ends_the_turn_of_a_full_destination_only(
    reason: Reason, relay: bool, kept: bool
) -> None:
    """Or where another image may carry the copies: there suspects are tried elsewhere meanwhile."""
    tale = Story(limits=Limits(workers=1)).begin(copies_of(10, EAST, SOUTH), relay=relay)
    (call,) = tale.go()
    tale.refuse(call, reason)
    tracks = [tale.track(copy) for copy in call.chunk.copies]
    assert {track.source.turn == track.destination.number for track in tracks} == {kept}


def test_requests_that_were_on_their_way_together_are_one_throttle() -> None:
    """Five looks are refused at once: the next pause is no longer than after one."""
    tale = story(copies_of(1, EAST))
    tale.accept(*tale.go())
    for _ in range(5):
        throttled_look(tale)
    assert tale.schedule.register.throttles[DESCRIBE_IMAGES] == 1
    tale.now += 300
    assert throttled_look(tale) == pytest.approx(0.5 * 2 * tale.limits.backoff_initial_s)


# --- what is learned ------------------------------------------------------------------------------


def test_calls_wait_until_the_cloud_takes_one_again() -> None:
    """Once a bound is known the pause ends when the oldest request of the minute leaves it, not before."""
    tale, went = learn()
    assert bound(tale) == went
    began = tale.told[0].at
    assert tale.wait(began + MINUTE_S - tale.now - 1) == []
    assert len(tale.wait(2)) == 1


def test_when_a_call_goes_again_is_recorded_and_parted_by_chance() -> None:
    """The refusal's own time is in the event; two programs with one key do not come back together."""
    untils = []
    for jitter in (0.0, 1.0):
        tale, _ = learn(jitter)
        event = tale.told[-1]
        assert isinstance(event, Refused)
        untils.append(event.until - tale.told[0].at)
    assert untils == [MINUTE_S, MINUTE_S + tale.limits.backoff_initial_s]


def test_where_requests_are_scarce_a_call_goes_before_a_look() -> None:
    """Both are due when the pause ends: the call fills places, the look can wait."""
    tale, _ = learn_from_looks()
    before = len(tale.asked)
    tale.wait(MINUTE_S)
    first, *others = tale.asked[before:]
    assert isinstance(first, Submit)
    assert any(isinstance(other, Look) for other in others)


def test_no_minute_holds_more_requests_than_were_learned() -> None:
    """Looks every second for ten minutes: as many in any minute as the cloud took, grown by its tenths."""
    tale, went = learn_from_looks()
    began = tale.now
    tale.accept(*tale.wait(10 * MINUTE_S))
    times = [at for at in tale.at(COPY_IMAGES, DESCRIBE_IMAGES) if at > began]
    assert went <= worst_minute(times) <= (bound(tale) or 0) <= 2.5 * went


def test_what_is_on_its_way_is_among_them() -> None:
    """Eight a minute are taken: of requests that leave together, without an answer, there are eight."""
    traffic = Traffic(100_000)
    for number in range(8):
        traffic.take(COPY_IMAGES, float(number))
        traffic.allowances.took(COPY_IMAGES, float(number))
    for at in (8.0, 9.0, 10.0):
        traffic.allowances.refused(COPY_IMAGES, at, alone=False, again=True)
    traffic.allowances.took(COPY_IMAGES, 69.0)
    left = 0
    while traffic.ready(COPY_IMAGES, 140.0):
        traffic.take(COPY_IMAGES, 140.0)
        left += 1
    assert left == 8


def test_a_destination_says_that_its_rate_was_learned() -> None:
    """While calls pause it says until when; then how many requests leave in a minute."""
    tale, went = learn()
    paused = {each.note for each in tale.schedule.overview()}
    tale.accept(*tale.wait(MINUTE_S))
    slowed = {each.note for each in tale.schedule.overview()}
    assert all(note.startswith("calls pause until") for note in paused)
    assert f"at most {went} requests a minute, learned from refusals" in slowed


def test_the_next_run_learns_anew() -> None:
    """What a gateway takes tonight says nothing of tomorrow."""
    tale, _ = learn()
    tale.begin(copies_of(40, EAST, SOUTH), run="run2")
    assert bound(tale) is None


def test_a_replay_comes_to_the_same_copies() -> None:
    """When requests may leave is no matter of the ledger: the copies are."""
    tale, _ = learn()
    tale.accept(*tale.wait(MINUTE_S))
    twin = Schedule(tale.limits, LEDGER)
    twin.recover(tale.told)
    assert twin.states() == tale.schedule.states()
    assert State.COPYING in twin.states().values()
