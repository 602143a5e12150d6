"""Makes room again in the middle of a run, and keeps the run from ending before that is done.

Which copies may go, and how many must, is for others to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import anyio

from orchestrator.core.model import Region, State
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.parking import starved
from orchestrator.core.schedule.tracks import Destination
from orchestrator.core.verdict import Notice
from orchestrator.engine.engine import Engine
from orchestrator.runs.extras import Again

_LOOK_S = 5.0


@dataclass(slots=True)
class MakingRoom:
    """Room for one run. `ready` are the ready copies of each destination when room was last made there.

    Each time needs one more of them, so that there is an end to it. `making` tells that it is under way.
    """

    schedule: Schedule
    again: Again | None
    ready: dict[Region, int] = field(default_factory=dict)
    making: bool = False

    def unfinished(self) -> bool:
        """Tell whether a run has no right to end yet: room is being made, or is to be."""
        return self.making or any(True for _ in self._due())

    def _due(self) -> Iterable[Destination]:
        """Go through the destinations where copies became ready, so that older may go, while others wait."""
        if self.again is None or self.schedule.stopped is not None:
            return
        for destination in starved(self.schedule.register):
            if destination.states[State.READY] > self.ready.get(destination.region, 0):
                yield destination

    async def make(self, engine: Engine, notices: list[Notice]) -> None:
        """Make room whenever it is due, until nothing more may be sent; add what there is to say of it."""
        while self.again is not None and self.schedule.stopped is None:
            await anyio.sleep(_LOOK_S)
            due = {destination.region: destination.states[State.READY] for destination in self._due()}
            if not due:
                continue
            self.making = True
            said = await self.again(engine.learn, frozenset(due))
            notices += [each for each in said if each not in notices]
            self.ready |= due
            self.making = False
            engine.wake()
