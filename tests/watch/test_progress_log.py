"""The progress log: one JSON line per event and change, no secret, and never a reason to stop."""

from __future__ import annotations

import json
import logging
import os
import resource
import signal
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from orchestrator.core.messages import Refused, Seen
from orchestrator.core.model import RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Verdict
from orchestrator.watch.library import LibraryHandler
from orchestrator.watch.log_files import log_path
from orchestrator.watch.masks import Mask
from orchestrator.watch.names import ALWAYS
from orchestrator.watch.progress_log import ProgressLog
from tests.canary import SECRET
from tests.watch.samples import (
    CALL,
    EAST,
    NIGHT,
    RUN,
    A,
    change,
    every_change,
    every_event,
    result,
    standing,
)

HOSTILE = [
    "a\nb",
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "\x00\x7f\x9b",
    "x" * 10_000,
    "{schema}%s",
    "\ud800",
    '"}\n{"',
]


def open_log(folder: Path, *, run: RunId = RUN, level: str = "debug") -> ProgressLog:
    """Open a log whose clock stands still; trouble is an error of the test."""
    return ProgressLog.open(folder, run, level=level, clock=lambda: NIGHT, secrets=(SECRET,), trouble=_fail)


def _fail(error: OSError) -> None:
    """Fail the test."""
    raise AssertionError(f"the log was not written: {error}")


def lines_of(log: ProgressLog) -> list[dict[str, object]]:
    """Read the log's lines, each of which must be JSON."""
    return [json.loads(line) for line in log.path.read_text(encoding="ascii").splitlines()]


def test_every_event_and_every_change_is_a_line_with_the_promised_keys(tmp_path: Path) -> None:
    """One JSON line for each event and each change; the promised keys come first, in every line."""
    events, changes = every_event(), list(every_change())
    with open_log(tmp_path) as log:
        for event in events:
            log.event(event)
        log.event(events[0], changes)
    lines = lines_of(log)
    assert len(lines) == len(events) + 1 + len(changes)
    for line in lines:
        assert list(line)[: len(ALWAYS)] == list(ALWAYS)
        assert (line["schema"], line["run"], line["ts"]) == (1, "r1", "2026-11-23T03:12:07.000Z")
        assert line["level"] in ("debug", "info", "warning", "error")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_stays_in_its_field(tmp_path: Path, text: str) -> None:
    """Line breaks, escapes, bidi marks and JSON in foreign texts break no line and reach no terminal."""
    with open_log(tmp_path) as log:
        for event in every_event(text):
            log.event(event, [change(State.FAILED, Reason.COPY_ERROR, detail=text)])
    raw = log.path.read_bytes()
    assert raw.count(b"\n") == 2 * len(every_event()) == len(lines_of(log))
    assert all(byte == 10 or 32 <= byte < 127 for byte in raw)
    failed = [line for line in lines_of(log) if line["event"] == "copy.failed"]
    kept = "?" if text == "\ud800" else text if len(text) <= 2000 else text[:1999] + "…"
    assert {line["detail"] for line in failed} == {kept}


def test_the_level_leaves_lines_out(tmp_path: Path) -> None:
    """Below the level, in any case of its letters, nothing is written."""
    look = Seen(at=NIGHT, region=EAST, asked=(A,), images=())
    with open_log(tmp_path, level="Warning") as log:
        log.event(look, [change(State.READY, Reason.COPIED), change(State.DOUBTFUL, Reason.TIMEOUT)])
        log.note("run.heartbeat", "info")
    assert [line["event"] for line in lines_of(log)] == ["copy.doubtful"]


def test_an_unknown_level_is_refused_by_name(tmp_path: Path) -> None:
    """A level that does not exist is an error that names those that do."""
    with pytest.raises(ValueError, match="'loud' is no log level: use one of debug, info, warning, error"):
        open_log(tmp_path, level="loud")


