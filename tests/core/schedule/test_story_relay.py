"""Relay: a ready copy carries the next, one destination at a time; what is wrong with it costs time only."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.messages import Seen
from orchestrator.core.model import Copy, Region, Sighting, State
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, EAST1, NORTH, SOUTH, Call, Story, copies_of, image_id, story

X = image_id(0)
COPIES = copies_of(1, EAST, SOUTH, EAST1)
WHOLE = Sighting(
    image=X, status="ready", name="golden", size_mb=20480, snapshots=("s-1", "s-2"),
    platform="CentOS", architecture="x86_64",
)  # fmt: skip


def relayed_night(original: Sighting = WHOLE, *, on: bool = True, texts: str = "mark") -> Story:
    """Begin a night for one image and three destinations, over a cloud that shows all of an image."""
    tale = story((), workers=8, texts=texts)
    tale.sources[X] = original
    return tale.begin(COPIES, run="night", relay=on)


def made(tale: Story, calls: list[Call]) -> list[Call]:
    """Let calls succeed and their copies become ready; return what is called once that was noticed."""
    tale.accept(*calls)
    tale.finish()
    return tale.wait(60)


def ways(calls: list[Call]) -> set[Region]:
    """Tell from where calls go out."""
    return {call.chunk.origin for call in calls}


def second_round(tale: Story) -> tuple[Region, Call, Call]:
    """Return where the first copy is, and the calls that original and copy carry then, in this order."""
    (first,) = tale.go()
    calls = sorted(made(tale, [first]), key=lambda call: call.chunk.origin != NORTH)
    assert ways(calls) == {NORTH, first.chunk.destination}
    return first.chunk.destination, calls[0], calls[1]


def carrier_of(tale: Story, region: Region) -> Sighting:
    """Return the one image of a region."""
    (carrier,) = tale.shelves[region].values()
    return carrier


# --- the choice -----------------------------------------------------------------------------------


def test_three_destinations_take_two_rounds() -> None:
    """The original makes the first copy; then both of them make one each, at the same time."""
    tale = relayed_night()
    region, by_original, by_copy = second_round(tale)
    assert by_original.chunk.via is None
    assert by_copy.chunk.via == region
    assert by_copy.sources == (carrier_of(tale, region).image,)
    assert made(tale, [by_original, by_copy]) == []
    assert tale.states() == {State.READY}
    assert tale.finished()


def test_without_a_relay_there_are_as_many_rounds_as_destinations() -> None:
    """It is off unless the plan asks for it."""
    tale = relayed_night(on=False)
    calls, rounds = tale.go(), 0
    while calls:
        assert ways(calls) == {NORTH}
        assert len(calls) == 1
        calls, rounds = made(tale, calls), rounds + 1
    assert rounds == 3


def test_people_are_told_what_carried_a_copy() -> None:
    """From its call on, the change and the standing of a relayed copy name its carrier; others have none."""
    tale = relayed_night()
    region, _, by_copy = second_round(tale)
    carrier = carrier_of(tale, region).image
    (copy,) = by_copy.chunk.copies
    told = {standing.copy: (standing.via, standing.carrier) for standing in tale.schedule.standings()}
    assert told == {c: (region, carrier) if c == copy else (None, None) for c in COPIES}
    change = next(c for c in reversed(tale.changes) if c.copy == copy)
    assert (change.via, change.carrier) == (region, carrier)


def test_a_carrier_goes_to_one_destination_at_a_time() -> None:
    """It is locked like an original: while nobody knows what a relayed call made, it carries nothing."""
    tale = relayed_night()
    region, by_original, by_copy = second_round(tale)
    tale.lose(by_copy)
    tale.refuse(by_original, Reason.BUSY, X)
    calls = tale.wait(120)
    assert ways(calls) == {NORTH}
    assert tale.schedule.register.sources[region, by_copy.sources[0]].held == 1


# --- which copy is fit ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "difference",
    [
        {"size_mb": 20479},
        {"size_mb": None},
        {"snapshots": ("s-1",)},
        {"snapshots": ()},
        {"platform": "Windows Server"},
        {"platform": ""},
        {"architecture": "arm64"},
        {"encrypted": True},
    ],
)
@pytest.mark.parametrize("of_the_copy", [True, False])
def test_a_copy_that_does_not_equal_its_original_carries_nothing(
    difference: dict[str, object], of_the_copy: bool
) -> None:
    """Size, disks, platform, architecture, encryption; what only one side shows is a difference too.

    To pass a good carrier over costs time; what a wrong one passes on costs the copies.
    """
    odd = replace(WHOLE, **difference)  # type: ignore[arg-type]
    tale = relayed_night(WHOLE if of_the_copy else replace(odd, encrypted=False))
    (first,) = tale.go()
    tale.accept(first)
    shelf = tale.shelves[first.chunk.destination]
    shown = replace(odd if of_the_copy else WHOLE, text=carrier_of(tale, first.chunk.destination).text)
    for image in shelf:
        shelf[image] = replace(shown, image=image, status="ready")
    calls = tale.wait(60)
    expected = (
        {NORTH} if difference != {"encrypted": True} or of_the_copy else {NORTH, first.chunk.destination}
    )
    assert ways(calls) == expected


def test_what_the_cloud_shows_of_neither_is_no_difference() -> None:
    """A cloud that tells less of images still relays."""
    tale = relayed_night(Sighting(image=X, status="ready", name="golden"))
    second_round(tale)


def test_an_original_that_is_gone_is_not_kept_alive_by_its_copies() -> None:
    """Last night's copy is there and fit; of an image that this run does not see nothing new is made."""
    tale = relayed_night()
    calls = tale.go()
    while calls:
        calls = made(tale, calls)
    (copy,) = [copy for copy in COPIES if copy.destination == SOUTH]
    del tale.shelves[SOUTH][tale.track(copy).image or X]
    del tale.sources[X]
    tale.now += 86_400
    tale.begin(COPIES[:1] + COPIES[1:], run="next", relay=True)
    tale.sources.pop(X)
    (call,) = tale.go()
    assert call.chunk.via is None
    tale.refuse(call, Reason.NOT_FOUND, X)
    assert tale.state(copy) == (State.FAILED, Reason.NOT_FOUND)


