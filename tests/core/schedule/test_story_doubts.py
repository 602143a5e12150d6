"""Lost answers: found at once, or believed absent only after SETTLE_TIME and two listings that see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.messages import Accepted, List, Listed
from orchestrator.core.model import Copy, ImageId, Resource, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.readings import Evidence
from tests.core.schedule.stories import EAST, NORTH, SOUTH, Call, Story, copies_of, image_id, story


def lost(
    images: int = 2, *, made: bool = False, texts: str = "mark", known: bool = True
) -> tuple[Story, Call]:
    """Begin a story whose last call is lost; with `known`, one copy is ready there before."""
    tale = story(copies_of(images, EAST), texts=texts, workers=1)
    (call,) = tale.go()
    if known:
        image = ImageId("img-known")
        tale.tell(Accepted(at=tale.now, call=call.id, pairs=((call.sources[0], image),)))
        text = tale.text(call, call.chunk.copies[0])
        tale.shelves[EAST][image] = replace(tale.sources[call.sources[0]], image=image, text=text)
        tale.wait(60)
        copies = tuple(copy for copy in call.chunk.copies[1:])
        assert {tale.state(copy)[0] for copy in copies} == {State.DOUBTFUL}
        if made:
            pairs = tale.make(call)
            del tale.shelves[EAST][pairs[0][1]]
    else:
        tale.wait(1)
        tale.lose(call, made=made)
    return tale, call


def states(tale: Story) -> list[State]:
    return [standing.state for standing in tale.schedule.standings()]


@pytest.mark.parametrize("texts", ["mark", "platform"])
def test_a_copy_that_was_made_is_adopted_at_the_first_sight(texts: str) -> None:
    """By our mark, or by the platform's text: no second call, and no settling time."""
    tale, _ = lost(images=10, made=True, texts=texts, known=False)
    assert tale.wait(1) == []
    assert states(tale) == [State.COPYING] * 10
    assert {s.reason for s in tale.schedule.standings()} == {Reason.ADOPTED}
    assert tale.reads(List) == 2


def test_an_accepted_call_that_leaves_an_image_out_is_doubt_for_that_image() -> None:
    """Nine of ten pairs: nine are under way, the tenth is looked for."""
    tale = story(copies_of(10, EAST))
    (call,) = tale.go()
    pairs = tale.make(call)
    tale.tell(Accepted(at=tale.now, call=call.id, pairs=pairs[:9]))
    assert tale.state(call.chunk.copies[9]) == (State.DOUBTFUL, Reason.INCOMPLETE)
    assert states(tale).count(State.COPYING) == 9
    tale.go()
    assert states(tale) == [State.COPYING] * 10


def test_one_destination_id_for_two_sources_is_doubt() -> None:
    """It cannot be true: the first is believed, the second is looked for."""
    tale = story(copies_of(2, EAST))
    (call,) = tale.go()
    same = ImageId("img-same")
    tale.tell(Accepted(at=tale.now, call=call.id, pairs=tuple((source, same) for source in call.sources)))
    assert sorted(states(tale), key=str) == [State.COPYING, State.DOUBTFUL]


def test_absence_is_believed_after_two_listings_that_began_after_the_settling_time() -> None:
    """Not at 899 s, not with one listing after 900 s; with the second the copy is called again, anew."""
    tale, first = lost()
    ends = tale.track(first.chunk.copies[1]).since + 900
    assert tale.wait(ends - tale.now - 1) == []
    began = [event.began for event in tale.told if isinstance(event, Listed)]
    assert len(began) > 3, "it is looked for all the time"
    (again,) = tale.wait(400)
    began = [event.began for event in tale.told if isinstance(event, Listed) and event.began >= ends]
    assert len(began) == 2
    assert again.id != first.id
    assert again.numbers == [1]
    assert Reason.ABSENT in {change.reason for change in tale.changes}


def test_a_late_copy_is_adopted_however_often_it_was_not_there() -> None:
    """It shows up after 899 s of listings without it."""
    tale, call = lost()
    ends = tale.track(call.chunk.copies[1]).since + 900
    tale.wait(ends - tale.now - 1)
    pairs = tale.make(call)
    del tale.shelves[EAST][pairs[0][1]]
    assert tale.wait(300) == []
    assert tale.state(call.chunk.copies[1]) == (State.COPYING, Reason.ADOPTED)


