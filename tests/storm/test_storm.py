"""A small share of the storms, and what makes a storm worth anything; `make storm` plays the rest."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.storm.__main__ import main
from tests.storm.drawing import scenario_of
from tests.storm.night import storm, twice
from tests.storm.scenario import Habit, Scenario
from tests.storm.tally import Tally, lines, replay
from tests.storm.troubles import Trouble, scenario_for, words

SEEDS = (0, 2, 3, 5, 7, 11, 40, 61, 88, 93, 1022, 1100)
SILENT = (0, 1, 2)
TROUBLED = (1, 2, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_promise_breaks_in_a_storm(seed: int) -> None:
    """Nothing twice, nothing lost, and every night comes to an end, whatever is thrown at it."""
    outcome = storm(seed)
    assert outcome.broken == (), f"play it again: {replay(seed)}"


def test_same_seed_same_storm_whatever_the_hash_seed(tmp_path: Path) -> None:
    """A seed replays to the very event, also in another process with other hashes."""
    target = tmp_path / "figures.json"
    command = [sys.executable, "-m", "tests.storm", "--seed", "2", "--quiet", "--json", str(target)]
    environ = os.environ | {"PYTHONHASHSEED": "77", "PYTHONPATH": os.getcwd()}
    subprocess.run(command, env=environ, check=True, capture_output=True)
    told = json.loads(target.read_text())
    assert told["same_twice"]
    assert told["trace"] == storm(2).trace


def test_a_cloud_that_tells_nothing_leaves_what_is_doubtful_to_a_person() -> None:
    """No description stored, no text written, answers lost: nothing twice; doubts wait, the rest is ready."""
    outcomes = [storm(seed, wish=Habit.SILENT) for seed in SILENT]
    for outcome in outcomes:
        assert outcome.broken == (), f"play it again: {replay(outcome.seed, '--cloud silent')}"
    assert sum(outcome.duplicates for outcome in outcomes) == 0
    assert sum(outcome.needs_person for outcome in outcomes) > 0


@pytest.mark.parametrize("trouble", Trouble)
def test_no_promise_breaks_in_a_storm_that_seeks_a_fault(trouble: Trouble) -> None:
    """A fault that is met in every storm breaks no promise either, and the same seed is the same storm."""
    outcomes = [twice(seed, wish=trouble) for seed in TROUBLED]
    for outcome in outcomes:
        assert outcome.broken == (), f"play it again: {replay(outcome.seed, words(trouble))}"


def test_a_call_is_held_until_its_sender_is_dead_and_the_next_life_goes_on() -> None:
    """The fault is met where it is sought, and in a few ordinary storms, which leaves all others alone."""
    assert sum(storm(seed, wish=Trouble.HELD).held for seed in TROUBLED) > 0
    share = sum(scenario_of(seed).held_s > 0 for seed in range(1000)) / 1000
    assert 0.04 < share < 0.09
    assert all(_seen_in_time(scenario_of(seed)) for seed in range(1000))
    assert all(_seen_in_time(scenario_for(seed, trouble)) for seed in range(100) for trouble in Trouble)


def _seen_in_time(scenario: Scenario) -> bool:
    """Tell whether a held call's copy is visible within SETTLE_TIME: the condition of every promise."""
    return scenario.held_s + scenario.pace.listing_lag_s < scenario.limits.settle_s


def test_a_storm_that_is_played_twice_counts_as_such() -> None:
    """A trace that differs the second time would be a broken promise."""
    outcome = twice(40)
    assert outcome.twice == 1
    assert outcome.broken == ()


def test_a_broken_promise_is_told_with_the_command_that_replays_it() -> None:
    """Whoever reads a failure can play it again, and a zero is never printed without its condition."""
    tally = Tally()
    tally.add(storm(0))
    assert any("visible within SETTLE_TIME" in line for line in lines(tally))
    tally.failures.append((4711, ("I1: a duplicate",)))
    tally.wish = "--cloud silent"
    text = "\n".join(lines(tally))
    assert "python -m tests.storm --seed 4711 --cloud silent" in text
    assert "rule of three" not in text


def test_the_count_that_was_reached_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A run says how many storms it played, in a file too, and succeeds only when there was at least one."""
    target = tmp_path / "figures.json"
    asked = ["--first", "1", "--seeds", "1", "--jobs", "1", "--cloud", "silent", "--json", str(target)]
    assert main(asked) == 0
    assert "1 nights of storm" in capsys.readouterr().out
    figures = json.loads(target.read_text())
    assert figures["nights"] == 1
    assert figures["command"] == f"python -m tests.storm {' '.join(asked)}"
    assert main(["--seconds", "0", "--jobs", "1"]) == 1
