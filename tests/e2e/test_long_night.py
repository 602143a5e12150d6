"""The real program where the machine is at its worst: streams closed, full or unread, signals at any time.

Real processes, and so few of them: what can be played in virtual time is in engine/test_long_nights.py.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from random import Random
from signal import SIGHUP, SIGINT, SIGTERM

import pytest

from tests.e2e.processes import PROGRAM, Done, Running, until
from tests.e2e.support import EAST, HESITANT, SOUTH, Cloud, Home, MakeHome, check_once, copies_of

FULL = "/dev/full"
"""Takes nothing: every write fails, as on a disk without room."""


def told_to_nobody(home: Home, arguments: str, redirections: str) -> Done:
    """Run the program under a shell that redirects its streams; the code is the last line of `out`."""
    script = f'"$@" {arguments} {redirections}; echo $?'
    return home.call("-c", script, "sh", *PROGRAM, program=["/bin/sh"])


@pytest.mark.parametrize("redirections", [f">{FULL}", f">{FULL} 2>{FULL}"])
def test_a_run_ends_with_its_own_code_whoever_listens(
    redirections: str, cloud: Cloud, make_home: MakeHome
) -> None:
    """What cannot be printed changes nothing of what a run came to: exit 0, each copy once, no traceback."""
    home, sources = make_home(cloud), cloud.take(2)
    done = told_to_nobody(home, f"run {home.plan(sources, EAST)} --json", redirections)
    assert done.out.endswith("0\n"), done
    assert "Traceback" not in done.err
    assert ("No space left" in done.err) is (redirections == f">{FULL}")
    check_once(cloud, copies_of(sources, EAST))
    assert home.call("status", "--json").json["verdict"] == "ok"


def test_a_report_that_cannot_be_written_is_an_error(make_home: MakeHome) -> None:
    """A verb whose only work is to print says that it could not, in one sentence: exit 1, no traceback."""
    done = told_to_nobody(make_home(), "--help", f">{FULL}")
    assert done.out == "1\n"
    assert done.err == "orchestrator: stdout: No space left on device. Print to a place that takes it.\n"


@pytest.mark.parametrize("redirections", ["2>&-", f">{FULL} 2>{FULL}"])
def test_an_error_that_nobody_hears_keeps_its_code(redirections: str, make_home: MakeHome) -> None:
    """A plan that is not there is exit 2, also when the sentence about it goes nowhere."""
    assert told_to_nobody(make_home(), "run nosuch.yaml", redirections).out == "2\n"


def test_a_reader_of_the_errors_that_leaves_keeps_the_code(make_home: MakeHome) -> None:
    """`orchestrator run nosuch.yaml 2>&1 | head -0`: the code is still that of the error."""
    home = make_home()
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [*PROGRAM, "run", "nosuch.yaml"]
        done = subprocess.run(command, stdout=writer, stderr=writer, env=home.environ, check=False)
    finally:
        os.close(writer)
    assert done.returncode == 2


PROBE = """
import os
from orchestrator.cli.streams import prepare_streams
prepare_streams()
with open("ledger", "w") as ledger:
    ledger.write(f"{ledger.fileno() > 2} {os.fstat(2).st_rdev == os.stat(os.devnull).st_rdev}")
    print("words for a person")
    os.write(2, b"words of a library")
"""


def test_no_file_takes_the_place_of_a_closed_stream(make_home: MakeHome) -> None:
    """With all streams closed at the start, what is meant for a person is written into no other file."""
    home = make_home()
    done = home.call("-c", '"$@" <&- >&- 2>&-', "sh", sys.executable, "-c", PROBE, program=["/bin/sh"])
    assert done.code == 0
    assert (home.folder / "ledger").read_text() == "True True"


def computed_s(running: Running) -> float:
    """Tell how long a process has computed, which says how far it got however busy the machine is."""
    try:
        fields = Path(f"/proc/{running.process.pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send(running: Running, number: int, *, after_s: float, times: int) -> None:
    """Send a signal, or two at once, when the program has computed for so long."""
    until(lambda: computed_s(running) >= after_s or not running.alive, "the program to get so far")
    for _ in range(times):
        running.signal(number)


@pytest.mark.parametrize("seed", range(2))
def test_signals_at_moments_drawn_by_the_seed(seed: int, cloud: Cloud, make_home: MakeHome) -> None:
    """While loading, opening, reading, calling, one signal or two: its code, no traceback; each copy once."""
    chance, home, sources = Random(seed), make_home(cloud), cloud.take(4)
    plan = home.plan(sources, EAST, SOUTH)
    cloud.weather(pace=HESITANT)
    for number in chance.sample([SIGTERM, SIGINT, SIGHUP], 2):
        running = home.start("run", plan, "--json")
        send(running, number, after_s=chance.uniform(0.03, 0.6), times=chance.choice((1, 2)))
        done = running.wait()
        meant = SIGTERM if number == SIGHUP else number
        assert done.code in (128 + meant, 0), (number, done)
        assert "Traceback" not in done.err
        assert not done.out or done.json["exit_code"] == done.code
    assert home.call("run", plan).code == 0
    check_once(cloud, copies_of(sources, EAST, SOUTH))
