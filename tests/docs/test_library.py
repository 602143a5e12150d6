"""The example of docs/library.md is a program, and it works."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

from orchestrator.app import Orchestrator
from tests.docs.place import Place
from tests.docs.reference import DOCS
from tests.e2e.processes import Running

PAGE = (DOCS / "library.md").read_text(encoding="utf-8")
EXAMPLE, SHORT = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def test_the_example_runs(place: Place, tmp_path: Path) -> None:
    """Run as it stands, against a simulator, it shows the diff and the verdict, and ends with 0."""
    at = place.copied(tmp_path / "home")
    (at.folder / "example.py").write_text(EXAMPLE, encoding="utf-8")
    done = Running([sys.executable, "example.py"], folder=at.folder, environ=at.environ).wait()
    assert done.code == 0, done.err
    *rows, verdict = done.out.splitlines()
    assert len(rows) == 4
    assert {row.split()[-1] for row in rows} == {"skip-ready"}
    assert verdict == "ok Counts(wanted=4, ready=4, failed=0, pending=0)"
    assert done.err == ""


def test_the_short_example_runs(place: Place, tmp_path: Path) -> None:
    """With nothing but settings and a plan it does what `run` does, with the keys of the environment."""
    at = place.copied(tmp_path / "home")
    (at.folder / "short.py").write_text(SHORT, encoding="utf-8")
    done = Running([sys.executable, "short.py"], folder=at.folder, environ=at.environ).wait()
    assert (done.code, done.err) == (0, "")
    assert done.out == "ok Counts(wanted=4, ready=4, failed=0, pending=0)\n"


def test_every_method_is_there() -> None:
    """The table names methods of the class, and leaves out none that others may call."""
    named = set(re.findall(r"^\| `(\w+)\(", PAGE, re.M))
    public = {name for name in vars(Orchestrator) if not name.startswith("_")}
    assert named == public


def test_the_example_uses_no_private_name() -> None:
    """What the page shows is the open door: nothing with an underscore before it."""
    names = {node.attr for node in ast.walk(ast.parse(EXAMPLE)) if isinstance(node, ast.Attribute)}
    assert [name for name in names if name.startswith("_")] == []
