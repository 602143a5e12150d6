"""The proof's own promises: a failure is told with its command; nothing is published that is not whole."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.prove import __main__ as prove
from tests.prove.groups import GROUPS, TASKS, Task
from tests.prove.promised import AT_LEAST, NONE_OF, short_of
from tests.prove.running import ROOT, Ran, run

FINE = Task(group="recovery", name="recovery", machine="tests.recovery", full=("--seed", "3"))
BROKEN = Task(group="fuzz", name="fuzz", machine="tests.fuzz", full=("nonsense",), brief=("nonsense",))


def ran(name: str, **figures: int) -> Ran:
    """Make a task that ended well with these figures."""
    (task,) = (task for task in TASKS if task.name == name)
    return Ran(task, "python -m something", 0, "", 1.0, dict(figures))


@pytest.mark.long
def test_a_task_brings_its_figures_home(tmp_path: Path) -> None:
    """A command is run from the root as a person would type it; what it counted is read back."""
    done = run(FINE, tmp_path / "figures.json")
    assert done.good, done
    assert done.command == "python -m tests.recovery --seed 3"
    assert done.figures["violations"] == 0


def test_a_failing_group_fails_all_and_prints_its_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """One failure makes the exit code 1, is told with the command that repeats it, and nothing is written."""
    document = tmp_path / "reliability.md"
    monkeypatch.setattr(prove, "TASKS", (BROKEN,))
    monkeypatch.setattr(prove, "DOCUMENT", document)
    assert prove.main(["--seconds", "1", "--write"]) == 1
    assert "fuzz FAILED; again with: python -m tests.fuzz nonsense --seconds 1" in capsys.readouterr().out
    assert not document.exists()


@pytest.mark.long
def test_a_glimpse_is_told_and_not_published(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With a fixed time the counts that were reached are printed, and nothing is written unless asked for."""
    document = tmp_path / "reliability.md"
    monkeypatch.setattr(prove, "TASKS", (replace(FINE, brief=("--seed", "3")),))
    monkeypatch.setattr(prove, "DOCUMENT", document)
    assert prove.main(["--seconds", "30"]) == 0
    assert " lives, " in capsys.readouterr().out
    assert not document.exists()


def test_less_than_promised_is_no_proof() -> None:
    """A full run that did less than it promises, or counts what must not be, says so."""
    zeros = {name: dict.fromkeys(NONE_OF.get(name, ()), 0) for name in AT_LEAST}
    enough = {name: ran(name, **zeros[name], **counts) for name, counts in AT_LEAST.items()}
    assert list(short_of(list(enough.values()))) == []
    torn = enough["torture"]
    few = replace(torn, figures=torn.figures | {"kills": 199})
    bad = replace(torn, figures=torn.figures | {"damaged": 1})
    rest = [each for each in enough.values() if each is not torn]
    assert list(short_of([*rest, few])) == ["torture: 199 kills, and 200 are promised"]
    assert list(short_of([*rest, bad])) == ["torture: 1 damaged"]
    assert list(short_of(rest)) == ["torture: 0 kills, and 200 are promised"]


def test_every_machine_takes_part() -> None:
    """Each folder with a command is a group, but for what measures or writes; each task has its own name."""
    measures = {"prove", "bench", "docs"}
    machines = {file.parent.name for file in (ROOT / "tests").glob("*/__main__.py")} - measures
    assert machines == set(GROUPS)
    assert len({task.name for task in TASKS}) == len(TASKS)
    assert {task.machine for task in TASKS} == {f"tests.{machine}" for machine in machines}


def test_a_fixed_time_is_handed_on() -> None:
    """With a fixed time each group gets just that, shared among its tasks, whatever their full counts are."""
    for group in GROUPS:
        tasks = [task for task in TASKS if task.group == group and task.brief is not None]
        given = [float(task.command(40)[-1]) for task in tasks]
        assert sum(given) == pytest.approx(40)
        assert all("--seconds" in task.command(40) for task in tasks)
    assert all("--seconds" not in task.command(None) for task in TASKS)


def test_continuous_integration_gives_the_groups_what_is_left() -> None:
    """The script calls the proof with a number of seconds, after the tests and the checks."""
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.index("step check") < script.rindex("glimpse")
    assert 'step prove SECONDS="$each_s"' in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