@pytest.mark.shows_canary("log", reason="a library says the secret, which our log must mask")
def test_no_secret_is_written_wherever_it_turns_up(tmp_path: Path) -> None:
    """Texts, lists, mappings, objects, libraries' words and exceptions come out masked, also past the cut."""
    with open_log(tmp_path) as log:
        log.event(Refused(at=NIGHT, call=CALL, reason=Reason.UNEXPLAINED, detail=f"key {SECRET}!"))
        log.note(
            "run.settings", "info", settings={SECRET: [SECRET, {"deep": (SECRET,)}], "path": Path(SECRET)}
        )
        log.note("run.settings", "info", settings="x" * 1990 + SECRET)
        _raise_with_secret_locals()
    raw = log.path.read_text(encoding="ascii")
    assert SECRET not in raw
    assert SECRET[:8] not in raw
    assert raw.count("***") >= 6
    assert SECRET not in repr(Mask((SECRET,)))


def _raise_with_secret_locals() -> None:
    """Let a library log an exception whose frame and text hold the secret."""
    held = SECRET
    try:
        raise RuntimeError(f"could not use {held}")
    except RuntimeError:
        logging.getLogger("aiohttp.client").exception("failed with %s", held)


def test_local_variables_are_never_in_a_traceback(tmp_path: Path) -> None:
    """An exception names its frames; a local variable that no mask knows is not shown."""
    with open_log(tmp_path) as log:
        unmasked = "local-" + "value"
        try:
            raise RuntimeError("broken")
        except RuntimeError:
            logging.getLogger("asyncio").exception("Task exception was never retrieved")
    (line,) = lines_of(log)
    assert (line["event"], line["level"], line["logger"]) == ("library", "error", "asyncio")
    assert "broken" in json.dumps(line["exception"])
    assert unmasked not in json.dumps(line)


def test_libraries_and_warnings_speak_here_until_the_log_is_closed(tmp_path: Path) -> None:
    """A warning of a library or of Python is one line of event `library`; after closing nothing comes."""
    before = list(logging.getLogger().handlers)
    with open_log(tmp_path) as log, warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.getLogger("aiohttp.access").info("not worth a line")
        logging.getLogger("aiohttp").warning("unclosed %s", "session")
        warnings.warn("old form", DeprecationWarning, stacklevel=1)
    logging.getLogger("aiohttp").debug("after the end")
    assert [(line["event"], line["logger"]) for line in lines_of(log)] == [
        ("library", "aiohttp"),
        ("library", "py.warnings"),
    ]
    assert logging.getLogger().handlers == before


def test_a_library_that_logs_with_wrong_arguments_stops_nothing() -> None:
    """A message whose arguments do not fit is taken as it is."""
    taken: list[object] = []
    handler = LibraryHandler(lambda level, fields: taken.extend([level, fields["message"]]))
    handler.emit(logging.LogRecord("aiohttp", logging.WARNING, "", 1, "%d open", ("three",), None))
    assert taken == ["warning", "'%d open' with arguments that do not fit"]


def test_a_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    """Who reads the log during a run sees every line that was written."""
    with open_log(tmp_path) as log:
        log.note("run.signal", "warning", signal="SIGTERM")
        assert lines_of(log)[0]["signal"] == "SIGTERM"


def test_a_note_cannot_forge_the_frame_of_its_line(tmp_path: Path) -> None:
    """Fields named like the keys of the frame do not replace them."""
    with open_log(tmp_path) as log:
        log.note("run.settings", "info", event="copy.ready", level="error", run="r2", ts="never")
    (line,) = lines_of(log)
    assert [line[key] for key in ("event", "level", "run")] == ["run.settings", "info", "r1"]
    assert line["ts"] == "2026-11-23T03:12:07.000Z"


def test_the_last_line_tells_the_verdict(tmp_path: Path) -> None:
    """run.finished carries verdict, exit code, counts and calls; it warns unless all is ready."""
    bad = result(standing(State.FAILED, Reason.NOT_FOUND))
    with open_log(tmp_path) as log:
        log.finished(bad)
        log.finished(result(verdict=Verdict.OK, exit_code=0))
    first, second = lines_of(log)
    assert (first["event"], first["level"], second["level"]) == ("run.finished", "warning", "info")
    assert (first["verdict"], first["exit_code"], first["took_s"]) == ("partial", 3, 3600.25)
    assert first["counts"] == {"wanted": 1, "ready": 0, "failed": 1, "pending": 0}
    assert first["calls"] == {"copyImages": 36, "describeImages": 120}


