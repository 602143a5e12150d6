"""One night: engine, ledger, progress log and console around one run, and its books closed whatever happens.

It is handed an open ledger, a recovered schedule and a cloud; where they come from is `app`'s affair.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from signal import Signals

import anyio

from orchestrator import __version__
from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import Ended
from orchestrator.core.model import CallId, Copy, RunId
from orchestrator.core.parts import parts_of
from orchestrator.core.plan.narrowing import Narrowing
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import EXIT_INCOMPLETE, Notice, Result, Verdict, count, judge, judge_rebuild
from orchestrator.engine.clock import Clock
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.errors import OrchestratorError
from orchestrator.ledger.binding import foreign_account
from orchestrator.ledger.sqlite import Ledger
from orchestrator.machine import Machine
from orchestrator.messages.messenger import Messenger
from orchestrator.report.keeping import leave_reports
from orchestrator.runs.extras import Extras, with_notices
from orchestrator.runs.room import MakingRoom
from orchestrator.runs.wishes import Outcome, Screen, Wish
from orchestrator.settings import Settings
from orchestrator.settings.endpoints import endpoint_name
from orchestrator.watch.console import Console
from orchestrator.watch.progress_log import ProgressLog
from orchestrator.watch.result import counts_shape, result_json
from orchestrator.watch.shortages import Shortages
from orchestrator.watch.text import clean

_TICK_S = 0.5
_HEARTBEAT_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """Everything one run needs. `secrets` are the texts that nothing may show; they may become more.

    Without a `messenger` nobody outside hears of the run.
    """

    run: RunId
    wish: Wish
    wanted: tuple[Copy, ...]
    settings: Settings
    machine: Machine
    screen: Screen
    clock: Clock
    ledger: Ledger
    schedule: Schedule
    cloud: Cloud
    secrets: Sequence[str]
    rebuilds: bool = False
    extras: Extras = field(default_factory=Extras)
    messenger: Messenger | None = None

    async def pass_by(self, halt: Halt) -> Outcome:
        """Run from the first event to the last line; what stops it is in the outcome, not raised."""
        began = self.clock()
        name = self.wish.plan.name
        self.ledger.begin_run(self.run, plan=name, started_at=began, wanted=self.wanted)
        with self._log() as log, self._console() as console:
            engine = self._engine(log, console)
            self._introduce(log)
            late, fault = False, self.extras.fault
            notices: list[Notice] = []
            try:
                if fault is None:
                    late = await self._drive(engine, log, console, halt, notices)
            except* Exception as group:
                fault = fault_of(group)
            fault = fault or foreign_account(self.ledger.path, self.schedule.register)
            _tell_signal(halt, log)
            result = self._conclude(engine, began, late=late, halt=halt, fault=fault)
            result = with_notices(result, notices, self.extras.tolerances(result))
            self._enter_end(log, result)
            if self.messenger is not None:
                await self.messenger.ended(result, fault=fault, halt=halt, note=log.note)
            self._report(log, result)
            log.finished(result)
            log.prune(self.settings.log_days)
        if self.messenger is not None:
            tell_unsent(self.messenger, self.screen)
        return Outcome(result=result, log=log.path, fault=fault)

    async def _drive(
        self, engine: Engine, log: ProgressLog, console: Console, halt: Halt, notices: list[Notice]
    ) -> bool:
        """Run the engine with the heartbeat beside it; return whether the deadline came."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._heartbeat, engine, log, console)
            tasks.start_soon(_await_signal, halt, log)
            where = endpoint_name(self.settings.vm_endpoint)
            plan = self.wish.plan
            engine.begin(self.run, plan.name, self.wanted, where, rebuilds=self.rebuilds, relay=plan.relays())
            if self.messenger is not None:
                tasks.start_soon(self.messenger.begun, log.note)
            for before in self.extras.before:
                notices += await before(engine.learn)
            room = MakingRoom(self.schedule, self.extras.again)
            tasks.start_soon(room.make, engine, notices)
            now, wish = self.clock(), self.wish
            deadline, submits_until = now + wish.deadline_s, now + wish.submit_s
            late = await engine.run(
                halt, deadline=deadline, submits_until=submits_until, unfinished=room.unfinished
            )
            if self.extras.finish is not None and not halt.requested and self.schedule.stopped is None:
                notices += await self.extras.finish(engine.learn, self._fresh())
            tasks.cancel_scope.cancel()
        return late

    def _fresh(self) -> frozenset[Copy]:
        """Name the copies that this run saw become ready."""
        return frozenset(each.copy for each in self.schedule.standings() if each.reason is Reason.COPIED)

    async def _heartbeat(self, engine: Engine, log: ProgressLog, console: Console) -> None:
        """Keep the console alive; say in the log now and then that the run is, and what it has."""
        next_beat = self.clock() + _HEARTBEAT_S
        while True:
            await anyio.sleep(_TICK_S)
            now = self.clock()
            console.tick(now)
            if now >= next_beat:
                next_beat = now + _HEARTBEAT_S
                counts = counts_shape(self.schedule.counts())
                log.note("run.heartbeat", "info", counts=counts, calls=dict(engine.calls))

    def _conclude(
        self, engine: Engine, began: float, *, late: bool, halt: Halt, fault: OrchestratorError | None
    ) -> Result:
        """Judge the run from where its copies stand."""
        copies = self.schedule.standings()
        counts, settled = count(copies), self.schedule.settled()
        stopped, looked = self.schedule.stopped, self.schedule.finished(waits_for_room=False)
        if self.rebuilds:
            verdict, code = judge_rebuild(copies, looked=looked, stopped=stopped, signal=halt.signal)
        else:
            verdict, code = judge(counts, settled=settled, stopped=stopped, late=late, signal=halt.signal)
        strangers = self.schedule.strangers()
        if strangers and verdict is Verdict.OK:
            verdict, code = Verdict.PARTIAL, EXIT_INCOMPLETE
        if fault is not None:
            verdict, code = Verdict.FAILED, fault.exit_code
        return Result(
            run=self.run,
            plan=self.wish.plan.name,
            verdict=verdict,
            exit_code=code,
            started_at=began,
            finished_at=self.clock(),
            counts=counts,
            calls=dict(sorted(engine.calls.items())),
            copies=copies,
            strangers=strangers,
            narrowed=self.wish.narrowing != Narrowing(),
            parts=parts_of(self.wish.plan, copies, self.schedule.unconfirmed()),
        )

    def _enter_end(self, log: ProgressLog, result: Result) -> None:
        """Enter the end of the run into the ledger, where that can still be done."""
        run, at, verdict, code = result.run, result.finished_at, result.verdict, result.exit_code
        with suppress(OrchestratorError):
            end = Ended(at=at, run=run, verdict=verdict, exit_code=code)
            self.ledger.record(end, run=run)
            log.event(end)
            text = result_json(result)
            self.ledger.end_run(run, finished_at=at, verdict=verdict, exit_code=code, result_json=text)

    def _report(self, log: ProgressLog, result: Result) -> None:
        """Leave the report that the settings ask for; a night is not worse for the lack of one."""
        folder = self.settings.report_dir
        if folder is None or self.rebuilds:
            return
        trouble = leave_reports(folder, self.ledger, result, self.clock())
        if trouble:
            log.note("report.failed", "warning", error=trouble)

    # --- who takes part ---------------------------------------------------------------------------

    def _engine(self, log: ProgressLog, console: Console) -> Engine:
        """Make the engine; each of its events is in the ledger before anybody sees it."""
        machine, ledger, run = self.machine, self.ledger, self.run
        senses = Senses(
            clock=self.clock, chance=machine.chance.random, call_ids=lambda: CallId(machine.token(16))
        )
        return Engine(
            self.schedule,
            self.cloud,
            lambda event, changes: ledger.record(event, changes, run=run),
            senses,
            watchers=(log, Shortages(log, self.schedule.overview), console),
            confirm=ledger.confirm_epoch,
        )

    def _log(self) -> ProgressLog:
        """Open the progress log; that it cannot be written is said on the screen, once."""
        return ProgressLog.open(
            self.settings.state_dir / "logs",
            self.run,
            level=self.settings.log_level,
            clock=self.clock,
            secrets=self.secrets,
            trouble=self._tell_trouble,
        )

    def _tell_trouble(self, error: OSError) -> None:
        """Say once that the log cannot be written, if there is anybody to say it to."""
        if self.screen.stream is not None:
            print(f"The progress log cannot be written: {error}", file=self.screen.stream)

    def _introduce(self, log: ProgressLog) -> None:
        """Write the first lines of a run's log: what runs, and by which settings; no secret is among them."""
        regions = sorted({copy.destination for copy in self.wanted})
        facts = {"version": __version__, "pid": os.getpid(), "plan": self.wish.plan.name}
        log.note("run.started", "info", **facts, destinations=regions)
        log.note("run.settings", "info", settings={name: str(value) for name, value in self.settings})

    def _console(self) -> Console:
        """Make the console."""
        screen = self.screen
        return Console(
            screen.stream,
            quiet=screen.quiet,
            verbose=screen.verbose,
            progress=screen.progress,
            overview=self.schedule.overview,
            clock=self.clock,
            environ=self.machine.environ,
            secrets=self.secrets,
        )


async def _await_signal(halt: Halt, log: ProgressLog) -> None:
    """Write a signal into the log when it comes, not when the run has ended over it."""
    await halt.heard.wait()
    _tell_signal(halt, log)


def _tell_signal(halt: Halt, log: ProgressLog) -> None:
    """Write down once that a signal was heard."""
    signal = halt.news()
    if signal is not None:
        log.note("run.signal", "warning", signal=Signals(signal).name)


def tell_unsent(messenger: Messenger, screen: Screen) -> None:
    """Say on the screen what could not be sent: who relies on it would wait in vain."""
    with suppress(OSError, ValueError):  # the stream is gone
        for trouble in messenger.troubles if screen.stream else ():
            print(f"warning: {clean(trouble)}", file=screen.stream)


def fault_of(group: BaseExceptionGroup[Exception]) -> OrchestratorError:
    """Take the one fault out of a group; a bug is written to the log, with its frames."""
    inner: BaseException = group
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    if isinstance(inner, OrchestratorError):
        return inner
    logging.getLogger(__name__).error("a fault of our own", exc_info=inner)
    kind = type(inner).__name__  # its text may hold anything, a secret too; the log masks those
    return OrchestratorError(f"A fault of our own ({kind}). The progress log holds its traceback.")
