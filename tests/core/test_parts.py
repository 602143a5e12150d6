"""What each replication came to in each destination: counted by copy, never by what was not looked at."""

from __future__ import annotations

from orchestrator.core.model import Copy, ImageId, Region, State
from orchestrator.core.parts import parts_of
from orchestrator.core.plan import Plan, Replication
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Part, Standing

NORTH, EAST, SOUTH = Region("cn-north-1"), Region("cn-east-2"), Region("cn-south-1")
A, B, C = (ImageId(f"img-{letter}") for letter in "abc")
PLAN = Plan(
    "p.yaml",
    (Replication("one", NORTH, (EAST, SOUTH), (A, B)), Replication("two", NORTH, (EAST,), (B, C))),
    "d",
)


def standing(image: ImageId, region: Region, state: State = State.READY) -> Standing:
    """Say where one copy stands."""
    return Standing(copy=Copy(image, NORTH, region), state=state, reason=Reason.COPIED)


def part(name: str, region: Region, planned: int, ready: int) -> Part:
    """Make one part."""
    return Part(replication=name, destination=region, planned=planned, ready=ready)


def test_each_replication_is_counted_in_each_destination() -> None:
    """In the order of the plan; a copy that two replications want counts in both."""
    copies = [standing(A, EAST), standing(B, EAST), standing(C, EAST, State.FAILED), standing(A, SOUTH)]
    parts = parts_of(PLAN, copies, frozenset())
    assert parts == (part("one", EAST, 2, 2), part("one", SOUTH, 2, 1), part("two", EAST, 2, 1))
    assert [each.whole for each in parts] == [True, False, False]


def test_what_was_narrowed_away_or_not_looked_at_is_not_ready() -> None:
    """Neither what the run did not want nor what only an earlier run saw makes a part whole."""
    seen = [standing(image, region) for image in (A, B, C) for region in (EAST, SOUTH)]
    assert all(each.whole for each in parts_of(PLAN, seen, frozenset()))
    assert not any(each.whole for each in parts_of(PLAN, [], frozenset()))
    parts = parts_of(PLAN, seen, {Copy(B, NORTH, EAST)})
    assert [each.whole for each in parts] == [False, True, False]
