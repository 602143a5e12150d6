"""One storm from its seed to its verdict: lives that end badly, then calm ones until all is done."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp.connector
from aiohttp import web

from orchestrator.simulator.server import LINE_MAX, make_app
from tests.canary import SECRET
from tests.storm.cloudscape import Cloudscape
from tests.storm.mischief import CALM
from tests.storm.network import Network
from tests.storm.process import ACCESS_KEY, EPOCH, Diary, Process, Stay
from tests.storm.scenario import STORM_S, Doom, End, Scenario
from tests.storm.simloop import Owner, SimLoop, Spinning, Stalled, context_of
from tests.storm.story import tell
from tests.storm.troubles import Wish, scenario_for
from tests.storm.truth import Truth

_CALM_LIVES = 5
"""Nights without trouble after a storm, at the end of which everything must be done."""

_LIFE_MAX_S = 2 * 86400.0
_CALLS_MAX, _CALLS_A_COPY = 100, 20
_PEACE = Doom(end=End.NONE, at=0, gap_s=0.0, thaw_s=0.0, skew_s=0.0)
_SHM = Path("/dev/shm")


class Hopeless(Exception):
    """A storm that cannot go on: what it broke is noted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one storm came to; `broken` is empty when every promise was kept."""

    seed: int
    habit: str
    broken: tuple[str, ...]
    trace: str
    lives: int
    crashes: int
    posts: int
    copies: int
    duplicates: int
    unrecorded: int
    unfinished: int
    needs_person: int
    twice: int
    virtual_s: float
    events: int
    faults: int
    held: int
    relayed: int


class Storm:
    """A storm on its loop. `run` is called once."""

    def __init__(self, scenario: Scenario, loop: SimLoop, folder: Path) -> None:
        self.scenario = scenario
        self.loop = loop
        self.cloudscape = Cloudscape(scenario, self._clock)
        self.diary = Diary()
        self.truth = Truth(self.cloudscape, self.diary)
        self.stay = Stay(loop, scenario, folder, self.diary, self.truth.learned, self.truth.recovered)
        self.posts = 0
        self._lives: list[tuple[Process, asyncio.Task[None]]] = []
        self.network: Network
        self._runner: web.AppRunner

    async def run(self) -> None:
        """Open the cloud, let the storm pass, let it end, judge."""
        world, faults = self.cloudscape.world, self.cloudscape.faults
        app = make_app(world, keys={ACCESS_KEY: SECRET}, clock=self._clock, faults=faults)
        runner = web.AppRunner(app, access_log=None, max_line_size=LINE_MAX)
        await runner.setup()
        server = runner.server
        if server is None:
            raise RuntimeError("the simulator has no server")
        self.network = Network(self.loop, f"net/{self.scenario.seed}", server)
        self.network.on_post = self._posted
        self.network.holds = self.scenario.held_s > 0
        self.loop.harbour = self.network
        self._runner = runner
        with suppress(Hopeless):
            await self._blow()
            await self._end_well()
        self.truth.books_hold()
        for complaint in self.loop.complaints:
            self.truth.breaks("I3", complaint)

    def _clock(self) -> float:
        """Tell the true time."""
        return EPOCH + self.loop.time()

    # --- the storm --------------------------------------------------------------------------------

    async def _blow(self) -> None:
        """Live the lives that the scenario dooms."""
        self.network.weather = self.scenario.weather
        for deed in self.scenario.deeds:
            self.loop.call_at(deed.at_s, self.cloudscape.act, deed)
        for doom in self.scenario.dooms:
            process = await self._live(doom)
            await asyncio.sleep(doom.gap_s)
            if doom.end is End.PAUSED and process.died:
                self.loop.call_later(doom.thaw_s, process.wake)
        await asyncio.sleep(max(0.0, STORM_S - self.loop.time()))
        for process, _ in self._lives:
            if process.doom.end is End.PAUSED and process.stops:
                await process.over.wait()
                self.truth.life_over(process, peak_posting=self.network.peak_posting[process.owner.name])
        self.network.weather = CALM
        self.cloudscape.clear_up()

    async def _end_well(self) -> None:
        """Live calm lives until nothing is left to do, and judge where it ends."""
        for _ in range(_CALM_LIVES):
            process = await self._live(_PEACE)
            if process.schedule is None or not self.truth.unfinished_business(process.schedule):
                break
            await asyncio.sleep(60)
        if process.schedule is not None:
            self.truth.conclude(process.schedule, process.exit_code)

    async def _live(self, doom: Doom) -> Process:
        """Begin a life and wait for its end."""
        process = Process(self.stay, len(self._lives), doom)
        if doom.end is not End.PAUSED:
            process.on_death = lambda: self._kill(process)
        self.network.let_go(self.scenario.held_s)
        task = self.loop.create_task(process.live(), context=context_of(process.owner))
        self._lives.append((process, task))
        try:
            await asyncio.wait_for(process.over.wait(), _LIFE_MAX_S)
        except TimeoutError:
            self.truth.breaks("I3", f"{process.owner.name} does not end")
            process.hopeless = True
        if process.hopeless:
            raise Hopeless
        if doom.end is not End.PAUSED or not process.died:
            self.truth.life_over(process, peak_posting=self.network.peak_posting[process.owner.name])
        return process

    def _kill(self, process: Process) -> None:
        """Do what the end of a process does: its connections and files are gone."""
        self.network.kill(process.owner)
        process.close_files()

    def _posted(self, owner: Owner, data: bytes) -> None:
        """Hold a call that begins to be sent against the ledger: its intent must be there."""
        self.posts += 1
        process = next(process for process, _ in self._lives if process.owner is owner)
        process.posts += 1
        if process.posts > process.calls:
            self.truth.breaks("I1", f"{owner.name} sends a call that is not in the ledger")
        if any(other.ledger_id and other.number > process.number for other, _ in self._lives):
            process.unasked -= 1
            if process.unasked < 0:
                self.truth.breaks("I1", f"{owner.name} was overtaken and sends a call")
        if process.posts == _CALLS_MAX + _CALLS_A_COPY * len(self.scenario.copies):
            self.truth.breaks("I5", f"{owner.name} hammers: {process.posts} calls")
            process.hopeless = True
            process.over.set()

    async def bury(self) -> None:
        """Unwind what lives left behind and close the cloud; nothing of it reaches anybody."""
        for process, task in self._lives:
            if not task.done():
                process.died = True
                self.network.kill(process.owner)
                task.cancel()
                self.loop.thaw(process.owner)
        await asyncio.gather(*(task for _, task in self._lives), return_exceptions=True)
        await self._runner.cleanup()

    # --- the verdict ------------------------------------------------------------------------------

    def outcome(self) -> Outcome:
        """Say what the storm came to."""
        truth, lives = self.truth, [process for process, _ in self._lives]
        return Outcome(
            seed=self.scenario.seed,
            habit=self.scenario.habit.name.lower(),
            broken=tuple(truth.broken),
            trace=truth.trace.hexdigest(),
            lives=len(lives),
            crashes=sum(process.stops for process in lives),
            posts=self.posts,
            copies=len(self.cloudscape.world.record.copies),
            duplicates=truth.duplicates,
            unrecorded=truth.unrecorded,
            unfinished=truth.unfinished,
            needs_person=truth.needs_person,
            twice=0,
            virtual_s=self.loop.time(),
            events=len(self.diary.entries),
            faults=self.network.faults.total() + self.cloudscape.world.record.faults.total(),
            held=self.network.faults["held"],
            relayed=sum(e["source"] != e["root"] for e in self.cloudscape.world.record.copies),
        )


class InOrder(dict[object, None]):
    """A set that keeps its order: that of a real one depends on where in memory its members lie."""

    def add(self, member: object) -> None:
        """Take a member in."""
        self[member] = None

    def remove(self, member: object) -> None:
        """Let a member go. Raises KeyError when it is none."""
        del self[member]

    def discard(self, member: object) -> None:
        """Let a member go, if it is one."""
        self.pop(member, None)


def storm(seed: int, story: list[str] | None = None, *, wish: Wish = None) -> Outcome:
    """Play the storm of a seed; everything about it is the same each time. It is told to `story`.

    With a `wish` the storm is over a cloud of this habit, and nothing but lost answers is in the
    way of a copy (see `drawing.plainly`), or it has this trouble (see `troubles`).
    """
    parent = _SHM if _SHM.is_dir() else None
    with TemporaryDirectory(prefix="storm-", dir=parent) as folder, _virtual(SimLoop()) as loop:
        storm = Storm(scenario_for(seed, wish), loop, Path(folder))
        try:
            loop.run_until_complete(storm.run())
        except (Stalled, Spinning) as error:
            storm.truth.breaks("I3", repr(error))
        loop.run_until_complete(storm.bury())
        if story is not None:
            story.extend(tell(storm.scenario, storm.diary, storm.cloudscape.world.record))
        return storm.outcome()


def twice(seed: int, *, wish: Wish = None) -> Outcome:
    """Play a storm two times; another trace the second time is a broken promise like any other."""
    outcome, again = storm(seed, wish=wish), storm(seed, wish=wish)
    other = () if outcome.trace == again.trace else ("I0: played again, the same seed gave another trace",)
    return replace(outcome, twice=1, broken=(*outcome.broken, *other))


@contextmanager
def _virtual(loop: SimLoop) -> Iterator[SimLoop]:
    """Lend a loop to everything that asks for the time or the loop; take it back whatever happens."""
    loggers = [logging.getLogger(name) for name in ("aiohttp.server", "asyncio")]
    monotonic = vars(aiohttp.connector)["monotonic"]
    setattr(aiohttp.connector, "monotonic", loop.time)  # noqa: B010  how old a kept connection is
    setattr(aiohttp.connector, "set", InOrder)  # noqa: B010  who goes on first when a name is resolved
    for logger in loggers:
        logger.disabled = True
    try:
        yield loop
    finally:
        setattr(aiohttp.connector, "monotonic", monotonic)  # noqa: B010
        delattr(aiohttp.connector, "set")
        for logger in loggers:
            logger.disabled = False
        loop.close()
