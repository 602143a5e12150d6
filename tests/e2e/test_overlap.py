"""Two runs on one state folder, and the verbs that look while a run goes on."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from signal import SIGKILL
from typing import Any

import pytest

from orchestrator.core.model import Copy
from tests.e2e.processes import Running, until
from tests.e2e.support import EAST, SOUTH, Cloud, Home, MakeHome, calls_for, check_once, copies_of, images


@dataclass(frozen=True)
class Scene:
    """A run that the cloud holds, in a home with a plan of three images and two destinations."""

    cloud: Cloud
    home: Home
    wanted: set[Copy]
    running: Running

    def finish(self) -> None:
        """Let the run go on, to a good end."""
        self.cloud.calm()
        done = self.running.wait()
        assert done.code == 0, done.err
        check_once(self.cloud, self.wanted)

    def kill(self) -> None:
        """Kill the run."""
        self.running.signal(SIGKILL)
        assert self.running.wait().code == -SIGKILL


@pytest.fixture
def scene(cloud: Cloud, make_home: MakeHome) -> Scene:
    """Start a run and wait until it is held."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST, SOUTH)
    cloud.hold(EAST, SOUTH)
    return Scene(cloud, home, copies_of(sources, EAST, SOUTH), home.held(plan))


def test_a_second_run_is_turned_away(scene: Scene) -> None:
    """It exits 75, says which run and process holds the lock since when, prints no JSON and calls nothing."""
    calls = scene.cloud.books()["calls"]
    second = scene.home.call("run", "plan.yaml", "--json")
    assert (second.code, second.out) == (75, ""), second.err
    (run,) = scene.home.call("runs", "--json").json
    who = f"run {run['run']}, process {scene.running.process.pid} on {socket.gethostname()}, since "
    since = datetime.fromisoformat(second.err.partition(who)[2][:20])
    assert abs(since - datetime.fromisoformat(run["started_at"])) < timedelta(seconds=5)
    assert scene.cloud.books()["calls"] == calls
    scene.finish()


def test_a_killed_run_frees_the_lock(scene: Scene) -> None:
    """No stale lock: the kernel frees it with the process, so the next run starts at once."""
    scene.kill()
    scene.cloud.calm()
    assert scene.home.call("run", "plan.yaml").code == 0
    check_once(scene.cloud, scene.wanted)


def test_lock_wait_waits_for_its_turn(scene: Scene) -> None:
    """With --lock-wait the second run begins when the first has ended, and finds nothing left to copy."""
    patient = scene.home.start("run", "plan.yaml", "--json", "--lock-wait", "20s")
    assert scene.home.call("run", "plan.yaml").code == 75, "one that came later has been turned away"
    assert patient.alive
    scene.finish()
    done = patient.wait()
    assert done.code == 0, done.err
    assert "copyImages" not in done.json["calls"]


def test_lock_wait_has_an_end(scene: Scene) -> None:
    """When the time is over and the lock is still held: exit 75, like without it."""
    waited = scene.home.call("run", "plan.yaml", "--lock-wait", "200ms")
    assert waited.code == 75, waited.err
    scene.finish()


def test_every_verb_answers_during_a_run_and_after_it(scene: Scene) -> None:
    """status, runs, log, plan and validate exit 0, in words and as JSON that parses; status is true."""
    during = looked(scene.home)
    assert (during["verdict"], during["exit_code"], during["finished_at"]) == ("running", None, None)
    assert {row["state"] for row in during["copies"]} == {"copying", "waiting"}
    assert during["calls"]["copyImages"] == calls_for(
        scene.cloud.books(), {copy.source for copy in scene.wanted}
    )
    scene.finish()
    after = looked(scene.home)
    assert (after["run"], after["verdict"], after["exit_code"]) == (during["run"], "ok", 0)
    assert after["counts"] == {"wanted": 6, "ready": 6, "failed": 0, "pending": 0}


def looked(home: Home) -> Any:
    """Use every verb that looks, in words and as JSON, and return what status says."""
    verbs = (["status"], ["runs"], ["log"], ["plan", "plan.yaml", "--offline"], ["validate", "plan.yaml"])
    for started in [home.start(*verb) for verb in verbs]:
        done = started.wait()
        assert (done.code, bool(done.out.strip())) == (0, True), done
    view = home.call("status", "--json").json
    (line,) = home.call("runs", "--json").json
    assert {key: view[key] for key in line} == line
    named = home.call("status", line["run"], "--json").json
    assert {**named, "calls": 0} == {**view, "calls": 0}, "all but the looks that went out in between"
    assert {entry["run"] for entry in home.call("log", "--json").lines} == {view["run"]}
    assert home.call("log", "--path").out == f"{home.state / 'logs' / view['run']}.jsonl\n"
    preview = home.call("plan", "plan.yaml", "--offline", "--json").json
    assert (preview["wanted"], sum(preview["known"].values())) == (6, 6)
    return view


def test_follow_ends_with_the_run(scene: Scene) -> None:
    """`log --follow` shows what is there and what comes, and exits 0 after the run's last line."""
    follower = scene.home.start("log", "--follow", "--json")
    until(lambda: "read.unanswered" in follower.out, "what is there to be shown")
    assert follower.alive
    scene.finish()
    followed = follower.wait()
    assert followed.code == 0, followed.err
    assert followed.out.splitlines() == scene.home.log_lines()
    assert followed.lines[-1]["event"] == "run.finished"


def test_follow_ends_with_a_killed_run(scene: Scene) -> None:
    """A run that could write no last line is not waited for; status and runs call it killed."""
    follower = scene.home.start("log", "-f")
    until(lambda: follower.out, "the log to be shown")
    scene.kill()
    assert follower.wait().code == 0
    assert scene.home.call("status", "--json").json["verdict"] == "killed"
    assert [run["verdict"] for run in scene.home.call("runs", "--json").json] == ["killed"]


def test_looking_where_nothing_was_run(make_home: MakeHome) -> None:
    """Of an empty home or a run that never was: exit 2 and a sentence, or an empty array; no folder left."""
    empty = make_home()
    for verb in (["status"], ["status", "never"], ["runs"], ["log"], ["log", "never"], ["log", "../never"]):
        done = empty.call(*verb)
        assert (done.code, done.out) == (2, ""), verb
        assert "Traceback" not in done.err
        assert "a fault of our own" not in done.err
    assert empty.call("runs", "--json").json == []
    plan = empty.plan(images(12), EAST)
    preview = empty.call("plan", plan, "--offline", "--json").json
    assert [len(chunk["images"]) for chunk in preview["chunks"]] == [10, 2]
    assert not empty.state.exists()
