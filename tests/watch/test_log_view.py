"""The log for people: a sentence for every line, during the run and after it, whatever the file holds."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from orchestrator.core.messages import Event, Refused
from orchestrator.core.model import State
from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.watch.log_view import follow, is_last, read_lines, render
from orchestrator.watch.names import every_name
from orchestrator.watch.progress_log import ProgressLog
from tests.watch.samples import CALL, COPY_OF_A, NIGHT, RUN, A, change, every_change, every_event, result


def said(folder: Path, write: Callable[[ProgressLog], None]) -> list[str]:
    """Write a log and read it aloud."""
    with ProgressLog.open(folder, RUN, level="debug", clock=lambda: NIGHT) as log:
        write(log)
    rendered = [render(line) for line in read_lines(log.path)]
    assert None not in rendered
    return [line for line in rendered if line is not None]


def test_a_bad_night_makes_sense_when_read_aloud(tmp_path: Path) -> None:
    """Who was held up by what, for how long, and what to do: in full sentences."""

    def night(log: ProgressLog) -> None:
        busy = Refused(
            at=NIGHT, call=CALL, reason=Reason.BUSY, culprit=A, detail="image busy", until=NIGHT + 41
        )
        log.note("run.started", "info", plan="nightly.yaml", version="1", pid=7)
        log.event(busy, [change(State.WAITING, Reason.BUSY, until=NIGHT + 41)])
        log.event(
            every_event()[9],
            [
                change(State.COPYING, Reason.ACCEPTED, image=COPY_OF_A),
                change(State.WAITING, Reason.QUOTA_IMAGE, until=NIGHT + 900),
                change(State.DOUBTFUL, Reason.DISCONNECTED),
                change(State.FAILED, Reason.NOT_FOUND, detail="no such image"),
            ],
        )
        log.note("run.heartbeat", "info", counts={"wanted": 4, "ready": 1}, calls={"copyImages": 2})
        log.note("run.signal", "warning", signal="SIGTERM")
        log.finished(result())

    assert said(tmp_path, night) == [
        "03:12:07 run r1 started with plan nightly.yaml (on 2026-11-23, times are UTC)",
        "03:12:07 call c1 was refused, nothing was made: the source image is being copied or converted by"
        ' another task; the answer names img-a; details: "image busy"; tried again in 41 s',
        "03:12:07 img-a to cn-east-2: the source image is being copied or converted by another task;"
        " tried again in 41 s",
        "03:12:07 cn-east-2 shows 1 of 1 copies under way: 1 text",
        "03:12:07 img-a to cn-east-2: the cloud accepted the copy; it is img-y there",
        "03:12:07 warning: img-a to cn-east-2: the destination's image quota is used up;"
        " tried again in 15 min",
        "03:12:07 warning: img-a to cn-east-2: in doubt, the connection broke before the answer",
        "03:12:07 ERROR: img-a to cn-east-2: failed, the source image does not exist;"
        ' details: "no such image"; what to do: take it out of the plan or correct its id',
        "03:12:07 still running: 4 wanted, 1 ready",
        "03:12:07 warning: asked to stop by SIGTERM; what is under way goes on in the cloud",
        "03:12:07 warning: run r1 finished: partial, exit code 3; 0 wanted, 0 ready, 0 failed, 0 pending;"
        " it took 1 h (on 2026-11-23, times are UTC)",
    ]


@pytest.mark.parametrize("event", every_event("img-t"), ids=lambda event: type(event).__name__)
def test_every_event_has_all_its_words(tmp_path: Path, event: Event) -> None:
    """No sentence about an event that the program writes has a gap in it."""
    (line,) = said(tmp_path, lambda log: log.event(event))
    assert "?" not in line
    assert "{" not in line


def test_every_reason_is_told(tmp_path: Path) -> None:
    """A change says why, for every reason, and what to do when somebody must act."""
    changes = list(every_change("img-t"))
    lines = said(tmp_path, lambda log: log.event(every_event()[0], changes))[1:]
    for one, line in zip(changes, lines, strict=True):
        meaning = MEANINGS[one.reason]
        assert meaning.says in line
        assert "img-a to cn-east-2" in line
        if one.after is State.FAILED:
            assert line.startswith("03:12:07 ERROR: ")
            assert meaning.advice in line


@pytest.mark.parametrize("name", every_name())
def test_a_line_that_lacks_its_fields_is_still_a_line(name: str) -> None:
    """A line of an older or damaged log, of whatever name, is told as far as it goes."""
    for fields in ({}, {"copies": {"a": []}, "reason": 7, "wait_s": "x", "level": [], "ts": 3}):
        line = render(json.dumps({"event": name, **fields}))
        assert line is not None
        assert line.startswith("--:--:-- ")


@pytest.mark.parametrize("line", ["", "torn {", '{"event": 3}', "[]", "null", "12", "[" * 5000, "plain text"])
def test_torn_and_foreign_lines_are_skipped(line: str) -> None:
    """What is not a line of the log is left out and stops nothing."""
    assert render(line) is None
    assert not is_last(line)


def test_a_line_from_a_newer_version_lists_its_fields() -> None:
    """An event that this version does not know is told by its name and fields."""
    line = render('{"ts": "2026-11-23T03:12:07.000Z", "event": "moon.rose", "copy": null, "phase": "full"}')
    assert line == "03:12:07 moon.rose: phase full"
    unknown = render('{"event": "copy.waiting", "source_image": "img-a", "reason": "tired"}')
    assert unknown == "--:--:-- img-a to ?: tired"


def test_nothing_in_the_log_acts_on_the_terminal() -> None:
    """Control characters in any field or name come out as text."""
    evil = "\x1b[2J\n\u202e"
    for name in [*every_name(), evil]:
        fields = dict.fromkeys(["copy", "call", "detail", "reason", "source_image", "message", evil], evil)
        line = render(json.dumps({"ts": evil * 9, "event": name, "settings": {evil: evil}, **fields}))
        assert line is not None
        assert line.isprintable()


def test_reading_leaves_a_torn_last_line_out(tmp_path: Path) -> None:
    """Only whole lines are given; bytes that are no UTF-8 stop nothing."""
    path = tmp_path / "r1.jsonl"
    path.write_bytes(b'{"event": "a"}\n\xff\xfe\n{"event": "to')
    assert list(read_lines(path)) == ['{"event": "a"}', "\ufffd\ufffd"]


def append(path: Path, text: str) -> None:
    """Write some more into a file."""
    with path.open("a") as file:
        file.write(text)


def writer(*steps: Callable[[], object]) -> tuple[Callable[[float], Awaitable[None]], list[float]]:
    """Make a sleep that lets the writer take its next step each time, and tells how long it slept."""
    left, slept = list(steps), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert left, "followed on after the end"
        left.pop(0)()

    return sleep, slept


async def test_following_gives_lines_as_they_come_and_ends_with_the_run(tmp_path: Path) -> None:
    """A follower sees old lines, new ones and halves made whole, and ends after run.finished."""
    path = tmp_path / "r1.jsonl"
    path.write_text('{"event": "a"}\n{"eve')
    lines: list[str] = []
    sleep, slept = writer(
        lambda: lines.append("(asleep)"),
        lambda: append(path, 'nt": "b"}\nforeign\n'),
        lambda: append(path, '{"event": "run.finished"}\n{"event": "after"}\n'),
    )
    async for line in follow(path, sleep, poll_s=0.25):
        lines.append(line)
    assert lines == [
        '{"event": "a"}', "(asleep)", '{"event": "b"}', "foreign", '{"event": "run.finished"}'
    ]  # fmt: skip
    assert slept == [0.25, 0.25, 0.25]


async def test_following_a_killed_run_ends_when_nobody_writes(tmp_path: Path) -> None:
    """Without a last line, following ends once nobody holds the run, after everything was read."""
    path = tmp_path / "r1.jsonl"
    path.write_text('{"event": "a"}\n')
    dead: list[bool] = []

    def die() -> None:
        append(path, '{"event": "b"}\n{"event": "to')
        dead.append(True)

    sleep, _ = writer(die)
    lines = [line async for line in follow(path, sleep, over=lambda: bool(dead))]
    assert lines == ['{"event": "a"}', '{"event": "b"}']


async def test_a_log_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """Both readers name the file that is missing."""
    sleep, _ = writer()
    with pytest.raises(FileNotFoundError, match=r"r1\.jsonl"):
        list(read_lines(tmp_path / "r1.jsonl"))
    with pytest.raises(FileNotFoundError, match=r"r1\.jsonl"):
        _ = [line async for line in follow(tmp_path / "r1.jsonl", sleep)]
