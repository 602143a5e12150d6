"""The expected end of a night: the latest of all that is left to do, kept up to date source by source."""

from __future__ import annotations

from random import Random

import pytest

from orchestrator.core.model import Copy, ImageId, Region, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.forecast import Forecasts
from orchestrator.core.schedule.horizon import Horizon
from orchestrator.core.schedule.tracks import Destination, Source, Track
from tests.core.schedule.stories import EAST, EAST1, SOUTH, Story, copies_of, image_id, story


def sources(count: int) -> list[Source]:
    return [Source(ImageId(f"img-{number}"), Region("cn-north-1")) for number in range(count)]


def test_it_is_the_latest_end_of_any_source() -> None:
    """Whatever comes, goes, or is expected at another time, as a plain maximum over all would say."""
    horizon, known, chance = Horizon(Forecasts()), sources(20), Random(3)
    ends: dict[ImageId, float] = {}
    for _ in range(2000):
        source = chance.choice(known)
        at = None if chance.random() < 0.3 else chance.uniform(0, 10_000)
        horizon.note(source, at)
        ends.pop(source.image, None)
        if at is not None:
            ends[source.image] = at
        latest = max(ends.values(), default=0.0)
        assert latest - 10 < horizon.latest() <= latest


def test_a_night_is_never_taken_for_longer_than_it_is() -> None:
    """Whoever waits because there is time to spare must not find that there was none."""
    horizon, (source,) = Horizon(Forecasts()), sources(1)
    horizon.note(source, 19.9)
    assert horizon.latest() == 10


def expected_s(tale: Story) -> float:
    """How far away the end of the night is, as far as the schedule can tell."""
    return max(0.0, tale.schedule.register.horizon.latest() - tale.now)


def test_what_is_given_up_makes_no_night_longer() -> None:
    """A huge image that can never be copied is not waited for, though its copies were once expected."""
    tale = story((), workers=8)
    tale.sources[image_id(1)] = Sighting(image=image_id(1), status="ready", name="huge", size_mb=1024 * 1024)
    tale.begin(copies_of(2, EAST, SOUTH), run="night")
    (call,) = tale.go()
    tale.refuse(call, Reason.NOT_PRIVATE, culprit=image_id(1))
    calls = tale.go()
    for _ in range(2):
        tale.accept(*calls)
        tale.finish()
        calls = tale.wait(700)
    assert tale.finished()
    assert expected_s(tale) == 0


def test_the_first_end_corrects_what_was_assumed_of_the_others() -> None:
    """A copy takes a tenth of what was assumed: then the others will too, also those already under way."""
    tale = story(copies_of(2, EAST, SOUTH), workers=8, region_copies=1)
    calls = tale.go()
    tale.accept(*calls)
    assumed_s = expected_s(tale)
    tale.wait(60)
    tale.finish(where=calls[0].chunk.destination)
    tale.wait(5)
    assert expected_s(tale) < assumed_s / 4


@pytest.mark.parametrize(("relay", "ends_s"), [(False, 1200), (True, 600)])
def test_the_last_copy_follows_the_one_under_way_unless_another_image_carries_it(
    relay: bool, ends_s: float
) -> None:
    """One copy is ready, one is under way, one waits: with relay the ready one may carry it at once."""
    (source,), now = sources(1), 1000.0
    source.tracks = [
        Track(Copy(source.image, source.origin, region), source, Destination(region), 0, relay=relay)
        for region in (EAST, SOUTH, EAST1)
    ]
    ready, under_way, waiting = source.tracks
    ready.state, ready.fit = State.READY, relay or None
    under_way.state, under_way.ends_at, waiting.wanted = State.COPYING, now + 600, True
    source.holder = under_way
    horizon = Horizon(Forecasts())
    horizon.expect(source, now)
    assert horizon.latest() - now == ends_s
