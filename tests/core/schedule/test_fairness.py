"""Nobody pays for another: rooms, parkings, origins and words belong to those they are about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Called, Event, Inspect, Look, Lost, Read, Unanswered
from orchestrator.core.model import CallId, Copy, Region, Resource, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.pace import Pace
from tests.core.schedule.stories import (
    EAST,
    EAST1,
    EPOCH,
    KINDS,
    NORTH,
    SOUTH,
    Story,
    copies_of,
    image_id,
    story,
)


def test_what_was_refused_for_good_takes_no_room() -> None:
    """The quota has one place; the image refused as not found made nothing, so the next one goes at once."""
    tale = Story()
    tale.quotas[EAST, Resource.IMAGE] = 1
    tale.begin(copies_of(2, EAST))
    (first,) = tale.go()
    tale.refuse(first, Reason.NOT_FOUND, first.sources[0])
    assert [call.numbers for call in tale.go()] == [[1]]


def test_an_image_of_many_disks_does_not_park_the_others() -> None:
    """300 images of four disks do not fit into three snapshots; the one of one disk behind them does."""
    tale = Story(limits=Limits(requests_per_minute=100_000))
    copies = copies_of(301, EAST)
    tale.begin(copies)
    for number in range(300):
        source = tale.sources[image_id(number)]
        tale.sources[source.image] = replace(source, snapshots=("a", "b", "c", "d"))
    tale.quotas[EAST, Resource.SNAPSHOT] = 3
    assert [call.numbers for call in tale.go()] == [[300]]


def test_a_copy_under_way_is_not_called_copied() -> None:
    """Taken over from a failed night, still pending: its reason is not `copied and ready`."""
    (copy,) = copies_of(1, EAST)
    tale = story((copy,), copy_timeout_s=3600)
    tale.accept(*tale.go())
    tale.wait(2 * 3600)
    assert tale.state(copy) == (State.FAILED, Reason.COPY_TIMEOUT)
    tale.begin((copy,), run="run2")
    tale.wait(30)
    state, reason = tale.state(copy)
    assert state is State.COPYING
    assert reason is not Reason.COPIED


def test_the_pace_keeps_its_word() -> None:
    """At the time promised the next request may leave: no waking to nothing, never a promise of now."""
    broken = 0
    for step in range(200):
        pace, now = Pace(600 + step), EPOCH + step / 7
        while pace.ready(now):
            pace.take(now)
        promised = pace.next_at(now)
        broken += not pace.ready(promised)
    assert broken == 0


def test_a_dead_origin_does_not_hold_up_another_origins_copies() -> None:
    """SOUTH's sources cannot be inspected; the copies from the north to EAST are called all the same."""
    (from_south,) = copies_of(1, EAST, origin=SOUTH)
    from_north = Copy(image_id(1), copies_of(1, EAST)[0].origin, EAST)
    tale = Story()
    tale.silent["inspect", SOUTH] = Reason.TIMEOUT
    tale.begin((from_north, from_south))
    assert [call.numbers for call in tale.wait(60)] == [[1]]


def test_an_origin_that_never_answers_is_given_up_once_not_once_per_hundred_images() -> None:
    """1,000 sources of a dead origin: MAX_ATTEMPTS inspections in all, not for each batch anew."""
    tale = Story(limits=Limits(max_attempts=3))
    tale.silent["inspect", SOUTH] = Reason.TIMEOUT
    tale.begin((*copies_of(1, EAST), *copies_of(1000, EAST, origin=SOUTH)))
    tale.wait(3600)
    assert tale.reads(Inspect, SOUTH) <= 6


def test_room_for_doubtful_copies_is_kept_when_the_quotas_are_read_again() -> None:
    """Three copies may exist and are not counted yet: after the next survey their places are still theirs."""
    tale = Story(limits=Limits(workers=1, settle_s=7200))
    tale.quotas[EAST, Resource.IMAGE] = 10
    tale.begin(copies_of(20, EAST))
    (first,) = tale.go()
    tale.tell(Lost(at=tale.now, call=first.id, reason=Reason.TIMEOUT))
    tale.wait(1000)  # parked: no room; probed: read again
    later = [c for c in tale.told if isinstance(c, Called) and c.call != CallId(first.id)]
    assert later == []


# --- whose turn it is -----------------------------------------------------------------------------


def destinations_called(tale: Story, calls: int, refuse: Callable[[], bool]) -> list[Region]:
    """Answer calls one by one; return where the accepted ones went. `refuse` says if one is throttled."""
    accepted: list[Region] = []
    while len(accepted) < calls:
        for call in tale.go() or tale.wait(30):
            if refuse():
                tale.refuse(call, Reason.THROTTLED)
            else:
                accepted.append(call.chunk.destination)
                tale.accept(call)
    return accepted


def test_a_destination_with_few_copies_is_served_beside_one_with_ten_thousand() -> None:
    """Five copies to SOUTH, 10,000 to EAST, room for all, one call at a time: SOUTH is among the first."""
    few = tuple(Copy(image_id(20_000 + number), NORTH, SOUTH) for number in range(5))
    tale = story((*copies_of(10_000, EAST), *few), workers=1, region_copies=100_000)
    assert SOUTH in destinations_called(tale, 5, lambda: False)


@pytest.mark.parametrize("share", [0.5, 0.8])
@pytest.mark.parametrize("seed", range(5))
def test_a_throttled_night_gives_each_destination_its_turn(share: float, seed: int) -> None:
    """Most calls are throttled by chance: a thousand copies here do not keep five there waiting."""
    few = (*copies_of(1005, SOUTH)[1000:], *copies_of(1010, EAST1)[1005:])
    tale = story((*copies_of(1000, EAST), *few), workers=2, region_copies=100_000)
    chance = Random(seed)
    assert set(destinations_called(tale, 7, lambda: chance.random() < share)) == {EAST, SOUTH, EAST1}


def test_throttled_reads_reach_every_destination() -> None:
    """Every second read is throttled: each of three destinations is listed, surveyed and looked at."""
    regions = (EAST, SOUTH, EAST1)
    tale = story((Copy(image_id(n), NORTH, to) for n, to in enumerate(regions)), poll_interval_s=10)
    answer, count = tale.answer, 0

    def moody(read: Read) -> Event:
        nonlocal count
        count += 1
        if count % 2:
            return Unanswered(
                at=tale.now, read=KINDS[type(read)], region=read.region, reason=Reason.THROTTLED
            )
        return answer(read)

    tale.answer = moody  # type: ignore[method-assign]
    for _ in range(40):
        tale.accept(*tale.wait(20))
    looks = [tale.reads(Look, region) for region in regions]
    assert 5 < max(looks) <= 2 * min(looks)


@pytest.mark.parametrize("number", [0, 5, 19])
def test_no_image_is_left_behind_by_those_with_more_to_copy(number: int) -> None:
    """Twenty images to three regions and one to a single one, wherever in the plan: all are called."""
    alone = Copy(image_id(500), NORTH, EAST)
    others = list(copies_of(20, EAST, SOUTH, EAST1))
    tale = story((*others[: 3 * number], alone, *others[3 * number :]), workers=1, region_copies=5)
    for _ in range(60):
        tale.accept(*tale.go())
        tale.finish()
        tale.accept(*tale.wait(60))
    assert tale.states() == {State.READY}
