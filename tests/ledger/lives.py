"""Real ledgers of real nights: engine, schedule, simulated world and SQLite, in virtual time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf
from pathlib import Path
from random import Random

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Change, Ended, Event
from orchestrator.core.model import CallId, Copy, RunId
from orchestrator.core.schedule import Schedule
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.ledger.sqlite import Ledger
from tests.nights import Cloud, Killed, now

LIMITS = Limits(settle_s=40, poll_interval_s=10, quota_interval_s=60, max_attempts=4)


@dataclass
class Life:
    """Nights on one ledger in a folder, as `night.py` drives it."""

    folder: Path
    cloud: Cloud
    limits: Limits = LIMITS
    seed: int = 0
    endpoint: str = "localhost"
    runs: count[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self._chance = Random(self.seed)
        self._calls = count()

    def open(self) -> Ledger:
        """Open the ledger as the next writer."""
        ledger = Ledger.open(self.folder, ids=lambda: f"lifeledger{self.seed:02d}", now=now())
        ledger.take_epoch()
        return ledger

    async def night(
        self, copies: Sequence[Copy], *, deadline_s: float = inf, kill_after: int | None = None
    ) -> Schedule:
        """Run one night; with `kill_after` the process dies when it has recorded that many events."""
        run = RunId(f"run{next(self.runs)}")
        with self.open() as ledger:
            schedule = Schedule(self.limits, ledger.ledger_id)
            schedule.recover(ledger.events())
            ledger.begin_run(run, plan="plan", started_at=now(), wanted=copies)
            recorder = Recorder(ledger, run, kill_after)
            senses = Senses(clock=now, chance=self._chance.random, call_ids=self._call)
            engine = Engine(schedule, self.cloud.port(), recorder, senses)
            engine.begin(run, "plan", copies, self.endpoint)
            await engine.run(Halt(), deadline=now() + deadline_s)
            end = Ended(at=now(), run=run, verdict="ok", exit_code=0)
            ledger.record(end, run=run)
            ledger.end_run(run, finished_at=end.at, verdict="ok", exit_code=0, result_json="{}")
        return schedule

    def _call(self) -> CallId:
        return CallId(f"call{self.seed}x{next(self._calls):06d}")


@dataclass
class Recorder:
    """Writes what happens into the ledger, until the process dies."""

    ledger: Ledger
    run: RunId
    kill_after: int | None
    written: int = 0

    def __call__(self, event: Event, changes: Sequence[Change]) -> None:
        """Record one event."""
        if self.written == self.kill_after:
            raise Killed
        self.written += 1
        self.ledger.record(event, changes, run=self.run)
