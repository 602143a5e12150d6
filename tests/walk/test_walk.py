"""Small worlds walked whole, and planted bugs that a walk must find."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from math import inf
from pathlib import Path

import pytest

from orchestrator.core.messages import Lost, Refused
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule, agenda, answers, register
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Source
from tests.walk import promises, stepping
from tests.walk.__main__ import main
from tests.walk.cloud import LIMITS, Fault, World
from tests.walk.promises import Promise
from tests.walk.search import Walk

PAIR = World(images=1, destinations=2, faults=0, crashes=0)
DOUBT = World(images=1, destinations=1, faults=1, crashes=0, kinds=frozenset({Fault.LOSE}))
REBIRTH = World(images=1, destinations=1, faults=0, crashes=1)


@pytest.mark.parametrize(
    "world",
    [
        pytest.param(World(images=1, destinations=1, faults=1, crashes=1), id="one-copy"),
        pytest.param(World(images=2, destinations=1, faults=1, crashes=0), id="two-images"),
        pytest.param(replace(PAIR, crashes=1), id="two-destinations"),
        pytest.param(replace(DOUBT, crashes=1, marks=False), id="markless"),
        pytest.param(World(images=2, destinations=1, faults=0, crashes=0, namesakes=True), id="namesakes"),
        pytest.param(World(images=2, destinations=1, faults=0, crashes=0, room=1), id="full"),
    ],
)
@pytest.mark.long
def test_no_order_of_things_breaks_a_promise(world: World) -> None:
    """Every interleaving of a small world keeps every promise, and an end is in reach from everywhere."""
    walk = Walk(world, whole=3).go()
    assert walk.violation is None, walk.violation
    assert walk.exhausted
    assert walk.ends


def _settle_at_once(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(stepping, "LIMITS", replace(LIMITS, settle_s=0.0))


def _take_lost_for_refused(patch: pytest.MonkeyPatch) -> None:
    def lost(register: Register, event: Lost) -> None:
        answers.refused(register, Refused(at=event.at, call=event.call, reason=Reason.UNREACHABLE))

    patch.setattr(answers, "lost", lost)


def _ignore_the_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Source, "locked", False)


def _never_wake(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(agenda, "next_wake", lambda register: inf)


def _count_only_up(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(register, "uncount", lambda track: None)


def _leave_calls_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Schedule, "open_calls", lambda schedule: ())


@pytest.mark.parametrize(
    ("plant", "world", "promise"),
    [
        pytest.param(_settle_at_once, DOUBT, promises.made_once, id="settle-at-once"),
        pytest.param(_take_lost_for_refused, DOUBT, promises.made_once, id="lost-is-refused"),
        pytest.param(_ignore_the_lock, PAIR, promises.one_place_at_a_time, id="lock-ignored"),
        pytest.param(_never_wake, PAIR, promises.never_sleeps_in, id="never-woken"),
        pytest.param(_count_only_up, PAIR, promises.counted, id="count-kept-wrong"),
        pytest.param(_leave_calls_open, REBIRTH, promises.never_sleeps_in, id="calls-left-open"),
    ],
)
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch,
    plant: Callable[[pytest.MonkeyPatch], None],
    world: World,
    promise: Promise,
) -> None:
    """Each planted bug breaks the promise that is there for it, and the way to it is told move by move."""
    plant(monkeypatch)
    violation = Walk(world, promises=(promise,)).go().violation
    assert violation is not None
    assert violation.startswith(f"{promise.__name__}: ")
    assert "   1. the schedule decides" in violation


def test_a_walk_is_the_same_every_time() -> None:
    """The same seed meets the same states, in the dives beyond the whole part too."""
    world = World(images=1, destinations=1)
    one, two = (Walk(world, whole=1, seed=7).go(states=1500) for _ in range(2))
    assert (one.states, one.transitions, one.layers) == (two.states, two.transitions, two.layers)
    assert one.layers[3] > 0
    assert one.complete == 1
    assert not one.exhausted


def test_the_command_counts_and_fails_loudly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m tests.walk` ends 0 with its counts, in a file too; 1 with the way and the same command."""
    small = ["--images", "1", "--destinations", "1", "--faults", "1", "--crashes", "0", "--kinds", "lose"]
    assert main([*small, "--json", str(tmp_path / "counts.json")]) == 0
    assert json.loads((tmp_path / "counts.json").read_text())["violations"] == 0
    _settle_at_once(monkeypatch)
    assert main(small) == 1
    shown = capsys.readouterr().out
    assert "violations 0" in shown
    assert "violations 1" in shown
    assert f"Again: python -m tests.walk {' '.join(small)}" in shown


@pytest.mark.long
def test_dives_meet_what_walking_whole_meets() -> None:
    """Dives without a bound end, and leave out nothing: the sample is of the same states."""
    world = World(images=1, destinations=1, faults=1, crashes=1, kinds=frozenset({Fault.LOSE}))
    whole, dives = Walk(world, whole=2).go(), Walk(world, whole=0).go()
    assert dives.exhausted
    assert dives.states == whole.states