@pytest.mark.parametrize("after_s", [100, 850, 905])
def test_a_restart_starts_the_settling_time_again(after_s: int) -> None:
    """Killed and begun again: nothing is called within SETTLE_TIME of the new beginning."""
    tale, _ = lost(known=False)
    tale.wait(after_s)
    began = tale.now
    tale.begin(copies_of(2, EAST), run="run2")
    assert tale.wait(899) == []
    assert states(tale) == [State.DOUBTFUL] * 2
    assert [call.numbers for call in tale.wait(300)] == [[0, 1]]
    assert tale.now - began <= 1200


def test_a_call_that_a_crash_left_open_is_lost_not_free() -> None:
    """The intent is on disk, the answer is not: the next run looks for it."""
    tale = story(copies_of(2, EAST))
    tale.go()
    tale.begin(copies_of(2, EAST), run="run2")
    assert {tale.state(copy) for copy in copies_of(2, EAST)} == {(State.DOUBTFUL, Reason.INTERRUPTED)}


def fewer(page: Listed) -> Listed:
    """Show nothing of what is there."""
    return replace(page, total=0, shown=0, images=())


def restless(page: Listed) -> Listed:
    """Show another total on the second page than on the first."""
    return replace(page, total=page.total + (page.page == 2))


def test_a_listing_whose_total_changes_between_pages_concludes_nothing() -> None:
    """Its pages show as many images as the first one counted, and still no copy is believed absent."""
    tale, call = lost(known=False)
    tale.page = 1
    for number in (1, 2):
        foreign = replace(tale.sources[image_id(0)], image=ImageId(f"img-foreign{number}"), name="foreign")
        tale.shelves[EAST][foreign.image] = foreign
    tale.veil = restless
    assert tale.wait(901 + 300) == []
    assert {tale.track(copy).absences for copy in call.chunk.copies} == {0}
    assert State.WAITING not in states(tale)


def test_an_image_on_a_page_of_a_restless_listing_counts_all_the_same() -> None:
    """What is shown is there; only what is not shown needs a complete listing."""
    tale, call = lost(known=False, made=True)
    tale.page = 1
    tale.veil = restless
    tale.wait(60)
    assert tale.state(call.chunk.copies[0])[0] is State.COPYING


def test_a_listing_without_any_known_image_is_not_trusted() -> None:
    """A missing permission looks like absence: nothing is called again, a person is asked."""
    tale, call = lost()
    tale.veil = fewer
    assert tale.wait(12 * 3600) == []
    assert tale.state(call.chunk.copies[1]) == (State.DOUBTFUL, Reason.NEEDS_PERSON)
    assert tale.finished() or tale.wait(3600) == []


def test_where_nothing_is_known_the_quota_is_the_witness() -> None:
    """The first call of a region is lost: describeQuotas, read after it, agrees that nothing is there."""
    tale, call = lost(known=False)
    before = tale.told[-1]
    assert [again.numbers for again in tale.wait(1200)] == [call.numbers]
    surveys = [
        e for e in tale.told[tale.told.index(before) :] if getattr(e, "resource", None) is Resource.IMAGE
    ]
    assert surveys


def test_where_no_text_tells_anything_nothing_is_called_twice() -> None:
    """Neither mark nor platform text is stored: doubt is for a person, whether it was made or not."""
    for made in (True, False):
        tale, call = lost(made=made, texts="none")
        tale.region(EAST).evidence = Evidence.NONE
        assert tale.wait(3600) == []
        assert tale.state(call.chunk.copies[1]) == (State.DOUBTFUL, Reason.NEEDS_PERSON)
        assert tale.finished()


def test_a_new_image_of_the_same_name_is_reason_enough_to_ask() -> None:
    """The texts are not known yet, and something of that name appeared since: perhaps ours."""
    tale, call = lost(images=1, made=True, texts="none", known=False)
    assert tale.wait(3600) == []
    assert tale.state(call.chunk.copies[0]) == (State.DOUBTFUL, Reason.NEEDS_PERSON)


