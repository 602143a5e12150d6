"""What the morning's verbs say of real ledgers: --check, freshness, show, history, why."""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orchestrator.cli.main import _guarded, cli
from orchestrator.cli.watching import fitting, watch
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Begun, Ended, Planned
from orchestrator.core.model import Copy, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Result as RunResult
from orchestrator.core.verdict import Standing, Verdict, count
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.simulator.traits import Fates
from orchestrator.watch.result import result_json
from tests.ledger.lives import Life
from tests.ledger.samples import open_ledger
from tests.ledger.tampering import tamper
from tests.nights import EAST, NORTH, SOUTH, Cloud, copies_of, image_id, now

HOUR_S = 3600.0
READY, FAILED = (State.READY, Reason.COPIED), (State.FAILED, Reason.COPY_ERROR)
FULL, WAITING = (State.WAITING, Reason.QUOTA_IMAGE), (State.WAITING, Reason.QUEUED)


def call(folder: Path, *arguments: str) -> Result:
    """Call a verb on a state folder."""
    verb, *rest = arguments
    return CliRunner().invoke(cli, [verb, "--state-dir", str(folder), *rest], standalone_mode=False)


def enter(
    folder: Path, verdict: Verdict | None, *states: tuple[State, Reason], ago_h: float = 1.0,
    plan: str = "nightly.yaml", narrowed: bool = False,
) -> RunId:  # fmt: skip
    """Enter a run of an hour into a ledger, as a night does; without a verdict it was killed."""
    began = time.time() - (ago_h + 1) * HOUR_S
    run = RunId(f"{plan}-{ago_h:g}")
    copies = tuple(
        Standing(copy=Copy(image_id(number), NORTH, EAST), state=state, reason=reason)
        for number, (state, reason) in enumerate(states)
    )
    with open_ledger(folder) as ledger:
        ledger.take_epoch()
        wanted = tuple(standing.copy for standing in copies)
        ledger.begin_run(run, plan=plan, started_at=began, wanted=wanted)
        ledger.record(Begun(at=began, run=run, plan=plan, limits=Limits()), run=run)
        ledger.record(Planned(at=began, copies=wanted), run=run)
        if verdict is None:
            return run
        counts, code = count(copies), 0 if verdict is Verdict.OK else 3
        result = RunResult(
            run=run, plan=plan, verdict=verdict, exit_code=code, started_at=began,
            finished_at=began + HOUR_S, counts=counts, calls={}, copies=copies, narrowed=narrowed,
        )  # fmt: skip
        ledger.record(Ended(at=began + HOUR_S, run=run, verdict=verdict, exit_code=code), run=run)
        text = result_json(result)
        ledger.end_run(run, finished_at=began + HOUR_S, verdict=verdict, exit_code=code, result_json=text)
    return run


def checked(folder: Path, *options: str) -> tuple[int, str]:
    """Ask as monitoring does: exit code, and the one line."""
    done = call(folder, "status", "--check", *options)
    assert done.exception is None, done.exception
    assert done.output.count("\n") == 1
    return done.return_value, done.output


# --- status --check -------------------------------------------------------------------------------


def test_nothing_was_ever_run(tmp_path: Path) -> None:
    """An empty folder is unknown, not well; and nothing is made in it."""
    code, line = checked(tmp_path / "state")
    assert (code, line.startswith("UNKNOWN - ")) == (3, True)
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize(
    ("verdict", "states", "code", "word"),
    [
        (Verdict.OK, (READY, READY), 0, "OK - nightly.yaml: 2 of 2 ready"),
        (Verdict.PARTIAL, (READY, FULL), 1, "WARNING - nightly.yaml: quotas have no room"),
        (Verdict.DEADLINE, (READY, WAITING), 1, "WARNING - nightly.yaml: the deadline came first"),
        (Verdict.PARTIAL, (READY, FAILED), 2, "CRITICAL - nightly.yaml: copies failed"),
        (None, (READY,), 2, "CRITICAL - nightly.yaml: the latest run was killed"),
    ],
)
def test_the_exit_code_is_that_of_a_plugin(
    tmp_path: Path, verdict: Verdict | None, states: tuple[tuple[State, Reason], ...], code: int, word: str
) -> None:
    """What the latest run came to decides, as the ledger has it."""
    enter(tmp_path, Verdict.OK, READY, ago_h=25)
    enter(tmp_path, verdict, *states)
    found, line = checked(tmp_path)
    assert (found, line.startswith(word)) == (code, True), line


