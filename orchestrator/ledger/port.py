"""The port to the ledger: what the engine needs of a durable record, whichever database keeps it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.messages import Change, Event
from orchestrator.core.model import Copy, RunId
from orchestrator.core.verdict import Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run as the ledger remembers it. Times are UTC epoch seconds; None while it is not over.

    A run that was killed never gets an end.
    """

    run: RunId
    plan: str
    started_at: float
    finished_at: float | None
    verdict: str | None
    exit_code: int | None
    counts: Counts


class LedgerPort(Protocol):
    """A durable record with one writer at a time.

    Every method that writes is one whole transaction, synchronous, and durable on return. Each
    raises LedgerUnwritable when nothing was written, and Overtaken once another process has
    taken an epoch; the writer must then send nothing more.
    """

    @property
    def ledger_id(self) -> str:
        """Give the 12 characters that name this ledger in every mark."""
        ...

    def take_epoch(self) -> int:
        """Become the one writer: everybody who took an epoch before is refused from now on."""
        ...

    def confirm_epoch(self) -> None:
        """Raise Overtaken unless this is still the one writer; called right before a send."""
        ...

    def record(self, event: Event, changes: Sequence[Change] = (), *, run: RunId) -> int:
        """Store what happened and what it did to the copies; return the event's number."""
        ...

    def events(self, *, until_run: RunId | None = None) -> Iterator[Event]:
        """Read every event back in order, each one verified; stop after those of `until_run`.

        Raises LedgerDamaged, with the number of the row, for anything that is not as it was written.
        """
        ...

    def begin_run(self, run: RunId, *, plan: str, started_at: float, wanted: Sequence[Copy]) -> None:
        """Enter a new run and mark the copies that it wants."""
        ...

    def end_run(
        self, run: RunId, *, finished_at: float, verdict: str, exit_code: int, result_json: str
    ) -> None:
        """Enter how a run ended."""
        ...

    def close(self) -> None:
        """Let go of the file. Nothing is lost when this is never called."""
        ...