@pytest.mark.parametrize("texts", ["mark", "none"])
def test_a_copy_is_recognised_by_the_name_that_its_source_had(texts: str) -> None:
    """Made and lost, then the source is renamed and a new night begins: the copy has the old name."""
    tale, call = lost(images=2, made=True, texts=texts, known=False)
    for copy in call.chunk.copies:
        tale.sources[copy.source] = replace(tale.sources[copy.source], name=f"new-{copy.source}")
    tale.finish()
    assert tale.begin(call.chunk.copies, run="run2").wait(3600) == []
    reasons = {tale.state(copy)[1] for copy in call.chunk.copies}
    assert reasons == {Reason.ADOPTED if texts == "mark" else Reason.NEEDS_PERSON}


@pytest.mark.parametrize("restarted", [False, True])
def test_a_source_that_was_renamed_before_its_lost_call_is_asked_for_its_name(restarted: bool) -> None:
    """Renamed after the inspection, before the call, and no text tells: the copy has the new name."""
    tale = story(copies_of(1, EAST), texts="none")
    (call,) = tale.go()
    source = call.chunk.copies[0].source
    tale.sources[source] = replace(tale.sources[source], name="renamed")
    tale.make(call)
    if restarted:
        tale.begin(call.chunk.copies, run="run2")
    else:
        tale.lose(call)
    assert tale.wait(3600) == []
    assert tale.state(call.chunk.copies[0]) == (State.DOUBTFUL, Reason.NEEDS_PERSON)


def test_a_doubt_is_settled_though_the_source_can_no_longer_be_inspected() -> None:
    """Its region answers no inspection any more: what is known of the names has to do, in time."""
    tale = story(copies_of(1, EAST), texts="none", max_attempts=3)
    (call,) = tale.go()
    tale.lose(call)
    tale.silent["inspect", NORTH] = Reason.SERVER_ERROR
    assert [again.numbers for again in tale.wait(7200)] == [[0]]


def test_an_image_that_was_there_before_is_nobodys_copy() -> None:
    """A foreign image of the same name stood there before the first call: it does not block."""
    tale = story(copies_of(1, EAST), texts="none")
    name = tale.sources[image_id(0)].name
    foreign = replace(tale.sources[image_id(0)], image=ImageId("img-foreign"), name=name)
    tale.shelves[EAST][foreign.image] = foreign
    (call,) = tale.go()
    tale.wait(1)
    tale.lose(call)
    assert [again.numbers for again in tale.wait(1500)] == [[0]]


def test_an_earlier_calls_copy_is_recognised_after_a_later_call() -> None:
    """Old call ids stay watched: W was broken, and the copy of call 1 appears while call 2 is lost."""
    tale, first = lost(images=1, known=False)
    (second,) = tale.wait(1500)
    tale.make(first)
    tale.lose(second)
    tale.wait(60)
    assert tale.state(first.chunk.copies[0]) == (State.COPYING, Reason.ADOPTED)


def test_a_settled_doubt_counts_as_an_attempt() -> None:
    """Lost again and again and never made: MAX_ATTEMPTS calls, then it fails."""
    tale = story(copies_of(1, EAST), max_attempts=3, settle_s=60)
    calls = tale.go()
    for _ in range(3):
        tale.wait(1)
        tale.lose(calls[0])
        calls = tale.wait(300)
    assert calls == []
    assert tale.state(copies_of(1, EAST)[0]) == (State.FAILED, Reason.ATTEMPTS)


def test_other_copies_go_on_while_a_doubt_lasts() -> None:
    """Other sources, other regions, and the rest of this region's room."""
    tale = story((*copies_of(12, EAST), Copy(image_id(20), NORTH, SOUTH)), workers=1, region_copies=12)
    calls = tale.go()
    tale.lose(calls[0])
    tale.accept(*tale.go())
    tale.accept(*tale.go())
    assert states(tale).count(State.COPYING) == 3
    assert states(tale).count(State.DOUBTFUL) == 10
