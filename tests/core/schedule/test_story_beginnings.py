"""How a run begins: one request proves the keys, nothing is called before everything was looked at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.messages import Action, Inspect, List, Submit, Survey
from orchestrator.core.model import Copy, Resource, Sighting, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Story, copies_of, image_id, story


def kinds(actions: tuple[Action, ...] | list[Action]) -> list[str]:
    return [type(action).__name__ for action in actions]


def answer(tale: Story, actions: tuple[Action, ...]) -> None:
    """Answer the reads among the actions."""
    for action in actions:
        assert not isinstance(action, Submit)
        tale.tell(tale.answer(action))


def test_the_first_request_goes_alone() -> None:
    """Two origins and two regions: one read at first, and nothing else while it is unanswered."""
    tale = story((*copies_of(2, EAST, SOUTH), *copies_of(1, EAST, origin=SOUTH)))
    first = tale.decide()
    assert kinds(first) == ["Inspect"]
    assert tale.decide() == ()
    tale.now += 3600
    assert tale.decide() == ()
    answer(tale, first)
    assert len(tale.decide()) >= 1


def test_a_first_request_that_fails_proves_nothing() -> None:
    """The next one goes alone too."""
    tale = story(copies_of(2, EAST, SOUTH))
    tale.silent["inspect", NORTH] = Reason.TIMEOUT
    answer(tale, tale.decide())
    tale.now += 60
    assert kinds(tale.decide()) == ["Inspect"]
    assert tale.decide() == ()


def test_keys_that_are_refused_stop_the_run_at_its_first_request() -> None:
    """One request in all; the run is finished, and says why."""
    tale = story(copies_of(2, EAST, SOUTH))
    tale.silent["inspect", NORTH] = Reason.CREDENTIALS
    tale.go()
    assert len(tale.asked) == 1
    assert tale.finished()
    assert tale.schedule.stopped is Reason.CREDENTIALS
    assert {standing.reason for standing in tale.schedule.standings()} == {Reason.CREDENTIALS}


@pytest.mark.parametrize("reason", [Reason.CREDENTIALS, Reason.CONFIGURATION])
def test_after_such_a_refusal_no_call_is_handed_out(reason: Reason) -> None:
    """A call was refused for the keys or the endpoint: nothing more is submitted, whatever waits."""
    tale = story(copies_of(60, EAST, SOUTH), workers=2)
    first, second = tale.go()
    tale.refuse(first, reason)
    tale.accept(second)
    tale.finish()
    assert tale.wait(7200) == []
    assert tale.finished()
    assert tale.schedule.stopped is reason


def test_open_calls_are_awaited_before_a_stopped_run_ends() -> None:
    """Their answers are still worth having."""
    tale = story(copies_of(20, EAST), workers=2)
    first, second = tale.go()
    tale.refuse(first, Reason.CONFIGURATION)
    assert not tale.finished()
    tale.accept(second)
    assert tale.finished()


def test_sources_then_listing_then_quotas_then_calls() -> None:
    """Everything is looked at once, in this order, before the first call to a region."""
    tale = story(copies_of(3, EAST))
    tale.go()
    assert kinds(tale.asked) == ["Inspect", "List", "Survey", "Survey", "Submit"]
    surveys = {action.resource for action in tale.asked if isinstance(action, Survey)}
    assert surveys == set(Resource)


def test_every_page_is_listed_before_the_first_call() -> None:
    """A region of three pages: three reads, in order, and only then a call."""
    tale = story(copies_of(1, EAST))
    tale.page = 10
    for number in range(25):
        image = image_id(100 + number)
        tale.shelves[EAST][image] = Sighting(image=image, status="ready", name="foreign")
    tale.go()
    pages = [action.page for action in tale.asked if isinstance(action, List)]
    assert pages == [1, 2, 3]
    assert kinds(tale.asked).index("Submit") > max(i for i, k in enumerate(kinds(tale.asked)) if k == "List")


def test_a_source_that_is_not_ready_is_looked_at_again_and_not_called() -> None:
    """The others go at once; it is asked for every POLL_INTERVAL, says why it waits, and goes at last."""
    tale = story(copies_of(3, EAST), poll_interval_s=30)
    ready = tale.sources[image_id(1)]
    tale.sources[image_id(1)] = replace(ready, status="pending")
    (call,) = tale.go()
    assert call.numbers == [0, 2]
    assert tale.state(copies_of(2, EAST)[1]) == (State.WAITING, Reason.SOURCE_PENDING)
    asked = tale.reads(Inspect)
    assert tale.wait(100) == []
    assert tale.reads(Inspect) == asked + 3
    tale.sources[image_id(1)] = ready
    (late,) = tale.wait(60)
    assert late.numbers == [1]


def test_a_hundred_sources_are_inspected_at_a_time() -> None:
    """250 sources are three reads, one after the other."""
    tale = story(copies_of(250, EAST))
    tale.go()
    sizes = [len(action.images) for action in tale.asked if isinstance(action, Inspect)]
    assert sizes == [100, 100, 50]


def test_quotas_that_cannot_be_read_do_not_stop_the_night() -> None:
    """After three failures each a refusal will have to tell; the copies are called."""
    tale = story(copies_of(3, EAST))
    tale.silent["survey", EAST] = Reason.SERVER_ERROR
    assert [call.numbers for call in tale.wait(600)] == [[0, 1, 2]]
    assert tale.reads(Survey) == 3


def test_a_region_that_cannot_be_listed_is_given_up_and_the_others_go_on() -> None:
    """EAST never answers: after MAX_ATTEMPTS its copies fail with the reason; SOUTH's are made."""
    tale = story(copies_of(2, EAST, SOUTH), max_attempts=4)
    tale.silent["list", EAST] = Reason.SERVER_ERROR
    for _ in range(20):
        tale.accept(*tale.wait(300))
        tale.finish()
    assert tale.reads(List, EAST) == 4
    for image in range(2):
        assert tale.state(Copy(image_id(image), NORTH, EAST)) == (State.FAILED, Reason.SERVER_ERROR)
        assert tale.state(Copy(image_id(image), NORTH, SOUTH)) == (State.READY, Reason.COPIED)
    assert tale.finished()


