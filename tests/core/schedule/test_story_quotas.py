"""Room: our own limit, the two quotas, full regions and the end of a night that waits only for room."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Submit, Survey
from orchestrator.core.model import Copy, Resource, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Story, copies_of, image_id, story


def with_quota(images: int, quota: int, resource: Resource = Resource.IMAGE) -> Story:
    """Begin a story with a quota in EAST."""
    tale = Story(limits=Limits(requests_per_minute=100_000))
    tale.quotas[EAST, resource] = quota
    return tale.begin(copies_of(images, EAST))


def called(tale: Story) -> int:
    """Count the copies that were ever called."""
    return sum(len(action.chunk.copies) for action in tale.asked if isinstance(action, Submit))


# --- room -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 7, 10, 25])
def test_no_more_copies_are_in_flight_than_the_limit(limit: int) -> None:
    """Counted from the call until the copy is ready, over a whole night."""
    tale = story(copies_of(30, EAST), region_copies=limit)
    for _ in range(60):
        tale.accept(*tale.go())
        assert 0 <= tale.region(EAST).in_flight <= limit
        tale.finish()
        tale.accept(*tale.wait(60))
        assert 0 <= tale.region(EAST).in_flight <= limit
    assert tale.states() == {State.READY}


@pytest.mark.parametrize("workers", [1, 3])
def test_no_more_calls_are_open_than_there_are_workers(workers: int) -> None:
    """The rest is decided when an answer comes."""
    tale = story(copies_of(60, EAST), workers=workers, region_copies=100)
    calls = tale.go()
    assert len(calls) == workers
    tale.accept(calls[0])
    assert len(tale.go()) == 1


def test_a_source_goes_to_one_region_at_a_time() -> None:
    """From the call until the copy is ready or has failed: three regions, one after the other."""
    tale = story(copies_of(1, EAST, SOUTH))
    (first,) = tale.go()
    assert tale.wait(60) == []
    tale.accept(first)
    assert tale.wait(600) == []
    tale.finish()
    (second,) = tale.wait(600)
    assert {first.chunk.destination, second.chunk.destination} == {EAST, SOUTH}


def test_a_failed_copy_frees_its_source() -> None:
    """EAST's copy ends in error: SOUTH's is called."""
    tale = story(copies_of(1, EAST, SOUTH))
    (first,) = tale.go()
    tale.accept(first)
    tale.finish("error")
    (second,) = tale.wait(600)
    assert second.chunk.destination != first.chunk.destination


def test_a_source_with_an_open_or_lost_call_stays_locked() -> None:
    """Doubt keeps the source, and the place in the region."""
    tale = story(copies_of(2, EAST, SOUTH), region_copies=2)
    (first,) = tale.go()
    assert tale.wait(300) == []
    tale.lose(first)
    assert tale.wait(300) == []
    assert tale.region(first.chunk.destination).in_flight == 2
    assert {tale.track(copy).source.held for copy in first.chunk.copies} == {1}


# --- quotas that are read -------------------------------------------------------------------------


def test_a_chunk_is_cut_to_the_images_that_fit() -> None:
    """Eight are used of twelve: four are called, and no refusal is needed to learn it."""
    tale = with_quota(10, 12)
    for number in range(8):
        foreign = image_id(800 + number)
        tale.shelves[EAST][foreign] = replace(tale.sources[image_id(0)], image=foreign, name="foreign")
    assert [len(call.sources) for call in tale.go()] == [4]


def test_a_chunk_is_cut_to_the_snapshots_that_fit() -> None:
    """Three disks each and ten snapshots: three images."""
    tale = with_quota(6, 10, Resource.SNAPSHOT)
    for image, source in tale.sources.items():
        tale.sources[image] = replace(source, snapshots=("a", "b", "c"))
    assert [len(call.sources) for call in tale.go()] == [3]


def test_what_is_on_its_way_counts_against_the_quota() -> None:
    """Fifteen places: ten, then five; then none until the quotas are read again."""
    tale = with_quota(30, 15)
    first, second = tale.go()
    assert (len(first.sources), len(second.sources)) == (10, 5)
    tale.accept(first, second)
    assert tale.wait(600) == []


def test_a_refused_call_gives_its_places_back() -> None:
    """Busy now: the places are free for others at once."""
    tale = with_quota(2, 1)
    (first,) = tale.go()
    tale.refuse(first, Reason.BUSY, first.sources[0])
    assert [call.numbers for call in tale.go()] == [[1]]


# --- full regions ---------------------------------------------------------------------------------


def test_a_quota_refusal_has_both_quotas_read_before_the_next_call() -> None:
    """Two surveys, then half of the chunk at most."""
    tale = story(copies_of(10, EAST), workers=1)
    (call,) = tale.go()
    before = tale.reads(Survey)
    tale.refuse(call, Reason.QUOTA_SNAPSHOT)
    (smaller,) = tale.go()
    assert tale.reads(Survey) == before + 2
    assert len(smaller.sources) == 5


def test_quotas_that_contradict_the_refusals_cost_few_calls() -> None:
    """The survey always shows room, every call is refused: 10, 5, 2, 1, then one each QUOTA_INTERVAL."""
    tale = story(copies_of(10, EAST), workers=1)
    sizes, calls = [], tale.go()
    while calls and tale.now < 1_800_000_000 + 3601:
        for call in calls:
            sizes.append(len(call.sources))
            tale.refuse(call, Reason.QUOTA_IMAGE)
        calls = tale.wait(0) or tale.wait(900)
    assert sizes[:4] == [10, 5, 2, 1]
    assert set(sizes[4:]) == {1}
    assert len(sizes) <= 4 + 5


def test_a_full_region_is_parked_without_a_refusal() -> None:
    """No room by the survey: no call, and the copies say why they wait."""
    tale = with_quota(3, 0)
    assert tale.go() == []
    for copy in copies_of(3, EAST):
        assert tale.state(copy) == (State.WAITING, Reason.QUOTA_IMAGE)
    assert "0 of 0 images used" in tale.schedule.why(copies_of(1, EAST)[0], tale.now)[1]
    assert tale.wake == tale.now + 900


def test_a_parked_region_is_asked_once_every_quota_interval() -> None:
    """Over six hours with a deadline: two surveys each quarter of an hour, no call."""
    tale = with_quota(3, 0)
    tale.go()
    before = tale.reads(Survey)
    assert tale.wait(6 * 3600) == []
    assert tale.reads(Survey) - before <= 2 * 24
    assert tale.reads(Survey) - before >= 2 * 20
    assert not tale.finished(waits_for_room=True)


def test_room_that_appears_is_used_after_the_interval() -> None:
    """The quota is raised: at the next try the rest is called."""
    tale = with_quota(3, 0)
    tale.wait(1000)
    tale.quotas[EAST, Resource.IMAGE] = 2
    assert [len(call.sources) for call in tale.wait(900)] == [2]


def test_a_parked_region_does_not_hold_up_the_others() -> None:
    """EAST is full; SOUTH is served as if EAST were not there."""
    tale = Story(limits=Limits(requests_per_minute=100_000))
    tale.quotas[EAST, Resource.IMAGE] = 0
    tale.begin(copies_of(5, EAST, SOUTH))
    (call,) = tale.go()
    assert (call.chunk.destination, len(call.sources)) == (SOUTH, 5)


def test_the_night_ends_when_only_full_regions_are_left_and_one_more_try_failed() -> None:
    """Without a deadline: not at the first sight of a full region, but after QUOTA_INTERVAL's try."""
    tale = with_quota(3, 0)
    tale.go()
    assert not tale.finished()
    tale.wait(899)
    assert not tale.finished()
    tale.wait(2)
    assert tale.finished()
    assert not tale.finished(waits_for_room=True)
    assert {s.reason for s in tale.schedule.standings()} == {Reason.QUOTA_IMAGE}


