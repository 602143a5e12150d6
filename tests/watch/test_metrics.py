"""The metrics: valid for Prometheus, documented, true; a failed night does not touch the last success."""

from __future__ import annotations

import asyncio
import re
import shutil
import stat
import subprocess
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from orchestrator.core.messages import Surveyed
from orchestrator.core.model import Region, Resource, RunId, State
from orchestrator.core.plan.narrowing import Narrowing
from orchestrator.core.reasons import Reason
from orchestrator.engine.halt import Halt
from orchestrator.ledger.sqlite import Ledger
from orchestrator.messages.metrics_file import FORGOTTEN_S, write_metrics
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.watch import history as history_module
from orchestrator.watch.history import History, PlanHistory, read_history, run_before
from orchestrator.watch.metrics import METRICS, PREFIX, metrics_text
from orchestrator.watch.result import result_json
from orchestrator.watch.whole_file import put_whole
from tests.contract.running import House, later, log_lines, reading
from tests.nights import EAST, SOUTH, image_id
from tests.watch.exposition import Values, read
from tests.watch.samples import NIGHT, result, standing
from tests.watch.test_docs import DOCS, coded, table
from tests.watch.test_harmless import ALL

PLAN = "nightly.yaml"
PROMTOOL = shutil.which("promtool")


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Make a house that writes metrics."""
    return House(tmp_path, options={"metrics_file": tmp_path / "m.prom"})


def promtool(text: bytes) -> tuple[int, bytes]:
    """Let Prometheus's own tool judge metrics: exit code and everything it says."""
    assert PROMTOOL is not None
    command = [PROMTOOL, "check", "metrics"]
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode, done.stdout


def values(house: House) -> Values:
    """Read the metrics that a night left; they must be valid."""
    found, complaints = read((house.folder / "m.prom").read_text())
    assert complaints == []
    own = ("state_dir", str(house.state))
    assert all(own in labels for _, labels in found), "or the files of two ledgers would clash"
    return {(name, tuple(pair for pair in labels if pair != own)): at for (name, labels), at in found.items()}


def one(found: Values, name: str, **labels: str) -> float | None:
    """Look one value up."""
    return found.get((PREFIX + name, tuple(sorted(labels.items()))))


def history(text: str) -> History:
    """Make a history with a foreign text wherever one may stand."""
    copies = [
        standing(State.FAILED, Reason.NOT_FOUND, destination=Region(text)),
        standing(State.READY, Reason.COPIED),
    ]
    plan = PlanHistory(
        plan=text, started_at=NIGHT, open=False, last=result(*copies), success_at=None,
        part_success_at={(text, Region(text)): NIGHT},
    )  # fmt: skip
    quota = Surveyed(at=NIGHT, region=Region(text), resource=Resource.IMAGE, limit=5, used=2)
    return History(plans=(plan,), quotas=(quota,))


# --- the form -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["golden", 'a "quoted\\ name\n', ALL], ids=["plain", "quoted", "hostile"])
def test_the_text_is_valid_whatever_names_hold(text: str) -> None:
    """Our checker and Prometheus's own parser take it; every metric is there; no _created series."""
    data = metrics_text(history(text), version="1.2.3", state_dir=text).decode()
    found, complaints = read(data)
    assert complaints == []
    assert {name for name, _ in found} == {PREFIX + name for name in METRICS}
    parsed = [sample for family in text_string_to_metric_families(data) for sample in family.samples]
    assert {(s.name, tuple(sorted(s.labels.items()))): s.value for s in parsed} == found


@pytest.mark.parametrize(
    "planted",
    [
        "# HELP a x\n# TYPE a gauge\na 1",
        "# TYPE a gauge\na 1\n",
        "# HELP a_total x\n# TYPE a_total gauge\na_total 1\n",
        "# HELP a x\n# TYPE a counter\na 1\n",
        "# HELP a_ms x\n# TYPE a_ms gauge\na_ms 1\n",
        "# HELP a_timestamp x\n# TYPE a_timestamp gauge\na_timestamp 1\n",
        "# HELP a x\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a x\n# TYPE a gauge\nb 1\n",
        '# HELP a x\n# TYPE a gauge\na{l="x"y"} 1\n',
        '# HELP a x\n# TYPE a gauge\na{l="x",l="y"} 1\n',
        "a 1\n",
    ],
)
def test_the_checker_finds_what_is_wrong(planted: str) -> None:
    """It can fail: each offence that was planted is found."""
    assert read(planted)[1]


