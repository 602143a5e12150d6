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
from orchestrator.ledger.reader import LedgerReader
from orchestrator.ledger.sqlite import Ledger
from orchestrator.report.reading import read_story
from orchestrator.report.story import Story
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Fates
from orchestrator.watch.result import Running, result_json
from tests.nights import EAST, EAST1, SOUTH, Cloud, copies_of, image_id, now


class Keeper:
    """Runs night after night on a ledger in a file, as a run of the program would leave it."""

    def __init__(self, folder: Path, cloud: Cloud, *, plan: str = "nightly.yaml") -> None:
        self.folder, self.cloud, self.plan = folder, cloud, plan
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._nights = 0
        self._calls = 0
        self.changes: list[Change] = []

    async def night(
        self, copies: Sequence[Copy], *, deadline_s: float = inf, ends: bool = True, relay: bool = False
    ) -> Result:
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
            engine.begin(run, self.plan, copies, relay=lambda copy: relay)
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


HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(2)>",
    '=HYPERLINK("http://evil.example")',
    "\x1b[31mred\u202etxt.exe",
    "'\"--><b>",
    "@SUM(1)",
)
"""Names that would act on a page, a terminal or a spreadsheet that took them for more than words."""


def name_of(number: int) -> str:
    """Name the n-th image of a rich night: the hostile ones, and then families with builds."""
    if number < len(HOSTILE):
        return HOSTILE[number]
    family = ("golden-ubuntu", "golden-centos", "db-base", "镜像-web")[number % 4]
    return f"{family}-202611{1 + number // 4:02d}"


def rich_cloud() -> Cloud:
    """Make a cloud in which something of everything happens."""
    fates = Fates(error=frozenset({f"{image_id(7)}@{EAST}"}), vanish=frozenset({image_id(9)}))
    rules = (
        Rule(fault=Fault.RESET_AFTER, on=frozenset({"copyImages"}), nth=frozenset({3, 14})),
        Rule(fault=Fault.THROTTLE, nth=frozenset({12, 13, 30})),
    )
    cloud = Cloud(images=26, quota=33, names=name_of, fates=fates, rules=rules)
    cloud.add(26, encrypted=True)
    cloud.world.add_region(EAST1, images=14, snapshots=500)
    return cloud


async def rich_nights(folder: Path) -> tuple[Keeper, Result]:
    """Run two nights with a bit of everything, the second one relayed; return the second."""
    keeper = Keeper(folder, rich_cloud())
    await keeper.night(copies_of(8, EAST, SOUTH))
    await asyncio.sleep(86_400)
    return keeper, await keeper.night(copies_of(27, EAST, SOUTH, EAST1), relay=True)


def story_of(keeper: Keeper, view: Result | Running) -> Story:
    """Read the story of a run from the keeper's ledger."""
    reader = LedgerReader.open(keeper.folder)
    assert reader is not None
    with reader:
        return read_story(reader, view, view.started_at + 86_000)
