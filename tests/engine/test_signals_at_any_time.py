"""A signal at any moment of a night, or two: what was under way is known, and the next run finishes."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Event
from orchestrator.core.model import RunId
from orchestrator.engine.halt import Halt
from orchestrator.errors import Interrupted
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.simulator.faults import Fault, Rule
from orchestrator.simulator.traits import Pace
from tests.contract.driving import Driver
from tests.contract.running import House, later, sent
from tests.nights import EAST, SOUTH, Cloud, check_books, copies_of, now

pytestmark = pytest.mark.looptime

COPIES = copies_of(3, EAST, SOUTH)
ON_CALLS = frozenset({"copyImages"})
LIMITS = Limits(settle_s=60, poll_interval_s=30)


def troubled() -> Cloud:
    """Make a cloud that gives a night every phase: calls refused, calls lost before and after the effect."""
    rules = [
        Rule(fault=Fault.THROTTLE, on=ON_CALLS, nth=frozenset({1})),
        Rule(fault=Fault.RESET_AFTER, on=ON_CALLS, nth=frozenset({2})),
        Rule(fault=Fault.RESET_BEFORE, on=ON_CALLS, nth=frozenset({3})),
        Rule(fault=Fault.LISTING_ERROR, nth=frozenset({2})),
    ]
    return Cloud(
        images=3, rules=rules, pace=Pace(copy_base_s=60, copy_per_gb_s=0, listing_lag_s=20, acceptance_s=2)
    )


async def stopped_at(moment: int, signals: int) -> object:
    """Ask a night to stop at the n-th fact it writes down, then run again; return how the first ended."""
    cloud, halt, facts = troubled(), Halt(), count(1)

    def signal(event: Event) -> None:
        if next(facts) == moment:
            for _ in range(signals):
                halt.request(15)

    driver = Driver(cloud.port(), LIMITS, refuse=signal)
    first = await driver.run(COPIES, halt=halt)
    driver.refuse = lambda event: None
    assert await driver.run(COPIES) == ("ok", 0), f"after a signal at fact {moment}"
    check_books(cloud)
    made = [(copy["source"], copy["destination"]) for copy in cloud.world.books()["copies"]]
    assert sorted(made) == sorted((copy.source, copy.destination) for copy in COPIES), f"fact {moment}"
    return first


async def test_a_signal_at_every_fifth_fact() -> None:
    """While planning, reading, calling, backing off, settling, watching: 143, then each copy once."""
    moment, ended = -2, object()
    while ended != ("ok", 0):
        moment += 5
        ended = await stopped_at(moment, signals=1 + moment % 2)
        assert ended in (("interrupted", 143), ("ok", 0)), f"fact {moment}"
    assert moment > 30, "a night of so many facts was stopped at each of them"


async def test_a_signal_while_waiting_for_the_lock(tmp_path: Path) -> None:
    """Whoever waits for another run is heard within a moment; nothing was asked and no run entered."""
    house, halt = House(tmp_path), Halt()
    house.state.mkdir(mode=0o700, parents=True)
    owner = LockOwner(run=RunId("other"), pid=1, host="here", started_at=now())
    with RunLock.attempt(house.state, owner=owner):
        began = now()
        later(20, lambda: halt.request(15))
        with pytest.raises(Interrupted) as stopped:
            await house.night(lock_wait_s=3600, halt=halt)
    assert stopped.value.exit_code == 143
    assert now() - began < 25
    assert sent(house) == 0
