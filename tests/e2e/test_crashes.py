"""Runs that are killed or told to stop: the next run goes on from there, and every copy is made once."""

from __future__ import annotations

from random import Random
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, Signals

import pytest

from tests.e2e.processes import until
from tests.e2e.support import EAST, HESITANT, SOUTH, Cloud, Home, MakeHome, check_once, copies_of, made


def kill_after(home: Home, plan: str, lines: int) -> int:
    """Start a run, kill it once its progress log has so many lines, and return its exit code.

    It is 0 where the run was quicker: a night that takes over much has few lines of its own.
    """
    before = home.log_lines()
    running = home.start("run", plan)

    def far_enough() -> bool:
        now = home.log_lines()
        return not running.alive or (now[:1] != before[:1] and len(now) >= lines)

    until(far_enough, f"line {lines} of the log")
    running.signal(SIGKILL)
    return running.wait().code


@pytest.mark.parametrize("seed", range(3))
def test_killed_at_any_moment_the_next_run_finishes(seed: int, cloud: Cloud, make_home: MakeHome) -> None:
    """Killed twice at moments drawn by the seed, the third run ends ok and the books have each copy once."""
    home, sources, chance = make_home(cloud), cloud.take(12), Random(seed)
    plan = home.plan(sources, EAST, SOUTH)
    cloud.weather(pace=HESITANT)
    codes = [kill_after(home, plan, chance.randrange(1, most)) for most in (70, 20)]
    assert codes[0] == -SIGKILL, "the first run was never killed"
    told = {run["exit_code"]: run["verdict"] for run in home.call("runs", "--json").json}
    assert told.items() <= {None: "killed", 0: "ok"}.items()
    done = home.call("run", plan, "--json")
    assert (done.code, done.json["counts"]["ready"]) == (0, 24), done.err
    check_once(cloud, copies_of(sources, EAST, SOUTH))


def test_killed_between_effect_and_answer_the_copy_is_recognised(cloud: Cloud, make_home: MakeHome) -> None:
    """A call that was made and never answered is found in the destination and not made again."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST)
    cloud.weather(pace={**HESITANT, "acceptance_s": 60_000})
    running = home.start("run", plan)
    until(lambda: made(cloud.books(), sources), "the cloud to have made copies")
    running.signal(SIGKILL)
    assert running.wait().code == -SIGKILL
    states = {row["state"] for row in home.call("status", "--json").json["copies"]}
    assert states == {"calling"}
    done = home.call("run", plan, "--json")
    assert done.code == 0, done.err
    assert "copyImages" not in done.json["calls"]
    check_once(cloud, copies_of(sources, EAST))


def test_killed_before_it_had_said_a_word(cloud: Cloud, make_home: MakeHome) -> None:
    """A run killed while its ledger is being made leaves nothing that stops the next one."""
    home, sources = make_home(cloud), cloud.take(1)
    plan = home.plan(sources, EAST)
    running = home.start("run", plan)
    until(lambda: home.state.exists(), "the state folder")
    running.signal(SIGKILL)
    assert running.wait().code == -SIGKILL
    assert home.call("run", plan).code == 0
    check_once(cloud, copies_of(sources, EAST))


@pytest.mark.parametrize(("signal", "code"), [(SIGTERM, 143), (SIGINT, 130), (SIGHUP, 143)])
def test_a_signal_ends_the_run_in_order(
    signal: Signals, code: int, cloud: Cloud, make_home: MakeHome
) -> None:
    """It exits by itself with 143 or 130 and its result; the next run finishes, each copy once."""
    home, sources = make_home(cloud), cloud.take(3)
    plan = home.plan(sources, EAST, SOUTH)
    cloud.hold(EAST, SOUTH)
    running = home.held(plan, "--json")
    running.signal(signal)
    stopped = running.wait()
    assert stopped.code == code, stopped.err
    assert (stopped.json["verdict"], stopped.json["exit_code"]) == ("interrupted", code)
    assert stopped.json["counts"]["pending"] == 6
    assert home.log_names()[-1] == "run.finished"
    told = home.call("status", "--json").json
    assert {key: told[key] for key in stopped.json} == stopped.json
    cloud.calm()
    done = home.call("run", plan, "--json")
    assert (done.code, done.json["counts"]["ready"]) == (0, 6), done.err
    check_once(cloud, copies_of(sources, EAST, SOUTH))


def test_a_stop_awaits_the_open_answer(cloud: Cloud, make_home: MakeHome) -> None:
    """A call that is on its way when the signal comes is waited for: its copies are known, none in doubt."""
    home, sources = make_home(cloud), cloud.take(3)
    cloud.weather(pace={**HESITANT, "acceptance_s": 3000})
    running = home.start("run", home.plan(sources, EAST), "--json")
    until(lambda: made(cloud.books(), sources), "a call to be on its way")
    running.signal(SIGTERM)
    stopped = running.wait()
    assert stopped.code == 143, stopped.err
    assert {row["state"] for row in stopped.json["copies"]} == {"copying"}
    assert all(row["destination_image"] for row in stopped.json["copies"])


def test_a_second_signal_does_not_wait(cloud: Cloud, make_home: MakeHome) -> None:
    """Whoever presses twice gets out at once; what was open is in doubt, and settled by the next run."""
    home, sources = make_home(cloud), cloud.take(2)
    plan = home.plan(sources, EAST)
    cloud.weather(pace={**HESITANT, "acceptance_s": 60_000})
    running = home.start("run", plan, "--json")
    until(lambda: made(cloud.books(), sources), "a call to be on its way")
    running.signal(SIGINT)
    until(lambda: "run.signal" in home.log_names(), "the first signal to be heard")
    running.signal(SIGINT)
    stopped = running.wait(limit_s=5)
    assert stopped.code == 130, stopped.err
    cloud.weather(pace=HESITANT)
    assert home.call("run", plan).code == 0
    check_once(cloud, copies_of(sources, EAST))
