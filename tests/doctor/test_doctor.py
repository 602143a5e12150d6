"""Doctor against a simulated cloud over HTTP: each thing that can be wrong is named, with what mends it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from orchestrator.core.diagnosis import Level, exit_code
from orchestrator.core.marks import write_mark
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region, RunId
from orchestrator.doctor.examine import settings_finding
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.settings.secret import Secret
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.watch.doctor_view import doctor_json, doctor_lines
from tests.canary import PASSWORD, SECRET, WRONG, holds
from tests.doctor.patients import KEY, LEDGER_ID, Ward, bad, of, plan_of, put, write_ledger
from tests.simulator.worlds import EAST, NORTH, SOUTH, make_world


@pytest.fixture
def ward(tmp_path: Path) -> Ward:
    return Ward(tmp_path)


def copy_of(source: str, destination: Region = EAST) -> Copy:
    """Want a source of the north."""
    return Copy(ImageId(source), NORTH, destination)


def mark_of(*sources: str, ledger: str = LEDGER_ID, call: str = "c9") -> str:
    """Write the mark of a call."""
    return write_mark(ledger, CallId(call), Chunk(tuple(copy_of(source) for source in sources)))


def everything(folder: Path) -> dict[str, bytes]:
    """Show every file below a folder."""
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


async def test_a_healthy_account_has_nothing_to_mend(ward: Ward) -> None:
    """Everything is looked at, nothing is complained about, and only GETs were sent."""
    findings = await ward.findings(plan_of(EAST, SOUTH))
    assert bad(findings) == []
    assert exit_code(findings) == 0
    checks = {finding.check for finding in findings}
    assert checks >= {"settings", "state folder", "ledger", "credentials", "endpoint", "clock", "reads"}
    assert checks >= {"sources", "room", "orphans"}
    assert set(ward.methods) == {"GET"}
    assert not ward.state.exists()


async def test_without_a_plan_the_documented_regions_are_looked_at(ward: Ward) -> None:
    """One of the four is not in this world: it is named, and the others are looked at all the same."""
    findings = await ward.findings()
    assert {finding.where for finding in of(findings, "orphans")} == {NORTH, EAST, SOUTH}
    assert {where for _, where, level in bad(findings) if level is Level.FAIL} == {"cn-east-1"}


async def test_no_credentials_are_one_finding(ward: Ward) -> None:
    """The checks that need none are made; nothing is asked in nobody's name."""
    findings = await ward.findings(plan_of(EAST), environ={})
    assert bad(findings) == [("credentials", "", Level.FAIL)]
    assert "JDCLOUD_ACCESS_KEY" in of(findings, "credentials")[0].found
    assert ward.methods == {}


async def test_a_profile_that_others_can_read_is_a_warning(ward: Ward) -> None:
    """The official command line writes such files: the command that mends it is named, and it works."""
    config = ward.folder / ".jdc" / "config"
    config.parent.mkdir()
    holds(config, "a profile").write_text(f"[night]\naccess_key = {KEY}\nsecret_key = {SECRET}\n")
    config.chmod(0o644)
    ward.profile = "night"
    findings = await ward.findings(plan_of(EAST), environ={})
    assert bad(findings) == [("credentials", "", Level.WARN)]
    keys, readable = of(findings, "credentials")
    assert "profile 'night'" in keys.found
    assert readable.mend == f"chmod 600 {config}"


def test_settings_are_told_with_their_places_and_without_secrets(ward: Ward) -> None:
    """A proxy may hold a password: where it came from is shown, it is not."""
    plain = ward.patient("http://127.0.0.1:9", None).settings
    settings = plain.model_copy(update={"proxy": Secret(f"http://user:{PASSWORD}@127.0.0.1:3128")})
    finding = settings_finding(settings, {"proxy": "ORCHESTRATOR_PROXY", "workers": "--set"})
    assert "PROXY=********** (ORCHESTRATOR_PROXY)" in finding.found
    assert "WORKERS=4 (--set)" in finding.found
    assert PASSWORD not in finding.found


async def test_a_wrong_secret_is_one_finding(ward: Ward) -> None:
    """The first refusal ends the reads: every other one would say the same. No secret is shown."""
    ward.secret = WRONG
    findings = await ward.findings(plan_of(EAST, SOUTH))
    assert bad(findings) == [("credentials", NORTH, Level.FAIL)]
    assert exit_code(findings) == 3
    assert dict(ward.methods) == {"GET": 1}
    assert ward.secret not in "\n".join(doctor_lines(findings))


