"""Weeks drawn from a seed: whatever goes wrong, retention never takes the last good copies of a family."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from pathlib import Path
from random import Random

import pytest

from orchestrator.core.model import Region
from orchestrator.simulator.faults import Fault, FaultPlan, Rule
from orchestrator.simulator.traits import Fates
from tests.nights import EPOCH, check_books, now
from tests.upkeep.estate import DAY_S, EAST, SOUTH, Cloud, Estate, plan_of

pytestmark = pytest.mark.looptime

NIGHTS, FAMILIES, KEPT = 4, ("centos", "ubuntu"), 2
POLICY = f"keep: {{latest: {KEPT}}}\n  label: {{name: '{{source_name}}-x'}}\n  verify: true"
PLAN = plan_of("{name: 'golden-*', latest: 2}", POLICY, EAST, SOUTH)
WRITES = ("deleteImage", "modifyImageAttribute", "copyImages")
TROUBLES = (Fault.RESET_AFTER, Fault.RESET_BEFORE, Fault.THROTTLE, Fault.GATEWAY_TIMEOUT, Fault.INTERNAL)

Shelf = dict[tuple[Region, str], list[int]]
"""The nights whose builds are there and ready, oldest first, by destination and family."""


def ready(estate: Estate) -> Shelf:
    """Look at the world itself."""
    shelf: Shelf = defaultdict(list)
    for region in (EAST, SOUTH):
        for number, image in estate.copies(region).items():
            if image.status == "ready":
                shelf[region, FAMILIES[number % 10]].append(number // 10)
    return defaultdict(list, {place: sorted(nights) for place, nights in shelf.items()})


def draw(estate: Estate, chance: Random, night: int) -> None:
    """Draw a night: who is down, what breaks, what is refused, what is poisoned."""
    estate.down = frozenset({SOUTH}) if chance.random() < 0.25 else frozenset()
    rules = [
        Rule(fault=chance.choice(TROUBLES), on=frozenset({write}), chance=chance.choice((0.0, 0.2, 0.5)))
        for write in WRITES
    ]
    estate.cloud.faults = FaultPlan(Random(chance.random()), rules)
    estate.cloud.world.fates = Fates(error_chance=chance.choice((0.0, 0.3)))
    for place, family in enumerate(FAMILIES):
        name = f"golden-{family}-{night:02d}"
        estate.add(10 * night + place, now() - 3600, name=name, encrypted=chance.random() < 0.15)


async def live(folder: Path, seed: int) -> None:
    """Live through the nights of a seed and hold each to the promises."""
    chance = Random(seed)
    estate = Estate(folder, cloud=Cloud(images=0, disks=2, seed=seed), number=0, plan=PLAN)
    estate.options = {"quota_interval": 60.0}
    for region in (EAST, SOUTH):
        estate.cloud.world.add_region(region, images=5, snapshots=15)
    for night in range(1, NIGHTS + 1):
        await asyncio.sleep(max(0.0, EPOCH + night * DAY_S - now()))
        draw(estate, chance, night)
        before = ready(estate)
        outcome = await estate.run(prune_first=True)
        after = ready(estate)
        where = f"seed {seed}, night {night}"
        for place, nights in before.items():
            assert max(after[place], default=0) >= nights[-1], (where, place, nights, after[place])
            assert len(after[place]) >= min(KEPT, len(nights)), (where, place, nights, after[place])
        assert outcome.result.exit_code in (0, 3), where
        assert outcome.fault is None, where
        lacks = [s for s in outcome.result.copies if s.image is None]
        assert not (lacks and outcome.result.exit_code == 0), where
    check_books(estate.cloud)


@pytest.mark.parametrize("seed", [4, 10])
async def test_a_week_of_troubles(tmp_path: Path, seed: int) -> None:
    """The newest build that was ready stays, `keep: {latest: 2}` leaves two, no copy is made twice.

    In these weeks a rule that kept one copy less, or none, would be noticed.
    """
    await live(tmp_path, seed)
