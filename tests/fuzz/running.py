"""Runs numbered cases of a group; each draws from seed and number alone, so it can be replayed by itself."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from types import FrameType

from tests.fuzz import ledgers
from tests.fuzz.plans import try_plan
from tests.fuzz.replies import try_reply

SLOW_S = 5.0
"""CPU seconds after which a case counts as one that never ends; a common one takes a millisecond."""

Try = Callable[[Random, int], str]

GROUPS: dict[str, Try] = {
    "plans": lambda chance, number: try_plan(chance),
    "replies": lambda chance, number: try_reply(chance),
    "ledgers": ledgers.try_ledger,
}
"""What can be tried: each takes a source of chance and the case's number, names the outcome or raises."""


class TooSlowError(BaseException):
    """A case has used up its time. No Exception, so that no reader can take it for trouble of its own."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A case that ended neither way; `what` is the exception."""

    group: str
    seed: int
    number: int
    what: str

    def __str__(self) -> str:
        again = f"python -m tests.fuzz {self.group} --seed {self.seed} --case {self.number}"
        return f"{self.group} {self.number}: {self.what:.600}\n  replay: {again}"


@dataclass(slots=True)
class Batch:
    """What some cases came to."""

    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)

    def add(self, other: Batch) -> None:
        """Take another batch in."""
        self.outcomes += other.outcomes
        self.failures += other.failures

    @property
    def total(self) -> int:
        """How many cases were tried."""
        return self.outcomes.total() + len(self.failures)

    def as_dict(self) -> dict[str, int]:
        """Give the figures as JSON carries them."""
        outcomes = {outcome.replace(" ", "_"): number for outcome, number in sorted(self.outcomes.items())}
        return {"cases": self.total, **outcomes, "failed": len(self.failures)}

    def line(self, group: str) -> str:
        """Say it in one line."""
        outcomes = ", ".join(f"{number} {outcome}" for outcome, number in self.outcomes.most_common())
        return f"{group}: {self.total} cases: {outcomes or 'nothing'}; {len(self.failures)} failed"


def run(group: str, seed: int, numbers: range) -> Batch:
    """Try some cases of a group."""
    batch = Batch()
    for number in numbers:
        try:
            with _bounded():
                batch.outcomes[GROUPS[group](chance_of(group, seed, number), number)] += 1
        except (Exception, TooSlowError) as error:
            batch.failures.append(Failure(group, seed, number, repr(error)))
    return batch


def chance_of(group: str, seed: int, number: int) -> Random:
    """Give a case its own source of chance."""
    return Random(f"{group} {seed} {number}")


@contextmanager
def _bounded() -> Iterator[None]:
    """End what uses more CPU time than any honest case needs. Other people's load does not count."""
    before = signal.signal(signal.SIGVTALRM, _too_slow)
    signal.setitimer(signal.ITIMER_VIRTUAL, SLOW_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _too_slow(number: int, frame: FrameType | None) -> None:
    """Say that the time is over."""
    raise TooSlowError(f"more than {SLOW_S:g} s of CPU time")
