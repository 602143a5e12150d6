"""The state machine that Hypothesis drives: whatever a cloud, a network, a person or a kill may do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Listed
from orchestrator.core.model import ImageId, Region, Resource, Sighting
from orchestrator.core.reasons import Reason
from tests.core.schedule.stories import EAST, EAST1, SOUTH, Call, copies_of
from tests.recovery.disk import Killed
from tests.recovery.life import Doom, Life, born
from tests.recovery.promises import hold, hold_after_the_end, hold_when_done

SETTLE_S = 60.0
LIMITS = Limits(
    workers=2, region_copies=4, requests_per_minute=100_000, poll_interval_s=20, settle_s=SETTLE_S,
    max_attempts=4, copy_timeout_s=600, quota_interval_s=40,
)  # fmt: skip
PLAN = copies_of(6, EAST, SOUTH)
RELAY_PLAN = copies_of(4, EAST, SOUTH, EAST1)
"""As long as the other: a copy is meant by its number in either."""

_QUICK = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a disk that syncs nothing is ten times as fast

REGIONS = st.sampled_from([EAST, SOUTH])
ANY = st.integers(0, 99)
"""Which one of several: taken modulo how many there are."""
REFUSALS = st.sampled_from(
    [
        Reason.BUSY, Reason.CONFLICT, Reason.QUOTA_IMAGE, Reason.QUOTA_SNAPSHOT, Reason.THROTTLED,
        Reason.NOT_FOUND, Reason.INVALID_REGION, Reason.MARK_REFUSED, Reason.UNEXPLAINED, Reason.UNREACHABLE,
        Reason.CREDENTIALS, Reason.CONFIGURATION,
    ]
)  # fmt: skip
SILENCES = st.sampled_from(
    [Reason.SERVER_ERROR, Reason.TIMEOUT, Reason.THROTTLED, Reason.UNREACHABLE, Reason.CREDENTIALS]
)
DELAYS = st.none() | st.floats(0, SETTLE_S - 1, allow_nan=False)
KEPT = st.sampled_from([0, 0, 1, 2])
PAUSES = st.sampled_from([0.25, 7.0, 30.0, 61.0, 400.0])

_COUNTED = (
    "steps", "events", "runs", "calls", "relayed", "kills", "killed_within_a_write", "killed_after_a_write",
    "killed_between_two_writes", "taken_over", "compactions", "settled",
)  # fmt: skip


@dataclass(slots=True)
class Tally:
    """What many lives came to."""

    lives: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Take the counts of another one in."""
        self.lives += other.lives
        self.counts += other.counts

    def as_dict(self) -> dict[str, object]:
        """Give the figures as JSON carries them."""
        return {"lives": self.lives, **{name: self.counts[name] for name in _COUNTED}}


def running(machine: Recovery) -> bool:
    """Tell whether a process runs."""
    return machine.life.alive


def resting(machine: Recovery) -> bool:
    """Tell whether none does."""
    return not machine.life.alive


def _everything(page: Listed) -> Listed:
    """Show a page as it is."""
    return page


def _nothing(page: Listed) -> Listed:
    """Show what an account sees that may not see the images."""
    return replace(page, images=(), total=0, shown=0)


