"""The engine: decide, record, perform, learn. One task owns the schedule; which cloud, it never sees.

Every fact goes the same way: it is applied to the schedule, written to the ledger with what it
changed, shown to the watchers, and then the next decision is made. An intent to call is on disk
before its worker begins to send.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from math import inf
from typing import Protocol, assert_never

import anyio
from anyio.abc import TaskGroup

from orchestrator.cloud.port import Cloud
from orchestrator.core.apis import api_of
from orchestrator.core.marks import write_mark
from orchestrator.core.messages import (
    Accepted,
    Action,
    Begun,
    Change,
    Check,
    Event,
    Inspect,
    List,
    Look,
    Lost,
    Planned,
    Read,
    ReadAnswer,
    Refused,
    Submit,
    Survey,
)
from orchestrator.core.model import CallId, Chunk, Copy, Region, RunId
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.engine.channel import Channel
from orchestrator.engine.halt import Halt

_BATCH = 1000
"""Copies in one Planned event, so that no row of the ledger grows without bound."""

_STALE_S = 10.0
"""An intent older than this is not sent any more: whoever slept that long may have been overtaken."""

_GRACE_S = 10.0
"""How long open answers are awaited when a run is told to stop."""


class Watcher(Protocol):
    """Somebody who is told what happens; must not raise and must not wait."""

    def event(self, event: Event, changes: Sequence[Change]) -> None:
        """Take note of one event and of what it did."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Senses:
    """What the engine gets from outside: the time, chance in [0, 1), and new call ids."""

    clock: Callable[[], float]
    chance: Callable[[], float]
    call_ids: Callable[[], CallId]


@dataclass(frozen=True, slots=True)
class _Job:
    """One call for a worker; `intended_at` is when its intent was written down."""

    call: CallId
    intended_at: float
    chunk: Chunk
    mark: str | None


