"""Prunes: reads the regions of a plan, judges their images, deletes what nobody keeps; each one is an event.

Without `apply` nothing is sent that changes anything, and nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import anyio

from orchestrator.cloud.altering import AlteringCloud
from orchestrator.cloud.inventory import Inventory
from orchestrator.cloud.persisting import persist
from orchestrator.core.holdings import holdings
from orchestrator.core.model import Copy, Region, Sighting, State
from orchestrator.core.plan import Plan
from orchestrator.core.reasons import Reason
from orchestrator.core.retention import Doom, Fate, judge
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.findings import obstacle
from orchestrator.core.schedule.heritage import copy_images, heritage
from orchestrator.core.upkeep import Pruned
from orchestrator.errors import CloudSilent
from orchestrator.runs.selecting import resolved_plan

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """Retention for one ledger and one cloud; `clock` gives epoch seconds, `chance` jitter in [0, 1).

    Where `silent` is given, destinations that give no answer are entered there and from then on left
    alone, instead of raised. No deletion begins once it is `halted`.
    """

    schedule: Schedule
    cloud: AlteringCloud
    inventory: Inventory
    clock: Callable[[], float]
    chance: Callable[[], float]
    halted: Callable[[], bool] = lambda: False
    silent: dict[Region, CloudSilent] | None = None

    async def judged(self, plan: Plan) -> tuple[Doom, ...]:
        """Judge the images of every destination that a replication with `keep` names.

        Raises PlanError for what a selector forbids, CloudSilent or CredentialsRefused where a region
        of the plan cannot be read: what is not known is not deleted.
        """
        now, register = self.clock(), self.schedule.register
        keeping = [each for each in plan.replications if each.policy.keep is not None]
        origins = dict.fromkeys(each.source for each in keeping)
        selecting = await resolved_plan(plan, self.inventory, now=now, copies=copy_images(register))
        shown = dict(selecting.listings)
        for region in (origin for origin in origins if origin not in shown):
            shown[region] = await self.inventory.images(region)
        for region in dict.fromkeys(r for each in keeping for r in each.destinations if r not in origins):
            images = await self._heard(region, self.inventory.images)
            shown |= {region: images} if images is not None else {}
        known = tuple(heritage(register))
        held = holdings(plan, selecting.resolved.plan, shown, known, register.ledger)
        return judge(held, now=now)

    async def _heard(self, region: Region, read: Callable[[Region], Awaitable[T]]) -> T | None:
        """Read a destination; None for one that gives no answer, where such are left alone."""
        if self.silent is None:
            return await read(region)
        if region in self.silent:
            return None
        try:
            return await read(region)
        except CloudSilent as error:
            self.silent[region] = error
            return None

    async def delete(self, dooms: Iterable[Doom], tell: Callable[[Pruned], None]) -> int:
        """Delete what may go, one after the other, and tell of each; return how many are still there."""
        going = [doom for doom in dooms if doom.goes]
        gone = 0
        for doom in going:
            if self.halted():
                break
            with anyio.CancelScope(shield=True):  # what was deleted is told of, whoever ends the run
                event = await self._delete(doom)
                tell(event)
            gone += event.reason is Reason.PRUNED
        return len(going) - gone

    async def _delete(self, doom: Doom) -> Pruned:
        """Delete one image with its snapshots."""
        held = doom.held
        done = await persist(partial(self.cloud.delete, held.region, held.sighting.image), self.chance)
        return Pruned(
            at=self.clock(), region=held.region, image=held.sighting.image, copy=held.copy,
            broken=doom.fate is Fate.BROKEN, reason=done.reason or Reason.PRUNED, detail=done.detail,
            request=done.request,
        )  # fmt: skip

    async def to_make_room(self, dooms: Iterable[Doom], wanted: Iterable[Copy]) -> tuple[Doom, ...]:
        """Choose of what may go no more than the copies of tonight need room for, the oldest first."""
        going = [doom for doom in dooms if doom.goes]
        short = await self._shortages(wanted, frozenset(doom.held.region for doom in going))
        chosen: list[Doom] = []
        for doom in sorted(going, key=lambda doom: (doom.fate is not Fate.BROKEN, doom.held.made)):
            lacks = short.get(doom.held.region, [])
            if any(number > 0 for number in lacks):
                chosen.append(doom)
                lacks[0] -= 1
                lacks[1] -= max(1, len(doom.held.sighting.snapshots))
        return tuple(chosen)

    async def _shortages(self, wanted: Iterable[Copy], regions: frozenset[Region]) -> dict[Region, list[int]]:
        """Tell how many images and how many snapshots the regions lack that tonight's copies need room in."""
        images: Counter[Region] = Counter()
        snapshots: Counter[Region] = Counter()
        missing = [copy for copy in self._missing(wanted) if copy.destination in regions]
        for copy, source in await self._sent(missing):
            images[copy.destination] += 1
            snapshots[copy.destination] += len(source.snapshots) or 1
        rooms = {region: await self._heard(region, self.inventory.room) for region in images}
        return {
            region: [
                images[region] - (room.images[0] - room.images[1]),
                snapshots[region] - (room.snapshots[0] - room.snapshots[1]),
            ]
            for region, room in rooms.items()
            if room is not None
        }

    def _missing(self, wanted: Iterable[Copy]) -> Iterator[Copy]:
        """Go through the copies that are neither there nor under way."""
        states, there = self.schedule.states(), (State.READY, State.COPYING, State.CALLING)
        return (copy for copy in wanted if states.get(copy) not in there)

    async def _sent(self, copies: Sequence[Copy]) -> list[tuple[Copy, Sighting]]:
        """Give the copies that can be sent, each with its source as it is shown now.

        One that the cloud would refuse, or whose source is not shown, needs no room. One whose source is
        still being made does: the run waits for it.
        """
        shown = await self.inventory.described((copy.origin, copy.source) for copy in copies)
        found = ((copy, shown.get((copy.origin, copy.source))) for copy in copies)
        return [(copy, source) for copy, source in found if source is not None and obstacle(source) is None]
