"""Nobody pays for another: rooms, parkings, origins and words belong to those they are about."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Called, Inspect, Lost
from orchestrator.core.model import CallId, Copy, Resource, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.pace import Pace
from tests.core.schedule.stories import EAST, EPOCH, SOUTH, Story, copies_of, image_id, story


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
