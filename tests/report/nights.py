"""Nights to report on: in virtual time, on a ledger in a file. No test is here."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from math import inf
from pathlib import Path
from random import Random

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Change, Ended, Event
from orchestrator.core.model import CallId, Copy, RunId
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Result, count, judge
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.ledger.sqlite import Ledger
from orchestrator.watch.result import result_json
from tests.nights import Cloud, now


class Keeper:
    """Runs night after night on a ledger in a file, as a run of the program would leave it."""

    def __init__(self, folder: Path, cloud: Cloud, *, plan: str = "nightly.yaml") -> None:
        self.folder, self.cloud, self.plan = folder, cloud, plan
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._nights = 0
        self._calls = 0
        self.changes: list[Change] = []

    async def night(self, copies: Sequence[Copy], *, deadline_s: float = inf, ends: bool = True) -> Result:
        """Run one night; without `ends` it is killed at its end, before its books are closed."""
        self._nights += 1
        run, began = RunId(f"run{self._nights}"), now()
        self.changes = []
        with Ledger.open(self.folder, ids=lambda: "testledger01", now=began) as ledger:
            ledger.take_epoch()
            schedule = Schedule(Limits(), ledger.ledger_id)
            schedule.recover(ledger.events())
            ledger.begin_run(run, plan=self.plan, started_at=began, wanted=copies)

            def record(event: Event, changes: Sequence[Change]) -> None:
                ledger.record(event, changes, run=run)
                self.changes.extend(changes)

            chance = Random(self._nights)
            senses = Senses(clock=now, chance=chance.random, call_ids=self._call_id)
            engine = Engine(schedule, self.cloud.port(), record, senses)
            engine.begin(run, self.plan, copies)
            late = await engine.run(Halt(), deadline=began + deadline_s)
            result = self._result(run, schedule, began, engine, late=late)
            if ends:
                end = Ended(
                    at=result.finished_at, run=run, verdict=result.verdict, exit_code=result.exit_code
                )
                ledger.record(end, run=run)
                ledger.end_run(
                    run, finished_at=result.finished_at, verdict=result.verdict,
                    exit_code=result.exit_code, result_json=result_json(result),
                )  # fmt: skip
            return result

    def _result(self, run: RunId, schedule: Schedule, began: float, engine: Engine, *, late: bool) -> Result:
        copies = schedule.standings()
        counts = count(copies)
        verdict, code = judge(
            counts, settled=schedule.settled(), stopped=schedule.stopped, late=late, signal=None
        )
        return Result(
            run=run, plan=self.plan, verdict=verdict, exit_code=code, started_at=began, finished_at=now(),
            counts=counts, calls=dict(sorted(engine.calls.items())), copies=copies,
            strangers=schedule.strangers(),
        )  # fmt: skip

    def _call_id(self) -> CallId:
        self._calls += 1
        return CallId(f"call{self._calls:08d}")


async def pause(seconds: float) -> None:
    """Let (virtual) time pass between two nights."""
    await asyncio.sleep(seconds)
