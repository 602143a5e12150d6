"""How long the command line takes to begin, beside an empty Python: `python -m tests.bench.cost_start`."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
_TIMES = 15
_NOTHING = ("-c", "pass")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loading:
    """CPU milliseconds of a whole process, the fewest of several; `nothing` is `python -c pass`."""

    nothing_ms: float
    version_ms: float
    help_ms: float
    status_help_ms: float

    @property
    def version_ratio(self) -> float:
        """How many times as long as an empty Python `--version` takes."""
        return self.version_ms / self.nothing_ms

    def says(self) -> str:
        """Say it in a sentence."""
        return (
            f"**The command line**, CPU time of the whole process, the fewest of {_TIMES}: `--version` "
            f"{self.version_ms:.0f} ms, that is {self.version_ratio:.1f} times `python -c pass` "
            f"({self.nothing_ms:.0f} ms); `--help` {self.help_ms:.0f} ms, `status --help` "
            f"{self.status_help_ms:.0f} ms."
        )


def measure(times: int = _TIMES) -> Loading:
    """Start each of them several times in turn, so that a busy moment meets all of them."""
    commands: dict[str, Sequence[str]] = {
        "nothing_ms": _NOTHING,
        "version_ms": ("-m", "orchestrator", "--version"),
        "help_ms": ("-m", "orchestrator", "--help"),
        "status_help_ms": ("-m", "orchestrator", "status", "--help"),
    }
    spent: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(times):
        for name, arguments in commands.items():
            spent[name].append(_cpu_ms(arguments))
    return Loading(**{name: min(each) for name, each in spent.items()})


def _cpu_ms(arguments: Sequence[str]) -> float:
    """Run Python once; return its CPU time."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1e3 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


if __name__ == "__main__":
    print(json.dumps(asdict(measure())))