@pytest.mark.parametrize(
    ("api", "service"), [("describeImages", "vm"), ("describeQuotas", "vm"), ("describeQuota", "disk")]
)
async def test_the_missing_permission_is_named(ward: Ward, api: str, service: str) -> None:
    """A key that may not use one API: that API and its service are named, the others are tried."""
    ward.rules = (Rule(fault=Fault.FORBIDDEN, on=frozenset({api}), chance=1.0),)
    findings = await ward.findings(plan_of(EAST))
    wrong = [finding for finding in findings if finding.level is Level.FAIL]
    assert {finding.check for finding in wrong} == {"reads"}
    assert all(f"no permission for {api} of the service {service}" in finding.found for finding in wrong)
    assert all(api in finding.mend for finding in wrong)
    assert EAST in {finding.where for finding in wrong}
    others = {"describeImages", "describeQuotas", "describeQuota"} - {api}
    said = " ".join(f.found for f in of(findings, "reads", EAST) if f.level is Level.OK)
    assert all(other in said for other in others)


@pytest.mark.parametrize(
    ("ahead_s", "level", "said"),
    [
        (0.0, Level.OK, "agrees"),
        (30.0, Level.OK, "30 s ahead of"),
        (-90.0, Level.WARN, "1 min 30 s behind"),
        (90.0, Level.WARN, "1 min 30 s ahead of"),
        (400.0, Level.FAIL, "6 min ahead of"),
        (-3600.0, Level.FAIL, "1 h behind"),
    ],
)
async def test_a_wrong_clock_is_measured(ward: Ward, ahead_s: float, level: Level, said: str) -> None:
    """By the Date header, in the right direction, also where the cloud refuses the signature over it."""
    ward.ahead_s = ahead_s
    (finding,) = of(await ward.findings(plan_of(EAST)), "clock")
    assert (finding.level, said in finding.found) == (level, True)
    assert bool(finding.mend) == (level is not Level.OK)


async def test_an_endpoint_that_nobody_serves_is_named(ward: Ward) -> None:
    """One finding about the way, none about each read that would have gone that way."""
    findings = await ward.findings(plan_of(EAST), url="http://127.0.0.1:9")
    assert bad(findings) == [("endpoint", "127.0.0.1", Level.FAIL)]


async def test_a_plan_that_does_not_fit_is_told_with_numbers(ward: Ward) -> None:
    """Three copies, room for two images and one snapshot."""
    ward.world = make_world(quota=(5, 4))
    for number in range(3):
        put(ward.world, EAST, f"img-own{number}")
    findings = await ward.findings(plan_of(EAST))
    (finding,) = of(findings, "room")
    assert (finding.level, finding.where) == (Level.FAIL, EAST)
    assert finding.found == ("needs 3 images, 2 of 5 free, 1 short; needs 3 snapshots, 1 of 4 free, 2 short")


async def test_what_is_there_needs_no_room(ward: Ward) -> None:
    """A copy that the ledger knows, and one that its mark alone proves, are not counted again."""
    ward.world = make_world(quota=(5, 15))
    write_ledger(ward.state, {copy_of("img-a1"): "img-x1"})
    put(ward.world, EAST, "img-x1", text=mark_of("img-a1"))
    put(ward.world, EAST, "img-x2", text=mark_of("img-a2", ledger="anotherledger"))
    (finding,) = of(await ward.findings(plan_of(EAST)), "room")
    assert finding.found.startswith("needs 1 image, 3 of 5 free")


async def test_sources_that_are_not_there_are_named(ward: Ward) -> None:
    """A run would fail these copies."""
    findings = await ward.findings(plan_of(EAST, images=("img-a1", "img-gone1", "img-gone2")))
    (finding,) = of(findings, "sources")
    assert (finding.level, finding.where) == (Level.FAIL, NORTH)
    assert "2 of 3 source images are not there: img-gone1, img-gone2" in finding.found


# --- orphans --------------------------------------------------------------------------------------


