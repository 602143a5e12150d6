"""The composition root: builds a run out of settings, ledger, schedule and cloud. It decides nothing.

The command line is a thin user of it, and so is a program that wants to run a plan by itself:

    async with Orchestrator(settings) as orchestrator:
        outcome = await orchestrator.run(plan)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Self

import anyio

from orchestrator.cloud.access import Access
from orchestrator.cloud.inventory import Inventory
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.diff import Diff
from orchestrator.core.model import RunId
from orchestrator.core.plan import Plan
from orchestrator.core.retention import Doom
from orchestrator.core.schedule import Schedule
from orchestrator.core.upkeep import Pruned
from orchestrator.engine.clock import Clock
from orchestrator.engine.halt import Halt
from orchestrator.errors import (
    Interrupted,
    LedgerDamaged,
    LedgerForeign,
    LedgerUnwritable,
    LockHeld,
    Overtaken,
)
from orchestrator.ledger.binding import refuse_foreign
from orchestrator.ledger.compaction import compact
from orchestrator.ledger.folder import LEDGER, prepare_folder
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.ledger.remembering import remembered
from orchestrator.ledger.snapshot import keep_snapshot, recovered
from orchestrator.ledger.sqlite import Ledger
from orchestrator.ledger.successor import overtaken
from orchestrator.machine import Machine
from orchestrator.messages.messenger import Messenger, secrets_in
from orchestrator.reach import access_for
from orchestrator.runs.night import Night, tell_unsent
from orchestrator.runs.planning import Planning
from orchestrator.runs.preparing import Preparing
from orchestrator.runs.pruning import Pruning
from orchestrator.runs.rebuilding import Rebuilding, Rebuilt
from orchestrator.runs.selecting import resolved_plan
from orchestrator.runs.wishes import Outcome, Screen, Wish
from orchestrator.settings import Settings
from orchestrator.settings.credentials import Credentials, environment_credentials
from orchestrator.settings.keyring import Keyring

__all__ = ["Machine", "Orchestrator", "Outcome", "Screen", "Wish"]


class Orchestrator:
    """Runs plans for one account on one state folder. An async context manager.

    Without `credentials` those of the environment are read, which raises CredentialsMissing and
    SettingsError. `reread` loads them again when the cloud refuses them in the middle of a run; without
    it they cannot change.
    """

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials | None = None,
        *,
        reread: Callable[[], Credentials] | None = None,
        machine: Machine | None = None,
        screen: Screen | None = None,
    ) -> None:
        self._settings = settings
        self._machine = machine or Machine()
        keys = credentials or environment_credentials(self._machine.environ, Path.home())
        self._ring = Keyring(keys, reread, besides=secrets_in(settings))
        self._confirm: Callable[[], object] = lambda: None
        self._screen = screen or Screen(quiet=True, progress=False)
        self._clock = Clock(wall=self._machine.wall, monotonic=self._machine.monotonic)
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Open the connection to the cloud."""
        self._cloud = await self._stack.enter_async_context(JdCloud(self._access()))
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close the connection."""
        await self._stack.aclose()

    async def run(self, wish: Wish | Plan, halt: Halt | None = None, *, afresh: bool = False) -> Outcome:
        """Run a plan once; `afresh` forgets the ledger first, which only a simulation may want.

        A plan alone is the wish for all of it.

        Raises OrchestratorError only for what stops the run before it has an id, PlanMoved among it.
        """
        wish = Wish(plan=wish) if isinstance(wish, Plan) else wish
        halt, messenger = halt or Halt(), self._messenger()
        try:
            return await self._run(wish, halt, messenger, afresh=afresh)
        except (LedgerDamaged, LedgerForeign, LedgerUnwritable) as error:
            await messenger.prevented(wish.plan.name, error, halt)
            tell_unsent(messenger, self._screen)
            raise

    async def _run(self, wish: Wish, halt: Halt, messenger: Messenger, *, afresh: bool) -> Outcome:
        """Run a plan once, under the lock and with the ledger open."""
        folder = prepare_folder(self._settings.state_dir)
        with (
            await self._lock(folder, wish, halt) as lock,
            self._ledger(folder, afresh=afresh) as ledger,
        ):
            ledger.take_epoch()
            self._confirm = ledger.confirm_epoch
            schedule = recovered(ledger, self._settings.limits())
            refuse_foreign(ledger.path, schedule.register.endpoint, self._settings.vm_endpoint)
            self._clock.not_before(schedule.register.now)
            prepared = await self._preparing(wish, schedule, halt).prepare()
            night = Night(
                run=lock.owner.run,
                wish=prepared.wish,
                wanted=prepared.wanted,
                settings=self._settings,
                machine=self._machine,
                screen=self._screen,
                clock=self._clock,
                ledger=ledger,
                schedule=schedule,
                cloud=self._cloud,
                secrets=self._ring.secrets,
                messenger=messenger,
                extras=prepared.extras,
            )
            try:
                outcome = await night.pass_by(halt)
            except Overtaken:
                raise overtaken(folder, night.run) from None
            if isinstance(outcome.fault, Overtaken):
                outcome = replace(outcome, fault=overtaken(folder, night.run))
            if outcome.fault is None and halt.signal is None:
                with suppress(LedgerUnwritable, Overtaken):  # the next run tries again
                    compact(ledger, nights=self._settings.ledger_nights)
                    keep_snapshot(ledger, schedule)
            return outcome

    async def diff(self, plan: Plan, halt: Halt | None = None) -> Diff:
        """Say what a run would do with each copy of a plan; the cloud and the ledger are only read.

        Raises CredentialsRefused, CloudSilent when nothing was answered, LedgerForeign, LedgerDamaged.
        """
        folder, settings = self._settings.state_dir.absolute(), self._settings
        machine, clock, cloud = self._machine, self._clock, self._cloud
        work = Planning(
            folder=folder, plan=plan, settings=settings, machine=machine, clock=clock, cloud=cloud
        )
        return await work.look(halt or Halt())

    async def prunable(self, plan: Plan) -> tuple[Doom, ...]:
        """Judge the images in the destinations of replications that keep; nothing is changed or written.

        Raises PlanError, CredentialsRefused and CloudSilent as `run` does, LedgerForeign, LedgerDamaged.
        """
        limits, endpoint = self._settings.limits(), self._settings.vm_endpoint
        schedule = remembered(self._settings.state_dir, limits, endpoint=endpoint)
        return await self._pruning(schedule or Schedule(limits)).judged(plan)

    async def prune(
        self, plan: Plan, agreed: Iterable[Doom], tell: Callable[[Pruned], object], halt: Halt | None = None
    ) -> int:
        """Delete what was agreed to and may still go, under the lock; return how much of that is left.

        Each deletion is in the ledger before `tell` hears of it. Raises Interrupted when asked to stop.
        """
        folder, wish, halt = prepare_folder(self._settings.state_dir), Wish(plan=plan), halt or Halt()
        with await self._lock(folder, wish, halt) as lock, self._ledger(folder, afresh=False) as ledger:
            ledger.take_epoch()
            self._confirm = ledger.confirm_epoch
            schedule = recovered(ledger, self._settings.limits())
            refuse_foreign(ledger.path, schedule.register.endpoint, self._settings.vm_endpoint)
            self._clock.not_before(schedule.register.now)
            run = RunId(f"prune-{lock.owner.run}")

            def record(event: Pruned) -> None:
                ledger.record(event, schedule.apply(event), run=run)
                tell(event)

            pruning = replace(self._pruning(schedule), halted=lambda: halt.requested)
            named = {(doom.held.region, doom.held.sighting.image) for doom in agreed}
            dooms = await pruning.judged(plan)
            chosen = [doom for doom in dooms if (doom.held.region, doom.held.sighting.image) in named]
            left = await pruning.delete(chosen, record)
        if left and halt.signal is not None:
            raise Interrupted(halt.signal)
        return left

    def _pruning(self, schedule: Schedule) -> Pruning:
        """Make what judges and deletes."""
        chance = self._machine.chance.random
        inventory = Inventory(self._cloud, chance)
        return Pruning(
            schedule=schedule, cloud=self._cloud, inventory=inventory, clock=self._clock, chance=chance
        )

    def _preparing(self, wish: Wish, schedule: Schedule, halt: Halt) -> Preparing:
        """Make what finds out what a run wants."""
        return Preparing(
            wish=wish,
            settings=self._settings,
            schedule=schedule,
            cloud=self._cloud,
            clock=self._clock,
            chance=self._machine.chance.random,
            look=lambda plan: self.diff(plan, halt),
            halted=lambda: halt.requested,
        )

    async def rebuild(
        self, wish: Wish, halt: Halt | None = None, *, even_if_healthy: bool = False
    ) -> Rebuilt:
        """Make a new ledger out of what the cloud shows of a plan; nothing is sent that changes anything.

        Raises UsageError for a ledger that is healthy, and whatever else stops it before it began.
        """
        folder, halt = prepare_folder(self._settings.state_dir), halt or Halt()
        with await self._lock(folder, wish, halt) as lock:
            inventory = Inventory(self._cloud, self._machine.chance.random)
            found = await resolved_plan(wish.plan, inventory, now=self._clock(), copies=frozenset())
            work = Rebuilding(
                folder=folder,
                run=lock.owner.run,
                wish=replace(wish, plan=found.resolved.plan),
                settings=self._settings,
                machine=self._machine,
                screen=self._screen,
                clock=self._clock,
                cloud=self._cloud,
                secrets=self._ring.secrets,
            )
            return await work.pass_by(halt, even_if_healthy=even_if_healthy)

    async def _lock(self, folder: Path, wish: Wish, halt: Halt) -> RunLock:
        """Take the lock, or take it over from the one run that the wish names. Raises LockHeld."""
        try:
            return await RunLock.acquire(
                folder, owner=self._owner, wait_s=wish.lock_wait_s, sleep=partial(_sleep, halt)
            )
        except LockHeld:
            if wish.overtakes is None:
                raise
        return RunLock.seize(folder, owner=self._owner(), holder=wish.overtakes)

    def _owner(self) -> LockOwner:
        """Name a run that begins now; its id sorts by time and is a file name."""
        now = self._machine.wall()
        run = RunId(f"{datetime.fromtimestamp(now, UTC):%Y%m%dt%H%M%Sz}-{self._machine.token(4)}")
        return LockOwner(run=run, pid=os.getpid(), host=self._machine.host, started_at=now)

    def _messenger(self) -> Messenger:
        """Make the messenger of one run."""
        return Messenger(
            self._settings,
            clock=self._machine.wall,
            environ=self._machine.environ,
            secrets=self._ring.secrets,
        )

    def _ledger(self, folder: Path, *, afresh: bool) -> Ledger:
        """Open the ledger; the caller holds the lock."""
        if afresh:
            for file in folder.glob(f"{LEDGER}*"):
                file.unlink()
        return Ledger.open(folder, ids=lambda: self._machine.token(12), now=self._machine.wall())

    def _access(self) -> Access:
        """Say where the cloud is and who asks; keys may be renewed, and no call leaves an overtaken run."""
        access = access_for(self._settings, self._ring.keys, self._machine)
        return replace(access, renew=self._ring.renew, before_call=lambda: self._confirm(), clock=self._clock)


async def _sleep(halt: Halt, seconds: float) -> None:
    """Wait for another run's lock, but not longer than until somebody asks to stop."""
    await anyio.sleep(seconds)
    if halt.signal is not None:
        raise Interrupted(halt.signal)
