"""The fault plan: by number or by seeded chance, repeatable, the first rule that strikes wins."""

from __future__ import annotations

from random import Random

import pytest

from orchestrator.simulator.faults import Fault, FaultPlan, Rule, before_effect


def _plan(*rules: Rule, seed: int = 1) -> FaultPlan:
    return FaultPlan(Random(seed), rules)


def test_a_scripted_fault_strikes_the_numbered_requests() -> None:
    """The second and the third request of the operation, counted without the others."""
    plan = _plan(Rule(fault=Fault.THROTTLE, on=frozenset({"copyImages"}), nth=frozenset({2, 3})))
    operations = ["copyImages", "describeImages", "copyImages", "copyImages", "copyImages"]
    struck = [plan.strike(operation) for operation in operations]
    assert struck == [None, None, Fault.THROTTLE, Fault.THROTTLE, None]


@pytest.mark.parametrize("fault", [Fault.CONFLICT, Fault.FEWER_PAIRS, Fault.LISTING_ERROR])
def test_some_faults_fit_one_operation_only(fault: Fault) -> None:
    """Without `on` they strike where they make sense, and nowhere else."""
    only = "describeImages" if fault is Fault.LISTING_ERROR else "copyImages"
    plan = _plan(Rule(fault=fault, chance=1.0))
    operations = ("copyImages", "describeImages", "describeQuotas", "deleteImage")
    assert [operation for operation in operations if plan.strike(operation)] == [only]


def test_chance_is_seeded() -> None:
    """The same seed gives the same faults, about as many as asked for; another seed gives others."""

    def draw(seed: int) -> list[bool]:
        plan = _plan(Rule(fault=Fault.INTERNAL, chance=0.2), seed=seed)
        return [plan.strike("copyImages") is not None for _ in range(1000)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)
    assert 150 < sum(draw(1)) < 250


def test_most_bounds_a_rule() -> None:
    """A rule that strikes at most twice strikes twice."""
    plan = _plan(Rule(fault=Fault.INTERNAL, chance=1.0, most=2))
    assert [plan.strike("copyImages") for _ in range(4)] == [Fault.INTERNAL, Fault.INTERNAL, None, None]


def test_the_first_rule_that_strikes_wins() -> None:
    """Two rules for one request: the one that stands first."""
    plan = _plan(Rule(fault=Fault.THROTTLE, nth=frozenset({2})), Rule(fault=Fault.INTERNAL, chance=1.0))
    assert [plan.strike("copyImages") for _ in range(2)] == [Fault.INTERNAL, Fault.THROTTLE]


def test_new_rules_count_from_the_start() -> None:
    """Replacing the rules forgets how many requests there were."""
    rules = [Rule(fault=Fault.THROTTLE, nth=frozenset({1}))]
    plan = _plan(*rules)
    assert [plan.strike("copyImages") for _ in range(2)] == [Fault.THROTTLE, None]
    plan.replace(rules)
    assert plan.strike("copyImages") is Fault.THROTTLE


def test_which_faults_come_before_the_effect() -> None:
    """Nothing is done in these; in all others the service did the work."""
    after = {fault for fault in Fault if not before_effect(fault)}
    assert after == {
        Fault.GATEWAY_TIMEOUT,
        Fault.RESET_AFTER,
        Fault.TRUNCATED,
        Fault.FEWER_PAIRS,
        Fault.SLOW,
    }
    assert not before_effect(None)
