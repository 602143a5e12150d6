"""No run without end: what nobody answers, shows or can tell is given up in time, and only that."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.messages import Check, List, Listed, Look
from orchestrator.core.model import Copy, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Call, Story, copies_of, image_id, story


def person_needed(tale: Story, copy: Copy) -> list[Call]:
    """Bring one doubtful copy to the end of what looking can do; return the calls made meanwhile."""
    calls = tale.wait(3000)
    assert tale.state(copy) == (State.DOUBTFUL, Reason.NEEDS_PERSON)
    return calls


def test_a_copy_that_needs_a_person_does_not_hold_its_sources_other_copies() -> None:
    """EAST's copy is for a person; the same image's copy to SOUTH is still made, and the run ends."""
    to_east, to_south = copies_of(1, EAST, SOUTH)
    tale = story((to_east, to_south), texts="none")
    (call,) = tale.go()
    tale.lose(call, made=True)
    tale.accept(*person_needed(tale, to_east))
    tale.finish()
    tale.wait(1000)
    assert tale.state(to_south) == (State.READY, Reason.COPIED)
    assert tale.finished()


def test_copies_that_need_a_person_do_not_keep_the_room_of_the_run() -> None:
    """With as many unsettled doubts as REGION_COPIES allows, the rest of the region is still copied."""
    copies = copies_of(4, EAST)
    tale = story(copies, texts="none", region_copies=2)
    (call,) = tale.go()
    tale.lose(call, made=True)
    assert [c.numbers for c in person_needed(tale, copies[0])] == [[2, 3]]


def test_a_doubt_that_tonight_does_not_want_is_still_settled_for_its_source() -> None:
    """A crash left EAST's call open; tonight only SOUTH is wanted. The source's lock is settled, not kept."""
    to_east, to_south = copies_of(1, EAST, SOUTH)
    tale = story((to_east,))
    tale.go()
    tale.begin((to_south,), run="run2")
    calls = tale.wait(3000)
    assert [c.chunk.destination for c in calls] == [SOUTH]


def test_a_copy_that_is_being_deleted_is_not_waited_for_for_ever() -> None:
    """Second night: the ready copy shows `deleting` in the listing. It is judged, one way or the other."""
    copies = copies_of(2, EAST)
    tale = story(copies)
    tale.accept(*tale.go())
    tale.finish()
    tale.wait(1000)
    image = tale.track(copies[0]).image
    assert image is not None
    tale.shelves[EAST][image] = replace(tale.shelves[EAST][image], status="deleting")
    tale.begin(copies, run="run2")
    tale.wait(600)
    del tale.shelves[EAST][image]
    tale.accept(*tale.wait(10_000))
    tale.finish()
    tale.wait(10_000)
    assert tale.finished()


def test_a_listing_that_shows_less_than_its_total_ends() -> None:
    """The total counts images that no page shows: after MAX_ATTEMPTS the run gives up, and says so."""
    tale = story(copies_of(1, EAST), max_attempts=5)
    tale.shelves[EAST][image_id(900)] = replace(
        tale.sources[image_id(0)], image=image_id(900), name="foreign"
    )
    tale.veil = lambda page: replace(page, total=page.total + 1)
    tale.wait(7200)
    assert tale.reads(List) <= 20
    assert tale.finished()


def test_a_listing_that_changes_at_its_second_page_ends() -> None:
    """Total and pages never agree from page 2 on: bounded tries, then the run ends."""

    def restless(page: Listed) -> Listed:
        return replace(page, total=page.total + page.page)

    tale = story(copies_of(1, EAST), max_attempts=5)
    tale.page = 10
    for number in range(15):
        image = replace(tale.sources[image_id(0)], image=image_id(900 + number), name="foreign")
        tale.shelves[EAST][image.image] = image
    tale.veil = restless
    tale.wait(7200)
    assert tale.reads(List) <= 20
    assert tale.finished()


def test_a_doubt_that_nobody_can_look_at_does_not_hold_the_run_for_ever() -> None:
    """The listing never answers again: after hours the copy stays doubtful, and the run ends."""
    tale = story(copies_of(1, EAST), copy_timeout_s=3600)
    (call,) = tale.go()
    tale.lose(call)
    tale.silent["list", EAST] = Reason.UNREADABLE
    for _ in range(48):
        tale.wait(3600)
    assert tale.states() <= {State.DOUBTFUL, State.FAILED}
    assert tale.finished()


def test_a_check_that_never_answers_does_not_hold_the_run_for_ever() -> None:
    """Second night: the listing does not show a ready copy and describeImage fails. The run ends."""
    copies = copies_of(2, EAST)
    tale = story(copies)
    tale.accept(*tale.go())
    tale.finish()
    tale.wait(1000)
    tale.shelves[EAST].popitem()
    tale.silent["check", EAST] = Reason.SERVER_ERROR
    tale.begin(copies, run="run2")
    for _ in range(48):
        tale.wait(3600)
    assert tale.reads(Check) > 0
    assert tale.finished()


def test_a_check_that_never_answers_does_not_blind_the_looks() -> None:
    """One copy vanished and describeImage fails: the other copies are still seen ready."""
    copies = copies_of(2, EAST)
    tale = story(copies)
    tale.accept(*tale.go())
    tale.wait(120)
    image = tale.track(copies[0]).image
    assert image is not None
    del tale.shelves[EAST][image]
    tale.silent["check", EAST] = Reason.SERVER_ERROR
    tale.wait(300)
    tale.finish()
    tale.wait(1800)
    assert tale.state(copies[1]) == (State.READY, Reason.COPIED)


def test_a_listing_that_never_answers_does_not_blind_the_looks() -> None:
    """A doubt wants a listing that fails each time: copies under way are still seen ready."""
    tale = story(copies_of(12, EAST))
    sure, doubtful = tale.go()
    tale.accept(sure)
    tale.lose(doubtful)
    tale.silent["list", EAST] = Reason.OVERSIZED
    tale.wait(60)
    tale.finish()
    tale.wait(1800)
    ready = [s for s in tale.schedule.standings() if s.state is State.READY]
    assert len(ready) == 10


def test_every_destination_gets_its_share_of_a_scarce_rate() -> None:
    """Looks at one region, due again and again, do not use up the rate of the others."""
    tale = story(
        (*copies_of(1, EAST), Copy(image_id(1), NORTH, SOUTH)), requests_per_minute=60, poll_interval_s=0.5
    )
    for _ in range(60):
        tale.accept(*tale.wait(1))
    east, south = tale.reads(Look, EAST), tale.reads(Look, SOUTH)
    assert min(east, south) * 3 >= max(east, south), (east, south)
