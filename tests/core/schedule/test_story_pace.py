"""Reads and calls share one rate; each API has its own within it; and a throttle slows what it is about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from orchestrator.core.apis import APIS_OF_READ, COPY_IMAGES, DESCRIBE_IMAGES, api_of
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Action, Inspect, Look, Survey, Unanswered
from orchestrator.core.model import ImageId, Region, Resource, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.pace import Traffic
from tests.core.schedule.stories import EAST, EPOCH, KINDS, NORTH, SOUTH, Story, copies_of, story
from tests.core.schedule.test_pace import worst_minute

THROTTLES = (Reason.THROTTLED, Reason.API_THROTTLED)


# --- the buckets ----------------------------------------------------------------------------------


def sent(traffic: Traffic, apis: list[str], for_s: float = 200) -> dict[str, list[float]]:
    """Send to these APIs in turn, as eagerly as allowed; return when, by API."""
    times: dict[str, list[float]] = {api: [] for api in apis}
    now = 0.0
    while now < for_s:
        for api in apis:
            if traffic.ready(api, now):
                traffic.take(api, now)
                times[api].append(now)
        now += 0.01
    return times


def test_all_apis_together_keep_to_the_keys_limit() -> None:
    """Three APIs, 600 a minute in all: no window of a minute holds more."""
    times = sent(Traffic(600), ["a", "b", "c"])
    assert worst_minute(sorted(at for of in times.values() for at in of)) <= 600


def test_each_api_keeps_to_its_own_limit() -> None:
    """A hundred a minute each, six hundred in all: one that is asked eagerly does not take more."""
    times = sent(Traffic(600, 100), ["a", "b"])
    assert [worst_minute(of) <= 100 for of in times.values()] == [True, True]
    assert len(times["a"]) > 250


def test_an_api_without_a_limit_of_its_own_has_the_keys() -> None:
    """Nothing set: one API may use all of REQUESTS_PER_MINUTE, and never more than that whatever is set."""
    for api_per_minute in (None, 5000):
        (times,) = sent(Traffic(600, api_per_minute), ["a"]).values()
        assert 1700 < len(times) <= 2000


def test_one_slow_api_does_not_slow_the_others() -> None:
    """Its bucket is empty; another API is asked at once, and the next time is that of the slow one."""
    traffic = Traffic(6000, 6)
    while traffic.ready("slow", EPOCH):
        traffic.take("slow", EPOCH)
    assert traffic.ready("quick", EPOCH)
    assert traffic.next_at(EPOCH) > EPOCH + 5
    assert traffic.ready("slow", traffic.next_at(EPOCH))


# --- whole nights ---------------------------------------------------------------------------------


@dataclass
class Timed(Story):
    """A story that notes when each request left, by API."""

    times: Counter[tuple[str, float]] = field(default_factory=Counter)

    def decide(self) -> tuple[Action, ...]:
        """Ask once, and note the time."""
        actions = super().decide()
        self.times.update((api_of(action), self.now) for action in actions)
        return actions

    def at(self, *apis: str) -> list[float]:
        """Tell when these APIs were asked."""
        return sorted(at for (api, at), count in self.times.items() for _ in range(count) if api in apis)


@pytest.mark.parametrize("api_per_minute", [None, 20])
def test_no_minute_of_a_night_holds_more_requests_than_allowed(api_per_minute: int | None) -> None:
    """Calls and reads of three hundred copies, in any minute: 60 in all, 20 of one kind if so set."""
    limits = Limits(
        requests_per_minute=60, api_requests_per_minute=api_per_minute, region_copies=50, poll_interval_s=2
    )
    tale = Timed(limits=limits)
    tale.begin(copies_of(150, EAST, SOUTH))
    for _ in range(60):
        tale.accept(*tale.wait(20))
        tale.finish()
    apis = {api for api, _ in tale.times}
    assert worst_minute(tale.at(*apis)) <= 60
    assert max(worst_minute(tale.at(api)) for api in apis) <= (api_per_minute or 60)
    assert State.READY in tale.states()


# --- throttles ------------------------------------------------------------------------------------


def throttle(tale: Story, kind: str, region: Region, reason: Reason) -> None:
    """Let a kind of read be throttled from now on."""
    tale.silent[kind, region] = reason


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_read_that_is_throttled_for_the_key_pauses_everything(kind: str) -> None:
    """Whatever was read: no request of any API leaves before the pause is over."""
    register = story(copies_of(1, EAST)).schedule.register
    register.now = EPOCH
    register.throttled(APIS_OF_READ[kind][0], EPOCH + 7, alone=False)
    apis = {api for apis in APIS_OF_READ.values() for api in apis} | {COPY_IMAGES}
    assert not any(map(register.may_send, apis))
    register.now = EPOCH + 7
    assert all(map(register.may_send, apis))


def test_a_throttled_look_slows_the_looks_down_and_the_calls_with_them() -> None:
    """The key is asked too often: for ten minutes a few looks, with longer and longer pauses, and no call."""
    tale = story(copies_of(30, EAST), workers=1, poll_interval_s=1)
    tale.accept(*tale.go())
    call = tale.go()
    throttle(tale, "look", EAST, Reason.THROTTLED)
    tale.wait(60)
    before = tale.reads(Look)
    tale.accept(*call)
    called = len(tale.wait(540))
    assert tale.reads(Look) - before <= 10
    assert called <= 10


def test_a_look_that_is_throttled_alone_leaves_calls_and_quotas_alone() -> None:
    """Only describeImages is asked too often: two hundred copies are called at their usual pace."""
    tale = story(copies_of(200, EAST), workers=1, region_copies=200, poll_interval_s=1)
    throttle(tale, "look", EAST, Reason.API_THROTTLED)
    called = 0
    for _ in range(20):
        calls = tale.go()
        called += sum(len(call.sources) for call in calls)
        tale.accept(*calls)
    assert called == 200
    assert tale.schedule.register.pauses.keys() <= {DESCRIBE_IMAGES}


@pytest.mark.parametrize("reason", THROTTLES)
def test_throttled_quotas_are_asked_for_again_and_not_given_up_like_silent_ones(reason: Reason) -> None:
    """Three answers that say too often say nothing of the quota: it is read later, and holds."""
    tale = Story(limits=Limits(requests_per_minute=100_000))
    tale.quotas[EAST, Resource.IMAGE] = 2
    tale.silent["survey", EAST] = reason
    tale.begin(copies_of(5, EAST))
    for _ in range(5):
        assert tale.wait(3) == []
    assert tale.reads(Survey) >= 4
    tale.silent.clear()
    assert [call.numbers for call in tale.wait(60)] == [[0, 1]]


@pytest.mark.parametrize("reason", THROTTLES)
def test_a_cloud_that_says_too_often_for_ever_does_not_hold_the_run_for_ever(reason: Reason) -> None:
    """The first request is throttled again and again: after MAX_ATTEMPTS the run stops and says why."""
    tale = Story(limits=Limits(max_attempts=4))
    tale.silent["inspect", NORTH] = reason
    tale.begin(copies_of(1, EAST))
    for _ in range(10):
        tale.wait(600)
    assert tale.reads(Inspect) == 4
    assert tale.schedule.stopped is reason


def test_an_answer_ends_the_row_of_throttles() -> None:
    """The pause after the next throttled look is short again."""
    tale = story(copies_of(1, EAST))
    tale.accept(*tale.go())
    (image,) = tale.shelves[EAST]
    pauses = []
    for throttled in (True, True, True, False, True):
        tale.now += 100
        if not throttled:
            tale.tell(tale.answer(Look(EAST, (image,))))
            continue
        tale.tell(Unanswered(at=tale.now, read="look", region=EAST, reason=Reason.API_THROTTLED))
        pauses.append(tale.schedule.register.pauses[DESCRIBE_IMAGES] - tale.now)
    assert pauses == [0.5, 1, 2, 0.5]


def test_every_kind_of_read_has_its_apis() -> None:
    """The table of reads and the naming of actions say the same."""
    image, region = ImageId("img-a"), EAST
    looks: list[Action] = [Inspect(region, (image,)), Look(region, (image,))]
    surveys: list[Action] = [Survey(region, resource) for resource in Resource]
    assert {api_of(action) for action in looks} == set(APIS_OF_READ["look"])
    assert {api_of(action) for action in surveys} == set(APIS_OF_READ["survey"])
    assert set(APIS_OF_READ) == set(KINDS.values())
