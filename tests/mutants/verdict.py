"""What a machine's figures say of a planted bug: a broken promise counts, a mere crash does not."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from tests.mutants.mutants import Machine
from tests.mutants.tree import Played

_RAISED = re.compile(r"\b\w+(Error|Exception|IllegalStep)\(|^\w*(Error|Exception|IllegalStep): ")
"""An exception told as what ended a life (`I3: life-0 ended with KeyError(...)`) or a walk."""


class End(Enum):
    """What came of a planted bug."""

    CAUGHT = "caught"
    SURVIVED = "survived"
    CRASHED = "crashed"  # it raised where no promise was broken: not a bug that counts


@dataclass(frozen=True, slots=True)
class Verdict:
    """Who noticed what: `by` is a storm's seed or a walk's states, `promise` what was broken."""

    end: End
    by: str = ""
    promise: str = ""


def judge(machine: Machine, played: Played) -> Verdict:
    """Read what a machine found. Without figures it did not get as far as to judge anything."""
    figures = played.figures
    if figures is None or played.code not in (0, 1):
        last = played.printed.strip().rpartition("\n")[2]
        return Verdict(End.CRASHED, promise=f"exit {played.code}: {last[:120]}")
    by, broken = _of_storm(figures) if machine is Machine.STORM else _of_walk(figures)
    if not broken:
        return Verdict(End.SURVIVED, by)
    promises = [line for line in broken if not _RAISED.search(line)]
    return Verdict(End.CAUGHT, by, promises[0]) if promises else Verdict(End.CRASHED, by, broken[0])


def _of_storm(figures: dict[str, object]) -> tuple[str, list[str]]:
    """Return the first seed that failed and what it broke."""
    failures = figures["failures"]
    if isinstance(failures, list) and failures:
        return f"storm seed {failures[0]['seed']}", list(failures[0]["broken"])
    return f"{figures['nights']} storms", []


def _of_walk(figures: dict[str, object]) -> tuple[str, list[str]]:
    """Return how far the walk came and what it found broken."""
    broken = str(figures["broken"])
    return f"walk after {figures['states']} states", [broken] if broken else []
