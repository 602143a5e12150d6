"""The benchmark's own promises, and the small share of it that every test run repeats."""

from __future__ import annotations

import re
from functools import cache, partial
from pathlib import Path

import pytest

from orchestrator.core.messages import Change
from orchestrator.core.model import CHUNK_MAX, State
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.world import Query, World
from tests.bench import policies
from tests.bench.__main__ import broken
from tests.bench.bound import bound_s, fewest_calls
from tests.bench.cells import Cell, Key
from tests.bench.clockwork import Clockwork, Process
from tests.bench.cloudscape import Cloudscape, Line
from tests.bench.figures import EPOCH, POLICIES, Figures, measure, measure_one, measure_scripts
from tests.bench.goals import lines
from tests.bench.nights import KINDS, LATENCY_S, ORIGIN, ROOM, Kind, Night
from tests.bench.ours import RELAYS
from tests.bench.table import tables
from tests.nights import Cloud, Operator

SMALL = [(kind, 3, images) for kind in KINDS for images in (1, 13, 45)]
SEEDS = (1, 2)


@cache
def measured(kind: str, regions: int, images: int, seed: int) -> list[Figures]:
    """Measure a small night once for all tests."""
    return measure(kind, regions, images, seed)


@pytest.mark.parametrize(("kind", "regions", "images"), SMALL)
def test_nobody_beats_the_bound_and_ours_keeps_its_promises(kind: str, regions: int, images: int) -> None:
    """No policy is faster than the bound; ours makes every possible copy once and keeps to the room."""
    figures = [each for seed in SEEDS for each in measured(kind, regions, images, seed)]
    assert [trouble for each in figures for trouble in broken(each)] == []
    assert all(each.makespan_s > 0 for each in figures if each.policy == "ours" and each.bound)


@pytest.mark.parametrize(("kind", "regions", "images"), SMALL)
def test_ours_is_never_slower_than_the_script(kind: str, regions: int, images: int) -> None:
    """On no small night are we more than 1 % slower than the script, where it copies as much as we do."""
    cell = Cell(Key(kind, regions, images))
    for seed in SEEDS:
        cell.add(seed, measured(kind, regions, images, seed))
    assert (
        max(
            [ratio for rival in ("script", "again") for ratio in cell.against(rival, whole=True)], default=0.0
        )
        <= 1.01
    )


def test_the_bound_can_be_reached() -> None:
    """Whoever knows every duration copies one image at exactly the bound: it is not too low, nor too high."""
    night = Night(KINDS["uniform"], 2, 1, 1)
    clock, world = Clockwork(EPOCH), Cloudscape(night)
    line, ends = Line(clock, world), list[float]()

    def prophet() -> Process[None]:
        for copy in night.copies:
            request = CopyRequest(origin=ORIGIN, destination=copy.destination, sources=(copy.source,))
            answer = yield from line.ask("copyImages", partial(world.copy_images, request=request))
            assert isinstance(answer, tuple), answer
            yield night.took_s[copy] - LATENCY_S + 1e-6
        yield LATENCY_S
        ends.append(clock.now)

    clock.start(prophet())
    clock.run(EPOCH + 1e6)
    assert ends[0] - EPOCH == pytest.approx(bound_s(night, night.copies), abs=1e-3)


def test_each_term_of_the_bound_can_bind() -> None:
    """The longest chain of one image, the room of a destination and the rate of calls each decide a night."""
    few, many = Night(KINDS["uniform"], 3, 5, 1), Night(KINDS["uniform"], 3, 200, 1)
    rated = Night(Kind(name="rated", says="one request a minute", rate_per_minute=1), 5, 200, 1)
    chains = [sum(few.took_s[c] for c in few.copies if c.source == source) for source in few.sources]
    works = [sum(many.took_s[c] for c in many.copies if c.destination == to) for to in many.destinations]
    called_s = (5 * 20 - 1) * 60.0 + min(rated.took_s.values())
    assert bound_s(few, few.copies) == pytest.approx(LATENCY_S + max(chains))
    assert bound_s(many, many.copies) == pytest.approx(LATENCY_S + max(works) / ROOM)
    assert bound_s(rated, rated.copies) == pytest.approx(LATENCY_S + called_s)
    assert bound_s(few, ()) == 0.0


def test_a_bound_that_is_beaten_is_reported() -> None:
    """Figures below the bound, a duplicate, too many in flight and a copy left out are all troubles."""
    bad = Figures(
        policy="ours", makespan_s=1, bound=0.99, calls=1, polls=1, delay=0,
        missing=1, left_out=0.1, broken=1, peak=ROOM + 1,
    )  # fmt: skip
    assert len(list(broken(bad))) == 4


