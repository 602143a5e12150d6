"""`python -m tests.mutants`: plant each bug in a copy of the tree; exit 1 unless all are caught."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.mutants.mutants import MUTANTS, Machine, Mutant
from tests.mutants.tree import ROOT, Stale, copied, imported_from, planted, play
from tests.mutants.verdict import End, Verdict, judge


@dataclass(frozen=True, slots=True)
class Trial:
    """One bug, or none (the control), and the machine that is run on it."""

    name: str
    mutant: Mutant | None
    machine: Machine
    arguments: tuple[str, ...]

    @property
    def command(self) -> str:
        """The command that does it again; a control is the machine itself, in the tree as it is."""
        if self.mutant is not None:
            return f"python -m tests.mutants --only {self.name}"
        return f"python -m {self.machine.value} {' '.join(self.arguments)}"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a trial, and how long it took."""

    trial: Trial
    verdict: Verdict
    seconds: float

    @property
    def right(self) -> bool:
        """Tell whether a bug was caught, or a control found nothing."""
        return self.verdict.end is (End.CAUGHT if self.trial.mutant else End.SURVIVED)


def main(argv: Sequence[str] | None = None) -> int:
    """Plant what is asked for."""
    asked = _arguments().parse_args(argv)
    chosen = [mutant for mutant in MUTANTS if not asked.only or mutant.name in asked.only]
    unknown = set(asked.only or ()) - {mutant.name for mutant in chosen}
    if unknown:
        print(f"No such mutant: {', '.join(sorted(unknown))}. See --list.", file=sys.stderr)
        return 2
    if asked.list:
        print(
            "\n".join(f"{m.name:28} {m.machine.value} {' '.join(m.arguments)}\n    {m.why}" for m in chosen)
        )
        return 0
    try:
        for mutant in chosen:
            planted(mutant, asked.tree)
    except Stale as error:
        print(f"The table is stale. {error}.", file=sys.stderr)
        return 1
    return _run(asked, [*(() if asked.bare else controls(chosen)), *map(_trial, chosen)], argv)


def _arguments() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--only", action="append", metavar="NAME", help="plant this one (may be repeated)")
    parser.add_argument("--list", action="store_true", help="show the table and plant nothing")
    parser.add_argument("--bare", action="store_true", help="leave out the controls on the unspoilt tree")
    parser.add_argument("--seconds", type=float, default=inf, help="begin nothing after this time")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there")
    parser.add_argument("--tree", type=Path, default=ROOT, metavar="FOLDER", help="what is copied and spoilt")
    return parser


def _trial(mutant: Mutant) -> Trial:
    """Make the trial of one bug; a storm stops at the first promise that breaks."""
    stops = ("--stop", "--jobs", "1") if mutant.machine is Machine.STORM else ()
    return Trial(mutant.name, mutant, mutant.machine, (*mutant.arguments, *stops))


def controls(chosen: Sequence[Mutant]) -> Iterator[Trial]:
    """Make a trial without a bug of every budget: what fails there as well says nothing about a bug."""
    budgets = dict.fromkeys((mutant.machine, mutant.arguments) for mutant in chosen)
    for number, (machine, arguments) in enumerate(budgets, 1):
        alone = ("--jobs", "1") if machine is Machine.STORM else ()
        yield Trial(f"control {number}", None, machine, (*arguments, *alone))


def _run(asked: argparse.Namespace, trials: list[Trial], argv: Sequence[str] | None) -> int:
    """Make the trials, print a line for each, and count."""
    until, began = time.monotonic() + asked.seconds, time.monotonic()
    reports = []
    with ThreadPoolExecutor(asked.jobs) as pool:
        for future in as_completed(pool.submit(attempt, trial, asked.tree, until) for trial in trials):
            report = future.result()
            if report is not None:
                reports.append(report)
                print(told(report), flush=True)
    ends = Counter(report.verdict.end for report in reports if report.trial.mutant)
    wrong = [report for report in reports if not report.right]
    figures = {
        "command": " ".join(("python -m tests.mutants", *(sys.argv[1:] if argv is None else argv))),
        "mutants": ends.total(),
        **{end.value: ends[end] for end in End},
        "controls": len(reports) - ends.total(),
        "controls_failed": sum(not report.trial.mutant for report in wrong),
        "not_begun": len(trials) - len(reports),
        "seconds": round(time.monotonic() - began, 1),
    }
    print("  ".join(f"{name} {value}" for name, value in figures.items() if name != "command"))
    if asked.json is not None:
        asked.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return 1 if wrong or not reports else 0


def attempt(trial: Trial, tree: Path, until: float) -> Report | None:
    """Make one trial in a copy of its own; None when its time is over before it begins."""
    began = time.monotonic()
    if began >= until:
        return None
    with TemporaryDirectory(prefix="mutant-") as place:
        folder = copied(tree, Path(place), trial.mutant)
        if imported_from(folder):
            verdict = judge(trial.machine, play(folder, trial.machine, trial.arguments))
        else:
            verdict = Verdict(End.CRASHED, promise="the copy cannot be imported, or is not what is imported")
    return Report(trial, verdict, time.monotonic() - began)


def told(report: Report) -> str:
    """Put a report into a line, and the command that does it again into another."""
    verdict, trial = report.verdict, report.trial
    storms = trial.machine is Machine.STORM and trial.mutant
    extent = f" of {storms.arguments[-1]}" if storms else ""
    found = (
        f"{verdict.end.value} by {verdict.by}{extent}: {verdict.promise[:90]}"
        if verdict.promise
        else "no promise broken"
    )
    line = f"{trial.name:28} {found}" if verdict.promise else f"{trial.name:28} {found} in {verdict.by}"
    return f"{line} ({report.seconds:.1f} s)\n    again with: {trial.command}"


if __name__ == "__main__":
    sys.exit(main())
