"""The copy of the tree in which a bug is planted, and a machine run in it. Judges nothing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests import canary
from tests.mutants.mutants import Machine, Mutant

ROOT = Path(__file__).parent.parent.parent
_PARTS = ("orchestrator", "tests/storm", "tests/walk")
_FILES = ("tests/__init__.py", "tests/canary.py")
_PROBE = (
    "import orchestrator.app, tests.storm.night as t; print(orchestrator.app.__file__, t.__file__, sep='\\n')"
)
_OURS = "PYTHON"


class Stale(Exception):
    """A row of the table does not fit the source any more; the message says which and why."""


@dataclass(frozen=True, slots=True)
class Played:
    """One run of a machine: its exit code, its figures (None when it wrote none), what it printed."""

    code: int
    figures: dict[str, object] | None
    printed: str


def planted(mutant: Mutant, root: Path) -> str:
    """Return the text of the mutant's file with the bug in it. Raises Stale unless it fits exactly once."""
    path = root / mutant.file
    found = path.read_text(encoding="utf-8").count(mutant.old) if path.is_file() else 0
    if found != 1:
        raise Stale(f"{mutant.name}: its old text stands {found} times in {mutant.file}, not once")
    return path.read_text(encoding="utf-8").replace(mutant.old, mutant.new)


def copied(root: Path, folder: Path, mutant: Mutant | None) -> Path:
    """Copy what the machines need of the tree into a folder and plant the bug, if any."""
    for part in _PARTS:
        shutil.copytree(root / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in _FILES:
        shutil.copy2(root / file, folder / file)
    canary.holds(folder / "tests" / "canary.py", "a copy of the file that the secret is written in")
    if mutant is not None:
        (folder / mutant.file).write_text(planted(mutant, root), encoding="utf-8")
    return folder


def imported_from(folder: Path) -> bool:
    """Tell whether the copy is what a machine in it would import, and not the installed program."""
    done = _python(folder, "-c", _PROBE)
    files = [Path(line).resolve() for line in done.stdout.splitlines()]
    return done.returncode == 0 and all(folder.resolve() in file.parents for file in files)


def play(folder: Path, machine: Machine, arguments: tuple[str, ...]) -> Played:
    """Run a machine in a copy of the tree."""
    target = folder / "figures.json"
    done = _python(folder, "-m", machine.value, *arguments, "--json", str(target))
    figures = json.loads(target.read_text(encoding="utf-8")) if target.exists() else None
    return Played(done.returncode, figures, done.stdout + done.stderr)


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this interpreter where nothing but the copy is in the way of an import."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    environ |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
