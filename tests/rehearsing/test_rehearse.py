"""Rehearsals: the same night each time, told apart by weather, with the numbers of what does not fit."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from math import inf
from random import Random

import pytest

from orchestrator.cloud.inventory import Inventory
from orchestrator.core.codec import from_json
from orchestrator.core.limits import Limits
from orchestrator.core.model import DOCUMENTED_REGIONS, Copy, Region, State
from orchestrator.core.plan import Plan, load_plan
from orchestrator.core.reasons import Reason
from orchestrator.core.rehearsed import Rehearsal
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Verdict
from orchestrator.rehearsing.known import Past, look, past_of
from orchestrator.rehearsing.rehearse import Wish, rehearse, rehearse_tonight
from orchestrator.rehearsing.stage import Quota
from orchestrator.simulator.memory import MemoryCloud
from orchestrator.simulator.traits import Pace
from orchestrator.simulator.virtual_time import run_virtually
from orchestrator.simulator.weather import Weather
from orchestrator.watch.rehearsal_view import rehearsal_json, rehearsal_lines
from tests.nights import EAST, NORTH, SOUTH, Cloud, Night, Operator, copies_of, image_id

LIMITS = Limits()


def plan_of(images: int, *destinations: Region, relay: bool = False) -> Plan:
    """Load the plan that wants the first n images of the north in these regions."""
    shown = {
        "name": "golden",
        "source": NORTH,
        "destinations": destinations,
        "images": [image_id(number) for number in range(images)],
        **({"relay": True} if relay else {}),
    }
    text = json.dumps({"version": 1, "replications": [shown]})
    return load_plan(text.encode(), "nightly.yaml", regions=DOCUMENTED_REGIONS, read_list=_no_list)


def _no_list(path: str) -> bytes:
    raise FileNotFoundError(path)


def played(
    images: int = 12,
    *,
    past: Past | None = None,
    weather: Weather = Weather.CLEAR,
    seed: int | None = None,
    quota: Quota | None = None,
) -> Rehearsal:
    """Rehearse a plan of so many images for two destinations."""
    wish = Wish(plan=plan_of(images, EAST, SOUTH), weather=weather, seed=seed, quota=quota)
    return rehearse(wish, LIMITS, past or Past())


def text_of(rehearsal: Rehearsal) -> str:
    """Write what a person reads."""
    return "\n".join(rehearsal_lines(rehearsal))


@pytest.mark.parametrize("weather", list(Weather))
def test_the_same_plan_gives_the_same_night(weather: Weather) -> None:
    """Twice the same JSON to the last byte, whatever the weather; another seed gives another night."""
    first, again = (rehearsal_json(played(weather=weather)) for _ in range(2))
    assert first == again
    assert first != rehearsal_json(played(weather=weather, seed=5))


def test_another_plan_is_another_night() -> None:
    """The seed is the plan's own: a plan that differs by one image draws other sizes and durations."""
    one, other = played(11), played(12)
    assert one.seed != other.seed
    assert one.moved_mb != other.moved_mb


def test_a_night_of_hours_passes_faster_than_the_clock() -> None:
    """Virtual hours are no real ones."""
    began = time.monotonic()
    rehearsal = played()
    assert rehearsal.took_s > 1_800
    assert time.monotonic() - began < rehearsal.took_s


def test_a_clear_night_makes_every_copy_and_tells_what_it_took() -> None:
    """All ready; per destination the numbers add up, and the last one ends the night."""
    rehearsal = played()
    assert (rehearsal.verdict, rehearsal.exit_code, rehearsal.copies) == (Verdict.OK, 0, ())
    assert [(a.region, a.wanted, a.made, a.there, a.failed) for a in rehearsal.destinations] == [
        (EAST, 12, 12, 0, 0),
        (SOUTH, 12, 12, 0, 0),
    ]
    assert 12 * 8 * 1024 <= rehearsal.destinations[0].moved_mb <= 12 * 40 * 1024
    assert rehearsal.moved_mb == 2 * rehearsal.destinations[0].moved_mb
    ends = [a.finished_s for a in rehearsal.destinations if a.finished_s is not None]
    assert len(ends) == 2
    assert max(ends) == pytest.approx(rehearsal.took_s, abs=LIMITS.poll_interval_s)
    assert max(a.peak for a in rehearsal.destinations) <= rehearsal.peak <= 12
    assert rehearsal.calls["copyImages"] >= 4
    assert all(region in text_of(rehearsal) for region in (EAST, SOUTH))


def test_each_weather_is_another_night() -> None:
    """Worse weather takes longer, and only the storm breaks copies or answers."""
    nights = {weather: played(60, weather=weather) for weather in Weather}
    clear, throttled, stormy = nights.values()
    assert clear.took_s < throttled.took_s < stormy.took_s
    assert clear.refused == {}
    assert any(answer.startswith("429") for answer in throttled.refused)
    assert not any(answer.startswith("5") for answer in throttled.refused)
    assert any(answer.startswith("504") for answer in stormy.refused)
    assert throttled.verdict is Verdict.OK


