"""Measures the ledger on this machine: `python -m tests.ledger.speed [FOLDER]`. Prints, judges nothing."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from orchestrator.core.messages import Planned
from orchestrator.core.model import RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.ledger.reader import LedgerReader
from tests.ledger.samples import CALL, NOW, ONE_OF_EACH, RUN, change, copy, open_ledger

RECORDS = 5_000
PLANNED = 100_000
WANTED = 1_000_000


def measure(folder: Path) -> None:
    """Print events a second, and the seconds of what is done once a night."""
    ledger = open_ledger(folder)
    started = perf_counter()
    for number in range(RECORDS):
        moved = change(number, State.COPYING, Reason.ACCEPTED, image=f"img-{number}", call=CALL)
        ledger.record(ONE_OF_EACH[number % len(ONE_OF_EACH)], [moved], run=RUN)
    print(f"record, one change each: {RECORDS / (perf_counter() - started):,.0f} a second")
    wanted = [copy(number) for number in range(WANTED)]
    lap(
        "record Planned of 100,000",
        lambda: ledger.record(Planned(at=NOW, copies=tuple(wanted[:PLANNED])), run=RUN),
    )
    lap("begin_run with 1,000,000", lambda: ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=wanted))
    lap("begin_run again", lambda: ledger.begin_run(RunId("2"), plan="p", started_at=NOW, wanted=wanted))
    lap("events", lambda: sum(1 for _ in ledger.events()))
    lap("close", ledger.close)
    print(f"size: {sum(file.stat().st_size for file in folder.iterdir()) / 1e6:.0f} MB")
    lap("open", lambda: open_ledger(folder).close())
    reader = LedgerReader.open(folder)
    if reader is not None:
        lap("runs", reader.runs)
        lap("copies of 1,000,000", lambda: sum(1 for _ in reader.copies(RunId("2"))))
        lap("calls", lambda: reader.calls(RUN))
        reader.close()


def lap(name: str, what: Callable[[], object]) -> None:
    """Print how long one thing takes."""
    started = perf_counter()
    what()
    print(f"{name}: {perf_counter() - started:.2f} s")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            measure(Path(name))
