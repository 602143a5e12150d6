"""The composition root: builds a run out of settings, ledger, cloud, engine and watchers. It decides nothing.

The only module that knows everybody. The command line is a thin user of it, and so is a program
that wants to run a plan by itself:

    async with Orchestrator(settings, credentials) as orchestrator:
        outcome = await orchestrator.run(Wish(plan=plan))
"""

from __future__ import annotations

import logging
import os
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from pathlib import Path
from signal import Signals
from typing import Self, TextIO

import anyio

from orchestrator import __version__
from orchestrator.cloud.access import Access
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import Ended
from orchestrator.core.model import CallId, Copy, RunId
from orchestrator.core.plan import Plan
from orchestrator.core.plan.narrowing import Narrowing, narrow
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Result, Verdict, count, judge
from orchestrator.engine.clock import Clock
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.errors import OrchestratorError
from orchestrator.ledger.folder import LEDGER, prepare_folder
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.ledger.sqlite import Ledger
from orchestrator.machine import Machine
from orchestrator.settings import Settings
from orchestrator.settings.credentials import Credentials, secrets_of
from orchestrator.watch.console import Console
from orchestrator.watch.progress_log import ProgressLog
from orchestrator.watch.result import counts_shape, result_json

_TICK_S = 0.5
_HEARTBEAT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """How much a run shows, and where."""

    stream: TextIO = field(default_factory=lambda: sys.stderr)
    quiet: bool = False
    verbose: bool = False
    progress: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What one run is asked for: a plan, perhaps less than all of it, and by when.

    `deadline_s` is in seconds from the start of the run, `lock_wait_s` how long to wait for
    another run to end.
    """

    plan: Plan
    narrowing: Narrowing = field(default_factory=Narrowing)
    deadline_s: float = inf
    lock_wait_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run came to; `fault` is what stopped it, if something did that a person must mend."""

    result: Result
    log: Path
    fault: OrchestratorError | None = None