def test_what_does_not_fit_is_told_with_numbers() -> None:
    """Room for 5 images and 15 snapshots: seven copies are left over in each destination, and it says why."""
    rehearsal = played(quota=(5, 15))
    assert (rehearsal.verdict, rehearsal.exit_code) == (Verdict.PARTIAL, 3)
    for arrivals in rehearsal.destinations:
        assert (arrivals.made, arrivals.deferred) == (5, 7)
        assert (arrivals.images.needs, arrivals.images.free, arrivals.images.short) == (12, 5, 7)
    assert {standing.reason for standing in rehearsal.copies} == {Reason.QUOTA_IMAGE}
    assert "7 copies to cn-east-2; needs 12 images, 5 of 5 are free, 7 short" in text_of(rehearsal)


def test_snapshots_can_be_what_is_short() -> None:
    """Enough places for images, too few for their disks."""
    rehearsal = played(quota=(50, 6))
    short = [(arrivals.images.short, arrivals.snapshots.short > 0) for arrivals in rehearsal.destinations]
    assert short == [(0, True), (0, True)]
    assert {standing.reason for standing in rehearsal.copies} == {Reason.QUOTA_SNAPSHOT}


def test_what_was_assumed_is_said() -> None:
    """Without ledger and cloud: sizes, quotas, durations and empty destinations are assumptions."""
    said = text_of(played())
    for word in ("invented: 8 to 40 GB", "documented defaults are 5 images", "no history", "none of these"):
        assert word in said


def test_relayed_copies_are_rehearsed_as_such() -> None:
    """A plan that lets copies carry copies takes less time than one that does not."""
    plain = Wish(plan=plan_of(4, EAST, SOUTH, Region("cn-east-1")), seed=1)
    relayed = Wish(plan=plan_of(4, EAST, SOUTH, Region("cn-east-1"), relay=True), seed=1)
    assert rehearse(relayed, LIMITS, Past()).took_s < rehearse(plain, LIMITS, Past()).took_s


# --- with a ledger, and with the cloud as it is ---------------------------------------------------


def lived(cloud: Cloud, copies: Sequence[Copy]) -> tuple[Operator, Night]:
    """Let a real run have its night on a simulated cloud, in virtual time."""
    operator = Operator(cloud)
    return operator, run_virtually(lambda: operator.night(copies))


def remembered(operator: Operator) -> Schedule:
    """Bring back what the ledger of that run says."""
    schedule = Schedule(LIMITS, "testledger0")
    schedule.recover(from_json(kind, body) for kind, body in operator.ledger)
    return schedule


def tonight(cloud: Cloud, operator: Operator, wish: Wish, at: float) -> Rehearsal:
    """Look at the cloud as it is, and rehearse on a copy of it."""
    port = MemoryCloud(cloud.world, clock=lambda: at)
    copies = wish.plan.copies()
    live = run_virtually(lambda: look(Inventory(port, Random(1).random), copies))
    known = remembered(operator)
    return rehearse_tonight(wish, LIMITS, live, known, past_of(known), now=at)


def test_durations_are_those_that_the_ledger_has_seen() -> None:
    """On a cloud that is ten times as fast the rehearsal is too, and it says where that comes from."""
    fast = Cloud(images=8, pace=Pace(copy_base_s=12, copy_per_gb_s=6, copy_spread=0.0))
    operator, _ = lived(fast, copies_of(8, EAST, SOUTH))
    past = past_of(remembered(operator))
    known, unknown = played(8, past=past), played(8)
    assert known.took_s < unknown.took_s / 3
    assert known.moved_mb == 2 * 8 * 8192  # the sizes are known as well
    assert "as the ledger has seen on 2 routes" in text_of(known)


def test_tonight_leaves_alone_what_is_there() -> None:
    """Copies of last night are confirmed, not made again; only the two new images travel."""
    cloud = Cloud(images=6)
    operator, night = lived(cloud, copies_of(4, EAST, SOUTH))
    assert night.verdict is Verdict.OK
    before = json.dumps(cloud.world.books())
    rehearsal = tonight(cloud, operator, Wish(plan=plan_of(6, EAST, SOUTH)), night.schedule.register.now + 60)
    assert [(a.there, a.made) for a in rehearsal.destinations] == [(4, 2), (4, 2)]
    after = json.loads(json.dumps(cloud.world.books()))
    assert {name: value for name, value in after.items() if name != "requests"} == {
        name: value for name, value in json.loads(before).items() if name != "requests"
    }
    assert "copyImages" not in {
        name
        for name, times in after["requests"].items()
        if times > json.loads(before)["requests"].get(name, 0)
    }


def test_tonight_knows_the_real_quotas_and_what_is_gone() -> None:
    """A destination with three places left, and a source that nobody has any more."""
    cloud = Cloud(images=6, quota=7)
    operator, night = lived(cloud, copies_of(4, EAST))
    cloud.world.remove(inf, NORTH, image_id(5))
    wish = Wish(plan=plan_of(9, EAST))
    rehearsal = tonight(cloud, operator, wish, night.schedule.register.now + 60)
    (east,) = rehearsal.destinations
    assert (east.images.limit, east.images.used) == (7, 4)
    failed = {s.copy.source: s.reason for s in rehearsal.copies if s.state is State.FAILED}
    assert failed == {image_id(number): Reason.NOT_FOUND for number in (5, 6, 7, 8)}
    assert (east.there, east.made) == (4, 1)


def test_rehearsing_needs_no_loop_of_others() -> None:
    """It brings its own time: inside a running loop it is refused, not mixed up with real time."""

    async def inside() -> None:
        rehearse(Wish(plan=plan_of(1, EAST)), LIMITS, Past())

    with pytest.raises(RuntimeError, match="no other event loop"):
        asyncio.run(inside())
