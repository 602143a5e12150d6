"""A start from a long ledger, timed: `python -m tests.bench.cost_ledger EVENTS` prints its figures.

One night of two copies per call, killed after so many events: about one and a half events for each copy.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time
from typing import TypeVar

from orchestrator.core.messages import Event
from orchestrator.core.model import RunId
from orchestrator.core.schedule import Schedule
from orchestrator.ledger.rows import INSERT, write_row
from orchestrator.ledger.snapshot import keep_snapshot, recovered
from orchestrator.ledger.sqlite import Ledger
from tests.bench.cost_night import LEDGER, LIMITS, Night, plan

T = TypeVar("T")

_THIN = replace(LIMITS, region_copies=2)
_COPIES_PER_EVENT = 0.75
"""More than enough, so that the events are reached before the end of the night."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What starts cost, in CPU seconds: with all events taken in, writing a snapshot, from a snapshot.

    `peak_mb` (MiB) is that of the whole process, in which one schedule at a time is held.
    """

    events: int
    copies: int
    replay_s: float
    keep_s: float
    snapshot_s: float
    peak_mb: float


class Enough(Exception):
    """The ledger holds as many events as were asked for."""


class Recorded(Night):
    """A night whose events go into a ledger in one transaction, without the table of copies."""

    def begin(self, ledger: Ledger, most: int) -> None:
        """Pass the night until so many events are recorded."""
        self._ledger, self._most, self._number = ledger, most, 0
        connection = ledger._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self.run("killed")
        except Enough:
            connection.execute("UPDATE meta SET value = ? WHERE key = 'head'", (str(most),))
        connection.execute("COMMIT")

    def note(self, event: Event) -> None:
        """Write an event down."""
        self._number += 1
        row = write_row(event, ledger_id=LEDGER, seq=self._number, run=RunId("killed"))
        self._ledger._connection.execute(INSERT, row)
        if self._number == self._most:
            raise Enough


def fill(folder: Path, events: int) -> None:
    """Make a ledger with so many events."""
    night = Recorded(plan(max(3, int(events * _COPIES_PER_EVENT))), schedule=Schedule(_THIN, LEDGER))
    with Ledger.open(folder, ids=lambda: LEDGER, now=0.0) as ledger:
        night.begin(ledger, events)


def measure(events: int, folder: Path) -> Start:
    """Start from such a ledger, first without and then with a snapshot."""
    fill(folder, events)
    gc.collect()
    with Ledger.open(folder, ids=lambda: LEDGER, now=0.0) as ledger:
        schedule, replay_s = timed(lambda: recovered(ledger, _THIN))
        known = schedule.states()
        keep_s = timed(partial(_keep, ledger, schedule))[1]
        del schedule
        again, snapshot_s = timed(lambda: recovered(ledger, _THIN))
        if again.states() != known:
            raise RuntimeError("the snapshot is not the schedule")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Start(
        events=events, copies=len(known), replay_s=replay_s, keep_s=keep_s, snapshot_s=snapshot_s,
        peak_mb=peak,
    )  # fmt: skip


def _keep(ledger: Ledger, schedule: Schedule) -> None:
    if not keep_snapshot(ledger, schedule, worth=1):
        raise RuntimeError("no snapshot was kept")


def timed(what: Callable[[], T]) -> tuple[T, float]:
    """Do something; tell how many CPU seconds it took."""
    began = thread_time()
    done = what()
    return done, thread_time() - began


if __name__ == "__main__":
    with TemporaryDirectory() as name:
        print(json.dumps(asdict(measure(int(sys.argv[1]), Path(name)))))