def test_a_good_night_grows_old(tmp_path: Path) -> None:
    """--max-age decides when the last good end is too long ago; 26 hours by default."""
    enter(tmp_path, Verdict.OK, READY, ago_h=25)
    assert checked(tmp_path)[0] == 0
    code, line = checked(tmp_path, "--max-age", "24h")
    assert (code, "too long ago" in line) == (2, True)


def test_a_trial_of_one_image_hides_no_bad_night(tmp_path: Path) -> None:
    """A run of a part of the plan counts for its own copies only; one of what failed makes it good."""
    enter(tmp_path, Verdict.PARTIAL, READY, FAILED, ago_h=5)
    enter(tmp_path, Verdict.OK, READY, ago_h=3, narrowed=True)
    assert checked(tmp_path)[0] == 2
    enter(tmp_path, Verdict.OK, READY, READY, ago_h=1, narrowed=True)
    assert checked(tmp_path)[0] == 0


def test_no_plan_hides_behind_another(tmp_path: Path) -> None:
    """Of several plans the worst is told; one by one when they are named, in full or by the file's name."""
    enter(tmp_path, Verdict.PARTIAL, FAILED, ago_h=3, plan="/etc/a.yaml")
    enter(tmp_path, Verdict.OK, READY, ago_h=1, plan="/etc/b.yaml")
    code, line = checked(tmp_path)
    assert (code, line.startswith("CRITICAL - a.yaml: "), "1 other plan is no worse" in line) == (
        2,
        True,
        True,
    )
    assert [checked(tmp_path, "--plan", plan)[0] for plan in ("b.yaml", "/etc/b.yaml", "a.yaml", "c")] == [
        0,
        0,
        2,
        3,
    ]


def test_a_plan_that_was_given_up_is_no_alarm(tmp_path: Path) -> None:
    """A plan that ran last before --max-age is asked about only by name."""
    enter(tmp_path, Verdict.OK, READY, ago_h=90, plan="old.yaml")
    enter(tmp_path, Verdict.OK, READY, plan="new.yaml")
    assert checked(tmp_path)[0] == 0
    assert checked(tmp_path, "--plan", "old.yaml")[0] == 2


def owner(run: str) -> LockOwner:
    """Name this process as the run that goes on."""
    return LockOwner(run=RunId(run), pid=os.getpid(), host=socket.gethostname(), started_at=time.time() - 60)