async def test_each_kind_of_orphan_is_found_with_its_remedy(ward: Ward) -> None:
    """All at once in one destination; each finding names its images, and nothing was changed anywhere."""
    made = {copy_of("img-a1"): "img-x1", copy_of("img-a2"): "img-x2", copy_of("img-a3"): "img-x3"}
    write_ledger(ward.state, made)
    put(ward.world, EAST, "img-x1", text=mark_of("img-a1"))
    put(ward.world, EAST, "img-twin1", text=mark_of("img-a1"))
    put(ward.world, EAST, "img-x2", status="error")
    put(ward.world, EAST, "img-stranger", text=mark_of("img-a8", "img-a9"))
    put(ward.world, EAST, "img-foreign", text=mark_of("img-a7", ledger="anotherledger"))
    put(ward.world, EAST, "img-own", text="a person's own")
    before = everything(ward.state)
    found = of(await ward.findings(plan_of(EAST)), "orphans", EAST)
    told = {finding.found: finding.mend for finding in found}
    twins = "more than one live copy of a source: img-a1 of cn-north-1 as img-x1 and img-twin1"
    wanted = {
        "1 image of ours in status error use up quota: img-x2": "Delete them in the console",
        twins: "which one",
        "1 image with this ledger's mark, unknown to it: img-stranger": "ledger rebuild PLAN",
        "1 image with the mark of another ledger (anotherledger): img-foreign": "STATE_DIR of that",
        "the ledger has 1 image as ready, and nothing of the kind is there: img-x3": "makes them again",
    }
    assert told.keys() == wanted.keys()
    assert all(wanted[said] in mend for said, mend in told.items())
    assert [finding.level for finding in found].count(Level.FAIL) == 1
    assert everything(ward.state) == before
    assert set(ward.methods) == {"GET"}


async def test_a_ledger_in_order_has_no_orphans(ward: Ward) -> None:
    """Every image is known: the finding says how many were looked at, and the ledger is whole."""
    write_ledger(ward.state, {copy_of("img-a1"): "img-x1", copy_of("img-a2"): "img-x2"})
    for number in (1, 2):
        put(ward.world, EAST, f"img-x{number}", text=mark_of(f"img-a{number}"))
    findings = await ward.findings(plan_of(EAST))
    assert bad(findings) == []
    assert of(findings, "orphans", EAST)[0].found == "none among 2 private images"
    assert "is whole" in of(findings, "ledger")[0].found


async def test_without_a_plan_the_ledgers_regions_are_looked_at(ward: Ward) -> None:
    """The ledger knows where its copies are."""
    write_ledger(ward.state, {copy_of("img-a1"): "img-x1"})
    findings = await ward.findings()
    assert {finding.where for finding in of(findings, "orphans")} == {EAST}
    assert "the ledger has 1 image as ready" in of(findings, "orphans")[0].found


async def test_the_answer_to_a_lost_call_is_no_orphan(ward: Ward) -> None:
    """The next run finds what the lost call made and takes it over: nothing is to be mended."""
    write_ledger(ward.state, {copy_of("img-a1"): "img-x1"}, lost=(copy_of("img-a2"),))
    put(ward.world, EAST, "img-x1", text=mark_of("img-a1"))
    put(ward.world, EAST, "img-x2", text=mark_of("img-a2", call="c2"))
    findings = await ward.findings(plan_of(EAST))
    assert bad(findings) == []
    assert of(findings, "room")[0].found.startswith("needs 1 image,")


# --- state folder and ledger ----------------------------------------------------------------------


async def test_a_damaged_ledger_is_found_and_left_as_it_is(ward: Ward) -> None:
    """It fails, names the way out, and the cloud is looked at without it."""
    write_ledger(ward.state, {copy_of("img-a1"): "img-x1"})
    path = ward.state / "ledger.db"
    path.write_bytes(path.read_bytes()[:100] + b"\0" * 4000)
    before = everything(ward.state)
    findings = await ward.findings(plan_of(EAST))
    (finding,) = of(findings, "ledger")
    assert (finding.level, "ledger rebuild PLAN" in finding.mend) == (Level.FAIL, True)
    assert of(findings, "orphans", EAST)
    assert everything(ward.state) == before


async def test_who_holds_the_lock_is_named(ward: Ward) -> None:
    """A run that goes on is a warning with its name; doctor does not touch the lock."""
    write_ledger(ward.state, {copy_of("img-a1"): "img-x1"})
    owner = LockOwner(run=RunId("night-7"), pid=os.getpid(), host="here", started_at=1000.0)
    with RunLock.attempt(ward.state, owner=owner):
        (finding,) = of(await ward.findings(plan_of(EAST)), "lock")
    assert (finding.level, "run night-7" in finding.found) == (Level.WARN, True)


async def test_json_and_words_hold_every_finding_and_no_secret(ward: Ward) -> None:
    """Foreign text comes out harmless, and what the account signs with comes out nowhere."""
    put(ward.world, EAST, "img-evil", text=mark_of("img-a1", ledger="evil"), status="error")
    findings = await ward.findings(plan_of(EAST))
    words = "\n".join(doctor_lines(findings))
    assert all(finding.check in words for finding in findings)
    assert SECRET not in words + doctor_json(findings)
    assert "to mend it: Delete them in the console" in words
