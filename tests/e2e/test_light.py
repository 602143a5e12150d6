"""What is quick stays quick: which modules a verb loads, told by the interpreter itself."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from orchestrator import __version__
from tests.bench.cost_start import measure
from tests.e2e.processes import SCRIPT, Done
from tests.e2e.support import EAST, Cloud, Home, MakeHome

MODULE = (sys.executable, "-m", "orchestrator")
HEAVY = {"aiohttp", "rich", "jinja2", "pydantic", "asyncio", "sqlite3", "structlog"}
TRACED = (sys.executable, "-X", "importtime", "-m", "orchestrator")


def loaded(done: Done) -> set[str]:
    """Name the top-level packages that a traced process imported."""
    found = re.findall(r"^import time:.*\| +([A-Za-z_]\w*)", done.err, re.MULTILINE)
    assert "orchestrator" in found, "the trace was not understood"
    return set(found)


def test_version_loads_nothing_heavy(make_home: MakeHome) -> None:
    """`--version` prints one line and loads not even what reads a command line; with more words it does."""
    done = make_home().call("--version", program=TRACED)
    assert (done.code, done.out) == (0, f"orchestrator {__version__}\n")
    assert not loaded(done) & {"click", "json", "inspect", *HEAVY}
    again = make_home().call("--version", "--help", program=TRACED)
    assert (again.code, again.out) == (done.code, done.out)
    assert not loaded(again) & HEAVY


def test_version_takes_hardly_longer_than_an_empty_python() -> None:
    """At most five times the CPU time of `python -c pass`, the fewest of several each; measured, twice."""
    assert measure(times=5).version_ratio < 5


@pytest.mark.parametrize(
    ("stdout", "code", "said"), [("/dev/full", 1, "No space left"), ("/dev/null", 0, "")]
)
def test_version_that_nobody_gets_is_a_failure(stdout: str, code: int, said: str) -> None:
    """As with every other verb: words that could not be written are said to be lost, and exit 1."""
    with open(stdout, "w") as file:
        done = subprocess.run(
            [*MODULE, "--version"], stdout=file, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == code
    assert said in done.stderr


@pytest.mark.parametrize("verb", [[], ["run"], ["status"], ["log"], ["rehearse"], ["doctor"]], ids=" ".join)
def test_help_loads_nothing_heavy(verb: list[str], make_home: MakeHome) -> None:
    """Asking for help answers at once, whatever it is about."""
    done = make_home().call(*verb, "--help", program=TRACED)
    assert (done.code, done.out.startswith("Usage: ")) == (0, True)
    assert not loaded(done) & {"aiohttp", "jinja2", "rich"}


def test_help_documents_the_exit_codes(make_home: MakeHome) -> None:
    """Every exit code that a script can meet stands in `--help`."""
    out = make_home().call("--help").out
    assert set(re.findall(r"^ +(\d+)  ", out, re.MULTILINE)) >= {
        "0",
        "1",
        "2",
        "3",
        "4",
        "65",
        "75",
        "77",
        "130",
    }
    assert "143" in out


def test_looking_loads_nothing_heavy(cloud: Cloud, make_home: MakeHome) -> None:
    """`status`, `runs` and `log` of a run load neither the network, templates nor the live table."""
    home: Home = make_home(cloud)
    assert home.call("run", home.plan(cloud.take(1), EAST)).code == 0
    for verb in (["status"], ["status", "--json"], ["runs"], ["log"]):
        done = home.call(*verb, program=TRACED)
        assert (done.code, bool(done.out)) == (0, True)
        assert not loaded(done) & {"aiohttp", "jinja2", "rich"}, verb


def test_script_and_module_are_one_program(make_home: MakeHome) -> None:
    """The installed console script and `python -m orchestrator` answer alike."""
    home = make_home()
    script = home.call("--version", program=[str(SCRIPT)])
    assert script == home.call("--version")
