"""Lost relayed calls: whose copy an image is when its text names a copy, and what nobody can tell."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.marks import write_mark
from orchestrator.core.messages import Accepted
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.readings import Evidence
from tests.core.schedule.stories import (
    EAST,
    NORTH,
    SOUTH,
    Call,
    Story,
    story,
)
from tests.core.schedule.test_replay import replayed
from tests.core.schedule.test_story_relay import (
    COPIES,
    WHOLE,
    X,
    carrier_of,
    made,
    relayed_night,
    second_round,
)

SETTLED_S = 3600.0


def lost(texts: str, *, made: bool) -> tuple[Story, Call]:
    """Lose the answer to a relayed call; the other copies become ready."""
    tale = relayed_night(texts=texts)
    _, by_original, by_copy = second_round(tale)
    tale.accept(by_original)
    tale.lose(by_copy, made=made)
    tale.finish()
    return tale, by_copy


@pytest.mark.parametrize("texts", ["mark", "platform"])
def test_a_lost_relayed_copy_is_found_by_its_text(texts: str) -> None:
    """Our mark names original and call; the platform's text the carrier, which the ledger knows."""
    tale, call = lost(texts, made=True)
    assert tale.wait(SETTLED_S) == []
    assert tale.states() == {State.READY}
    track = tale.track(call.chunk.copies[0])
    assert (track.reason, track.carrier.image) == (Reason.ADOPTED, call.sources[0])
    assert tale.finished()


@pytest.mark.parametrize("texts", ["mark", "platform"])
def test_a_relayed_copy_that_was_not_made_is_made(texts: str) -> None:
    """Two listings after SETTLE_TIME without a trace of it: it is called again, by whatever way is open."""
    tale, call = lost(texts, made=False)
    (again,) = tale.wait(SETTLED_S)
    assert again.chunk.copies == call.chunk.copies
    assert made(tale, [again]) == []
    assert tale.states() == {State.READY}


def test_where_no_text_tells_a_lost_relayed_copy_is_a_persons() -> None:
    """As with an original's: an image of a name that the carrier passed on keeps the doubt open."""
    tale, call = lost("none", made=True)
    assert tale.wait(SETTLED_S) == []
    assert tale.state(call.chunk.copies[0]) == (State.DOUBTFUL, Reason.NEEDS_PERSON)


def test_a_restart_keeps_the_carrier_of_a_lost_call_locked() -> None:
    """Whether it is being copied nobody knows: the new process sends it nowhere before that is settled."""
    tale, call = lost("mark", made=False)
    carrier = (call.chunk.origin, call.sources[0])
    again = replayed(tale, tale.limits)
    assert again.register.sources[carrier].held == 1
    tale.schedule = again
    tale.begin(COPIES, run="next", relay=True)
    assert tale.schedule.register.sources[carrier].held == 1
    assert tale.wait(300) == []
    (settled,) = tale.wait(SETTLED_S)
    assert settled.chunk.copies == call.chunk.copies


def test_a_copy_bears_the_name_of_its_carrier() -> None:
    """Somebody renamed the copy that carried: the new name counts as one of the original's."""
    tale = relayed_night()
    (first,) = tale.go()
    region = first.chunk.destination
    tale.accept(first)
    for image, shown in tale.shelves[region].items():
        tale.shelves[region][image] = replace(shown, status="ready", name="renamed")
    calls = tale.wait(60)
    (by_copy,) = [call for call in calls if call.chunk.via is not None]
    assert "renamed" in tale.track(by_copy.chunk.copies[0]).source.names


def test_a_carrier_that_was_renamed_before_a_lost_call_is_inspected() -> None:
    """No copy was read back there yet, so only its name would give the lost one away: it is asked for."""
    tale = relayed_night(texts="none")
    region, _, by_copy = second_round(tale)
    carrier = carrier_of(tale, region)
    tale.sources[carrier.image] = replace(carrier, name="renamed")
    tale.lose(by_copy)
    tale.go()
    source = tale.track(by_copy.chunk.copies[0]).source
    assert "renamed" in source.names
    assert tale.schedule.register.sources[region, carrier.image].inspected


# --- texts ----------------------------------------------------------------------------------------


