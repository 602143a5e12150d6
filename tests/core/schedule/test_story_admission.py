"""Quotas as a plan: what fits is decided before the first call, in the plan's order, and told in numbers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Submit, Survey
from orchestrator.core.model import Copy, ImageId, Resource, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from tests.core.schedule.stories import EAST, LEDGER, NORTH, SOUTH, Call, Story, copies_of, image_id


def tale_of(copies: Iterable[Copy], *, images: int = 1000, snapshots: int = 1000, workers: int = 4) -> Story:
    """Begin a story in which EAST has these quotas."""
    tale = Story(limits=Limits(requests_per_minute=100_000, region_copies=100, workers=workers))
    tale.quotas[EAST, Resource.IMAGE], tale.quotas[EAST, Resource.SNAPSHOT] = images, snapshots
    return tale.begin(copies)


def with_disks(tale: Story, disks: dict[int, int]) -> None:
    """Give these images so many disks, before anybody looks."""
    for number, count in disks.items():
        source = tale.sources[image_id(number)]
        tale.sources[source.image] = replace(source, snapshots=tuple(f"disk{n}" for n in range(count)))


def occupy(tale: Story, count: int) -> None:
    """Let EAST hold so many images of others."""
    for number in range(count):
        foreign = ImageId(f"img-foreign{number}")
        tale.shelves[EAST][foreign] = Sighting(image=foreign, status="ready", name="foreign")


def called(calls: Iterable[Call]) -> list[int]:
    """Name the images of some calls by their numbers, in order."""
    return sorted(number for call in calls for number in call.numbers)


def night(tale: Story) -> list[int]:
    """Accept and finish everything until the run would end; number what was called for EAST."""
    numbers: list[int] = []
    while not tale.finished():
        calls = tale.wait(60)
        numbers += called(call for call in calls if call.chunk.destination == EAST)
        tale.accept(*calls)
        tale.finish()
    return sorted(numbers)


# --- who has a place ------------------------------------------------------------------------------


def test_nothing_is_called_before_both_quotas_are_read() -> None:
    """The first call comes after two surveys of each destination that it could go to."""
    tale = tale_of(copies_of(3, EAST, SOUTH))
    tale.go()
    kinds = [type(action) for action in tale.asked]
    assert kinds.index(Submit) > max(n for n, kind in enumerate(kinds) if kind is Survey)
    assert tale.reads(Survey, EAST) == tale.reads(Survey, SOUTH) == 2


@pytest.mark.parametrize("resource", Resource)
def test_the_plans_order_decides_who_fits(resource: Resource) -> None:
    """Six places for twelve: the first six, although the last six have more copies to make and go first."""
    late = (Copy(image_id(number), NORTH, to) for number in range(6, 12) for to in (EAST, SOUTH))
    tale = tale_of((*copies_of(6, EAST), *late))
    tale.quotas[EAST, resource] = 6
    assert night(tale) == [0, 1, 2, 3, 4, 5]


def test_one_that_does_not_fit_blocks_no_smaller_one_behind_it() -> None:
    """Five snapshots: the image of two disks fits, that of four does not, three of the others do."""
    tale = tale_of(copies_of(6, EAST), snapshots=5)
    with_disks(tale, {0: 2, 1: 4})
    assert called(tale.go()) == [0, 2, 3, 4]


def test_a_place_is_kept_for_a_source_that_is_still_locked() -> None:
    """Image 0 is on its way to SOUTH; the one place in EAST stays its own, the next in the plan waits."""
    (to_south,) = copies_of(1, SOUTH)
    tale = tale_of((to_south,), images=1)
    tale.accept(*tale.go())
    tale.begin((*copies_of(2, EAST), to_south), run="run2")
    assert tale.wait(1000) == []
    tale.finish()
    assert called(tale.wait(1000)) == [0]


def test_a_busy_image_holds_no_place_against_the_next_one() -> None:
    """Two places, image 0 is busy: image 2 takes its place at once, and 0 is deferred from then on."""
    tale = tale_of(copies_of(3, EAST), images=2)
    (first,) = tale.go()
    tale.refuse(first, Reason.BUSY, image_id(0))
    (second,) = tale.go()
    assert second.numbers == [1, 2]
    tale.accept(second)
    assert tale.wait(600) == []
    assert tale.state(Copy(image_id(0), NORTH, EAST)) == (State.WAITING, Reason.QUOTA_IMAGE)


def test_a_busy_image_keeps_its_place_where_all_fit() -> None:
    """Nobody is deferred, so nobody takes anything from anybody."""
    tale = tale_of(copies_of(3, EAST), images=3)
    (first,) = tale.go()
    tale.refuse(first, Reason.BUSY, image_id(0))
    tale.accept(*tale.go())
    assert called(tale.wait(60)) == [0]


def test_what_fails_hands_its_place_on_without_another_survey() -> None:
    """Two places; image 0 can never be copied: image 2 is called at once."""
    tale = tale_of(copies_of(4, EAST), images=2)
    (first,) = tale.go()
    tale.refuse(first, Reason.NOT_PRIVATE, image_id(0))
    assert called(tale.go()) == [1, 2]
    assert tale.reads(Survey) == 2


def test_a_free_place_goes_to_the_first_that_it_is_large_enough_for() -> None:
    """One disk comes free: the image of three disks stays deferred, the next of one disk goes."""
    tale = tale_of(copies_of(4, EAST), snapshots=2)
    with_disks(tale, {2: 3})
    (first,) = tale.go()
    tale.refuse(first, Reason.NOT_PRIVATE, image_id(0))
    assert called(tale.go()) == [1, 3]


def test_a_lost_call_keeps_its_places_until_it_is_settled() -> None:
    """Two places, both in doubt: nobody else is called; when nothing was made they are called again."""
    tale = tale_of(copies_of(3, EAST), images=2)
    (first,) = tale.go()
    tale.lose(first)
    again = tale.wait(4000)
    assert called(again) == [0, 1]


def test_a_new_survey_admits_what_fits_now() -> None:
    """Nothing fits at first; after QUOTA_INTERVAL there is room for two of three."""
    tale = tale_of(copies_of(3, EAST), images=0)
    assert tale.wait(600) == []
    tale.quotas[EAST, Resource.IMAGE] = 2
    assert called(tale.wait(600)) == [0, 1]


def test_a_new_survey_takes_places_back() -> None:
    """Somebody else used the room up; after a quota refusal nobody waits for a place that is gone."""
    tale = tale_of(copies_of(10, EAST), images=10, workers=1)
    (call,) = tale.go()
    occupy(tale, 7)
    tale.refuse(call, Reason.QUOTA_IMAGE)
    assert called(tale.go()) == [0, 1, 2]


def test_quotas_that_nobody_can_read_defer_nobody() -> None:
    """Three surveys without an answer: all are called, a refusal will tell."""
    tale = tale_of(copies_of(5, EAST), images=2)
    tale.silent["survey", EAST] = Reason.SERVER_ERROR
    assert called(tale.wait(300)) == [0, 1, 2, 3, 4]


def test_quotas_that_cannot_be_read_any_more_defer_nobody() -> None:
    """Deferred by an old survey, but after a refusal nobody answers: the deferred are tried too."""
    tale = tale_of(copies_of(3, EAST), images=2, workers=1)
    (call,) = tale.go()
    tale.silent["survey", EAST] = Reason.SERVER_ERROR
    tale.refuse(call, Reason.QUOTA_IMAGE)
    tale.wait(600)
    assert not any(tale.track(copy).deferred for copy in copies_of(3, EAST))


# --- what people read -----------------------------------------------------------------------------


def test_the_deferred_are_reported_in_numbers() -> None:
    """Of 52 copies 37 fit: the others say so while the rest goes on, and so does their destination."""
    tale = tale_of(copies_of(52, EAST), snapshots=40)
    with_disks(tale, dict.fromkeys(range(3), 2))
    tale.accept(*tale.go())
    (overview,) = tale.schedule.overview()
    last = Copy(image_id(51), NORTH, EAST)
    reason, detail = tale.schedule.why(last, tale.now)
    assert (reason, detail) == (Reason.QUOTA_SNAPSHOT, "37 of 52 fit in cn-east-2, snapshots are 15 short")
    assert overview.note == "37 of 52 fit, snapshots are 15 short"
    assert overview.shortage is not None
    assert (overview.shortage.fit, overview.shortage.deferred) == (37, 15)


def test_quotas_are_shown_with_what_was_sent_since() -> None:
    """Nothing before they are read; then what others hold and what our calls take, of so many."""
    tale = tale_of(copies_of(3, EAST), images=9, snapshots=40)
    occupy(tale, 2)
    with_disks(tale, {0: 2})
    (before,) = tale.schedule.overview()
    tale.accept(*tale.go())
    (after,) = tale.schedule.overview()
    assert (before.images, before.snapshots) == (None, None)
    assert after.images == (5, 9)
    assert after.snapshots is not None
    assert after.snapshots[1] == 40


def test_both_quotas_are_told_when_both_are_short() -> None:
    """Ten copies, four images and six snapshots fit: the smaller one decides, both are named."""
    tale = tale_of(copies_of(10, EAST), images=4, snapshots=6)
    tale.go()
    reason, detail = tale.schedule.why(Copy(image_id(9), NORTH, EAST), tale.now)
    assert reason is Reason.QUOTA_IMAGE
    assert detail == "4 of 10 fit in cn-east-2, images are 6 short, snapshots are 4 short"


def test_the_night_ends_with_the_numbers_of_the_whole_night() -> None:
    """Five of nine were made: the four left still say so, and how much of the quota is used."""
    tale = tale_of(copies_of(9, EAST), images=5)
    assert night(tale) == [0, 1, 2, 3, 4]
    left = [s for s in tale.schedule.standings() if s.state is State.WAITING]
    assert {(s.reason, s.detail) for s in left} == {
        (Reason.QUOTA_IMAGE, "5 of 9 fit in cn-east-2, images are 4 short; 5 of 5 images used, 4 waiting")
    }


def test_where_all_fit_nothing_is_said() -> None:
    """No shortage, no note."""
    tale = tale_of(copies_of(5, EAST))
    tale.accept(*tale.go())
    (overview,) = tale.schedule.overview()
    assert (overview.note, overview.shortage) == ("", None)


def test_a_ledger_that_is_read_back_says_the_same() -> None:
    """`status` reads the ledger of a run that goes on: the same copies are deferred, in the same numbers."""
    tale = tale_of(copies_of(20, EAST, SOUTH), images=7, snapshots=9)
    tale.accept(*tale.go())
    again = Schedule(tale.limits, LEDGER)
    again.recover(tale.told)
    assert again.standings() == tale.schedule.standings()
    assert [view.shortage for view in again.overview()] == [
        view.shortage for view in tale.schedule.overview()
    ]


# --- what it costs --------------------------------------------------------------------------------


def steps(act: Callable[[], object]) -> int:
    """Count the function calls that something takes; as good a measure as time, and the same each time."""
    count = 0

    def note(_frame: object, event: str, _arg: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return count


def test_a_place_is_passed_on_at_the_same_cost_however_many_wait_for_it() -> None:
    """A failed copy among 200 and among 10,000 deferred ones, of eight sizes: no walk over them."""
    costs = []
    for size in (200, 10_000):
        tale = tale_of(copies_of(size, EAST), images=10)
        with_disks(tale, {number: number % 8 + 1 for number in range(size)})
        (call,) = tale.go(rounds=1000)
        costs.append(steps(partial(tale.refuse, call, Reason.NOT_PRIVATE, call.sources[0])))
    assert costs[1] <= 1.2 * costs[0]
