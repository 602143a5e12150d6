"""One life of the program: real engine, schedule, ledger and HTTP client, composed as `app` composes them.

It may be stopped at any step and before or after any commit; what it learned is kept for the checks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random

from orchestrator.cloud.access import Access
from orchestrator.cloud.jdcloud import JdCloud
from orchestrator.core.messages import Called, Change, Ended, Event
from orchestrator.core.model import CallId, RunId
from orchestrator.core.schedule import Schedule
from orchestrator.core.verdict import count, judge
from orchestrator.engine.clock import Clock
from orchestrator.engine.engine import Engine, Senses
from orchestrator.engine.halt import Halt
from orchestrator.ledger.sqlite import Ledger
from orchestrator.settings.credentials import Credentials
from orchestrator.settings.secret import Secret
from tests.canary import SECRET
from tests.storm.scenario import Doom, End, Scenario
from tests.storm.simloop import Owner, SimLoop

ACCESS_KEY = "AK-storm"
ENDPOINT = "http://vm.storm.test"
EPOCH = 1_800_000_000.0
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class Dead(Exception):
    """The process is dead: what it still tries to do does not happen."""


@dataclass(slots=True)
class Diary:
    """What all lives of a storm wrote into the ledger, in order: (life, event, changes)."""

    entries: list[tuple[int, Event, tuple[Change, ...]]] = field(default_factory=list)

    def events(self) -> list[Event]:
        """Return the events alone."""
        return [event for _, event, _ in self.entries]


@dataclass(slots=True)
class Stay:
    """Where a process lives: what is the same for all lives of a storm."""

    loop: SimLoop
    scenario: Scenario
    folder: Path
    diary: Diary
    learned: Callable[[Event, Sequence[Change]], None]
    recovered: Callable[[list[Event]], None]


class Process:
    """One life. `over` is set when it ended by itself or died."""

    def __init__(self, stay: Stay, number: int, doom: Doom) -> None:
        self.stay = stay
        self.number = number
        self.doom = doom
        self.owner = Owner(f"life-{number}")
        self.over = asyncio.Event()
        self.on_death: Callable[[], None] = lambda: None
        self.calls = self.posts = self.cleared = self.commits = self.stops = 0
        self.unasked = 0
        self.died = self.hopeless = self.done = False
        self.error: BaseException | None = None
        self.schedule: Schedule | None = None
        self.halt = Halt()
        self.exit_code: int | None = None
        self.ledger_id = ""
        self._chance = Random(f"life/{stay.scenario.seed}/{number}")
        self._ledger: Ledger | None = None
        if doom.end in (End.STEP, End.PAUSED) and not doom.dialling:
            self.owner.stops_at, self.owner.on_stop = doom.at, self.stop

    # --- a life -----------------------------------------------------------------------------------

    async def live(self) -> None:
        """Run one night from opening the ledger to closing it."""
        try:
            with self._open() as ledger:
                self._ledger = ledger
                await self._night(ledger)
        except BaseException as error:
            self.error = error
        finally:
            self.done = True
            if not self.died:
                self.over.set()

    async def _night(self, ledger: Ledger) -> None:
        """Recover and run, as the composition root does."""
        ledger.take_epoch()
        schedule = Schedule(self.stay.scenario.limits, ledger.ledger_id)
        events = list(ledger.events())
        self.stay.recovered(events)
        schedule.recover(events)
        self.schedule, self.ledger_id = schedule, ledger.ledger_id
        clock = Clock(wall=self._wall, monotonic=self.stay.loop.time)
        clock.not_before(schedule.register.now)
        run, copies = RunId(f"run-{self.number}"), self.stay.scenario.copies
        ledger.begin_run(run, plan="storm", started_at=clock(), wanted=copies)
        senses = Senses(clock=clock, chance=self._chance.random, call_ids=lambda: CallId(self._token(16)))
        async with JdCloud(self._access(ledger, clock)) as cloud:
            engine = Engine(
                schedule,
                cloud,
                lambda event, changes: self._record(ledger, run, event, changes),
                senses,
                confirm=ledger.confirm_epoch,
            )
            engine.begin(run, "storm", copies, relay=lambda _: self.stay.scenario.relay)
            if self.doom.end is End.SIGNAL:
                self.stay.loop.call_later(self.doom.at, self.halt.request, 15)
            limit_s = self.doom.at if self.doom.end is End.DEADLINE else inf
            late = await engine.run(self.halt, deadline=clock() + limit_s)
        self._conclude(ledger, run, clock, late=late)

    def _conclude(self, ledger: Ledger, run: RunId, clock: Clock, *, late: bool) -> None:
        """Judge the night and close its books."""
        schedule = self._schedule()
        counts = count(schedule.standings())
        verdict, code = judge(
            counts,
            settled=schedule.settled(),
            stopped=schedule.stopped,
            late=late,
            signal=self.halt.signal,
        )
        self._record(ledger, run, Ended(at=clock(), run=run, verdict=verdict, exit_code=code), ())
        ledger.end_run(run, finished_at=clock(), verdict=verdict, exit_code=code, result_json="{}")
        self.exit_code = code

    def _schedule(self) -> Schedule:
        """Return the schedule of a night that began."""
        if self.schedule is None:
            raise Dead
        return self.schedule

    # --- death ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Freeze: from here on nothing of this process happens, until it is thawed or buried."""
        self.owner.frozen = self.died = True
        self.stops += 1
        self.on_death()
        self.over.set()

    def wake(self) -> None:
        """Thaw: the process does not know that time has passed.

        `unasked` calls had asked the ledger for the last time before it froze, and not begun to be
        sent: the one gap that nothing on this side of the network can close.
        """
        self.unasked = self.cleared - self.posts
        self.died = False
        if not self.done:  # what froze may be no more than a connection of its that closes
            self.over.clear()
        self.stay.loop.thaw(self.owner)

    def close_files(self) -> None:
        """Do what the kernel does for a dead process."""
        if self._ledger is not None:
            self._ledger.close()

    def _record(self, ledger: Ledger, run: RunId, event: Event, changes: Sequence[Change]) -> None:
        """Write an event into the ledger, if the process lives long enough for it."""
        self._commit(End.BEFORE)
        ledger.record(event, changes, run=run)
        self.calls += isinstance(event, Called)
        if isinstance(event, Called) and self.calls == self.doom.dialling:
            self.stay.loop.call_later(self.doom.after_s, self.stop)
        self.stay.diary.entries.append((self.number, event, tuple(changes)))
        self.stay.learned(event, changes)
        self._commit(End.AFTER)

    def _commit(self, side: End) -> None:
        """Count one side of a commit, and die there if that is this life's doom."""
        if self.died:
            raise Dead
        if self.doom.end is side:
            self.commits += 1
            if self.commits == self.doom.at:
                self.stop()
                raise Dead

    # --- what the machine lends -------------------------------------------------------------------

    def _open(self) -> Ledger:
        """Open the ledger, or make it."""
        return Ledger.open(self.stay.folder, ids=lambda: self._token(12), now=self._wall())

    def _wall(self) -> float:
        """Tell what this machine takes for the time."""
        return EPOCH + self.stay.loop.time() + self.doom.skew_s

    def _token(self, length: int) -> str:
        """Make an id."""
        return "".join(self._chance.choice(_LETTERS) for _ in range(length))

    def _clear(self, ledger: Ledger) -> None:
        """Ask the ledger for the last time before a call is sent."""
        ledger.confirm_epoch()
        self.cleared += 1

    def _access(self, ledger: Ledger, clock: Clock) -> Access:
        """Say where the cloud is and who asks."""
        return Access(
            vm_endpoint=ENDPOINT,
            disk_endpoint=ENDPOINT,
            keys=Credentials(ACCESS_KEY, Secret(SECRET)),
            clock=clock,
            wall=self._wall,
            nonce=lambda: self._token(32),
            request_timeout_s=self.stay.scenario.request_timeout_s,
            before_call=lambda: self._clear(ledger),
        )
