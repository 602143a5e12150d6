"""The real engine and schedule over any port, in virtual time; the ledger is a list. It asserts nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from math import inf
from random import Random

from orchestrator.cloud.port import Cloud
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Change, Event
from orchestrator.core.model import CallId, Copy, RunId
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import Verdict, judge
from orchestrator.core.verdict import count as count_copies
from orchestrator.engine.engine import Engine, Senses, Watcher
from orchestrator.engine.halt import Halt
from tests.nights import now

Row = tuple[Event, tuple[Change, ...]]


@dataclass
class Driver:
    """One operator with one ledger; `refuse` may raise before an event is written down."""

    cloud: Cloud
    limits: Limits = field(default_factory=Limits)
    rows: list[Row] = field(default_factory=list)
    refuse: Callable[[Event], None] = lambda event: None

    def __post_init__(self) -> None:
        self._chance, self._ids, self._runs = Random(1), count(), count()
        self.engine = self._engine(())

    @property
    def events(self) -> list[Event]:
        """What the ledger holds."""
        return [event for event, _ in self.rows]

    async def run(
        self,
        copies: Sequence[Copy],
        *,
        halt: Halt | None = None,
        deadline_s: float = inf,
        watchers: Sequence[Watcher] = (),
    ) -> tuple[Verdict, int]:
        """Run once on what the ledger holds; return verdict and exit code. `engine` is that run's."""
        halt = halt or Halt()
        self.engine = engine = self._engine(watchers)
        engine.schedule.recover(self.events)
        deadline = now() + deadline_s
        engine.begin(RunId(f"run{next(self._runs)}"), "test", copies)
        late = await engine.run(halt, deadline=deadline)
        schedule = engine.schedule
        return judge(
            count_copies(schedule.standings()),
            settled=schedule.settled(),
            stopped=schedule.stopped,
            late=late,
            signal=halt.signal,
        )

    def _engine(self, watchers: Sequence[Watcher]) -> Engine:
        """Build an engine with a schedule that knows nothing yet."""
        senses = Senses(clock=now, chance=self._chance.random, call_ids=self._call_id)
        schedule = Schedule(self.limits, "driverledger")
        return Engine(schedule, self.cloud, self._record, senses, watchers=watchers)

    def _record(self, event: Event, changes: Sequence[Change]) -> None:
        self.refuse(event)
        self.rows.append((event, tuple(changes)))

    def _call_id(self) -> CallId:
        return CallId(f"call{next(self._ids):08d}")