class Orchestrator:
    """Runs plans for one account on one state folder. An async context manager."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        *,
        machine: Machine | None = None,
        screen: Screen | None = None,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._machine = machine or Machine()
        self._screen = screen or Screen(quiet=True, progress=False)
        self._clock = Clock(wall=self._machine.wall, monotonic=self._machine.monotonic)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the connection to the cloud."""
        self._cloud: Cloud = await self._stack.enter_async_context(JdCloud(self._access()))
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close the connection."""
        await self._stack.aclose()

    def _access(self) -> Access:
        """Say where the cloud is and who asks."""
        settings = self._settings
        return Access(
            vm_endpoint=settings.vm_endpoint,
            disk_endpoint=settings.disk_endpoint,
            keys=self._credentials,
            clock=self._clock,
            wall=self._machine.wall,
            nonce=lambda: self._machine.token(32),
            request_timeout_s=settings.request_timeout,
            proxy=settings.proxy.reveal() if settings.proxy else None,
            ca_file=settings.ca_file,
        )

    async def run(self, wish: Wish, halt: Halt | None = None, *, afresh: bool = False) -> Outcome:
        """Run a plan once; `afresh` forgets the ledger first, which only a simulation may want.

        Raises OrchestratorError only for what stops the run before it has an id.
        """
        machine, folder = self._machine, prepare_folder(self._settings.state_dir)
        started_at = machine.wall()
        run = RunId(f"{datetime.fromtimestamp(started_at, UTC):%Y%m%dt%H%M%Sz}-{machine.token(4)}")
        owner = LockOwner(run=run, pid=os.getpid(), host=machine.host, started_at=started_at)
        with (
            await RunLock.acquire(folder, owner=owner, wait_s=wish.lock_wait_s),
            self._ledger(folder, started_at, afresh=afresh) as ledger,
        ):
            ledger.take_epoch()
            schedule = Schedule(self._settings.limits(), ledger.ledger_id)
            schedule.recover(ledger.events())
            self._clock.not_before(schedule.register.now)
            wanted = narrow(wish.plan.copies(), wish.narrowing, schedule.states())
            ledger.begin_run(run, plan=wish.plan.name, started_at=self._clock(), wanted=wanted)
            return await self._night(run, wish, schedule, ledger, wanted, halt or Halt())

    async def _night(
        self, run: RunId, wish: Wish, schedule: Schedule, ledger: Ledger,
        wanted: tuple[Copy, ...], halt: Halt,
    ) -> Outcome:  # fmt: skip
        """Run with everybody watching; close the books whatever happened."""
        began = self._clock()
        with self._log(run) as log, self._console(schedule) as console:
            engine = Engine(
                schedule,
                self._cloud,
                lambda event, changes: ledger.record(event, changes, run=run),
                self._senses(),
                watchers=(log, console),
            )
            self._open_log(log, wish, wanted)
            late, fault = False, None
            try:
                late = await self._drive(engine, run, wish, wanted, log, console, halt)
            except* Exception as group:
                fault = _fault(group)
            result = _conclude(engine, run, wish, began, self._clock(), late=late, halt=halt, fault=fault)
            self._close_books(ledger, log, result)
        return Outcome(result=result, log=log.path, fault=fault)

    async def _drive(
        self, engine: Engine, run: RunId, wish: Wish, wanted: tuple[Copy, ...],
        log: ProgressLog, console: Console, halt: Halt,
    ) -> bool:  # fmt: skip
        """Run the engine with the heartbeat beside it; return whether the deadline came."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._heartbeat, engine, log, console, halt)
            engine.begin(run, wish.plan.name, wanted)
            late = await engine.run(halt, deadline=self._clock() + wish.deadline_s)
            tasks.cancel_scope.cancel()
        return late

    async def _heartbeat(self, engine: Engine, log: ProgressLog, console: Console, halt: Halt) -> None:
        """Keep the console alive; say in the log now and then that the run is, and what it has."""
        next_beat, told = self._clock() + _HEARTBEAT_S, False
        while True:
            await anyio.sleep(_TICK_S)
            now = self._clock()
            console.tick(now)
            if now >= next_beat:
                next_beat = now + _HEARTBEAT_S
                counts = counts_shape(count(engine.schedule.standings()))
                log.note("run.heartbeat", "info", counts=counts, calls=dict(engine.calls))
            if halt.signal is not None and not told:
                told = True
                log.note("run.signal", "warning", signal=Signals(halt.signal).name)

    def _close_books(self, ledger: Ledger, log: ProgressLog, result: Result) -> None:
        """Write the end of the run wherever it can still be written."""
        with suppress(OrchestratorError):
            end = Ended(
                at=result.finished_at, run=result.run, verdict=result.verdict, exit_code=result.exit_code
            )
            ledger.record(end, run=result.run)
            ledger.end_run(
                result.run,
                finished_at=result.finished_at,
                verdict=result.verdict,
                exit_code=result.exit_code,
                result_json=result_json(result),
            )
        log.finished(result)
        log.prune(self._settings.log_days)

    def _ledger(self, folder: Path, now: float, *, afresh: bool) -> Ledger:
        """Open the ledger; the caller holds the lock."""
        if afresh:
            for file in folder.glob(f"{LEDGER}*"):
                file.unlink()
        return Ledger.open(folder, ids=lambda: self._machine.token(12), now=now)

    # --- who takes part ---------------------------------------------------------------------------

    def _senses(self) -> Senses:
        """Lend the engine clock, chance and ids."""
        machine = self._machine
        return Senses(
            clock=self._clock, chance=machine.chance.random, call_ids=lambda: CallId(machine.token(16))
        )

    def _log(self, run: RunId) -> ProgressLog:
        """Open the progress log."""
        return ProgressLog.open(
            self._settings.state_dir / "logs",
            run,
            level=self._settings.log_level,
            clock=self._clock,
            secrets=secrets_of(self._credentials),
            trouble=lambda error: print(
                f"The progress log cannot be written: {error}", file=self._screen.stream
            ),
        )

    def _console(self, schedule: Schedule) -> Console:
        """Make the console."""
        screen = self._screen
        return Console(
            screen.stream,
            quiet=screen.quiet,
            verbose=screen.verbose,
            progress=screen.progress,
            overview=schedule.overview,
            clock=self._clock,
            environ=self._machine.environ,
            secrets=secrets_of(self._credentials),
        )

    def _open_log(self, log: ProgressLog, wish: Wish, wanted: tuple[Copy, ...]) -> None:
        """Write the first lines of a run's log: what runs, and by which settings; no secret is among them."""
        regions = sorted({copy.destination for copy in wanted})
        facts = {"version": __version__, "pid": os.getpid(), "plan": wish.plan.name, "destinations": regions}
        log.note("run.started", "info", **facts)
        log.note("run.settings", "info", settings={name: str(value) for name, value in self._settings})


def _fault(group: BaseExceptionGroup[Exception]) -> OrchestratorError:
    """Take the one fault out of a group; a bug is written to the log, with its frames."""
    inner: BaseException = group
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    if isinstance(inner, OrchestratorError):
        return inner
    logging.getLogger(__name__).error("a fault of our own", exc_info=inner)
    return OrchestratorError(f"A fault of our own ({inner!r}). The progress log holds its traceback.")


def _conclude(
    engine: Engine, run: RunId, wish: Wish, began: float, ended: float, *,
    late: bool, halt: Halt, fault: OrchestratorError | None,
) -> Result:  # fmt: skip
    """Judge the run from where its copies stand."""
    schedule = engine.schedule
    copies = schedule.standings()
    counts = count(copies)
    verdict, code = judge(
        counts, settled=schedule.settled(), stopped=schedule.stopped, late=late, signal=halt.signal
    )
    if fault is not None:
        verdict, code = Verdict.FAILED, fault.exit_code
    return Result(
        run=run, plan=wish.plan.name, verdict=verdict, exit_code=code, started_at=began,
        finished_at=ended, counts=counts, calls=dict(sorted(engine.calls.items())), copies=copies,
    )  # fmt: skip