def test_the_file_is_private_and_latest_points_at_it(tmp_path: Path) -> None:
    """Only the owner reads a log, and `latest` leads to the newest run's."""
    folder = tmp_path / "state" / "logs"
    for run in ("r1", "r2"):
        open_log(folder, run=RunId(run)).close()
        assert (folder / "latest").readlink() == Path(f"{run}.jsonl")
    assert stat.S_IMODE((folder / "r2.jsonl").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(path.name for path in folder.iterdir()) == ["latest", "r1.jsonl", "r2.jsonl"]
    assert log_path(folder) == folder / "latest"


@pytest.mark.parametrize("run", ["", "../x", "a/b", ".hidden", "a\nb", "x" * 200])
def test_a_run_id_that_is_no_file_name_is_refused(tmp_path: Path, run: str) -> None:
    """No run id leads out of the folder of the logs."""
    with pytest.raises(ValueError, match="is not the id of a run"):
        open_log(tmp_path, run=RunId(run))


def test_a_link_in_the_place_of_the_log_is_not_followed(tmp_path: Path) -> None:
    """A planted link is reported and the file behind it stays untouched; the run goes on."""
    (tmp_path / "r1.jsonl").symlink_to(tmp_path / "victim")
    (tmp_path / "victim").write_text("mine")
    told: list[OSError] = []
    with ProgressLog.open(tmp_path, RUN, level="info", clock=lambda: NIGHT, trouble=told.append) as log:
        log.note("run.started", "info")
        log.note("run.heartbeat", "info")
    assert len(told) == 1
    assert (tmp_path / "victim").read_text() == "mine"


def test_a_torn_last_line_is_closed_before_the_next(tmp_path: Path) -> None:
    """After a crash in the middle of a line, the next line begins on its own."""
    (tmp_path / "r1.jsonl").write_text('{"schema": 1, "ts": "20')
    with open_log(tmp_path) as log:
        log.note("run.started", "info")
    torn, whole = log.path.read_text().splitlines()
    assert torn == '{"schema": 1, "ts": "20'
    assert json.loads(whole)["event"] == "run.started"


@contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Let every write beyond this many bytes fail, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, old)


def test_a_full_disk_is_reported_once_and_leaves_a_gap_that_is_told(tmp_path: Path) -> None:
    """The run goes on without its log, hears of it once, and the log says how much is missing."""
    told: list[OSError] = []
    with ProgressLog.open(tmp_path, RUN, level="info", clock=lambda: NIGHT, trouble=told.append) as log:
        log.note("run.started", "info")
        with files_end_at(log.path.stat().st_size + 30):
            for _ in range(5):
                log.note("run.heartbeat", "info")
        assert len(told) == 1
        log.note("run.heartbeat", "debug")
        log.note("run.signal", "warning", signal="SIGTERM")
    first, torn, *rest = log.path.read_text().splitlines()
    assert json.loads(first)["event"] == "run.started"
    assert len(torn) == 30
    after = [json.loads(line) for line in rest]
    assert [line["event"] for line in after] == ["run.signal", "log.gap"]
    assert after[1]["lost_lines"] == 5


def test_pruning_removes_old_logs_of_other_runs_and_nothing_else(tmp_path: Path) -> None:
    """Old `*.jsonl` files go; young ones, the present one, links and other names stay."""
    for name in ("old.jsonl", "young.jsonl", "notes.txt", "r1.jsonl"):
        (tmp_path / name).touch()
        age_days = 1 if name == "young.jsonl" else 31
        os.utime(tmp_path / name, (NIGHT, NIGHT - age_days * 86_400))
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "notes.txt")
    (tmp_path / "folder.jsonl").mkdir()
    for name in ("link.jsonl", "folder.jsonl"):
        os.utime(tmp_path / name, (0, 0), follow_symlinks=False)
    with open_log(tmp_path) as log:
        assert log.prune(30) == 1
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["folder.jsonl", "latest", "link.jsonl", "notes.txt", "r1.jsonl", "young.jsonl"]


def test_values_that_json_lacks_become_text(tmp_path: Path) -> None:
    """Not-a-number becomes null and a strange object its repr; the line stays valid JSON."""
    loop: list[object] = []
    loop.append(loop)
    with open_log(tmp_path) as log:
        log.note("run.settings", "info", settings={"nan": float("nan"), "type": int, "loop": loop})
    settings = lines_of(log)[0]["settings"]
    assert isinstance(settings, dict)
    assert (settings["nan"], settings["type"]) == (None, "<class 'int'>")