def test_the_platforms_text_of_a_relayed_copy_is_evidence() -> None:
    """It names the image that the call sent, and by that the original."""
    tale = relayed_night(texts="platform")
    _, by_original, by_copy = second_round(tale)
    assert made(tale, [by_original, by_copy]) == []
    assert tale.region(by_copy.chunk.destination).evidence is Evidence.PLATFORM


def test_a_mark_that_a_carrier_brought_along_is_no_evidence() -> None:
    """A cloud may copy the description with the image: that text was stored elsewhere, for another call."""
    tale = relayed_night()
    region, _, by_copy = second_round(tale)
    pairs = tale.make(by_copy)
    shelf = tale.shelves[by_copy.chunk.destination]
    for image, shown in shelf.items():
        shelf[image] = replace(shown, text=carrier_of(tale, region).text, status="ready")
    tale.tell(Accepted(at=tale.now, call=by_copy.id, pairs=pairs))
    tale.wait(60)
    assert tale.state(by_copy.chunk.copies[0])[0] is State.READY
    assert tale.region(by_copy.chunk.destination).evidence is Evidence.NONE


# --- a ledger that knows nothing ------------------------------------------------------------------

EAST_COPY = Sighting(
    image=ImageId("img-east"), status="ready", name="golden", text=f"copied from {NORTH} {X}"
)
RELAYED = replace(EAST_COPY, image=ImageId("img-south"), text=f"copied from {EAST} img-east")


def found(*shelves: tuple[Region, Sighting], relay: bool = True, order: tuple[Copy, ...] = COPIES) -> Story:
    """Begin a first night over a cloud that holds copies already."""
    tale = story((), settle_s=900)
    tale.sources[X] = replace(WHOLE, name="golden")
    for region, image in shelves:
        tale.shelves.setdefault(region, {})[image.image] = image
    return tale.begin(order, run="first", relay=relay)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_copy_of_a_copy_is_taken_over_by_a_ledger_that_lost_everything(order: tuple[int, int]) -> None:
    """Its text names the copy in the east, whichever of the two is listed first; nothing is made again."""
    copies = tuple(COPIES[number] for number in order)
    tale = found((EAST, EAST_COPY), (SOUTH, RELAYED), order=copies)
    assert tale.wait(SETTLED_S) == []
    assert tale.states() == {State.READY}
    assert tale.track(COPIES[1]).carrier.image == "img-east"


def test_a_text_that_names_what_nobody_knows_is_not_passed_over() -> None:
    """The copy that carried is gone: a person is asked about the image of that name, nothing is made."""
    tale = found((SOUTH, RELAYED), order=COPIES[1:2])
    assert tale.wait(SETTLED_S) == []
    assert tale.state(COPIES[1]) == (State.DOUBTFUL, Reason.NEEDS_PERSON)


def test_where_nothing_is_relayed_such_a_text_means_nothing() -> None:
    """Golden images of one name are copied between regions by other people: a plain plan is not held up."""
    tale = found((SOUTH, RELAYED), order=COPIES[1:2], relay=False)
    (call,) = tale.go()
    assert call.chunk.copies == COPIES[1:2]


def test_a_relayed_mark_of_a_lost_ledger_is_known_by_its_original() -> None:
    """Whatever ledger wrote it: the mark names the image that the copy is a copy of."""
    chunk = Chunk((COPIES[1],), EAST, (ImageId("img-east"),))
    text = write_mark("lostledger12", CallId("c1"), chunk)
    tale = found((SOUTH, replace(RELAYED, text=text)), (EAST, EAST_COPY), order=COPIES[:2])
    tale.go()
    assert tale.states() == {State.READY}
    assert tale.track(COPIES[1]).carrier.image == "img-east"


def test_two_ways_to_one_region_are_found_out() -> None:
    """A copy of the original and one of its copy: both are live copies of one image, and are named."""
    tale, call = lost("platform", made=True)
    region = call.chunk.destination
    other = replace(WHOLE, image=ImageId("img-twin"), text=f"copied from {NORTH} {X}")
    tale.shelves[region][other.image] = other
    tale.wait(SETTLED_S)
    assert tale.state(call.chunk.copies[0]) == (State.FAILED, Reason.DUPLICATE)
