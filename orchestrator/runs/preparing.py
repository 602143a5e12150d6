"""What a run needs to know before it begins: the copies it wants, and what surrounds their copying.

Reads only, apart from the room that `--prune-first` makes once the run has begun.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from orchestrator.cloud.inventory import Inventory
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.diff import Diff
from orchestrator.core.model import Copy, Region
from orchestrator.core.plan import Plan
from orchestrator.core.plan.narrowing import narrow
from orchestrator.core.saved import held_to, refuse_other_plan
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.heritage import copy_images, heritage, pruned
from orchestrator.core.tolerance import best_effort, nights_missed
from orchestrator.core.upkeep import Labelled, Selected, Verified
from orchestrator.core.verdict import Notice, Result
from orchestrator.errors import CloudSilent, CredentialsRefused, PlanError
from orchestrator.ledger.reader import LedgerReader
from orchestrator.runs.extras import Again, Before, Extras, Finish, Learn
from orchestrator.runs.finishing import Finishing, outcome
from orchestrator.runs.pruning import Pruning
from orchestrator.runs.selecting import Selecting, resolved_plan
from orchestrator.runs.wishes import Wish
from orchestrator.settings import Settings
from orchestrator.settings.endpoints import endpoint_name
from orchestrator.watch.history import earlier_results
from orchestrator.watch.text import some, well_formed

_NIGHTS_READ = 60
"""Runs whose results are read at most to count the nights that a destination has missed."""

_UNREAD = (PlanError, CloudSilent, CredentialsRefused)
"""What the cloud or the plan may be at fault for; all else, such as a ledger that is gone, stops the run."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A wish whose plan names every image, the copies that are wanted, and the rest."""

    wish: Wish
    wanted: tuple[Copy, ...]
    extras: Extras


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing:
    """Prepares one run. `look` says what a run would do, for one that is held to a saved look.

    `halted` tells that somebody asked to stop.
    """

    wish: Wish
    settings: Settings
    schedule: Schedule
    cloud: JdCloud
    clock: Callable[[], float]
    chance: Callable[[], float]
    look: Callable[[Plan], Awaitable[Diff]]
    halted: Callable[[], bool]

    async def prepare(self) -> Prepared:
        """Resolve the plan and choose the copies; what forbids the run to begin is in the extras.

        Raises PlanMoved and UsageError for what the command line asks and cannot have.
        """
        try:
            selecting = await self._selecting()
        except _UNREAD as error:
            return Prepared(_without_selectors(self.wish), (), Extras(fault=error))
        wish = replace(self.wish, plan=selecting.resolved.plan)
        wanted = await self._wanted(wish)
        before = [_telling(selecting)] if selecting.events else []
        making_room = self._making_room(wanted) if wish.prune_first else None
        if making_room is not None:
            everywhere = frozenset(copy.destination for copy in wanted)
            before.append(lambda learn: making_room(learn, everywhere))
        efforts = best_effort(wish.plan)
        regions = {copy.destination for copy in efforts}
        results = self._earlier() if regions else ()
        now, name = self.clock(), well_formed(wish.plan.name)
        missed = {region: nights_missed(results, name, region, now) for region in regions}
        extras = Extras(
            before=tuple(before), again=making_room, efforts=efforts, missed=missed,
            finish=self._finish(wish.plan),
        )  # fmt: skip
        return Prepared(wish, wanted, extras)

    async def _selecting(self) -> Selecting:
        """Resolve the plan's selectors."""
        copies = copy_images(self.schedule.register)
        return await resolved_plan(self.wish.plan, self._inventory(), now=self.clock(), copies=copies)

    async def _wanted(self, wish: Wish) -> tuple[Copy, ...]:
        """Name the copies that the run wants; a pruned one only when it is asked for by name."""
        if wish.saved is not None:
            refuse_other_plan(wish.saved, wish.plan, endpoint_name(self.settings.vm_endpoint))
            return held_to(wish.saved, await self.look(wish.plan))
        left = narrow(wish.plan.copies(), wish.narrowing, self.schedule.states())
        gone = pruned(self.schedule.register)
        return tuple(c for c in left if c not in gone or c.source in wish.narrowing.images)

    def _making_room(self, wanted: tuple[Copy, ...]) -> Again:
        """Delete what the plan does not keep, as far as tonight's copies need the room."""
        silent: dict[Region, CloudSilent] = {}
        pruning = Pruning(
            schedule=self.schedule, cloud=self.cloud, inventory=self._inventory(), clock=self.clock,
            chance=self.chance, halted=self.halted, silent=silent,
        )  # fmt: skip

        async def make_room(learn: Learn, regions: frozenset[Region]) -> Sequence[Notice]:
            there = [copy for copy in wanted if copy.destination in regions]
            try:
                dooms = await pruning.to_make_room(await pruning.judged(self.wish.plan), there)
                failed = await pruning.delete(dooms, learn)
            except _UNREAD as error:
                return [Notice("prune", str(error))]
            told = [f"{some(failed, 'old copy', 'old copies')} could not be deleted"] if failed else []
            return [Notice("prune", said) for said in (*map(str, silent.values()), *told)]

        return make_room

    def _finish(self, plan: Plan) -> Finish | None:
        """Give what follows the copying, where the plan asks for something."""
        policies = [each.policy for each in plan.replications]
        if not any(policy.label or policy.verify for policy in policies):
            return None

        async def finish(learn: Learn, fresh: frozenset[Copy]) -> Sequence[Notice]:
            done: list[Labelled | Verified] = []

            def tell(event: Labelled | Verified) -> None:
                done.append(event)
                learn(event)

            register = self.schedule.register
            finishing = Finishing(
                ledger=register.ledger, cloud=self.cloud, inventory=self._inventory(), clock=self.clock,
                chance=self.chance, tell=tell,
            )  # fmt: skip
            try:
                await finishing.finish(plan, tuple(heritage(register)), fresh)
            except _UNREAD as error:
                return [*_notices(done), Notice("label", str(error))]
            return _notices(done)

        return finish

    def _earlier(self) -> tuple[Result, ...]:
        """Read the results of earlier runs of the plan, the newest first."""
        reader = LedgerReader.open(self.settings.state_dir)
        if reader is None:
            return ()
        with reader:
            return tuple(earlier_results(reader, self.wish.plan.name, _NIGHTS_READ))

    def _inventory(self) -> Inventory:
        return Inventory(self.cloud, self.chance)


def _telling(selecting: Selecting) -> Before:
    """Record what the selectors matched, and warn of those that matched nothing."""

    async def tell(learn: Callable[[Selected], None]) -> Sequence[Notice]:
        for event in selecting.events:
            learn(event)
        return [Notice("selection", warning) for warning in selecting.resolved.warnings()]

    return tell


def _notices(events: Sequence[Labelled | Verified]) -> list[Notice]:
    """Say what is not as the plan wants it."""
    return [
        Notice(kind, f"{image} in {copy.destination}, the copy of {copy.source}, {says}")
        for kind, copy, image, says in outcome(events)
    ]


def _without_selectors(wish: Wish) -> Wish:
    """Leave out of a plan what could not be resolved: nothing is wanted of it."""
    replications = tuple(replace(each, selectors=()) for each in wish.plan.replications)
    return replace(wish, plan=replace(wish.plan, replications=replications))
