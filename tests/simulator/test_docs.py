"""The page about the simulator names everything that can be set, and no default that is not so."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Fates, Pace, Switches
from orchestrator.simulator.world import World
from orchestrator.simulator.worldfile import ImageSpec, Population, QuotaSpec, RegionSpec, WorldFile
from tests.simulator.worlds import make_world

PAGE = (Path(__file__).parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
NAMES = [
    *(field.name for kind in (Pace, Switches, Fates, Rule) for field in fields(kind)),
    *(
        name
        for kind in (WorldFile, RegionSpec, ImageSpec, Population, QuotaSpec)
        for name in kind.model_fields
    ),
    *(fault.value for fault in Fault),
]


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_every_name_of_a_world_file_is_on_the_page(name: str) -> None:
    """Each key and each fault is written there as code."""
    assert f"`{name}`" in PAGE


def test_every_field_of_the_books_is_on_the_page() -> None:
    """Whoever reads the books finds each field explained."""
    world: World = make_world()
    assert [name for name in world.books() if f"`{name}`" not in PAGE] == []


def test_the_switches_are_documented_as_they_stand() -> None:
    """`on` and `off` in the table are the defaults of the code."""
    told = dict(re.findall(r"^\| `(\w+)` \| (on|off) \|", PAGE, re.MULTILINE))
    assert told == {field.name: "on" if field.default else "off" for field in fields(Switches)}
