"""Looks at the cloud as a run would before its first call, and tells what that run would do; changes nothing.

The engine and the schedule are those of a run. There are no workers, so no call can be formed; the
cloud that they get would refuse one; and what is learned is written nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from orchestrator.cloud.inventory import Inventory, fault_of
from orchestrator.cloud.port import Cloud
from orchestrator.cloud.read_only import ReadOnly
from orchestrator.core.diff import Code, Diff, Row
from orchestrator.core.messages import (
    Change,
    Event,
    Unanswered,
)
from orchestrator.core.model import CallId, RunId
from orchestrator.core.plan import Plan
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.costs import effort, needs, source_looks
from orchestrator.core.schedule.heritage import copy_images, pruned
from orchestrator.core.schedule.prospects import looked, rows, standing_before
from orchestrator.engine.clock import Clock
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.errors import Interrupted
from orchestrator.ledger.binding import foreign_account
from orchestrator.ledger.folder import LEDGER
from orchestrator.ledger.lock import is_held, read_owner
from orchestrator.ledger.remembering import remembered
from orchestrator.machine import Machine
from orchestrator.runs.selecting import resolved_plan
from orchestrator.settings import Settings
from orchestrator.settings.endpoints import endpoint_name


class _UntilLooked(Halt):
    """Ends a run as soon as everything was looked at, or when somebody asks the outer halt to stop."""

    def __init__(self, outer: Halt, schedule: Schedule) -> None:
        super().__init__()
        self._outer, self._schedule = outer, schedule
        outer.listener = lambda: self.listener()

    @property
    def requested(self) -> bool:
        """Tell whether it is time to stop."""
        return self._outer.requested or looked(self._schedule.register)


@dataclass(slots=True)
class _Silence:
    """Remembers the last read that got no answer."""

    last: Unanswered | None = None

    def event(self, event: Event, changes: Sequence[Change]) -> None:
        """Take note of it."""
        if isinstance(event, Unanswered):
            self.last = event


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """Everything that a look needs; `cloud` is never asked to change anything."""

    folder: Path
    plan: Plan
    settings: Settings
    machine: Machine
    clock: Clock
    cloud: Cloud
    silence: _Silence = field(default_factory=_Silence)

    async def look(self, halt: Halt) -> Diff:
        """Read what a run would read before its first call; say what it would do.

        Raises CredentialsRefused, CloudSilent when nothing at all was answered, LedgerForeign, LedgerDamaged,
        Interrupted.
        """
        schedule = self._recovered()
        register = schedule.register
        self.clock.not_before(schedule.register.now)
        before, running = standing_before(schedule.register), self._running()
        engine = self._engine(schedule)
        inventory = Inventory(self.cloud, self.machine.chance.random)
        known = copy_images(schedule.register)
        selecting = await resolved_plan(self.plan, inventory, now=self.clock(), copies=known)
        where, plan = endpoint_name(self.settings.vm_endpoint), selecting.resolved.plan
        gone = pruned(register)
        wanted = tuple(copy for copy in plan.copies() if copy not in gone)
        engine.begin(RunId("look"), plan.name, wanted, where, relay=plan.relays())
        await engine.run(_UntilLooked(halt, schedule))
        if halt.signal is not None:
            raise Interrupted(halt.signal)
        self._refuse_blindness(schedule)
        kept = frozenset(plan.copies()) & gone
        found = (*rows(register, wanted, before), *(Row(copy, Code.SKIP_PRUNED) for copy in sorted(kept)))
        return Diff(
            plan=plan.name,
            digest=plan.digest,
            looked_at=self.clock(),
            rows=found,
            sources=source_looks(schedule.register),
            needs=needs(schedule.register),
            effort=effort(schedule.register, found),
            reads=dict(sorted(engine.calls.items())),
            running=running,
        )

    @property
    def _ledger(self) -> Path:
        return self.folder / LEDGER

    def _recovered(self) -> Schedule:
        """Bring the schedule back from a ledger that is only read; without workers it forms no call."""
        limits, endpoint = replace(self.settings.limits(), workers=0), self.settings.vm_endpoint
        return remembered(self.folder, limits, endpoint=endpoint) or Schedule(limits)

    def _running(self) -> RunId | None:
        """Name the run that goes on meanwhile, if one does."""
        owner = read_owner(self.folder) if self.folder.is_dir() and is_held(self.folder) else None
        return owner.run if owner else None

    def _engine(self, schedule: Schedule) -> Engine:
        """Make the engine; nothing that it learns is recorded."""
        ids: Callable[[], CallId] = lambda: CallId("none")  # noqa: E731  no call is ever made
        senses = Senses(clock=self.clock, chance=self.machine.chance.random, call_ids=ids)
        cloud = ReadOnly(self.cloud)
        return Engine(schedule, cloud, lambda event, changes: None, senses, watchers=(self.silence,))

    def _refuse_blindness(self, schedule: Schedule) -> None:
        """Raise the error of a look that saw nothing, or another account's images."""
        foreign = foreign_account(self._ledger, schedule.register)
        if foreign is not None:
            raise foreign
        last, stop = self.silence.last, schedule.register.stop
        if last is not None and (stop is not None or not schedule.register.proved):
            raise fault_of(last)