def test_a_region_that_is_not_listed_yet_is_not_called() -> None:
    """The others do not wait for EAST's listing for long; EAST's own copies do."""
    tale = story((*copies_of(1, EAST), Copy(image_id(1), NORTH, SOUTH)))
    tale.silent["list", EAST] = Reason.SERVER_ERROR
    calls = tale.wait(60)
    assert [call.chunk.destination for call in calls] == [SOUTH]
    assert 3 <= tale.reads(List, EAST) < 20
    del tale.silent["list", EAST]
    assert [call.chunk.destination for call in tale.wait(300)] == [EAST]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Sighting(image=image_id(1), status="ready", encrypted=True), Reason.ENCRYPTED),
        (Sighting(image=image_id(1), status="ready", root_device="localDisk"), Reason.LOCAL_DISK),
        (Sighting(image=image_id(1), status="error"), Reason.SOURCE_STATUS),
        (Sighting(image=image_id(1), status="deleting"), Reason.SOURCE_STATUS),
        (Sighting(image=image_id(1), status="ready", image_source="shared"), Reason.NOT_PRIVATE),
    ],
)
def test_what_every_call_would_refuse_is_not_called(bad: Sighting, reason: Reason) -> None:
    """All its copies fail at the inspection; the others go without it."""
    tale = story(copies_of(3, EAST, SOUTH))
    tale.sources[bad.image] = bad
    numbers = {number for call in tale.go() for number in call.numbers}
    assert numbers == {0, 2}
    for region in (EAST, SOUTH):
        assert tale.state(Copy(image_id(1), NORTH, region)) == (State.FAILED, reason)


def test_a_source_that_is_not_shown_travels_alone() -> None:
    """Deleted, or not ours to see: only its own call can tell, and it takes nobody down with it."""
    tale = story(copies_of(5, EAST))
    del tale.sources[image_id(2)]
    assert sorted(call.numbers for call in tale.go()) == [[0, 1, 3, 4], [2]]


def test_no_action_is_handed_out_twice() -> None:
    """Asked again before anything is answered, the schedule has nothing to add."""
    tale = story(copies_of(30, EAST, SOUTH), workers=2)
    while not isinstance((actions := tale.decide())[-1], Submit):
        assert tale.decide() == ()
        answer(tale, actions)
    submits = [action for action in actions if isinstance(action, Submit)]
    assert len(submits) == 2
    assert not set(submits[0].chunk.sources) & set(submits[1].chunk.sources)
    assert tale.decide() == ()
