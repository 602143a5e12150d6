"""The expected end of a night: the latest of all that is left to do, kept up to date source by source."""

from __future__ import annotations

from random import Random

from orchestrator.core.model import ImageId, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.horizon import Horizon
from orchestrator.core.schedule.tracks import Source
from tests.core.schedule.stories import EAST, EAST1, SOUTH, copies_of, image_id, story


def sources(count: int) -> list[Source]:
    return [Source(ImageId(f"img-{number}"), Region("cn-north-1")) for number in range(count)]


def test_it_is_the_latest_end_of_any_source() -> None:
    """Whatever comes, goes, or is expected at another time, as a plain maximum over all would say."""
    horizon, known, chance = Horizon(), sources(20), Random(3)
    ends: dict[ImageId, float] = {}
    for _ in range(2000):
        source = chance.choice(known)
        at = None if chance.random() < 0.3 else chance.uniform(0, 10_000)
        horizon.expect(source, at)
        ends.pop(source.image, None)
        if at is not None:
            ends[source.image] = at
        latest = max(ends.values(), default=0.0)
        assert latest - 10 < horizon.latest() <= latest


def test_a_night_is_never_taken_for_longer_than_it_is() -> None:
    """Whoever waits because there is time to spare must not find that there was none."""
    horizon, (source,) = Horizon(), sources(1)
    horizon.expect(source, 19.9)
    assert horizon.latest() == 10


def test_a_night_is_not_expected_to_last_as_long_as_what_has_failed() -> None:
    """One image of two is not ours: nobody waits for company until its copies would have ended."""
    tale = story(copies_of(2, EAST, SOUTH, EAST1), workers=1)
    (call,) = tale.go()
    tale.refuse(call, Reason.NOT_PRIVATE, image_id(0))
    refused, other = (tale.track(copy) for copy in (*copies_of(1, EAST), *copies_of(2, EAST)[1:]))
    assert refused.state is State.FAILED
    assert refused.source.finish is None
    assert other.source.finish is not None
