"""The progress log as a run leaves it: valid, complete, in step with ledger and cloud, without a secret."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from signal import SIGTERM
from typing import get_args

import pytest

from orchestrator.app import Screen
from orchestrator.core.codec import kind_of
from orchestrator.core.plan.narrowing import Narrowing
from orchestrator.engine.halt import Halt
from orchestrator.settings.forms import LogLevel
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Pace
from orchestrator.watch.names import ALWAYS, EVENTS, NOTES, every_name
from orchestrator.watch.result import counts_shape
from orchestrator.watch.summary import summary_lines
from orchestrator.watch.text import compact, from_iso
from tests.canary import SECRET
from tests.contract.running import QUICK, House, Line, log_lines, reading
from tests.nights import EAST, SOUTH, Cloud, copies_of, image_id

pytestmark = pytest.mark.looptime

CALLS = frozenset({"copyImages"})
WEATHER = (
    Rule(fault=Fault.RESET_AFTER, on=CALLS, nth=frozenset({1})),
    Rule(fault=Fault.CONFLICT, nth=frozenset({3})),
    Rule(fault=Fault.THROTTLE, on=frozenset({"describeImages"}), nth=frozenset({4})),
    Rule(fault=Fault.INTERNAL, on=frozenset({"describeQuotas"}), nth=frozenset({1})),
)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Make a house whose log leaves nothing out, with a cloud of some bad weather and one bad image."""
    cloud = Cloud(images=12, rules=WEATHER, pace=QUICK)
    cloud.add(4, encrypted=True)
    return House(tmp_path, cloud, options={"log_level": "debug"})


def named(lines: list[Line], *names: str) -> list[Line]:
    """Keep the lines of these names."""
    return [line for line in lines if line["event"] in names]


async def test_every_line_is_what_the_documentation_says(house: House) -> None:
    """One JSON object each, the promised keys first and in order, a known name, no undocumented field."""
    outcome = await house.night()
    lines, names = log_lines(outcome.log), every_name()
    assert len(lines) == len(outcome.log.read_text().splitlines()) > 100
    for line in lines:
        assert list(line)[: len(ALWAYS)] == list(ALWAYS)
        assert (line["schema"], line["run"]) == (1, outcome.result.run)
        assert line["ts"].endswith("Z")
        assert from_iso(line["ts"]) >= outcome.result.started_at - 0.001
        assert set(line) - set(ALWAYS) <= set(names[line["event"]].fields), line["event"]
    times = [line["ts"] for line in lines]
    assert times == sorted(times)


async def test_a_log_begins_and_ends(house: House) -> None:
    """First what runs and how, with every documented field; last what came of it, as the result has it."""
    outcome = await house.night()
    lines, result = log_lines(outcome.log), outcome.result
    first, second, last = lines[0], lines[1], lines[-1]
    assert (first["event"], first["plan"], first["destinations"]) == (
        "run.started",
        result.plan,
        [EAST, SOUTH],
    )
    assert second["event"] == "run.settings"
    assert second["settings"]["state_dir"] == str(house.state)
    assert (last["event"], last["verdict"], last["exit_code"]) == ("run.finished", "partial", 3)
    assert (last["counts"], last["calls"]) == (counts_shape(result.counts), result.calls)
    for line in (first, second, last):
        assert set(NOTES[line["event"]].fields) <= set(line)


async def test_latest_leads_to_the_newest_log(house: House) -> None:
    """After each run `latest` is that run's file, and each run has its own."""
    for _ in range(2):
        outcome = await house.night()
        assert (house.state / "logs" / "latest").resolve() == outcome.log.resolve()
    assert len(list((house.state / "logs").glob("*.jsonl"))) == 2


async def test_the_log_has_a_line_for_every_event_of_the_ledger(house: House) -> None:
    """The same events in the same order: log and ledger are two readings of one story."""
    outcome = await house.night()
    with reading(house) as reader:
        recorded = [EVENTS[kind_of(event)][0] for event in reader.events()]
    logged = [line["event"] for line in log_lines(outcome.log)]
    known = {name for name, _ in EVENTS.values()}
    assert [name for name in logged if name in known] == recorded


async def test_every_call_has_its_line_and_its_answer(house: House) -> None:
    """What the cloud counted as calls was sent, each under its own id, and each answered once by its name."""
    outcome = await house.night()
    lines = log_lines(outcome.log)
    sent = {line["call"]: line for line in named(lines, "call.sent")}
    books = house.cloud.world.books()
    assert len(sent) == len(named(lines, "call.sent")) == books["requests"]["copyImages"]
    answers = named(lines, "call.accepted", "call.refused", "call.lost")
    assert sorted(line["call"] for line in answers) == sorted(sent)
    assert {line["event"] for line in answers} == {"call.accepted", "call.refused", "call.lost"}
    assert all(line["request"] for line in answers if line["event"] != "call.lost")
    travelled = Counter((line["destination_region"], *line["images"]) for line in sent.values())
    reached = Counter((call["destination"], *call["sources"]) for call in books["calls"])
    assert not reached - travelled


