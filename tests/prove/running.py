"""Runs the commands of a proof, some at a time, and collects what they say. It judges nothing."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.prove.groups import Task

ROOT = Path(__file__).parent.parent.parent
_TAIL = 60


@dataclass(frozen=True, slots=True)
class Ran:
    """How one task ended: its exit code, all it said, and its figures (empty where it wrote none)."""

    task: Task
    command: str
    code: int
    said: str
    spent_s: float
    figures: dict[str, object] = field(default_factory=dict)

    @property
    def good(self) -> bool:
        """Tell whether it kept every promise and says how much that was."""
        return self.code == 0 and bool(self.figures)

    def __str__(self) -> str:
        lines = self.said.splitlines()
        shown = "\n".join(f"    {line}" for line in lines[-_TAIL:])
        end = "" if self.good else f"\n    FAILED with exit code {self.code}"
        return f"{self.task.name} ({self.spent_s:.0f} s): {self.command}\n{shown}{end}"


def run_all(tasks: Sequence[Task], *, seconds: float | None, at_a_time: int) -> Iterator[Ran]:
    """Run tasks, so many at a time; give each as soon as it has ended."""
    with TemporaryDirectory() as folder, ThreadPoolExecutor(at_a_time) as pool:
        files = [Path(folder) / f"{number}.json" for number in range(len(tasks))]
        pairs = zip(tasks, files, strict=True)
        for future in as_completed([pool.submit(run, task, file, seconds=seconds) for task, file in pairs]):
            yield future.result()


def run(task: Task, file: Path, *, seconds: float | None = None) -> Ran:
    """Run one task to its end; its figures go through a file."""
    words, began = task.command(seconds), time.monotonic()
    ended = subprocess.run(
        [sys.executable, *words, "--json", str(file)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    figures = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    spent_s = time.monotonic() - began
    return Ran(task, " ".join(("python", *words)), ended.returncode, ended.stdout, spent_s, figures)