def test_the_model_has_the_numbers_of_the_script_and_the_script_has_nothing_of_ours() -> None:
    """Chunks, tries, pauses and workers are the same in both, and the script imports the SDK alone."""
    source = Path(__file__).with_name("sdk_script.py").read_text(encoding="utf-8")
    numbers: dict[str, object] = {}
    for line in re.findall(r"^[A-Z_, ]+ = [0-9., ]+", source, re.MULTILINE):
        names, values = line.split(" = ")
        numbers |= zip(names.split(", "), map(float, values.split(", ")), strict=True)
    assert numbers == {
        "CHUNK": CHUNK_MAX,
        "WORKERS_PER_REGION": ROOM // CHUNK_MAX,
        "POLL_S": policies.POLL_S,
        "TRIES": policies.TRIES,
        "PAUSE_S": policies.PAUSE_S,
        "PAUSE_MAX_S": policies.PAUSE_MAX_S,
    }
    assert re.search(r"^(from|import) (orchestrator|tests)", source, re.MULTILINE) is None


def test_every_policy_meets_the_same_night() -> None:
    """A night drawn twice is the same night, and another seed is another."""
    one, same, other = (Night(KINDS["lognormal"], 3, 20, seed) for seed in (1, 1, 2))
    assert one.took_s == same.took_s
    assert one.took_s != other.took_s
    assert measured("lognormal", 3, 13, 1) == measure("lognormal", 3, 13, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_run_of_again_is_the_script(kind: str) -> None:
    """What is read off the first run of the script started again equals the script run by itself."""
    night = Night(KINDS[kind], 3, 45, 2)
    assert list(measure_scripts(night)) == [measure_one(night, "script"), measure_one(night, "again")]


def test_a_shorter_way_to_a_page_shows_the_same_images() -> None:
    """The benchmark's cloud answers every read of ours as the simulated world itself would."""
    night = Night(KINDS["uniform"], 3, 120, 1)
    world, to, asked = Cloudscape(night), night.destinations[0], night.sources[:10]
    made = world.copy_images(EPOCH, CopyRequest(origin=ORIGIN, destination=to, sources=asked))
    ids = Query(ids=(*(image for _, image in made), "img-none"), size=100)
    pages = [Query(image_source="private", page=page, size=100) for page in (1, 2, 3)]
    for at in (EPOCH, EPOCH + 600, EPOCH + 6000):
        for region, query in [(to, ids), (ORIGIN, pages[0]), *((to, page) for page in pages)]:
            assert world.describe_images(at, region, query) == World.describe_images(world, at, region, query)


def test_ours_is_timed_at_as_many_copies_as_a_rival_made() -> None:
    """A script that leaves copies out is compared with our time for as many, not for all of them."""
    cell = Cell(Key("uniform", 3, 45))
    cell.add(1, figures := measured("uniform", 3, 45, 1))
    named = {each.policy: each for each in figures}
    assert named["script"].missing > named["again"].missing == 0
    assert named["script"].ours_s < named["again"].ours_s == named["ours"].ours_s == named["ours"].makespan_s
    assert cell.against("script") == [named["script"].ours_s / named["script"].makespan_s]
    assert cell.against("script", whole=True) == []


def test_kinds_are_as_they_say() -> None:
    """Slow is slow in the last destination, quotas are tight in two, a twentieth are culprits, brisk is."""
    kinds = ("slow", "quotas", "culprits", "brisk")
    slow, quotas, culprits, brisk = (Night(KINDS[kind], 3, 40, 1) for kind in kinds)
    assert all(10 * brisk.took_s[copy] == pytest.approx(took_s) for copy, took_s in culprits.took_s.items())
    last = slow.destinations[-1]
    slowest = min(took_s for copy, took_s in slow.took_s.items() if copy.destination == last)
    assert slowest > 2 * max(took_s for copy, took_s in slow.took_s.items() if copy.destination != last)
    assert [quotas.fits(to) for to in quotas.destinations] == [28, 28, 40]
    assert len(culprits.culprits) == 2
    assert min(store.image_quota for store in Cloudscape(slow).stores.values()) > 2 * 40
    assert culprits.possible == 3 * 38
    assert fewest_calls(culprits) == 12


@pytest.mark.looptime
async def test_the_loop_does_what_the_engine_does() -> None:
    """The real engine, in its own virtual time, needs as long and as many calls for the same night."""
    night = Night(KINDS["slow"], 3, 30, 1)
    cloud = Cloud(images=0, latency_s=LATENCY_S)
    world = cloud.world = Cloudscape(night)
    real = await Operator(cloud).night(night.copies)
    ours = measure_one(night, "ours")
    assert real.counts.ready == 90
    assert real.calls["copyImages"] / fewest_calls(night) == ours.calls
    made_s = max(change.at for change in real.changes if _is_made(change)) - EPOCH
    assert made_s == pytest.approx(ours.makespan_s, rel=1e-3)
    assert len(world.record.copies) == 90


def _is_made(change: Change) -> bool:
    return change.after is State.READY


def test_tables_name_every_cell_and_policy() -> None:
    """The page holds a table per kind and one line per cell, and the goals count every cell."""
    cell = Cell(Key("uniform", 3, 13))
    cell.add(1, measured("uniform", 3, 13, 1))
    (table,) = tables([cell])
    (row,) = [line for line in table.splitlines() if line.startswith("| 3 ")]
    assert all(entry.count(" · ") == len(POLICIES) - 1 for entry in row.split("|")[4:10])
    said = lines([cell])
    assert sum("of 1 " in line for line in said) == (7 if RELAYS else 6)
    assert sum("clearly faster" in line for line in said) == 1