def test_what_is_compared_is_recorded_only_where_it_may_serve() -> None:
    """The look that shows the first copy ready keeps its features; the last copies' looks keep none."""
    tale = relayed_night()
    second = list(second_round(tale)[1:])
    made(tale, second)
    looks = [event.images for event in tale.told if isinstance(event, Seen)]
    ready = [image for images in looks for image in images if image.status == "ready"]
    assert [image.size_mb for image in ready] == [20480, None, None]
    assert [len(image.snapshots) for image in ready] == [2, 0, 0]
    assert [image.platform for image in ready] == ["CentOS", "", ""]
    plain = relayed_night(on=False)
    plain.go()
    assert not any("CentOS" in repr(event) for event in plain.told)


# --- earlier nights -------------------------------------------------------------------------------


def next_night(tale: Story, *copies: Copy) -> list[Call]:
    """Begin the next night."""
    tale.now += 86_400
    return tale.begin(copies, run="next", relay=True).go()


def one_night(*copies: Copy) -> Story:
    """Tell a night in which these copies became ready."""
    tale = story((), workers=8)
    tale.sources[X] = WHOLE
    calls = tale.begin(copies, run="night", relay=True).go()
    while calls:
        calls = made(tale, calls)
    return tale


def test_a_copy_of_last_night_carries_once_it_was_confirmed() -> None:
    """Its destination's listing shows it, ready and equal: two new destinations take one round."""
    tale = one_night(COPIES[0])
    calls = next_night(tale, *COPIES)
    assert ways(calls) == {NORTH, EAST}
    assert made(tale, calls) == []
    assert tale.states() == {State.READY}


def test_a_copy_of_last_night_that_nobody_looked_at_carries_nothing() -> None:
    """A night that does not want it does not list its destination, and believes nothing unseen."""
    tale = one_night(COPIES[0])
    assert ways(next_night(tale, *COPIES[1:])) == {NORTH}


@pytest.mark.parametrize("status", ["gone", "error", "deleting", "pending"])
def test_a_copy_of_last_night_that_is_not_ready_any_more_carries_nothing(status: str) -> None:
    """Whatever became of it: only what this run saw ready is a source."""
    tale = one_night(COPIES[0])
    image = carrier_of(tale, EAST)
    if status == "gone":
        tale.shelves[EAST].clear()
    else:
        tale.shelves[EAST][image.image] = replace(image, status=status)
    assert ways(next_night(tale, *COPIES)) <= {NORTH}
