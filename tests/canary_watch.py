"""A pytest plugin: whatever a test shows, writes, raises or starts is searched for the canary secrets.

A find fails the test, names where it was, and repeats nothing of it. Each worker of pytest-xdist
searches what its own tests left. A test that must put a secret where none may be says so:

    @pytest.mark.shows_canary("log", reason="what the log must mask")

with one or more of: output, log, exception, argv, file. A single file is excused by `canary.holds`.
"""

from __future__ import annotations

import logging
import os
import subprocess
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from _pytest.capture import MultiCapture

from orchestrator.cloud import signing
from tests import canary

MARK = "shows_canary"
TALKATIVE = ("aiohttp.client", "aiohttp.internal", "aiohttp.server", "aiohttp.web")
"""Loggers that are heard at every level; aiohttp.access would only cost time."""
Stamp = tuple[int, int, int]


class Watch:
    """Listens and searches; one for each process that runs tests."""

    def __init__(self) -> None:
        self._patch = pytest.MonkeyPatch()
        self._handler = _Listener(self.hear, self.hear_error)
        self._hits: list[tuple[str, str]] = []
        self._seals: set[str] = set()
        self._known: dict[str, Stamp] = {}
        self._owners: dict[Path, str] = {}
        self._last = False

    # --- what is heard ----------------------------------------------------------------------------

    def hear(self, where: str, said: object) -> None:
        """Search a text, or the repr of anything else."""
        text = said if isinstance(said, str | bytes) else repr(said)
        self._hits += [(where, f"{where} holds {what}") for what in canary.found_in(text, self._seals)]

    def hear_error(self, where: str, error: BaseException | None) -> None:
        """Search an exception and all that stands behind it: texts, arguments, attributes, notes."""
        left, seen = [error], set[int]()
        while left:
            one = left.pop()
            if one is None or id(one) in seen:
                continue
            seen.add(id(one))
            self.hear(where, f"{type(one).__name__}: {one} {one.args!r} {vars(one)!r}")
            left += [one.__cause__, one.__context__]
            left += one.exceptions if isinstance(one, BaseExceptionGroup) else []

    def search_folder(self, folder: Path) -> None:
        """Search every file below a folder that is new or has changed."""
        for place, _, names in os.walk(folder):
            for name in names:
                path = Path(place, name)
                if self._is_new(path):
                    found = canary.found_in(name) + canary.found_in_file(path, self._seals)
                    owner = self._owner(path)
                    self._hits += [("file", f"{owner}{path} holds {what}") for what in found]

    def _is_new(self, path: Path) -> bool:
        """Tell whether a file is not as it was when it was last looked at."""
        try:
            state = path.lstat()
        except OSError:
            return False
        stamp = (state.st_ino, state.st_size, state.st_mtime_ns)
        if self._known.get(str(path)) == stamp:
            return False
        self._known[str(path)] = stamp
        return True

    def _owner(self, path: Path) -> str:
        """Name the test whose folder a file is in."""
        owners = (self._owners[parent] for parent in path.parents if parent in self._owners)
        return next((f"{owner} left: " for owner in owners), "")

    # --- pytest's hooks ---------------------------------------------------------------------------

    def pytest_configure(self, config: pytest.Config) -> None:
        """Begin to listen."""
        config.addinivalue_line("markers", f"{MARK}(*where, reason): puts a secret there on purpose")
        canary.ears.append(self.hear)
        logging.getLogger().addHandler(self._handler)
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.DEBUG)
        for place, name, make in (
            (MultiCapture, "readouterr", self._captured),
            (pytest.ExceptionInfo, "fill_unfilled", self._caught),
            (subprocess.Popen, "__init__", self._started),
            (subprocess.Popen, "communicate", self._answered),
            (tempfile.TemporaryDirectory, "cleanup", self._removed),
            (signing, "signature", self._signed),
        ):
            self._patch.setattr(place, name, make(getattr(place, name)))

    def pytest_unconfigure(self) -> None:
        """Stop listening."""
        self._patch.undo()
        logging.getLogger().removeHandler(self._handler)
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(logging.NOTSET)
        canary.ears.remove(self.hear)

    def pytest_make_parametrize_id(self, val: object) -> str | None:
        """Keep secrets out of the names of tests, which become names of folders."""
        text = val.decode("latin-1") if isinstance(val, bytes) else val
        if isinstance(text, str) and canary.found_in(text):
            return canary.redacted(text).encode("unicode_escape").decode()
        return None

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> Generator[Any]:
        """Know which test is the last one here."""
        self._last = nextitem is None
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Generator[None]:
        """Search a test's folder while what it started still runs, beside its files."""
        folder = getattr(item, "funcargs", {}).get("tmp_path")
        if isinstance(folder, Path):
            self._owners[folder] = item.nodeid
            self.search_folder(folder)
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Make a find the failure of its test; after the last one search all that is left."""
        report = yield
        if call.excinfo is not None and not isinstance(call.excinfo.value, pytest.skip.Exception):
            self.hear_error("exception", call.excinfo.value)
        if call.when == "teardown" and self._last:
            self.search_folder(item.config._tmp_path_factory.getbasetemp())  # type: ignore[attr-defined]
        hits, self._hits = _not_excused(item, self._hits), []
        if call.when == "teardown":
            self._seals.clear()
        _redact(report)
        if hits:
            told = "\n".join(f"  {canary.redacted(hit)}" for hit in dict.fromkeys(hits))
            before = f"\n{report.longreprtext}" if report.failed else ""
            report.outcome = "failed"
            report.longrepr = f"A secret was leaked by {item.nodeid}:\n{told}{before}"
        return report

    # --- what is listened to ----------------------------------------------------------------------

    def _captured(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Hear what goes to stdout and stderr, whoever reads it."""

        def readouterr(capture: Any) -> Any:
            result = real(capture)
            self.hear("output", result.out)
            self.hear("output", result.err)
            return result

        return readouterr

    def _caught(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Hear of every exception that a test expects."""

        def fill_unfilled(info: Any, told: Any) -> None:
            self.hear_error("exception", told[1])
            real(info, told)

        return fill_unfilled

    def _started(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Hear of the arguments of every child: everybody on the machine can read those."""

        def init(process: Any, args: Any, *rest: Any, **options: Any) -> None:
            self.hear("argv", args)
            real(process, args, *rest, **options)

        return init

    def _answered(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Hear what a child says into a pipe."""

        def communicate(process: Any, *rest: Any, **options: Any) -> Any:
            said = real(process, *rest, **options)
            for part in said:
                self.hear("output", part or "")
            return said

        return communicate

    def _removed(self, real: Callable[..., Any]) -> Callable[..., Any]:
        """Search a temporary folder before it is gone."""

        def cleanup(folder: Any) -> None:
            self.search_folder(Path(folder.name))
            real(folder)

        return cleanup

    def _signed(self, real: Callable[..., str]) -> Callable[..., str]:
        """Remember the signatures that this test's requests carry."""

        def signature(*given: Any) -> str:
            seal = real(*given)
            self._seals.add(seal)
            return seal

        return signature


class _Listener(logging.Handler):
    """Hands every log record on, whatever its level."""

    def __init__(self, hear: canary.Ear, hear_error: Callable[[str, BaseException | None], None]) -> None:
        super().__init__(level=logging.NOTSET)
        self._hear, self._hear_error = hear, hear_error

    def emit(self, record: logging.LogRecord) -> None:
        """Hear message, arguments and exception."""
        self._hear("log", f"{record.msg} {record.args!r}")
        self._hear_error("log", record.exc_info[1] if record.exc_info else None)


def _not_excused(item: pytest.Item, hits: list[tuple[str, str]]) -> list[str]:
    """Leave out what a test says it does on purpose; a mark without a reason excuses nothing."""
    marks = [mark for mark in item.iter_markers(MARK) if mark.kwargs.get("reason")]
    excused = {where for mark in marks for where in mark.args}
    return [told for where, told in hits if where not in excused]


def _redact(report: pytest.TestReport) -> None:
    """Put stars into a report that would show a secret itself."""
    report.sections = [(name, canary.redacted(text)) for name, text in report.sections]
    if report.failed and canary.found_in(report.longreprtext):
        report.longrepr = canary.redacted(report.longreprtext)