@pytest.mark.looptime
@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed: our own checker must do")
async def test_promtool_finds_nothing_to_say(house: House) -> None:
    """`promtool check metrics` takes the file of a night without a word, and notices a spoilt one."""
    await house.night()
    assert promtool((house.folder / "m.prom").read_bytes()) == (0, b"")
    assert promtool(b"copies{ 1\n")[0] != 0


def test_every_metric_is_documented() -> None:
    """docs/monitoring.md lists each with its labels and the words of its HELP."""
    rows = [(f"`{PREFIX}{name}`", coded(metric.labels), metric.says) for name, metric in METRICS.items()]
    expected = table(("metric", "labels", "what it tells"), *rows)
    assert expected in (DOCS / "monitoring.md").read_text(encoding="utf-8"), f"put this there:\n{expected}"


def test_the_alerts_speak_of_metrics_that_exist() -> None:
    """The rules in docs/monitoring.md are YAML, and each name in an expression is one that is written."""
    rules = re.search(r"```yaml\n(.*?)```", (DOCS / "monitoring.md").read_text(), re.DOTALL)
    assert rules is not None
    (group,) = yaml.safe_load(rules[1])["groups"]
    names = [name for rule in group["rules"] for name in re.findall(rf"{PREFIX}(\w+)", rule["expr"])]
    assert len(group["rules"]) == 2
    assert {*names, "copies"} <= set(METRICS)
    assert len(names) == 3


# --- nights ---------------------------------------------------------------------------------------


@pytest.mark.looptime
async def test_a_good_night_leaves_its_numbers(house: House) -> None:
    """Times, counts by state and destination, calls, quotas: those of the run, none of them made up."""
    outcome = await house.night()
    run, found = outcome.result, values(house)
    assert one(found, "last_run_start_timestamp_seconds", plan=PLAN) == pytest.approx(run.started_at)
    assert one(found, "last_run_end_timestamp_seconds", plan=PLAN) == pytest.approx(run.finished_at)
    assert one(found, "last_success_timestamp_seconds", plan=PLAN) == pytest.approx(run.finished_at)
    assert one(found, "last_run_duration_seconds", plan=PLAN) == pytest.approx(
        run.finished_at - run.started_at
    )
    assert (one(found, "last_run_exit_code", plan=PLAN), one(found, "last_run_open", plan=PLAN)) == (0, 0)
    assert one(found, "last_run_verdict", plan=PLAN, verdict="ok") == 1
    assert one(found, "last_run_verdict", plan=PLAN, verdict="failed") == 0
    for region in (EAST, SOUTH):
        assert one(found, "copies", plan=PLAN, destination=region, state="ready") == 12
        assert one(found, "copies", plan=PLAN, destination=region, state="failed") == 0
        part = {"plan": PLAN, "replication": "golden", "destination": region}
        assert one(found, "part_last_success_timestamp_seconds", **part) == pytest.approx(run.finished_at)
        quota = house.cloud.quota
        assert one(found, "quota_limit", region=region, resource="image") == quota
        assert one(found, "quota_used", region=region, resource="image") is not None
    calls = {dict(labels)["api"]: value for (name, labels), value in found.items() if "api_calls" in name}
    assert calls == dict(run.calls)
    assert stat.S_IMODE((house.folder / "m.prom").stat().st_mode) == 0o644
    assert [path.name for path in house.folder.iterdir() if path.is_file()] == ["m.prom"]


@pytest.mark.looptime
async def test_a_failed_night_does_not_overwrite_the_last_success(house: House) -> None:
    """The plan's and the spoilt destination's stay at the good night; quotas too where none was read."""
    good = (await house.night()).result
    house.cloud.add(4, encrypted=True)
    house.cloud.add(12, encrypted=True)
    bad = (await house.night(images=[image_id(0), image_id(12)], destinations=[EAST, SOUTH])).result
    assert bad.exit_code == 3
    found = values(house)
    assert one(found, "last_success_timestamp_seconds", plan=PLAN) == pytest.approx(good.finished_at)
    part = {"plan": PLAN, "replication": "golden", "destination": EAST}
    assert one(found, "part_last_success_timestamp_seconds", **part) == pytest.approx(good.finished_at)
    assert one(found, "last_run_end_timestamp_seconds", plan=PLAN) == pytest.approx(bad.finished_at)
    assert one(found, "failed_copies", plan=PLAN, reason="encrypted") == 2
    assert one(found, "quota_limit", region=EAST, resource="image") == house.cloud.quota


