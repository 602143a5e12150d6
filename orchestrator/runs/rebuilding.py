"""Makes a new ledger out of what the cloud shows, when the old one is lost. It only looks, and calls nothing.

The new one is made beside the old one and takes its place when it is whole; until then, and
whenever something stops it, everything is as it was.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from orchestrator.cloud.port import Cloud
from orchestrator.cloud.read_only import ReadOnly
from orchestrator.core.marks import read_mark
from orchestrator.core.messages import (
    List,
    Listed,
    Unanswered,
)
from orchestrator.core.model import CallId, ImageId, RunId
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Verdict
from orchestrator.engine.clock import Clock
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.errors import UsageError
from orchestrator.ledger.replacing import (
    Earlier,
    close_workshop,
    earlier_ledger,
    empty_workshop,
    put_in_place,
)
from orchestrator.ledger.schema import is_ledger_id
from orchestrator.ledger.sqlite import Ledger
from orchestrator.machine import Machine
from orchestrator.runs.night import Night
from orchestrator.runs.wishes import Outcome, Screen, Wish
from orchestrator.settings import Settings

_IN_PLACE = (Verdict.OK, Verdict.PARTIAL)
_HEALTHY = (
    "The ledger in {folder} is healthy and knows more than the cloud shows, so it was left as it is. "
    "Give --even-if-healthy to put a new one in its place; the old one is kept beside it."
)

Marks = Mapping[str, Mapping[ImageId, frozenset[ImageId]]]
"""By the ledger that a mark names: the images that carry it, and the sources that it names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild came to.

    `inherited` tells that the new ledger goes on under an id that marks in the cloud carry;
    `marked` counts the images by the ledger whose mark they carry; `kept` is where the old ledger
    lies now; `in_place` tells whether the new one took its place.
    """

    outcome: Outcome
    ledger_id: str
    inherited: bool
    marked: Mapping[str, int]
    kept: Path | None
    in_place: bool


@dataclass(slots=True)
class Onlooker(ReadOnly):
    """A cloud that is only looked at, and that remembers whose marks its listings showed."""

    marks: dict[str, dict[ImageId, frozenset[ImageId]]] = field(default_factory=lambda: defaultdict(dict))

    async def list(self, action: List) -> Listed | Unanswered:
        """Fetch one page, and note the marks on it."""
        answer = await self.cloud.list(action)
        for sighting in answer.images if isinstance(answer, Listed) else ():
            mark = read_mark(sighting.text)
            if mark is not None and is_ledger_id(mark.ledger):
                self.marks[mark.ledger][sighting.image] = frozenset(mark.sources)
        return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilding:
    """Everything that a rebuild needs; the fields are those of `Night`. The caller holds the run lock."""

    folder: Path
    run: RunId
    wish: Wish
    settings: Settings
    machine: Machine
    screen: Screen
    clock: Clock
    cloud: Cloud
    secrets: Sequence[str]

    async def pass_by(self, halt: Halt, *, even_if_healthy: bool) -> Rebuilt:
        """Look twice: whose marks are there, then what is there, now under the id that goes with it.

        Raises UsageError for a ledger that is healthy, LedgerTooNew, LedgerUnwritable.
        """
        earlier = earlier_ledger(self.folder, now=self.machine.wall())
        if earlier is not None and earlier.damage is None and not even_if_healthy:
            raise UsageError(_HEALTHY.format(folder=self.folder))
        cloud = Onlooker(self.cloud)
        await self._look(cloud, halt)
        found = choose_id(cloud.marks, {copy.source for copy in self.wish.plan.copies()}, earlier)
        workshop = empty_workshop(self.folder)
        try:
            ledger_id = found or self.machine.token(12)
            outcome = await self._fill(workshop, cloud, ledger_id, halt)
            in_place = outcome.result.verdict in _IN_PLACE
            kept = put_in_place(self.folder, kept_as=self._kept_as(earlier)) if in_place else None
        finally:
            close_workshop(self.folder)
        return Rebuilt(
            outcome=outcome,
            ledger_id=ledger_id,
            inherited=found is not None,
            marked={ledger: len(images) for ledger, images in sorted(cloud.marks.items())},
            kept=kept,
            in_place=in_place,
        )

    async def _look(self, cloud: Onlooker, halt: Halt) -> None:
        """Look at everything once, as the run that follows will; nothing of it is written down."""
        clock, chance = self.clock, self.machine.chance.random
        senses = Senses(clock=clock, chance=chance, call_ids=lambda: CallId(self.machine.token(16)))
        engine = Engine(Schedule(self.settings.limits()), cloud, lambda event, changes: None, senses)
        plan = self.wish.plan
        engine.begin(self.run, plan.name, plan.copies(), rebuilds=True, relay=plan.relays())
        await engine.run(halt)

    async def _fill(self, workshop: Path, cloud: Onlooker, ledger_id: str, halt: Halt) -> Outcome:
        """Make the new ledger, and in it the run that looks."""
        with Ledger.open(workshop, ids=lambda: ledger_id, now=self.machine.wall()) as ledger:
            ledger.take_epoch()
            night = Night(
                run=self.run,
                wish=self.wish,
                wanted=self.wish.plan.copies(),
                settings=self.settings,
                machine=self.machine,
                screen=self.screen,
                clock=self.clock,
                ledger=ledger,
                schedule=Schedule(self.settings.limits(), ledger_id),
                cloud=cloud,
                secrets=self.secrets,
                rebuilds=True,
            )
            return await night.pass_by(halt)

    def _kept_as(self, earlier: Earlier | None) -> str:
        """Name what becomes of the old ledger, by the time."""
        word = "damaged" if earlier is not None and earlier.damage is not None else "replaced"
        return f"{word}-{datetime.fromtimestamp(self.machine.wall(), UTC):%Y%m%dt%H%M%Sz}"


def choose_id(marks: Marks, sources: AbstractSet[ImageId], earlier: Earlier | None) -> str | None:
    """Choose the id under which the new ledger goes on, so that its earlier copies count as its own.

    That of the old ledger where marks on copies of this plan's sources carry it; else the only one
    that such marks carry; None where there is none or nobody can tell which.
    """
    seen = {
        ledger
        for ledger, images in marks.items()
        if any(not named.isdisjoint(sources) for named in images.values())
    }
    if earlier is not None and earlier.ledger_id in seen:
        return earlier.ledger_id
    return seen.pop() if len(seen) == 1 else None