class Recovery(RuleBasedStateMachine):
    """One ledger through several runs."""

    def __init__(self, tally: Tally) -> None:
        super().__init__()
        self.tally, self.sound, self.others = tally, True, 0
        self.folder = TemporaryDirectory(dir=_QUICK)
        self.life = born(Path(self.folder.name), limits=LIMITS)

    @contextmanager
    def living(self) -> Iterator[Life]:
        """Do something that the process may not survive; what else goes wrong is a finding."""
        self.sound = False
        try:
            yield self.life
        except Killed:
            doom = self.life.doom
            self._mourn("killed_within_a_write" if doom is not None and doom.torn else "killed_after_a_write")
        self.sound = True

    def _mourn(self, how: str, delays: tuple[float | None, ...] = (0.0, None, SETTLE_S / 2)) -> None:
        """Bury a killed process: what it had sent may still have its effect; then read the disk."""
        if how:
            self.tally.counts.update(("kills", how))
        for number, call in enumerate(self.life.calls.values()):
            self.life.leave(call, delays[number % len(delays)])
        self.life.calls.clear()
        self.life.buried()
        hold_after_the_end(self.life)

    # --- the program ------------------------------------------------------------------------------

    @initialize(
        texts=st.sampled_from(["mark", "platform", "none", "none"]),
        page=st.sampled_from([100, 3]),
        relay=st.booleans(),
    )
    def be_born(self, texts: str, page: int, relay: bool) -> None:
        self.life.texts, self.life.page = texts, page
        self.life.relay, self.life.plan = relay, RELAY_PLAN if relay else PLAN
        with self.living() as life:
            life.wake_up(life.plan)

    @precondition(resting)
    @rule(
        wants=st.sets(st.integers(0, len(PLAN) - 1)) | st.just(set(range(len(PLAN)))), later=PAUSES, keep=KEPT
    )
    def begin(self, wants: set[int], later: float, keep: int) -> None:
        """Begin the next run, perhaps of fewer copies, perhaps with a compacted ledger."""
        with self.living() as life:
            life.pass_to(life.now + later)
            life.wake_up([life.plan[number] for number in sorted(wants)], keep=keep)

    @precondition(running)
    @rule(rounds=st.integers(1, 12), patient=st.booleans())
    def go_on(self, rounds: int, patient: bool) -> None:
        """Decide and have every read answered, some times: the way to where it gets interesting."""
        with self.living() as life:
            life.veil = _everything
            for _ in range(rounds):
                if not life.step(accepting=False) and patient and life.wake < inf:
                    life.pass_to(life.wake)

    @precondition(running)
    @rule(rounds=st.integers(5, 40))
    def quiet_hour(self, rounds: int) -> None:
        """Let everything go well for a while."""
        with self.living() as life:
            life.veil = _everything
            for _ in range(rounds):
                life.finish()
                if not life.step(accepting=True) and life.wake < inf:
                    life.pass_to(life.wake)

    @precondition(running)
    @rule()
    def decide(self) -> None:
        with self.living() as life:
            life.decide()

    @precondition(running)
    @rule()
    def finish(self) -> None:
        """End a run that has nothing left to do."""
        with self.living() as life:
            if life.schedule.finished(waits_for_room=False) and not life.calls:
                life.stop()
                hold_after_the_end(life)
                self.tally.counts["runs_ended"] += 1

    @precondition(running)
    @rule(delays=st.lists(DELAYS, min_size=1, max_size=3), taken_over=st.booleans())
    def end(self, delays: list[float | None], taken_over: bool) -> None:
        """Kill the process between two writes, or let another one take the ledger over."""
        with self.living() as life:
            if taken_over:
                life.overtaken()
                self.tally.counts["taken_over"] += 1
            else:
                life.die()
            self._mourn("" if taken_over else "killed_between_two_writes", tuple(delays))

    @precondition(lambda self: self.life.doom is None)
    @rule(writes=st.integers(1, 6), torn=st.booleans())
    def doom(self, writes: int, torn: bool) -> None:
        """Let the process die at one of its next writes: in the middle of it, or right after."""
        self.life.doom = Doom(writes, torn)

    # --- the cloud and the network ----------------------------------------------------------------

    @precondition(lambda self: bool(self.life.asking))
    @rule(which=ANY, reason=st.none() | SILENCES, blind=st.integers(0, 9).map(lambda n: n == 0))
    def answer_read(self, which: int, reason: Reason | None, blind: bool) -> None:
        with self.living() as life:
            life.veil = _nothing if blind else _everything
            life.read(life.asking[which % len(life.asking)], reason)

    @precondition(lambda self: bool(self.life.calls))
    @rule(which=ANY, left_out=st.sampled_from([0, 0, 0, 1, 2]))
    def accept(self, which: int, left_out: int) -> None:
        with self.living() as life:
            life.accepted(self._call(which), left_out)

    @precondition(lambda self: bool(self.life.calls))
    @rule(which=ANY, reason=REFUSALS, culprit=st.none() | ANY)
    def refuse(self, which: int, reason: Reason, culprit: int | None) -> None:
        with self.living() as life:
            call = self._call(which)
            named = None if culprit is None else call.sources[culprit % len(call.sources)]
            life.refused(call, reason, named)

    @precondition(lambda self: bool(self.life.calls))
    @rule(which=ANY, delay_s=DELAYS)
    def lose(self, which: int, delay_s: float | None) -> None:
        with self.living() as life:
            life.lost(self._call(which), delay_s)

    @precondition(lambda self: bool(self.life.calls))
    @rule(which=ANY)
    def work_before_the_answer(self, which: int) -> None:
        self.life.work(self._call(which))

    @rule(pause=PAUSES, wake=st.booleans())
    def pass_time(self, pause: float, wake: bool) -> None:
        life = self.life
        life.pass_to(life.wake if wake and life.now < life.wake < life.now + 1e4 else life.now + pause)

    @precondition(lambda self: bool(self.life.shelf()))
    @rule(which=ANY, fate=st.sampled_from(["ready", "ready", "ready", "error", "deleting", "gone"]))
    def change_image(self, which: int, fate: str) -> None:
        region, image = self.life.shelf()[which % len(self.life.shelf())]
        shown = self.life.shelves[region][image]
        if fate == "gone":
            del self.life.shelves[region][image]
        elif shown.status == "pending" or fate == "deleting":
            self.life.shelves[region][image] = replace(shown, status=fate)

    @rule()
    def all_are_ready(self) -> None:
        self.life.finish()

    @rule(region=REGIONS, resource=st.sampled_from(Resource), limit=st.sampled_from([0, 3, 1000]))
    def change_quota(self, region: Region, resource: Resource, limit: int) -> None:
        self.life.quotas[region, resource] = limit

    @rule(number=st.integers(0, len(PLAN) - 1))
    def namesake(self, number: int) -> None:
        """Let somebody else put an image of a source's name into a destination."""
        self.others, copy = self.others + 1, self.life.plan[number]
        image = ImageId(f"img-other{self.others}x{self.others}")
        named = Sighting(image=image, status="ready", name=f"name-{copy.source}")
        self.life.shelves.setdefault(copy.destination, {})[image] = named

    @precondition(lambda self: not self.life.alive and bool(self.life.doubtful()))
    @rule(which=ANY)
    def settle(self, which: int) -> None:
        with self.living() as life:
            copies = life.doubtful()
            life.settle(copies[which % len(copies)])
            hold_after_the_end(life)
            self.tally.counts["settled"] += 1

    def _call(self, which: int) -> Call:
        calls = list(self.life.calls.values())
        return calls[which % len(calls)]

    # --- what must hold ---------------------------------------------------------------------------

    @invariant()
    def everything_is_as_it_was_written(self) -> None:
        self.tally.counts["steps"] += 1
        self.sound = False
        hold(self.life)
        self.sound = True

    def teardown(self) -> None:
        """Kill it once more and let the weather clear up: one run, from the disk alone, ends well."""
        try:
            if self.sound:
                if self.life.alive:
                    self.end([None], False)
                clear_up(self.life)
                self.tally.lives += 1
                self.tally.counts["events"] += len(self.life.told)
                self.tally.counts["runs"] += self.life.runs
                self.tally.counts["calls"] += self.life.made
                self.tally.counts["relayed"] += len(self.life.shadow.register.relays)
                self.tally.counts["compactions"] += self.life.compactions
        finally:
            self.life.disk.bury()
            self.folder.cleanup()


def clear_up(life: Life) -> None:
    """Let a run in fair weather come to its end, by its own wakes alone."""
    life.veil = _everything
    life.doom = None
    life.quotas.clear()
    for shelf in life.shelves.values():
        for image in [image for image, shown in shelf.items() if shown.status == "deleting"]:
            del shelf[image]
    life.wake_up(life.plan)
    for _ in range(2000):
        busy = life.step(accepting=True)
        life.finish()
        if life.schedule.finished(waits_for_room=True) and not life.calls:
            hold_when_done(life)
            hold_after_the_end(life)
            return
        if not busy:
            assert life.wake < life.now + 1e6, "it waits for nothing"
            life.pass_to(life.wake)
    raise AssertionError("it goes on and on")
