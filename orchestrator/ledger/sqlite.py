"""The ledger in SQLite: one connection that writes, each transaction one plain synchronous function."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import TracebackType

from orchestrator.core.messages import Called, Change, Event
from orchestrator.core.model import Copy, RunId
from orchestrator.core.upkeep import Labelled, Pruned
from orchestrator.errors import LedgerDamaged, LedgerUnwritable, OrchestratorError, Overtaken
from orchestrator.ledger import projection, rows
from orchestrator.ledger.connect import (
    connect_alone,
    connect_reader,
    connect_writer,
    damaged,
    explained,
    ledger_path,
    unmerged,
)
from orchestrator.ledger.schema import create, migrate, version_of

_ADVANCE = "UPDATE meta SET value = ? WHERE key = 'head'"
_FENCE = "SELECT max(value) FILTER (WHERE key = 'epoch'), max(value) FILTER (WHERE key = 'head') FROM meta"
_BEGIN_RUN = "INSERT INTO runs (run, plan, started_at, since) VALUES (?, ?, ?, ?)"
_END_RUN = "UPDATE runs SET finished_at = ?, verdict = ?, exit_code = ?, result = ? WHERE run = ?"
_BEGINNINGS = "SELECT seq FROM events WHERE kind = 'begun' ORDER BY seq DESC"
_RAISE_BASE = "UPDATE meta SET value = ? WHERE key = 'base'"
_NOTHING = (", so nothing was sent", "")
_NO_MORE = (", so nothing more was sent", " The next run finds what was under way.")
_UNCOUNTED = "SELECT run FROM runs WHERE wanted IS NULL"
_COUNTED = "UPDATE runs SET wanted = ?, ready = ?, failed = ? WHERE run = ?"


class Ledger:
    """The durable record (see `port.LedgerPort`). The caller of `open` holds the run lock."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        """Take over a connection that `open` has made and checked."""
        meta = rows.read_meta(connection, path)
        self._connection = connection
        self._path = path
        self._file = path.stat()
        self._ledger_id = meta["ledger_id"]
        self._epoch, self._head = int(meta["epoch"]), int(meta["head"])
        self._damaged, self._sent = False, False

    @classmethod
    def open(cls, folder: Path, *, ids: Callable[[], str], now: float) -> Ledger:
        """Open the ledger of a state folder; make one, named by `ids()`, where there is none.

        Raises LedgerDamaged or LedgerTooNew, with every file left as it was, and LedgerUnwritable.
        """
        path = ledger_path(folder)
        with explained(path, *_NOTHING):
            if not path.exists():
                create(path, ledger_id=ids(), now=now)
            _inspect(path)
            connection = connect_writer(path)
            try:
                migrate(connection, path)
                return cls(connection, path)
            except BaseException:
                connection.close()
                raise

    @property
    def ledger_id(self) -> str:
        """The 12 characters that name this ledger in every mark, made once."""
        return self._ledger_id

    @property
    def path(self) -> Path:
        """The ledger's file, for messages."""
        return self._path

    def take_epoch(self) -> int:
        """Become the one writer, whoever was it before; return the new epoch."""
        with self._transaction() as connection:
            meta = rows.read_meta(connection, self._path)
            epoch = int(meta["epoch"]) + 1
            connection.execute("UPDATE meta SET value = ? WHERE key = 'epoch'", (str(epoch),))
        self._epoch, self._head = epoch, int(meta["head"])
        return epoch

    def confirm_epoch(self) -> None:
        """Raise Overtaken unless this is still the one writer. Reads only: a fraction of a millisecond."""
        with explained(self._path, *self._consequence):
            self._refuse_overtaken()

    def record(self, event: Event, changes: Sequence[Change] = (), *, run: RunId) -> int:
        """Store an event and what it did to the copies, whole or not at all; return its number.

        It is on disk when this returns. Raises LedgerUnwritable, Overtaken, or OrchestratorError
        for an event that would not read back as itself.
        """
        row = rows.write_row(event, ledger_id=self._ledger_id, seq=self._head + 1, run=run)
        self._sent |= isinstance(event, Pruned | Labelled)  # these answer a request, which was sent before
        with self._writing() as connection:
            if connection.execute(_ADVANCE, (str(row.seq),)).rowcount != 1:
                raise damaged(self._path, "it has lost count of its events")
            connection.execute(rows.INSERT, row)
            projection.move(connection, changes)
            projection.note_progress(connection, event)
        self._head = row.seq
        self._sent |= isinstance(event, Called)  # sent only after it is written down
        return row.seq

    @property
    def head(self) -> int:
        """The number of the last event."""
        return self._head

    @property
    def base(self) -> int:
        """The number of the last event that a compaction took away."""
        return int(rows.read_meta(self._connection, self._path)["base"])

    def checksum(self, seq: int) -> bytes:
        """Return the checksum that an event was written with; KeyError where there is none of that number."""
        return rows.checksum_of(self._connection, self._path, seq)

    def events(
        self, *, until_run: RunId | None = None, until: int | None = None, after: int = 0
    ) -> Iterator[Event]:
        """Read every event back in order, each one verified; stop after event `until` or those of a run.

        The events up to `after` are verified too, and not given.
        """
        try:
            yield from rows.read_events(
                self._connection, self._path, until_run=until_run, until=until, after=after
            )
        except LedgerDamaged:
            self._damaged = True
            raise

    def beginning_of(self, nights: int, *, of_at_least: int) -> int | None:
        """Return the last event before the last `nights` runs; None where there are not `of_at_least`."""
        with explained(self._path):
            begun = [int(seq) for (seq,) in self._connection.execute(_BEGINNINGS)]
        return begun[nights - 1] - 1 if len(begun) >= max(of_at_least, nights + 1) else None

    def replace_events(self, place: int, memory: Sequence[Event]) -> int:
        """Put a memory in the place of all events up to `place`; return by how many they became fewer.

        The memory takes the last of their numbers, so no later event changes. One that is longer than
        what it stands for is not written.
        """
        with self._writing() as connection:
            meta = rows.read_meta(connection, self._path)
            base, run = place - len(memory), RunId(f"compaction-{self._epoch}")
            gone = base - int(meta["base"])
            if gone <= 0:
                return 0
            connection.execute(_RAISE_BASE, (str(place),))
            connection.execute("DELETE FROM events WHERE seq <= ?", (place,))
            connection.execute(_RAISE_BASE, (str(base),))
            for seq, event in enumerate(memory, start=base + 1):
                row = rows.write_row(event, ledger_id=self._ledger_id, seq=seq, run=run)
                connection.execute(rows.INSERT, row)
        return gone

    def begin_run(self, run: RunId, *, plan: str, started_at: float, wanted: Sequence[Copy]) -> None:
        """Enter a new run and mark the copies that it wants; earlier runs keep their counts."""
        with self._writing() as connection:
            for (earlier,) in connection.execute(_UNCOUNTED).fetchall():
                self._keep_counts(earlier)
            connection.execute(_BEGIN_RUN, (run, projection.clean(plan), started_at, self._head))
            projection.mark_wanted(connection, run, started_at, wanted)

    def end_run(
        self, run: RunId, *, finished_at: float, verdict: str, exit_code: int, result_json: str
    ) -> None:
        """Enter how a run ended and what it came to."""
        with self._writing() as connection:
            values = (finished_at, verdict, exit_code, projection.clean(result_json), run)
            if connection.execute(_END_RUN, values).rowcount != 1:
                raise OrchestratorError(f"Run {run} ended without having begun. Please report this fault.")
            self._keep_counts(run)

    def close(self) -> None:
        """Let go of the file. A damaged one is left as it is: its log is not merged into it."""
        with ExitStack() as guard:
            if self._damaged:
                # The last connection to close merges the log, unless it is one that only reads.
                with suppress(sqlite3.Error):
                    reader = guard.enter_context(closing(connect_reader(self._path)))
                    reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
            self._connection.close()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _consequence(self) -> tuple[str, str]:
        """Say what follows for the cloud where this writer cannot write, in the two parts of `explained`."""
        return _NO_MORE if self._sent else _NOTHING

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction of the current writer; everybody else is refused before the first change."""
        with self._transaction() as connection:
            self._refuse_overtaken()
            yield connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """Commit what the block does, or nothing of it."""
        with explained(self._path, *self._consequence):
            self._refuse_replaced()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
                raise

    def _refuse_overtaken(self) -> None:
        """Compare the epoch, and the head too: two writers of one epoch would be a bug, not a race."""
        if self._connection.execute(_FENCE).fetchone() != (str(self._epoch), str(self._head)):
            raise Overtaken

    def _refuse_replaced(self) -> None:
        """Notice that the file was deleted under us: what is written into it would be gone."""
        try:
            same = os.path.samestat(self._path.stat(), self._file)
        except FileNotFoundError:
            same = False
        if not same:
            so, later = self._consequence
            raise LedgerUnwritable(
                f"The ledger {self._path} was deleted or replaced while in use{so}. "
                f"Put it back, then run again.{later}"
            )

    def _keep_counts(self, run: RunId) -> None:
        """Store what a run came to, before the next run takes its copies over."""
        counts = projection.count(self._connection, run)
        self._connection.execute(_COUNTED, (counts.wanted, counts.ready, counts.failed, run))


def _inspect(path: Path) -> None:
    """Look at a ledger without writing a byte into it. Raises LedgerDamaged or LedgerTooNew."""
    size = path.stat().st_size
    if size == 0:
        raise damaged(path, "it is empty")
    with closing(connect_alone(path)) as connection:
        version_of(connection, path)
        page = int(connection.execute("PRAGMA page_size").fetchone()[0])
        if size % page and not unmerged(path):
            raise damaged(path, "its end is cut off")
        found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    if found != "ok":
        raise damaged(path, " ".join(found.split()))
    path.chmod(0o600)