def test_the_night_does_not_end_while_copies_are_under_way() -> None:
    """The region is full, five copies are still being made there."""
    tale = with_quota(10, 5)
    tale.accept(*tale.go())
    tale.wait(4000)
    assert not tale.finished()
    tale.finish()
    tale.wait(4000)
    assert tale.finished()
    assert called(tale) == 5


def test_the_night_does_not_end_while_another_region_works() -> None:
    """SOUTH is not done: EAST is tried again and again, and the run goes on."""
    tale = Story(limits=Limits(requests_per_minute=100_000))
    tale.quotas[EAST, Resource.IMAGE] = 0
    tale.begin((*copies_of(1, EAST), Copy(image_id(1), NORTH, SOUTH)))
    tale.accept(*tale.go())
    tale.wait(5000)
    assert not tale.finished()
    tale.finish()
    tale.wait(2000)
    assert tale.finished()


def test_a_try_that_succeeds_ends_the_parking() -> None:
    """The one copy of the try is accepted: the next chunk is a whole one again."""
    tale = story(copies_of(30, EAST), workers=1, region_copies=100)
    sizes = []
    for _ in range(4):
        (call,) = tale.go()
        sizes.append(len(call.sources))
        tale.refuse(call, Reason.QUOTA_IMAGE)
    (probe,) = tale.wait(901)
    tale.accept(probe)
    (whole,) = tale.go()
    assert (sizes, len(probe.sources), len(whole.sources)) == ([10, 5, 2, 1], 1, 10)
