"""A state folder that outlives its processes: a kill leaves the files as they are at that moment."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

from orchestrator.core.messages import Change, Event
from orchestrator.core.model import RunId
from orchestrator.ledger.folder import LEDGER
from orchestrator.ledger.reader import LedgerReader
from orchestrator.ledger.sqlite import Ledger

LEDGER_ID = "recoverytest"


class Killed(Exception):
    """The process is gone; its files are as they were."""


class _Fatal(Sequence[Change]):
    """Changes behind the last of which the process dies: rows are written, the transaction is open."""

    def __init__(self, changes: Sequence[Change], die: Callable[[], None]) -> None:
        self._changes, self._die = changes, die

    def __len__(self) -> int:
        return len(self._changes)

    def __getitem__(self, index: object) -> object:  # type: ignore[override]
        raise NotImplementedError

    def __iter__(self) -> Iterator[Change]:
        yield from self._changes
        self._die()
        raise Killed


class Disk:
    """One ledger on a disk. `folder` is where it is now: what a kill leaves is carried to a new one.

    Closing a connection would merge its log and so be kinder than a kill. Therefore the files are
    copied first, as they stand, and the next process opens the copies.
    """

    def __init__(self, place: Path) -> None:
        self._place, self._numbers = place, count(1)
        self.folder = self._new_folder()
        self.ledger: Ledger | None = None

    def _new_folder(self) -> Path:
        folder = self._place / f"life{next(self._numbers)}"
        folder.mkdir(mode=0o700)
        return folder

    def start(self, now: float) -> Ledger:
        """Begin a process: open the ledger and become its writer."""
        ledger = self.ledger = Ledger.open(self.folder, ids=lambda: LEDGER_ID, now=now)
        ledger.take_epoch()
        return ledger

    def write(self, event: Event, changes: Sequence[Change], run: RunId) -> int:
        """Record an event; return its number."""
        assert self.ledger is not None
        return self.ledger.record(event, changes, run=run)

    def tear(self, event: Event, changes: Sequence[Change], run: RunId) -> None:
        """Die in the middle of recording an event. Always raises Killed."""
        assert self.ledger is not None
        self.ledger.record(event, _Fatal(changes, self._snapshot), run=run)

    def die(self) -> None:
        """Die now, between two writes."""
        self._snapshot()
        self.bury()

    def stop(self) -> None:
        """End a process as it ends by itself: close the ledger."""
        assert self.ledger is not None
        self.ledger.close()
        self.ledger = None

    def bury(self) -> None:
        """Let go of what the dead process had open; nobody reads that folder any more."""
        if self.ledger is not None:
            self.ledger.close()
            self.ledger = None

    def events(self) -> tuple[Event, ...]:
        """Read every event back, as another process does that only looks."""
        with self.reader() as reader:
            return tuple(reader.events())

    def reader(self) -> LedgerReader:
        """Open the ledger for looking."""
        reader = LedgerReader.open(self.folder)
        assert reader is not None, "the ledger is gone"
        return reader

    def _snapshot(self) -> None:
        """Copy the files as they are; what is not committed is in no file, or behind the last commit."""
        left, self.folder = self.folder, self._new_folder()
        for file in sorted(left.glob(f"{LEDGER}*")):
            if not file.name.endswith("-shm"):
                shutil.copy2(file, self.folder)