@pytest.mark.looptime
async def test_a_narrowed_run_is_no_success_of_the_plan(house: House) -> None:
    """A run of one image that ends with 0 hides no plan that has not run whole for weeks."""
    whole = (await house.night()).result
    await asyncio.sleep(3600)
    await house.night(narrowing=Narrowing(images=frozenset({image_id(0)})))
    await house.night(narrowing=Narrowing(destinations=frozenset({EAST})))
    narrowed = values(house)
    assert one(narrowed, "last_run_exit_code", plan=PLAN) == 0
    assert one(narrowed, "last_success_timestamp_seconds", plan=PLAN) == pytest.approx(whole.finished_at)
    east, south = (
        one(narrowed, "part_last_success_timestamp_seconds", plan=PLAN, replication="golden", destination=to)
        for to in (EAST, SOUTH)
    )
    assert south == pytest.approx(whole.finished_at)
    assert east is not None
    assert east > whole.finished_at, "all that the plan wants there was seen ready"


@pytest.mark.looptime
async def test_a_run_under_way_is_seen(house: House) -> None:
    """From its start the file says so, and when it began; the numbers of the night before stay."""
    first = (await house.night(images=[image_id(0)])).result
    await asyncio.sleep(3600)
    seen: list[Values] = []
    later(30, lambda: seen.append(values(house)))
    await house.night()
    (found,) = seen
    assert one(found, "last_run_open", plan=PLAN) == 1
    assert (one(found, "last_run_start_timestamp_seconds", plan=PLAN) or 0) > first.finished_at
    assert one(found, "last_run_end_timestamp_seconds", plan=PLAN) == pytest.approx(first.finished_at)
    assert one(values(house), "last_run_open", plan=PLAN) == 0


@pytest.mark.looptime
async def test_never_is_told_only_when_a_run_has_ended(house: House) -> None:
    """In its very first night a plan is no alarm; when that ends badly it is: 0 is older than any age."""
    seen: list[Values] = []
    later(3, lambda: seen.append(values(house)))
    await house.night(deadline_s=10)
    assert one(seen[0], "last_success_timestamp_seconds", plan=PLAN) is None
    assert one(values(house), "last_success_timestamp_seconds", plan=PLAN) == 0


@pytest.mark.looptime
async def test_what_a_run_did_not_look_at_is_no_success(house: House) -> None:
    """Ready since an earlier night, but the deadline came before a look: the old success stays."""
    good = (await house.night()).result
    await asyncio.sleep(3600)
    house.cloud.faults.replace([Rule(fault=Fault.INTERNAL, on=frozenset({"describeImages"}), chance=1.0)])
    late = (await house.night(deadline_s=10)).result
    assert (late.exit_code, late.counts.ready) == (4, 24)
    for region in (EAST, SOUTH):
        part = {"plan": PLAN, "replication": "golden", "destination": region}
        found = one(values(house), "part_last_success_timestamp_seconds", **part)
        assert found == pytest.approx(good.finished_at)


@pytest.mark.looptime
async def test_a_signal_leaves_metrics_too(house: House) -> None:
    """Whatever ended the run, its end is in the file."""
    halt = Halt()
    later(20, lambda: halt.request(15))
    await house.night(halt=halt)
    found = values(house)
    assert one(found, "last_run_exit_code", plan=PLAN) == 143
    assert one(found, "last_run_verdict", plan=PLAN, verdict="interrupted") == 1


@pytest.mark.looptime
async def test_a_file_that_cannot_be_written_never_touches_the_run(house: House) -> None:
    """Said once, with the path and why; nothing half-written is left."""
    house.options = {"metrics_file": house.folder / "nowhere" / "m.prom"}
    outcome = await house.night(images=[image_id(0)], destinations=[EAST])
    assert outcome.result.exit_code == 0
    told = [line for line in log_lines(outcome.log) if line["event"] == "message.unsent"]
    assert [line["kind"] for line in told] == ["metrics"]
    assert "nowhere/m.prom cannot be written: No such file or directory" in told[0]["trouble"]


# --- what the ledger remembers --------------------------------------------------------------------


def enter(state: Path, plan: str, number: int, *, exit_code: int | None, text: str = "") -> None:
    """Enter a run into a ledger of its own; None is one that was killed. `text` stands for its result."""
    state.mkdir(mode=0o700, exist_ok=True)
    at, run = NIGHT + number * 1000, RunId(f"r{number}")
    with Ledger.open(state, ids=lambda: "abcdef012345", now=at) as ledger:
        ledger.take_epoch()
        ledger.begin_run(run, plan=plan, started_at=at, wanted=())
        if exit_code is not None:
            ledger.end_run(run, finished_at=at + 10, verdict="ok", exit_code=exit_code, result_json=text)


