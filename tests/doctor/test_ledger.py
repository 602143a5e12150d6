"""What doctor says of a ledger beyond that it is whole."""

from __future__ import annotations

from pathlib import Path

from orchestrator.core.diagnosis import Level
from orchestrator.core.limits import Limits
from orchestrator.core.model import Copy, ImageId
from orchestrator.doctor.ledger import doubt_findings, ledger_findings
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Switches
from orchestrator.simulator.virtual_time import run_virtually
from tests.doctor.patients import write_ledger
from tests.nights import EAST, NORTH, Cloud, Operator, copies_of

COPY = Copy(ImageId("img-a1"), NORTH, EAST)


def test_copies_that_need_a_person_are_named_with_the_command() -> None:
    """A lost call on a cloud that tells nothing: only somebody who looks can say what it made."""
    rules = [Rule(fault=Fault.RESET_AFTER, on=frozenset({"copyImages"}), nth=frozenset({2}))]
    cloud = Cloud(images=20, rules=rules, switches=Switches(stores_description=False, writes_text=False))
    night = run_virtually(lambda: Operator(cloud).night(copies_of(20, EAST)))
    (finding,) = doubt_findings(night.schedule)
    assert finding.level is Level.WARN
    assert "img-src0000010 in cn-east-2" in finding.found
    assert "orchestrator settle IMAGE REGION" in finding.mend


def test_a_night_without_doubt_is_not_mentioned() -> None:
    """No news is no finding."""
    night = run_virtually(lambda: Operator(Cloud(images=2)).night(copies_of(2, EAST)))
    assert list(doubt_findings(night.schedule)) == []


def test_the_ledger_of_another_endpoint_fails(tmp_path: Path) -> None:
    """A run would stop over it before it sent anything; what it knows is not used."""
    write_ledger(tmp_path / "state", {COPY: "img-x1"})
    (finding,), known = ledger_findings(tmp_path / "state", Limits(), "https://vm.jdcloud-api.com")
    assert (finding.level, known) == (Level.FAIL, None)
    assert "STATE_DIR" in finding.mend
