"""`run --take-over`: from a run that hangs, which then wakes up and does no harm. Real processes."""

from __future__ import annotations

import os
import pty
import socket
import subprocess
import sys
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from tests.e2e.processes import PROGRAM, Done, Running, until
from tests.e2e.support import EAST, SOUTH, Cloud, MakeHome, calls_for, check_once, copies_of

_STOPPING = """
import os, signal
from {module} import {kind}
from orchestrator.cli.main import main
real, stops = {kind}.{method}, []
async def stopping(self, *given):
    {here}
{kind}.{method} = stopping
def stop():
    if not stops:
        stops.append(1)
        os.kill(os.getpid(), signal.SIGSTOP)
main()
"""

DECIDED = _STOPPING.format(
    module="orchestrator.engine.engine",
    kind="Engine",
    method="_send",
    here="stop(); return await real(self, *given)",
)
"""The program, which freezes when a worker is about to send its first call."""

CONNECTED = _STOPPING.format(
    module="aiohttp",
    kind="TCPConnector",
    method="_create_connection",
    here="made = await real(self, *given); given[0].method != 'POST' or stop(); return made",
)
"""The program, which freezes when the connection for its first call stands and nothing is sent."""


def is_stopped(running: Running) -> bool:
    """Tell whether a process is frozen."""
    assert running.alive, running.err
    stat = Path(f"/proc/{running.process.pid}/stat").read_text(encoding="utf-8")
    return stat.rpartition(")")[2].split()[0] == "T"


def check_overtaken(done: Done, successor: str) -> None:
    """Hold a run to what it must say when it was overtaken: one sentence, its exit code, no traceback."""
    assert done.code == 75, done.err
    assert f"was overtaken by run {successor}, which began at 20" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize("script", [DECIDED, CONNECTED], ids=["decided", "connected"])
def test_a_frozen_run_sends_nothing_when_it_wakes(cloud: Cloud, make_home: MakeHome, script: str) -> None:
    """Frozen right before its first call, overtaken, thawed: no call of it leaves, nothing is made twice."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST, SOUTH)
    first = home.start("run", plan, "--json", program=(sys.executable, "-c", script))
    until(lambda: is_stopped(first), "the first run to freeze")
    assert calls_for(cloud.books(), sources) == 0
    second = home.call("run", plan, "--json", "--take-over", "--yes")
    assert second.code == 0, second.err
    assert "It is stopped" in second.err
    sent = calls_for(cloud.books(), sources)
    first.signal(SIGCONT)
    done = first.wait()
    check_overtaken(done, second.json["run"])
    assert (done.json["verdict"], done.json["exit_code"]) == ("failed", 75)
    assert calls_for(cloud.books(), sources) == sent
    check_once(cloud, copies_of(sources, EAST, SOUTH))
    assert home.call("status", "--json").json["run"] == second.json["run"]


def test_the_successor_holds_the_lock(cloud: Cloud, make_home: MakeHome) -> None:
    """A third run is kept out by the second, also when the first wakes and ends; the second ends well."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST, SOUTH)
    cloud.hold(EAST, SOUTH)
    first = home.held(plan)
    first.signal(SIGSTOP)
    cloud.weather(faults=[{"fault": "slow", "chance": 1, "on": ["describeImages"]}], slow_s=2.0)
    second = home.start("run", plan, "--json", "--take-over", "--yes")
    name = f"process {second.process.pid} on"
    until(lambda: name in home.call("run", plan).err, "the lock to change hands")
    first.signal(SIGCONT)
    ended = first.wait()
    third = home.call("run", plan)
    assert (third.code, name in third.err) == (75, True), third.err
    cloud.calm()
    done = second.wait()
    assert done.code == 0, done.err
    check_overtaken(ended, done.json["run"])
    check_once(cloud, copies_of(sources, EAST, SOUTH))


def test_nobody_is_overtaken_without_a_yes(cloud: Cloud, make_home: MakeHome) -> None:
    """Without a terminal: exit 75 with all that is known and what to do, and the other run goes on."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST)
    cloud.hold(EAST)
    first = home.held(plan)
    refused = home.call("run", plan, "--take-over")
    assert (refused.code, refused.out) == (75, "")
    (run,) = home.call("runs", "--json").json
    who = f"held by run {run['run']}, process {first.process.pid} on {socket.gethostname()}, since 20"
    told = ("It is alive", "The last event was recorded", "nothing is made twice", "Give --yes")
    for known in (who, *told):
        assert known in refused.err
    cloud.calm()
    assert first.wait().code == 0
    check_once(cloud, copies_of(sources, EAST))


def test_a_person_is_asked(cloud: Cloud, make_home: MakeHome) -> None:
    """On a terminal a no leaves the other run alone, and a yes takes over from it."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST)
    cloud.hold(EAST)
    first = home.held(plan)
    first.signal(SIGSTOP)
    for answer, code in (("n", 75), ("y", 0)):
        if answer == "y":
            cloud.calm()
        ours, theirs = pty.openpty()
        command = [*PROGRAM, "run", plan, "--take-over", "--no-progress"]
        asked = subprocess.Popen(
            command, stdin=theirs, stderr=subprocess.PIPE, cwd=home.folder, env=home.environ, text=True
        )
        os.close(theirs)
        os.write(ours, answer.encode() + b"\n")
        said = asked.communicate(timeout=30)[1]
        os.close(ours)
        assert (asked.returncode, "Take over from this run?" in said) == (code, True), said
    first.signal(SIGCONT)
    assert first.wait().code == 75
    check_once(cloud, copies_of(sources, EAST))


def test_where_nobody_runs_there_is_nothing_to_take_over(cloud: Cloud, make_home: MakeHome) -> None:
    """A run that was killed holds nothing: no question, its name is told, and the night goes on."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST)
    cloud.hold(EAST)
    first = home.held(plan)
    first.signal(SIGKILL)
    first.wait()
    cloud.calm()
    second = home.call("run", plan, "--take-over")
    assert second.code == 0, second.err
    assert "Nobody holds the lock, as far as can be seen from here. The last was run " in second.err
    assert f"process {first.process.pid} on" in second.err
    check_once(cloud, copies_of(sources, EAST))


@pytest.mark.parametrize("wrong", [("--yes",), ("--take-over", "--simulate")])
def test_what_makes_no_sense_is_refused(make_home: MakeHome, wrong: tuple[str, ...]) -> None:
    """A yes to no question, and taking over from a simulation: exit 2."""
    home = make_home()
    done = home.call("run", home.plan((), EAST), *wrong)
    assert (done.code, "--take-over" in done.err) == (2, True)
