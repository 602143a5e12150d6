"""Part of a plan: only what was asked for, in the plan's order, and no typing error passes for nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.model import Copy, ImageId, Region, State
from orchestrator.core.plan.narrowing import Narrowing, narrow
from orchestrator.errors import UsageError

NORTH, EAST, SOUTH = (Region(name) for name in ("cn-north-1", "cn-east-2", "cn-south-1"))
A, B, C = (ImageId(f"img-{letter}") for letter in "abc")
PLAN = tuple(Copy(image, NORTH, to) for image in (A, B, C) for to in (EAST, SOUTH))
STATES = {PLAN[0]: State.READY, PLAN[1]: State.FAILED, PLAN[2]: State.COPYING, PLAN[4]: State.FAILED}


def left(narrowing: Narrowing) -> list[int]:
    """Narrow the plan; return which of its copies are left."""
    return [PLAN.index(copy) for copy in narrow(PLAN, narrowing, STATES)]


@pytest.mark.parametrize(
    ("narrowing", "expected"),
    [
        (Narrowing(), [0, 1, 2, 3, 4, 5]),
        (Narrowing(images=frozenset({B})), [2, 3]),
        (Narrowing(images=frozenset({C, A})), [0, 1, 4, 5]),
        (Narrowing(destinations=frozenset({SOUTH})), [1, 3, 5]),
        (Narrowing(destinations=frozenset({EAST, SOUTH})), [0, 1, 2, 3, 4, 5]),
        (Narrowing(failed=True), [1, 4]),
        (Narrowing(limit=3), [1, 2, 3]),
        (Narrowing(limit=0), []),
        (Narrowing(limit=99), [1, 2, 3, 4, 5]),
        (Narrowing(images=frozenset({A}), destinations=frozenset({EAST})), [0]),
        (Narrowing(destinations=frozenset({EAST}), failed=True), [4]),
        (Narrowing(images=frozenset({B}), failed=True), []),
        (Narrowing(destinations=frozenset({SOUTH}), limit=2), [1, 3]),
        (Narrowing(failed=True, limit=1), [1]),
    ],
)
def test_what_is_left(narrowing: Narrowing, expected: list[int]) -> None:
    """Each option alone and with others: all must hold; the limit counts what is not ready yet."""
    assert left(narrowing) == expected


def test_a_first_night_has_no_failed_copies() -> None:
    """With an empty ledger --failed leaves nothing, without a complaint."""
    assert narrow(PLAN, Narrowing(failed=True), {}) == ()


@pytest.mark.parametrize(
    ("narrowing", "complaint"),
    [
        (
            Narrowing(images=frozenset({ImageId("img-z")})),
            r"--only img-z: the plan does not name it\. Did you mean",
        ),
        (Narrowing(images=frozenset({A, ImageId("zzzzzz")})), r"--only zzzzzz: the plan does not name it\.$"),
        (
            Narrowing(destinations=frozenset({Region("cn-south-2")})),
            r"--destination cn-south-2: the plan does not name it\. Did you mean cn-south-1\?",
        ),
        (Narrowing(destinations=frozenset({NORTH})), r"--destination cn-north-1"),
    ],
)
def test_what_the_plan_does_not_name_is_refused(narrowing: Narrowing, complaint: str) -> None:
    """A typing error is an error that names the nearest, not a run of nothing that ends green."""
    with pytest.raises(UsageError, match=complaint):
        narrow(PLAN, narrowing, STATES)


@settings(derandomize=True, deadline=None)
@given(
    st.sets(st.sampled_from([A, B, C])),
    st.sets(st.sampled_from([EAST, SOUTH])),
    st.booleans(),
    st.none() | st.integers(0, 7),
    st.dictionaries(st.sampled_from(PLAN), st.sampled_from(State)),
)
def test_a_narrowed_plan_is_a_part_of_the_plan_in_its_order(
    images: set[ImageId],
    destinations: set[Region],
    failed: bool,
    limit: int | None,
    states: dict[Copy, State],
) -> None:
    """Nothing is added, doubled or moved; each option keeps its word."""
    narrowing = Narrowing(
        images=frozenset(images), destinations=frozenset(destinations), failed=failed, limit=limit
    )
    rest = narrow(PLAN, narrowing, states)
    assert list(rest) == [copy for copy in PLAN if copy in rest]
    assert all(copy.source in images for copy in rest if images)
    assert all(copy.destination in destinations for copy in rest if destinations)
    assert not failed or all(states.get(copy) is State.FAILED for copy in rest)
    assert limit is None or len(rest) <= limit