def test_a_run_that_goes_on_is_judged_by_the_one_before(tmp_path: Path) -> None:
    """Neither its own unfinished copies nor a killed run that it takes over from are an alarm."""
    enter(tmp_path, Verdict.OK, READY, ago_h=20)
    enter(tmp_path, None, READY, ago_h=3)
    assert checked(tmp_path)[0] == 2
    with RunLock.attempt(tmp_path, owner=owner("just-begun")):
        code, line = checked(tmp_path)
        assert (code, "a run is going on" in line) == (0, True)
    running = enter(tmp_path, None, READY, ago_h=0)
    with RunLock.attempt(tmp_path, owner=owner(running)):
        assert checked(tmp_path)[0] == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["--check", "--nonsense"],
        ["--check", "--max-age", "soon"],
        ["--check", "--json"],
        ["--check", "RUN"],
        ["--check", "--set", "workers=none"],
        ["--check", "--config", "/nowhere.toml"],
    ],
    ids=" ".join,
)
def test_every_error_of_a_plugin_is_unknown(
    tmp_path: Path, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A typing error in the monitoring's own command is neither a warning nor critical: exit 3, on stdout."""
    command = ["orchestrator", "status", "--state-dir", str(tmp_path), *arguments]
    monkeypatch.setattr(sys, "argv", command)
    assert _guarded() == 3
    said = capsys.readouterr()
    assert (said.out.startswith("UNKNOWN - "), said.out.count("\n"), said.err) == (True, 1, "")


def test_a_damaged_ledger_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be read says nothing of the night."""
    (tmp_path / "ledger.db").write_bytes(b"no database at all")
    monkeypatch.setattr(sys, "argv", ["orchestrator", "status", "--check", "--state-dir", str(tmp_path)])
    assert _guarded() == 3
    assert capsys.readouterr().out.startswith("UNKNOWN - ")


def test_the_options_of_the_check_go_with_the_check(tmp_path: Path) -> None:
    """--max-age without --check would do nothing, so it is refused."""
    done = call(tmp_path, "status", "--max-age", "3h")
    assert "go with --check" in str(done.exception)


# --- show, history, why, freshness ----------------------------------------------------------------


async def lived(folder: Path) -> Path:
    """Live through two nights; in both one copy ends in an error."""
    life = Life(folder, Cloud(images=3, fates=Fates(error=frozenset({f"{image_id(2)}@{SOUTH}"}))))
    for number in range(2):
        began, schedule = now(), await life.night(copies_of(3, EAST, SOUTH))
        result = RunResult(
            run=RunId(f"run{number}"), plan="plan", verdict=Verdict.PARTIAL, exit_code=3, started_at=began,
            finished_at=now(), counts=schedule.counts(), calls={}, copies=schedule.standings(),
        )  # fmt: skip
        with life.open() as ledger:
            text = result_json(result)
            ledger.end_run(result.run, finished_at=now(), verdict="partial", exit_code=3, result_json=text)
    return folder


@pytest.mark.looptime
async def test_history_tells_a_life_in_order(tmp_path: Path) -> None:
    """Wanted, called, accepted, ready in the first night; wanted and confirmed in the second."""
    folder = await lived(tmp_path)
    done = call(folder, "history", image_id(0), "--json")
    lives = json.loads(done.output)
    assert [life["destination_region"] for life in lives] == [EAST, SOUTH]
    for life in lives:
        told = [(step["run"], step["event"], step["state"], step["reason"]) for step in life["steps"]]
        assert told == [
            ("run0", "wanted", "waiting", "queued"),
            ("run0", "moved", "calling", "called"),
            ("run0", "moved", "copying", "accepted"),
            ("run0", "moved", "ready", "copied"),
            ("run1", "wanted", "ready", "copied"),
            ("run1", "moved", "ready", "confirmed"),
        ]
        assert [step["at"] for step in life["steps"]] == sorted(step["at"] for step in life["steps"])
    copy = lives[0]["steps"][-1]["destination_image"]
    by_copy = json.loads(call(folder, "history", copy, "--json").output)
    assert by_copy == lives[:1], "the copy's own id leads to its life"


@pytest.mark.looptime
async def test_history_and_why_tell_a_failure_with_its_advice(tmp_path: Path) -> None:
    """In words: the reason, and what to do; `why` says the same of where it stands."""
    folder = await lived(tmp_path)
    words = call(folder, "history", image_id(2)).output
    assert "failed: the copy ended in status error (copy-error)" in words
    assert "what to do: delete the broken image" in words
    why = call(folder, "why", image_id(2), SOUTH).output
    assert why.count("\n") == 1
    assert f"{image_id(2)} {NORTH} > {SOUTH}: failed since " in why
    assert "what to do: delete the broken image" in why
    assert why.endswith("[copy-error]\n")


@pytest.mark.looptime
async def test_show_has_each_copy_with_its_times(tmp_path: Path) -> None:
    """Each copy of a run has when it was called, accepted and done, in this order; and the limits."""
    folder = await lived(tmp_path)
    first, second = (json.loads(call(folder, "show", run, "--json").output) for run in ("run0", "run1"))
    assert first["limits"]["workers"] == 4
    for copy in first["copies"]:
        assert copy["called_at"] <= copy["accepted_at"] < copy["ended_at"] <= first["finished_at"]
        assert copy["calls"] == 1
    again = {copy["state"]: (copy["called_at"], copy["calls"]) for copy in second["copies"]}
    assert again == {"ready": (None, 0), "failed": (None, 0)}, "what was there is not called again"
    assert all(copy["ended_at"] >= second["started_at"] for copy in second["copies"] if copy["ended_at"])
    words = call(folder, "show", "run0").output.splitlines()
    assert words[0].startswith("run run0 of plan: ")
    assert [line.split()[0] for line in words[-7:]] == [
        "copy",
        *(copy["source_image"] for copy in first["copies"]),
    ]
    assert any(line.startswith("limits: workers 4, ") for line in words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("history", "img-none"), "no copy of img-none is in this ledger"),
        (("why", "img-none", EAST), "no copy of img-none is in this ledger"),
        (("why", image_id(0), "cn-west-9"), "was never wanted in cn-west-9. It was wanted in cn-east-2"),
        (("show", "run9"), "no run run9 in this ledger"),
    ],
)
def test_what_is_not_known_is_said_with_what_is(
    tmp_path: Path, arguments: tuple[str, ...], words: str
) -> None:
    """Each error names what was asked for and leads on."""
    enter(tmp_path, Verdict.OK, READY)
    done = call(tmp_path, *arguments)
    assert words in str(done.exception)
    assert getattr(done.exception, "exit_code", None) == 2


def test_why_of_a_run_that_is_over_names_it(tmp_path: Path) -> None:
    """A copy that waits when its run was killed waits for the next one."""
    run = enter(tmp_path, None, WAITING)
    words = call(tmp_path, "why", image_id(0), EAST).output
    assert f"; so run {run} left it [queued]" in words
    (told,) = json.loads(call(tmp_path, "why", image_id(0), EAST, "--json").output)
    assert (told["state"], told["run"], told["goes_on"], told["until"]) == ("waiting", run, False, None)


def test_why_of_a_run_that_goes_on(tmp_path: Path) -> None:
    """While it goes on the phrase is of this moment, and nothing is written or sent by asking."""
    run = enter(tmp_path, None, WAITING)
    before = (tmp_path / "ledger.db").read_bytes()
    with RunLock.attempt(tmp_path, owner=owner(run)):
        words = call(tmp_path, "why", image_id(0), EAST).output
    assert f"{image_id(0)} {NORTH} > {EAST}: waiting: " in words
    assert "its source has not been looked at yet" in words
    assert "left it" not in words
    assert (tmp_path / "ledger.db").read_bytes() == before


def test_status_of_the_latest_run_has_the_freshness(tmp_path: Path) -> None:
    """As JSON an array, in words a matrix; of an earlier run neither."""
    first = enter(tmp_path, Verdict.OK, READY, ago_h=20)
    latest = enter(tmp_path, Verdict.PARTIAL, FAILED)
    shape = json.loads(call(tmp_path, "status", "--json").output)
    assert [(row["destination_region"], row["missing"]) for row in shape["freshness"]] == [(EAST, 1)]
    assert shape == json.loads(call(tmp_path, "status", latest, "--json").output)
    assert "freshness" not in json.loads(call(tmp_path, "status", first, "--json").output)
    assert "freshness  cn-east-2" in call(tmp_path, "status").output
    assert "freshness" not in call(tmp_path, "status", first).output


def test_a_damaged_event_hides_the_freshness_and_not_the_status(tmp_path: Path) -> None:
    """Where the copies stand is told all the same, the damage is named, and no age is made up."""
    enter(tmp_path, Verdict.PARTIAL, READY, FAILED)
    spoil = "UPDATE events SET at = at + 1 WHERE kind = 'planned'"
    tamper(tmp_path, lambda connection: connection.execute(spoil))
    words = call(tmp_path, "status").output
    assert "partial: 1 of 2 copies ready, 1 failed" in words
    assert "freshness is not known: " in words
    assert "is not as it was written" in words
    assert json.loads(call(tmp_path, "status", "--json").output)["freshness"] is None


def test_watching_a_run_that_is_over_prints_it_once(tmp_path: Path) -> None:
    """Without a terminal there are no escapes, and it ends by itself."""
    enter(tmp_path, Verdict.OK, READY)
    done = call(tmp_path, "status", "--watch")
    assert done.exception is None
    assert done.output == call(tmp_path, "status").output
    assert "\x1b" not in done.output


def test_watching_goes_on_until_the_run_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """Each look is printed below the last, with a blank line between, the last one without."""
    looks = iter([(["going"], True), (["going"], True), (["over"], False)])
    watch(lambda: next(looks), 0.0)
    assert capsys.readouterr().out == "going\n\ngoing\n\nover\n"
    assert next(looks, None) is None


def test_a_redrawn_screen_fits_the_terminal() -> None:
    """Long lines are cut, and what does not fit is counted, so that nothing scrolls."""
    lines = fitting([f"{n}{'x' * 200}" for n in range(50)], 80, 24)
    assert len(lines) == 23
    assert max(map(len, lines)) == 80
    assert lines[-1].startswith("… 28 more lines")
    assert fitting(["a", "b"], 80, 24) == ["a", "b"]
