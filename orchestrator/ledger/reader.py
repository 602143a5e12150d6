"""The ledger for those who only look (`status`, `log`, `runs`), during a run or after it. Never writes."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

from orchestrator.core.codec import from_json
from orchestrator.core.messages import Event, Surveyed
from orchestrator.core.model import Copy, RunId, State
from orchestrator.core.verdict import Counts, Standing
from orchestrator.ledger import projection, rows
from orchestrator.ledger.connect import connect_alone, connect_reader, damaged, explained, ledger_path
from orchestrator.ledger.port import RunRow
from orchestrator.ledger.schema import STEPS, version_of

_RUNS = """
    SELECT run, plan, started_at, finished_at, verdict, exit_code, wanted, ready, failed
    FROM runs ORDER BY number DESC
"""
_RESULT = "SELECT result FROM runs WHERE run = ?"
_SURVEYS = "SELECT body FROM events WHERE run = ? AND kind = 'surveyed' ORDER BY seq"
_CALLS = """
    SELECT kind,
        CASE kind WHEN 'surveyed' THEN json_extract(body, '$.resource')
                  WHEN 'unanswered' THEN json_extract(body, '$.read') ELSE '' END AS part,
        count(*)
    FROM events WHERE run = ? AND seq <= ? GROUP BY kind, part
"""
_APIS = {
    ("called", ""): "copyImages",
    ("inspected", ""): "describeImages",
    ("listed", ""): "describeImages",
    ("seen", ""): "describeImages",
    ("checked", ""): "describeImage",
    ("surveyed", "image"): "describeQuotas",
    ("surveyed", "snapshot"): "describeQuota",
}
"""Which call of the cloud's API an event is the answer to; `called` is the one event that comes before."""

_READS = {
    "inspect": "describeImages",
    "list": "describeImages",
    "look": "describeImages",
    "check": "describeImage",
    "survey": "describeQuotas",
    "image": "describeQuotas",
    "snapshot": "describeQuota",
}
"""The same for `Unanswered.read`; a word that is not here is taken for the API's own."""


class LedgerReader:
    """A read-only view that sees every committed event, also while another process writes."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Take over a connection that `open` has made and checked."""
        self._connection = connection
        self._path = path
        self.ledger_id = rows.read_meta(connection, path)["ledger_id"]
        self.version = len(STEPS)

    @classmethod
    def open(cls, folder: Path, *, traceless: bool = False) -> LedgerReader | None:
        """Open the ledger of a state folder; None where there is none.

        A reader makes SQLite's two helper files where they are missing. A `traceless` one makes none while
        no write-ahead log lies there: nobody writes then, and a run that begins meanwhile writes into a log.

        Raises LedgerDamaged, LedgerTooNew, or LedgerUnwritable where it cannot be read.
        """
        path = ledger_path(folder)
        if not path.exists():
            return None
        if path.stat().st_size == 0:
            raise damaged(path, "it is empty")
        with explained(path):
            connection = connect_alone(path) if traceless else connect_reader(path)
            try:
                if version_of(connection, path) < len(STEPS):
                    raise damaged(
                        path, "it is of an older version, which the next `orchestrator run` brings forward"
                    )
                return cls(connection, path)
            except BaseException:
                connection.close()
                raise

    def runs(self) -> tuple[RunRow, ...]:
        """Read every run, the newest first, without the results: there may be a hundred large ones."""
        with explained(self._path):
            return tuple(self._run(*row) for row in self._connection.execute(_RUNS).fetchall())

    def result(self, run: RunId) -> str | None:
        """Read what `end_run` was given; None for a run without an end."""
        with explained(self._path):
            row = self._connection.execute(_RESULT, (run,)).fetchone()
        return str(row[0]) if row is not None and row[0] is not None else None

    def surveys(self, run: RunId) -> tuple[Surveyed, ...]:
        """Read the quotas that a run read, the oldest first; what this version does not know is left out."""
        with explained(self._path):
            bodies = self._connection.execute(_SURVEYS, (run,)).fetchall()
        found: list[Surveyed] = []
        for (body,) in bodies:
            with suppress(KeyError, ValueError):
                event = from_json("surveyed", body)
                found += [event] if isinstance(event, Surveyed) else []
        return tuple(found)

    def copies(self, run: RunId) -> Iterator[Standing]:
        """Read where the copies stand that this run was the last to want: all of the latest run's."""
        return projection.standings(self._connection, self._path, run)

    def states(self) -> dict[Copy, State]:
        """Read the state of every copy that any run wanted."""
        return projection.states(self._connection, self._path)

    def calls(self, run: RunId) -> Mapping[str, int]:
        """Count the requests of a run by the cloud's name for them, unanswered ones included."""
        head = int(rows.read_meta(self._connection, self._path)["head"])
        calls: Counter[str] = Counter()
        with explained(self._path):
            for kind, part, number in self._connection.execute(_CALLS, (run, head)):
                api = _READS.get(part, part) if kind == "unanswered" else _APIS.get((kind, part))
                if api:
                    calls[api] += number
        return dict(sorted(calls.items()))

    @property
    def path(self) -> Path:
        """The ledger's file, for messages."""
        return self._path

    def checksum(self, seq: int) -> bytes:
        """Return the checksum that an event was written with; KeyError where there is none of that number."""
        return rows.checksum_of(self._connection, self._path, seq)

    def events(self, *, until_run: RunId | None = None, after: int = 0) -> Iterator[Event]:
        """Read the events in order, each one verified, like `Ledger.events`.

        All of one state of the ledger: a compaction by the writer meanwhile takes nothing away.
        """
        with self.standstill():
            yield from rows.read_events(self._connection, self._path, until_run=until_run, after=after)

    @contextmanager
    def standstill(self) -> Iterator[None]:
        """Show one state of the ledger as long as the block lasts, whatever is written meanwhile."""
        alone = not self._connection.in_transaction
        if alone:
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            with suppress(sqlite3.Error):  # the reader was closed before the last event
                if alone:
                    self._connection.execute("ROLLBACK")

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> LedgerReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(  # one argument per column
        self, run: RunId, plan: str, started_at: float, finished_at: float | None, verdict: str | None,
        exit_code: int | None, wanted: int | None, ready: int | None, failed: int | None,
    ) -> RunRow:  # fmt: skip
        """Make a row of `runs`; a run that is still going on is counted now."""
        if wanted is None or ready is None or failed is None:
            counts = projection.count(self._connection, run)
        else:
            counts = Counts(wanted=wanted, ready=ready, failed=failed, pending=wanted - ready - failed)
        return RunRow(
            run=run, plan=plan, started_at=started_at, finished_at=finished_at, verdict=verdict,
            exit_code=exit_code, counts=counts,
        )  # fmt: skip
