"""What the figures describe, line by line, so that a test can tell how far the code has moved since.

No git is needed: a clone may have no history. Comments, docstrings and blank lines do not count.
"""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

PARTS: dict[str, tuple[str, ...]] = {
    "the program": (
        "orchestrator/core", "orchestrator/engine", "orchestrator/cloud", "orchestrator/ledger",
        "orchestrator/runs", "orchestrator/app.py",
    ),
    "the machines": (
        "orchestrator/simulator", "tests/storm", "tests/walk", "tests/mutants", "tests/torture", "tests/fuzz",
        "tests/recovery",
    ),
}  # fmt: skip
MARGIN = 0.03
"""The share of a part's lines that may change before its figures count as another program's."""

_WIDTH = 4

Fingerprint = dict[str, str]
"""For each file its lines, four hexadecimal digits each, sorted."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How many lines of a part are new or gone, of how many, and in which files."""

    part: str
    changed: int
    lines: int
    files: tuple[str, ...]

    @property
    def too_far(self) -> bool:
        """Tell whether the figures describe something else by now."""
        return self.changed > MARGIN * self.lines

    def __str__(self) -> str:
        where = ", ".join(self.files[:8]) + (" ..." if len(self.files) > 8 else "")
        return f"{self.part}: {self.changed} of {self.lines} lines changed ({where or 'nowhere'})"


def take(root: Path) -> Fingerprint:
    """Take the fingerprint of a tree."""
    places = [root / place for part in PARTS.values() for place in part]
    files = sorted(file for place in places for file in _code_below(place))
    return {file.relative_to(root).as_posix(): _lines_of(file) for file in files}


def digest(fingerprint: Fingerprint) -> str:
    """Sum a fingerprint up in one number."""
    return sha256(json.dumps(fingerprint, sort_keys=True).encode()).hexdigest()


def drifts(then: Fingerprint, now: Fingerprint) -> list[Drift]:
    """Compare two fingerprints, part by part; lines that only moved to another file did not change."""
    return [_drift(part, _part(then, places), _part(now, places)) for part, places in PARTS.items()]


def code_lines(text: str) -> Iterator[str]:
    """Give the lines that are code, without their indentation."""
    silent = {line for node in ast.walk(ast.parse(text)) for line in _docstring(node)}
    for number, line in enumerate(text.splitlines(), 1):
        bare = line.strip()
        if bare and not bare.startswith("#") and number not in silent:
            yield bare


def _drift(part: str, then: Fingerprint, now: Fingerprint) -> Drift:
    """Compare one part."""
    before, after = _count(then), _count(now)
    changed = max((before - after).total(), (after - before).total())
    files = tuple(sorted(file for file in then.keys() | now.keys() if then.get(file) != now.get(file)))
    return Drift(part, changed, before.total(), files)


def _part(fingerprint: Mapping[str, str], places: tuple[str, ...]) -> Fingerprint:
    """Choose the files of one part."""
    return {file: lines for file, lines in fingerprint.items() if file.startswith(places)}


def _count(fingerprint: Fingerprint) -> Counter[str]:
    """Count the lines of all files together."""
    return Counter(
        lines[at : at + _WIDTH] for lines in fingerprint.values() for at in range(0, len(lines), _WIDTH)
    )


def _code_below(place: Path) -> Iterator[Path]:
    """Find the code of a file or folder; the tests of a machine are not the machine."""
    found = [place] if place.is_file() else place.rglob("*")
    return (file for file in found if file.suffix in (".py", ".sql") and not file.name.startswith("test_"))


def _lines_of(file: Path) -> str:
    """Write a file's lines as digits."""
    text = file.read_text(encoding="utf-8")
    lines = code_lines(text) if file.suffix == ".py" else text.split("\n")
    return "".join(sorted(sha256(line.encode()).hexdigest()[:_WIDTH] for line in lines))


def _docstring(node: ast.AST) -> range:
    """Give the lines of a statement that is only a text."""
    if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
        return range(0)
    if not isinstance(node.value.value, str):
        return range(0)
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
