"""What one run is asked for, how much it shows, and what it came to. Data."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import TextIO

from orchestrator.core.plan import Plan
from orchestrator.core.plan.narrowing import Narrowing
from orchestrator.core.saved import SavedPlan
from orchestrator.core.verdict import Result
from orchestrator.errors import OrchestratorError
from orchestrator.ledger.lock import LockOwner


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """How much a run shows, and where; None is a stream that is closed."""

    stream: TextIO | None = field(default_factory=lambda: sys.stderr)
    quiet: bool = False
    verbose: bool = False
    progress: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one run is asked for: a plan, perhaps less than all of it, and by when.

    `deadline_s` and `submit_s` are in seconds from the start of the run: when it ends, and until when
    calls are sent. `lock_wait_s` is how long to wait for another run to end; `overtakes` is the run that
    may be overtaken if it still holds the lock then: somebody was asked about this one and no other.
    `saved` is the look that the run is held to; with `prune_first` room is made where a quota is short,
    by the plan's own rules (`keep`).
    """

    plan: Plan
    narrowing: Narrowing = field(default_factory=Narrowing)
    deadline_s: float = inf
    submit_s: float = inf
    lock_wait_s: float = 0.0
    overtakes: LockOwner | None = None
    prune_first: bool = False
    saved: SavedPlan | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to; `fault` is what stopped it, if something did that a person must mend."""

    result: Result
    log: Path
    fault: OrchestratorError | None = None