async def test_an_accepted_call_names_what_was_made(house: House) -> None:
    """Its images are the very ones in the cloud's own account, with call and request beside them."""
    outcome = await house.night()
    accepted = named(log_lines(outcome.log), "call.accepted")
    told = {tuple(image.split(">")) for line in accepted for image in line["images"]}
    made = {(copy["source"], copy["image"]) for copy in house.cloud.world.books()["copies"]}
    lost = house.cloud.world.books()["calls"][0]["sources"]
    assert told <= made
    assert len(made - told) == len(lost) > 0
    assert len({line["request"] for line in accepted}) == len(accepted)
    assert all(line["copies"] == len(line["images"]) for line in accepted)


async def test_every_copy_can_be_followed(house: House) -> None:
    """Each copy has lines of its call, of being under way and of being ready, with every id."""
    outcome = await house.night()
    lines = log_lines(outcome.log)
    for copy in copies_of(12, EAST, SOUTH):
        own = [line for line in lines if line["copy"] == compact(copy)]
        if copy.source == image_id(4):
            assert (own[-1]["event"], own[-1]["reason"]) == ("copy.failed", "encrypted")
            continue
        assert [line["event"] for line in named(own, "copy.ready")] == ["copy.ready"]
        assert {"copy.calling", "copy.copying"} <= {line["event"] for line in own}
        assert all(line["call"] for line in named(own, "copy.calling", "copy.copying", "copy.ready"))
        under_way = named(own, "copy.copying")[-1]
        assert under_way["request"]
        assert under_way["destination_image"] == own[-1]["destination_image"]


async def test_a_long_run_says_now_and_then_that_it_lives(house: House) -> None:
    """Every five minutes a line with the counts and calls of that moment."""
    house.cloud.world.pace = Pace(copy_base_s=350)
    outcome = await house.night()
    beats = named(log_lines(outcome.log), "run.heartbeat")
    took_s = outcome.result.finished_at - outcome.result.started_at
    assert len(beats) == int(took_s // 300) >= 2
    for beat in beats:
        assert sum(beat["counts"][key] for key in ("ready", "failed", "pending")) == 24
        assert set(NOTES["run.heartbeat"].fields) <= set(beat)


@pytest.mark.parametrize("after_s", [20.2, 0.0])
async def test_a_signal_is_in_the_log(house: House, after_s: float) -> None:
    """Why a run ended early can be read, also when it had nothing to wait for."""
    halt = Halt()
    asyncio.get_running_loop().call_later(after_s, halt.request, SIGTERM)
    outcome = await house.night(halt=halt)
    (told,) = named(log_lines(outcome.log), "run.signal")
    assert (told["signal"], told["level"]) == ("SIGTERM", "warning")


@pytest.mark.parametrize("level", get_args(LogLevel))
async def test_every_level_that_can_be_set_is_obeyed(house: House, level: str) -> None:
    """No setting that was accepted stops a run, and the log holds nothing below the level."""
    house.options = {"log_level": level}
    outcome = await house.night(narrowing=Narrowing(images=frozenset({image_id(1)})))
    assert outcome.result.exit_code == 0
    order = ("debug", "info", "warning", "error", "critical")
    assert all(order.index(line["level"]) >= order.index(level) for line in log_lines(outcome.log))


async def test_no_secret_is_in_log_ledger_or_screen(house: House) -> None:
    """Neither the secret nor a signature is left anywhere in the state folder."""
    house.screen = Screen(stream=house.screen.stream, verbose=True, progress=False)
    await house.night()
    files = [path for path in house.state.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".db", ".jsonl"}
    for path in files:
        data = path.read_bytes()
        assert SECRET.encode() not in data
        assert b"Signature=" not in data
    assert "copy" in house.shown()
    assert SECRET not in house.shown()


async def test_a_log_that_cannot_be_linked_stops_nothing(house: House) -> None:
    """A folder in the place of `latest`: the run goes on, and says once on its screen what is wrong."""
    (house.state / "logs" / "latest").mkdir(parents=True)
    for folder in (house.state, house.state / "logs"):
        folder.chmod(0o700)
    outcome = await house.night()
    assert outcome.result.exit_code == 3
    assert house.shown().count("progress log cannot be written") == 1


async def test_a_closed_screen_leaves_stdout_alone(house: House, capfd: pytest.CaptureFixture[str]) -> None:
    """Where stderr is closed, trouble with the log goes nowhere: stdout is for the result."""
    (house.state / "logs" / "latest").mkdir(parents=True)
    for folder in (house.state, house.state / "logs"):
        folder.chmod(0o700)
    house.screen = Screen(stream=None)
    await house.night()
    assert capfd.readouterr().out == ""


async def test_what_does_not_fit_is_in_log_and_summary_with_its_numbers(tmp_path: Path) -> None:
    """Room for five of twelve in one region: said once when it is known, and at the end; exit code 3."""
    house = House(tmp_path, Cloud(images=12, pace=QUICK), options={"quota_interval": 60.0})
    house.cloud.world.add_region(EAST, images=5, snapshots=100)
    outcome = await house.night()
    deferred = named(log_lines(outcome.log), "copies.deferred")
    assert [
        (line["level"], line["destination_region"], line["deferred"], line["fit"]) for line in deferred
    ] == [("warning", EAST, 7, 5)]
    assert deferred[0]["short"] == {"images": 7}
    told = "\n".join(summary_lines(outcome.result, None))
    assert "  7 to cn-east-2: 5 of 12 fit in cn-east-2, images are 7 short" in told
    assert outcome.result.exit_code == 3