class Engine:
    """Drives one run of one schedule against one cloud."""

    def __init__(
        self,
        schedule: Schedule,
        cloud: Cloud,
        record: Callable[[Event, Sequence[Change]], object],
        senses: Senses,
        *,
        watchers: Sequence[Watcher] = (),
        confirm: Callable[[], object] = lambda: None,
    ) -> None:
        """Take what a run needs; `confirm` raises once the ledger has another writer, before every send."""
        self.schedule = schedule
        self.calls: Counter[str] = Counter()
        self._cloud = cloud
        self._record = record
        self._senses = senses
        self._confirm = confirm
        self._unfinished: Callable[[], bool] = lambda: False
        self._watchers = watchers
        self._news = anyio.Event()
        self._jobs = Channel[_Job]()
        self._reads: dict[Region, Channel[Read]] = {}

    # --- one run ----------------------------------------------------------------------------------

    def begin(
        self, run: RunId, plan: str, copies: Sequence[Copy], endpoint: str = "", *, rebuilds: bool = False,
        relay: Callable[[Copy], bool] = lambda _: False,
    ) -> None:  # fmt: skip
        """Open a run: calls that an earlier one left open are lost, then the copies are wanted.

        One that `rebuilds` a lost ledger only looks; `relay` tells which copies a ready one may carry.
        """
        readable = plan.encode("utf-8", "replace").decode()  # a path need not be UTF-8, a ledger must
        limits = self.schedule.limits
        at = self._senses.clock()
        self.learn(Begun(at=at, run=run, plan=readable, limits=limits, endpoint=endpoint, rebuilds=rebuilds))
        for call in self.schedule.open_calls():
            self.learn(Lost(at=self._senses.clock(), call=call, reason=Reason.INTERRUPTED))
        for relayed, same in groupby(copies, relay):
            while batch := tuple(islice(same, _BATCH)):
                self.learn(Planned(at=self._senses.clock(), copies=batch, relay=relayed))

    async def run(
        self, halt: Halt, *, deadline: float = inf, submits_until: float = inf,
        unfinished: Callable[[], bool] = lambda: False,
    ) -> bool:  # fmt: skip
        """Work until nothing is left to do, the deadline comes, or a halt is requested.

        After `submits_until` no call is sent any more; what is under way is watched. Returns whether
        it was the deadline. Open answers are awaited briefly; what is still open then is on disk as an
        intent, and the next run settles it. As long as others are `unfinished` something may be left to do;
        they `wake` the engine when that changes.
        """
        halt.listener = self.wake
        self._unfinished = unfinished
        async with anyio.create_task_group() as tasks:
            for number in range(self.schedule.register.limits.workers):
                tasks.start_soon(self._work, name=f"worker {number}")
            late = await self._drive(tasks, halt, deadline, submits_until)
            await self._drain(halt)
            tasks.cancel_scope.cancel()
        return late

    async def _drive(self, tasks: TaskGroup, halt: Halt, deadline: float, submits_until: float) -> bool:
        """Decide and begin what was decided, again and again; return whether the deadline came."""
        while not halt.requested and not self._finished(waits_for_room=deadline < inf):
            now = self._senses.clock()
            if now >= deadline:
                return True
            if now >= submits_until:
                self.schedule.send_no_more()
                submits_until = inf
            decision = self.schedule.decide(now)
            for action in decision.actions:
                self._begin(tasks, action)
            if not decision.actions:
                await self._wait(min(decision.wake, deadline, submits_until))
        return False

    def _finished(self, *, waits_for_room: bool) -> bool:
        """Tell whether nothing is left to do, here and elsewhere."""
        return self.schedule.finished(waits_for_room=waits_for_room) and not self._unfinished()

    async def _drain(self, halt: Halt) -> None:
        """Wait briefly for the answers to calls that are on their way."""
        until = self._senses.clock() + _GRACE_S
        while self.schedule.open_calls() and not halt.at_once and self._senses.clock() < until:
            await self._wait(until)

    async def _wait(self, until: float) -> None:
        """Wait for news, or for the time."""
        with anyio.move_on_after(max(0.0, until - self._senses.clock())):
            await self._news.wait()
        self._news = anyio.Event()

    def wake(self) -> None:
        """Let the engine look anew whether there is something to do."""
        self._news.set()

    # --- facts ------------------------------------------------------------------------------------

    def learn(self, event: Event) -> None:
        """Take a fact in: apply it, write it down with what it changed, show it."""
        event = self.schedule.timed(self.schedule.essence(event), self._senses.chance())
        changes = self.schedule.apply(event)
        self._record(event, changes)
        for watcher in self._watchers:
            watcher.event(event, changes)
        self.wake()

    # --- deeds ------------------------------------------------------------------------------------

    def _begin(self, tasks: TaskGroup, action: Action) -> None:
        """Hand an action to whoever performs it; a call is written down first."""
        self.calls[api_of(action)] += 1
        if isinstance(action, Submit):
            self._jobs.put(self._intend(action))
            return
        if action.region not in self._reads:
            self._reads[action.region] = Channel[Read]()
            tasks.start_soon(self._poll, self._reads[action.region], name=f"poller {action.region}")
        self._reads[action.region].put(action)

    def _intend(self, action: Submit) -> _Job:
        """Write the intent down; only what comes back from here may be sent."""
        call, at, chunk = self._senses.call_ids(), self._senses.clock(), action.chunk
        self.learn(action.intent(at, call))
        mark = write_mark(self.schedule.register.ledger, call, chunk) if action.marked else None
        return _Job(call, at, chunk, mark)

    async def _work(self) -> None:
        """Be one worker of the pool: send calls, one at a time, each exactly once."""
        async for job in self._jobs.items():
            self.learn(await self._send(job))

    async def _send(self, job: _Job) -> Accepted | Refused | Lost:
        """Send a call, unless its intent is stale or the ledger has another writer by now."""
        self._confirm()
        age_s = self._senses.clock() - job.intended_at
        if age_s > _STALE_S:
            at, said = self._senses.clock(), f"decided {age_s:.0f} s ago"
            return Refused(at=at, call=job.call, reason=Reason.STALE_INTENT, detail=said)
        return await self._cloud.copy(job.call, job.chunk, job.mark)

    async def _poll(self, reads: Channel[Read]) -> None:
        """Be the poller of one region: one read at a time."""
        async for action in reads.items():
            self._confirm()
            self.learn(await self._read(action))

    async def _read(self, action: Read) -> ReadAnswer:
        """Perform one read."""
        match action:
            case Inspect():
                return await self._cloud.inspect(action)
            case List():
                return await self._cloud.list(action)
            case Survey():
                return await self._cloud.survey(action)
            case Look():
                return await self._cloud.look(action)
            case Check():
                return await self._cloud.check(action)
            case _:
                assert_never(action)
