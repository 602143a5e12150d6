"""The table fits the source, a few bugs are caught, and the runner tells a broken promise from a crash."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.mutants.__main__ import Report, Trial, controls, main, told
from tests.mutants.mutants import MUTANTS, Machine, Mutant
from tests.mutants.tree import ROOT, Played, Stale, copied, imported_from, planted
from tests.mutants.verdict import End, judge
from tests.storm.troubles import Trouble

FAST = ("lost-is-refused", "names-collide", "settling-not-restarted")
SAFE = {"failures": [], "nights": 3}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_row_fits_the_source_once(mutant: Mutant) -> None:
    """A row that no longer fits would plant nothing, and what it stands for would go unproved."""
    text = planted(mutant, ROOT)
    compile(text, mutant.file, "exec")
    assert text != (ROOT / mutant.file).read_text()


def test_the_names_tell_the_rows_apart() -> None:
    """`--only NAME` means one bug."""
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 14


@pytest.mark.long
def test_fast_ones_are_caught_by_a_promise(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole way once: copy, plant, run, judge, count; each bug with the command that does it again."""
    target = tmp_path / "figures.json"
    asked = [word for name in FAST for word in ("--only", name)]
    assert main([*asked, "--bare", "--json", str(target)]) == 0
    shown = capsys.readouterr().out
    for name in FAST:
        assert f"again with: python -m tests.mutants --only {name}" in shown
    figures = json.loads(target.read_text())
    assert (figures["mutants"], figures["caught"], figures["survived"]) == (3, 3, 0)


def test_nothing_begins_when_the_time_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    """`--seconds` bounds a run, which says what it left out and does not pass for having done nothing."""
    assert main(["--seconds", "0", "--only", FAST[0]]) == 1
    assert "not_begun 2" in capsys.readouterr().out


def test_a_stale_row_is_named(tmp_path: Path) -> None:
    """Whoever changes the source learns which row to mend."""
    (tmp_path / "some.py").write_text("a = 1\na = 1\n")
    row = replace(MUTANTS[0], file="some.py", old="a = 1\n")
    with pytest.raises(Stale, match=rf"{row.name}: its old text stands 2 times in some\.py"):
        planted(row, tmp_path)
    with pytest.raises(Stale, match=r"stands 0 times in gone\.py"):
        planted(replace(row, file="gone.py"), tmp_path)


def test_the_copy_is_what_is_imported(tmp_path: Path) -> None:
    """The installed program must not be tested in place of the spoilt one."""
    assert imported_from(copied(ROOT, tmp_path, None))
    (tmp_path / "orchestrator" / "app.py").write_text("raise KeyError\n")
    assert not imported_from(tmp_path)


def test_every_budget_has_its_control() -> None:
    """What fails without a bug as well says nothing about the bug."""
    trials = list(controls(MUTANTS))
    alone = ("--jobs", "1")
    walks = {mutant.arguments for mutant in MUTANTS if mutant.machine is Machine.WALK}
    storms = {(*mutant.arguments, *alone) for mutant in MUTANTS if mutant.machine is Machine.STORM}
    assert {trial.arguments for trial in trials if trial.machine is Machine.WALK} == walks
    assert {trial.arguments for trial in trials if trial.machine is Machine.STORM} == storms
    assert len(trials) == len(walks) + len(storms)
    assert all(trial.mutant is None for trial in trials)


def test_every_trouble_is_sought_by_a_row() -> None:
    """A trouble that no bug needs would only be another world to keep up."""
    words = {word for mutant in MUTANTS for word in mutant.arguments}
    assert {trouble.name.lower() for trouble in Trouble} <= words


def test_a_catch_says_how_much_of_its_budget_it_took() -> None:
    """A bug that is found late in its storms is one that a change of the program may hide."""
    (row,) = (mutant for mutant in MUTANTS if mutant.name == "settling-not-restarted")
    verdict = judge(
        Machine.STORM, Played(1, {"failures": [{"seed": 7, "broken": ["I1: duplicate: img-a"]}]}, "")
    )
    report = Report(Trial(row.name, row, row.machine, row.arguments), verdict, 2.0)
    assert "caught by storm seed 7 of 60: I1: duplicate" in told(report)


@pytest.mark.parametrize(
    ("machine", "played", "end"),
    [
        (Machine.STORM, Played(0, SAFE, ""), End.SURVIVED),
        (Machine.STORM, Played(1, None, "SyntaxError: no"), End.CRASHED),
        (Machine.STORM, Played(2, SAFE, "usage"), End.CRASHED),
        (Machine.WALK, Played(1, {"states": 9, "broken": "made_once: img-a exists 2 times"}, ""), End.CAUGHT),
        (Machine.WALK, Played(1, {"states": 9, "broken": "AttributeError: no such"}, ""), End.CRASHED),
        (Machine.WALK, Played(0, {"states": 9, "broken": ""}, ""), End.SURVIVED),
    ],
)
def test_only_a_broken_promise_counts(machine: Machine, played: Played, end: End) -> None:
    """A bug that merely raises is caught by any test; it says nothing about the machine."""
    assert judge(machine, played).end is end


@pytest.mark.parametrize(
    ("broken", "end"),
    [
        (["I1: duplicate: img-a"], End.CAUGHT),
        (["I3: life-0 ended with KeyError('x')", "I2: img-a is in no ledger"], End.CAUGHT),
        (["I3: life-0 ended with ExceptionGroup('errors', [KeyError('x')])"], End.CRASHED),
        (["I3: life-1 does not end"], End.CAUGHT),
    ],
)
def test_a_life_that_ended_with_an_error_is_no_catch(broken: list[str], end: End) -> None:
    """A storm reports exceptions as well; one of them alone does not count."""
    verdict = judge(Machine.STORM, Played(1, {"failures": [{"seed": 7, "broken": broken}]}, ""))
    assert verdict.end is end
    assert verdict.by == "storm seed 7"
