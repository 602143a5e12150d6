"""Processes for the end-to-end tests: started in an environment built from scratch, watched, always ended.

Whatever is waited for is a condition that is looked at every few milliseconds; nothing sleeps on a guess.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

T = TypeVar("T")

PROGRAM = (sys.executable, "-m", "orchestrator")
SCRIPT = Path(sys.executable).with_name("orchestrator")

_LOOK_S = 0.01
_PATIENCE_S = 30.0


def until(condition: Callable[[], T | None], what: str, limit_s: float = _PATIENCE_S) -> T:
    """Wait until a condition gives something true, and return that; fail the test after `limit_s` seconds."""
    end = time.monotonic() + limit_s
    while not (found := condition()):
        if time.monotonic() > end:
            pytest.fail(f"waited {limit_s:g} s for {what}")
        time.sleep(_LOOK_S)
    return found


def scratch_environment(home: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Make an environment that holds nothing of ours: a path, an empty home and what is given."""
    return {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        **variables,
    }


@dataclass(frozen=True, slots=True)
class Done:
    """A process that has ended: exit code (negative when a signal ended it), stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Read stdout, which must be one line of JSON and nothing else."""
        assert self.out.endswith("\n"), self
        assert self.out.count("\n") == 1, self
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        """Read stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


class Running:
    """A started process whose output goes to files, so that it never waits for a reader."""

    def __init__(self, command: Sequence[str], *, folder: Path, environ: Mapping[str, str]) -> None:
        number = len(list(folder.glob("*.out")))
        self._out, self._err = folder / f"{number}.out", folder / f"{number}.err"
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env=dict(environ),
            )

    @property
    def alive(self) -> bool:
        """Tell whether it still runs."""
        return self.process.poll() is None

    @property
    def out(self) -> str:
        """What it has written to stdout so far."""
        return self._out.read_text(encoding="utf-8")

    @property
    def err(self) -> str:
        """What it has written to stderr so far."""
        return self._err.read_text(encoding="utf-8")

    def signal(self, number: int) -> None:
        """Send it a signal; one that has ended does not mind."""
        self.process.send_signal(number)

    def wait(self, limit_s: float = _PATIENCE_S) -> Done:
        """Wait for its end; fail the test when that does not come."""
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{self.process.args!r} did not end in {limit_s:g} s; stderr:\n{self.err[-2000:]}")
        return Done(code, self.out, self.err)

    def end(self) -> None:
        """Kill it, if it still runs."""
        if self.alive:
            self.process.kill()
        self.process.wait()
