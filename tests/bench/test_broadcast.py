"""The bound with relay: exact for one image, held against every order in which holders may serve."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import inf, log2
from random import Random

import pytest

from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator.checks import CopyRequest
from tests.bench.bound import bound_s
from tests.bench.broadcast import fastest_s
from tests.bench.clockwork import Clockwork, Process
from tests.bench.cloudscape import Cloudscape, Line
from tests.bench.figures import EPOCH
from tests.bench.nights import KINDS, LATENCY_S, ORIGIN, Kind, Night

Times = list[list[float]]


def _drawn(regions: int, chance: Random) -> Times:
    """Draw how long each region (the origin is 0) takes to serve each other."""
    return [[chance.choice((1.0, 2.0, 5.0)) * chance.uniform(1, 2) for _ in range(regions + 1)]
            for _ in range(regions + 1)]  # fmt: skip


def _tried_s(free_s: Mapping[int, float], missing: frozenset[int], times_s: Times) -> float:
    """Try everything: any holder serves any region next, as soon as it is free."""
    if not missing:
        return 0.0
    best_s = inf
    for holder, at_s in free_s.items():
        for region in missing:
            end_s = at_s + times_s[holder][region]
            rest_s = _tried_s({**free_s, holder: end_s, region: end_s}, missing - {region}, times_s)
            best_s = min(best_s, max(end_s, rest_s))
    return best_s


@pytest.mark.parametrize("regions", [1, 2, 3])
def test_the_fastest_broadcast_is_that_of_brute_force(regions: int) -> None:
    """For one to three regions and any durations, no order of serving beats it and one reaches it."""
    chance = Random(regions)
    for _ in range(60):
        times_s = _drawn(regions, chance)
        tried_s = _tried_s({0: 0.0}, frozenset(range(1, regions + 1)), times_s)
        assert fastest_s(times_s) == pytest.approx(tried_s)


@pytest.mark.parametrize("regions", [1, 2, 3, 4, 5])
def test_equal_durations_take_as_many_rounds_as_doubling_needs(regions: int) -> None:
    """Where every copy takes one round, R regions take log2(R + 1) of them, rounded up."""
    rounds = fastest_s([[1.0] * (regions + 1)] * (regions + 1))
    assert rounds - 1 < log2(regions + 1) <= rounds


def test_relay_moves_the_bound_of_one_image_from_a_sum_to_a_tree() -> None:
    """Ten images to five regions: bound by five copies in a row without relay, by about three with it."""
    night = Night(KINDS["uniform"], 5, 10, 1)
    plain_s, relayed_s = (bound_s(night, night.copies, relay=relay) for relay in (False, True))
    assert 0.5 < relayed_s / plain_s < 0.65
    assert bound_s(night, (), relay=True) == 0.0


def test_one_copy_of_each_image_cannot_be_relayed() -> None:
    """Where each image has one destination, relay changes nothing about the bound."""
    night = Night(KINDS["lognormal"], 3, 30, 1)
    single = [copy for copy in night.copies if copy.destination == night.destinations[1]]
    assert bound_s(night, single, relay=True) == bound_s(night, single)


def test_with_relay_room_and_rate_still_bind() -> None:
    """Many images are bound by the room of a destination, whatever carries them; a low rate by minutes."""
    many = Night(KINDS["uniform"], 3, 400, 1)
    rated = Night(Kind(name="rated", says="one request a minute", rate_per_minute=1), 5, 200, 1)
    assert 0.94 < bound_s(many, many.copies, relay=True) / bound_s(many, many.copies) < 1
    assert bound_s(rated, rated.copies, relay=True) > (5 * 20 - 1) * 60.0


def test_the_relayed_bound_can_be_reached() -> None:
    """Whoever knows every duration spreads one image over two regions in exactly the bound's time."""
    night = next(night for night in _nights() if _pays(night))
    clock, world = Clockwork(EPOCH), Cloudscape(night)
    line, ends = Line(clock, world), list[float]()
    (image,), (first, second) = night.sources, sorted(night.destinations, key=lambda to: _took_s(night, to))

    def copied(at: Region, source: ImageId, to: Region) -> Process[ImageId]:
        request = CopyRequest(origin=at, destination=to, sources=(source,))
        answer = yield from line.ask("copyImages", partial(world.copy_images, request=request))
        assert isinstance(answer, tuple), answer
        yield night.lasts_s(Copy(image, at, to)) - LATENCY_S + 1e-6
        return answer[0][1]

    def prophet() -> Process[None]:
        carrier = yield from copied(ORIGIN, image, first)
        yield from copied(first, carrier, second)
        yield LATENCY_S
        ends.append(clock.now)

    clock.start(prophet())
    clock.run(EPOCH + 1e6)
    assert ends[0] - EPOCH == pytest.approx(bound_s(night, night.copies, relay=True), abs=1e-3)
    assert world.record.violations == []


def _nights() -> list[Night]:
    """Make nights of one image and two regions."""
    return [Night(KINDS["uniform"], 2, 1, seed) for seed in range(1, 20)]


def _took_s(night: Night, to: Region) -> float:
    return night.took_s[Copy(night.sources[0], ORIGIN, to)]


def _pays(night: Night) -> bool:
    """Tell whether carrying on from the quicker copy beats the origin's second copy."""
    first, second = sorted(night.destinations, key=lambda to: _took_s(night, to))
    return night.relayed_s[Copy(night.sources[0], first, second)] < _took_s(night, second)
