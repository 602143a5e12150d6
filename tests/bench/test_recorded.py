"""No ratio of a small share of the nights is worse than the one recorded, by more than a stated margin."""

from __future__ import annotations

import pytest

from tests.bench.nights import KINDS
from tests.bench.recorded import COMMAND, HELD, MARGINS, SHARE, name_of, ratios, read, worse


@pytest.mark.parametrize(
    "kind",
    [pytest.param(k, marks=[] if k in ("uniform", "lognormal") else [pytest.mark.long]) for k in KINDS],
)
@pytest.mark.parametrize(
    "policy", [pytest.param(p, marks=[pytest.mark.long] if p == "relay" else []) for p in HELD]
)
def test_no_ratio_has_become_worse(policy: str, kind: str) -> None:
    """Makespan, calls, polls and delay of every recorded cell are as good as they were, or better."""
    records = read()
    keys = [key for key in SHARE if key.kind == kind and name_of(policy, key) in records]
    if not keys:
        pytest.skip(f"{policy} is not recorded yet: {COMMAND}")
    said = [
        line
        for key in keys
        for line in worse(name_of(policy, key), ratios(policy, key), records[name_of(policy, key)])
    ]
    hint = f"if that is meant, record it: {COMMAND}"
    assert said == [], "\n".join([*said, hint])


def test_our_policy_is_recorded_in_every_cell_of_the_share() -> None:
    """A cell that is missing from the record would be held against nothing."""
    missing = [key for key in SHARE if name_of("ours", key) not in read()]
    assert missing == [], COMMAND


def test_a_ratio_over_its_margin_is_worse_and_one_within_is_not() -> None:
    """The margin is a share of what was recorded; one more copy left out is worse at once."""
    before = {"bound": 1.0, "calls": 2.0, "polls": 3.0, "delay": 0.02, "missing": 0.0}
    fine = {"bound": 1.019, "calls": 2.19, "polls": 3.2, "delay": 0.0, "missing": 0.0}
    bad = {"bound": 1.03, "calls": 2.3, "polls": 3.4, "delay": 0.03, "missing": 1.0}
    assert list(worse("n", fine, before)) == []
    assert len(list(worse("n", bad, before))) == len(MARGINS)
    assert list(worse("n", before, before)) == []
