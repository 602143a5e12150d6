"""The progress log of one run: a JSON line per event, change and note; it never stops the run it tells of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from orchestrator.core.messages import Change, Event
from orchestrator.core.model import RunId
from orchestrator.core.verdict import Result, Verdict
from orchestrator.watch.library import LibraryHandler
from orchestrator.watch.log_files import LogFile, Trouble, days_ago, log_path, prune_logs
from orchestrator.watch.masks import Mask
from orchestrator.watch.names import Level, NoteName
from orchestrator.watch.pipeline import LEVELS, build_logger
from orchestrator.watch.records import Fields, Record, change_record, event_record
from orchestrator.watch.result import counts_shape
from orchestrator.watch.text import iso

_FRAME = frozenset({"schema", "ts", "level", "event", "run"})


def _tell_nobody(_error: OSError) -> None:
    """Ignore a failing log when the caller does not want to know."""


class ProgressLog:
    """Writes STATE_DIR/logs/<run>.jsonl; open it with `ProgressLog.open`, and close it."""

    def __init__(
        self, file: LogFile, run: RunId, *, level: Level, clock: Callable[[], float], mask: Mask
    ) -> None:
        self._file = file
        self._clock = clock
        self._least = LEVELS[level]
        self._logger = build_logger(file.write_line, run, least=self._least, mask=mask)
        self._library = LibraryHandler(self._from_library)

    @classmethod
    def open(
        cls,
        folder: Path,
        run: RunId,
        *,
        level: str,
        clock: Callable[[], float],
        secrets: Sequence[str] = (),
        trouble: Trouble = _tell_nobody,
    ) -> Self:
        """Open the log of a run in the folder STATE_DIR/logs and let `latest` point at it.

        `level` is debug, info, warning or error in any case, `clock` gives UTC epoch seconds,
        `secrets` are masked wherever they turn up. `trouble` hears once when the file cannot be
        written; nothing else happens then. Raises ValueError for an unknown level or a run id that is
        no file name. Until `close`, what libraries log as a warning or worse lands here too.
        """
        known = _level(level)
        file = LogFile(log_path(folder, run), trouble)
        file.link_latest()
        log = cls(file, run, level=known, clock=clock, mask=Mask(secrets))
        log._library.attach()
        return log

    @property
    def path(self) -> Path:
        """The file's path, also when it could not be opened."""
        return self._file.path

    def event(self, event: Event, changes: Sequence[Change] = ()) -> None:
        """Write one line for the event and one for each change it made."""
        first = event_record(event, changes)
        self._write(first)
        request = first.fields["request"]
        for change in changes:
            self._write(change_record(change, request if isinstance(request, str) else None))

    def note(self, name: NoteName, level: Level, /, **fields: object) -> None:
        """Write a line that is about no event; docs/log.md lists the names and their fields."""
        self._write(Record(name=name, level=level, at=self._clock(), fields=dict(fields)))

    def finished(self, result: Result) -> None:
        """Write the last line of a run."""
        level: Level = "info" if result.verdict is Verdict.OK else "warning"
        self.note(
            "run.finished",
            level,
            verdict=result.verdict.value,
            exit_code=result.exit_code,
            counts=counts_shape(result.counts),
            calls=dict(result.calls),
            started_at=iso(result.started_at),
            took_s=round(result.finished_at - result.started_at, 3),
        )

    def prune(self, days: float) -> int:
        """Remove the logs of other runs that nobody wrote to for this many days; count them."""
        return prune_logs(self.path.parent, before=days_ago(self._clock(), days), keep=self.path)

    def close(self) -> None:
        """Let go of the libraries' loggers and of the file."""
        self._library.detach()
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.close()

    def _write(self, record: Record) -> None:
        """Write one record, and before it what became of those that were lost."""
        if LEVELS[record.level] < self._least:
            return
        lost_before = self._file.lost
        self._line(record)
        if lost_before and self._file.lost == lost_before:
            lines, error = self._file.recovered()
            gap: Fields = {"lost_lines": lines, "error": error}
            self._line(Record(name="log.gap", level="warning", at=self._clock(), fields=gap))

    def _line(self, record: Record) -> None:
        """Hand one record to structlog; the keys that frame a line win over fields of the same name."""
        fields = {key: value for key, value in record.fields.items() if key not in _FRAME}
        self._logger.log(LEVELS[record.level], record.name, ts=iso(record.at), **fields)

    def _from_library(self, level: Level, fields: Fields) -> None:
        """Take what a library logged."""
        self._write(Record(name="library", level=level, at=self._clock(), fields=fields))


def _level(text: str) -> Level:
    """Read a level in any case, `critical` as error: nothing here is worse. Raises ValueError for none."""
    said = text.strip().lower()
    for known in LEVELS:
        if known == ("error" if said == "critical" else said):
            return known
    raise ValueError(f"{text!r} is no log level: use one of {', '.join(LEVELS)}")