def of(state: Path, plan: str, since: float = 0.0) -> PlanHistory | None:
    """Read the history of one plan."""
    house = House(state.parent)
    with reading(house) as reader:
        plans = read_history(reader, since=since).plans
    return next((each for each in plans if each.plan == plan), None)


def test_plans_that_share_a_ledger_are_told_apart(tmp_path: Path) -> None:
    """Each has its own last run and last success; a plan that runs no more is dropped after a month."""
    state, good = tmp_path / "state", result_json(result())
    enter(state, "a.yaml", 1, exit_code=0, text=good)
    enter(state, "b.yaml", 2, exit_code=0, text=good)
    enter(state, "b.yaml", 3, exit_code=3, text=good)
    a, b = of(state, "a.yaml"), of(state, "b.yaml")
    assert a is not None
    assert b is not None
    assert (a.started_at, a.success_at) == (NIGHT + 1000, NIGHT + 1010)
    assert (b.started_at, b.success_at) == (NIGHT + 3000, NIGHT + 2010)
    assert of(state, "a.yaml", since=NIGHT + 1500) is None
    write_metrics(tmp_path / "m.prom", state, now=NIGHT + 1500 + FORGOTTEN_S)
    text = (tmp_path / "m.prom").read_text()
    assert ("a.yaml" in text, "b.yaml" in text) == (False, True)


def test_a_killed_run_stays_open_and_keeps_the_success_before(tmp_path: Path) -> None:
    """It has no end; the alert on the age of the last success sees it."""
    state = tmp_path / "state"
    enter(state, PLAN, 1, exit_code=0, text=result_json(result()))
    enter(state, PLAN, 2, exit_code=None)
    found = of(state, PLAN)
    assert found is not None
    assert (found.open, found.success_at) == (True, NIGHT + 1010)
    with reading(House(tmp_path)) as reader:
        last = run_before(reader, RunId("r3"), PLAN)
        assert last is not None
        assert (last.run, last.verdict, last.failed) == ("r2", "killed", None)
        assert run_before(reader, RunId("r3"), "other.yaml") is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"replications": 7}', '{"replications": [{"x": 1}]}', "null"]
)
def test_a_result_that_cannot_be_read_is_passed_over(tmp_path: Path, text: str) -> None:
    """Whatever wrote it: older runs still count, and nothing is raised."""
    state = tmp_path / "state"
    enter(state, PLAN, 1, exit_code=0, text=result_json(result()))
    enter(state, PLAN, 2, exit_code=0, text=text)
    found = of(state, PLAN)
    assert found is not None
    assert found.success_at == NIGHT + 1010
    assert found.last is not None


def test_results_of_earlier_versions_count(tmp_path: Path) -> None:
    """They do not tell parts; exit code 0 was a success."""
    state = tmp_path / "state"
    enter(state, PLAN, 1, exit_code=0, text='{"run": "r1"}')
    found = of(state, PLAN)
    assert found is not None
    assert (found.success_at, found.last) == (NIGHT + 1010, None)


def test_the_search_for_a_success_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that has failed for longer than LOOK_BACK runs is read no further back."""
    state, text = tmp_path / "state", result_json(result())
    monkeypatch.setattr(history_module, "LOOK_BACK", 3)
    enter(state, PLAN, 0, exit_code=0, text=text)
    for number, success_at in ((1, NIGHT + 10), (2, NIGHT + 10), (3, None)):
        enter(state, PLAN, number, exit_code=3, text=text)
        found = of(state, PLAN)
        assert found is not None
        assert found.success_at == success_at


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """A reader has the old one open to its end; a draft that somebody left is no obstacle."""
    path = tmp_path / "m.prom"
    put_whole(path, b"old\n", mode=0o644)
    with path.open("rb") as reader:
        put_whole(path, b"new\n", mode=0o644)
        assert reader.read() == b"old\n"
    assert path.read_bytes() == b"new\n"
    (tmp_path / "folder.prom").mkdir()
    with pytest.raises(OSError, match="directory"):
        put_whole(tmp_path / "folder.prom", b"x", mode=0o644)
    assert sorted(item.name for item in tmp_path.iterdir()) == ["folder.prom", "m.prom"]


def test_no_ledger_no_metrics(tmp_path: Path) -> None:
    """Where nothing was ever run nothing is written."""
    write_metrics(tmp_path / "m.prom", tmp_path, now=NIGHT)
    assert list(tmp_path.iterdir()) == []
