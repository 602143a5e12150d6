"""The console: plain lines for cron, a table for a terminal, trouble only when asked to be quiet."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from dataclasses import replace

import pytest
from rich.console import Console as RichConsole

from orchestrator.core.messages import Called, Refused, Seen
from orchestrator.core.model import ImageId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Overview
from orchestrator.watch.console import Console, is_terminal
from orchestrator.watch.live_table import build_table
from tests.canary import SECRET
from tests.watch.samples import (
    CALL,
    COPY,
    COPY_OF_A,
    EAST,
    NIGHT,
    SOUTH,
    change,
    every_change,
    every_event,
    overview,
)

XTERM = {"TERM": "xterm-256color", "COLUMNS": "100"}
CALLED = Called(at=NIGHT, call=CALL, copies=(COPY,))
LOOK = Seen(at=NIGHT, region=EAST, asked=(COPY_OF_A,), images=())
DENIED = Refused(at=NIGHT, call=CALL, reason=Reason.CREDENTIALS, detail="invalid key")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def make(
    stream: io.StringIO,
    *,
    quiet: bool = False,
    verbose: bool = False,
    progress: bool = True,
    environ: Mapping[str, str] = XTERM,
    views: tuple[Overview, ...] = (),
    secrets: tuple[str, ...] = (),
) -> Console:
    """Make a console whose clock stands still."""
    return Console(
        stream, quiet=quiet, verbose=verbose, progress=progress, environ=environ, secrets=secrets,
        overview=lambda: views or (overview(),), clock=lambda: NIGHT,
    )  # fmt: skip


def one_night(console: Console) -> None:
    """Show a copy that waits once, one that becomes ready, one that fails, and one in doubt."""
    with console:
        console.event(CALLED, [change(State.CALLING, Reason.CALLED, before=State.WAITING)])
        console.event(CALLED, [change(State.WAITING, Reason.BUSY, until=NIGHT + 41)])
        console.event(CALLED, [change(State.CALLING, Reason.CALLED, before=State.WAITING)])
        console.event(LOOK, [change(State.COPYING, Reason.ACCEPTED, image=COPY_OF_A, at=NIGHT + 1)])
        console.event(LOOK, [change(State.COPYING, Reason.ACCEPTED, before=State.COPYING)])
        ready = change(State.READY, Reason.COPIED, before=State.COPYING, image=COPY_OF_A, at=NIGHT + 720)
        console.event(LOOK, [ready])
        console.event(LOOK, [change(State.FAILED, Reason.NOT_FOUND, detail="no such image")])
        console.event(LOOK, [change(State.DOUBTFUL, Reason.TIMEOUT)])
        console.tick(NIGHT + 299)
        console.tick(NIGHT + 300)
        console.tick(NIGHT + 301)


PLAIN = """\
03:12:07Z img-a cn-north-1 > cn-east-2 calling
03:12:07Z img-a cn-north-1 > cn-east-2 waiting: the source image is being copied or converted by another \
task; tried again in 41s
03:12:07Z img-a cn-north-1 > cn-east-2 calling
03:12:08Z img-a cn-north-1 > cn-east-2 copying (img-y)
03:24:07Z img-a cn-north-1 > cn-east-2 ready after 12m (img-y)
03:12:07Z img-a cn-north-1 > cn-east-2 FAILED: the source image does not exist; "no such image"; \
what to do: take it out of the plan or correct its id
03:12:07Z img-a cn-north-1 > cn-east-2 in doubt: no answer in time
03:17:07Z 40 of 120 ready, 8 copying, 70 waiting, 2 failed; about 12m to go
"""


def test_without_a_terminal_each_change_of_state_is_one_plain_line() -> None:
    """Cron gets a readable line per change and a heartbeat after five minutes, and nothing else."""
    out = io.StringIO()
    one_night(make(out))
    assert out.getvalue() == PLAIN


@pytest.mark.parametrize("environ", [{"TERM": "dumb"}, {"TERM": "unknown"}, {}])
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(environ: Mapping[str, str]) -> None:
    """Without a usable TERM no table is drawn."""
    out = Terminal()
    one_night(make(out, environ=environ))
    assert out.getvalue() == PLAIN


def test_no_progress_gives_plain_lines_on_a_terminal() -> None:
    """--no-progress means lines, also on a terminal."""
    out = Terminal()
    one_night(make(out, progress=False))
    assert out.getvalue() == PLAIN


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_quiet_shows_trouble_only(stream: type[io.StringIO]) -> None:
    """A quiet run says what failed and that credentials were refused, so that cron mails nothing else."""
    out = stream()
    console = make(out, quiet=True)
    one_night(console)
    console.event(DENIED, [change(State.WAITING, Reason.CREDENTIALS)])
    failed, denied = out.getvalue().splitlines()
    assert failed in PLAIN
    assert "FAILED" in failed
    assert "call c1 was refused, nothing was made: the cloud refused the credentials" in denied


def test_verbose_adds_events_and_what_changed_no_state() -> None:
    """A verbose run also tells of calls, answers and waits, but not of looks that changed nothing."""
    out = io.StringIO()
    with make(out, verbose=True) as console:
        console.event(CALLED)
        console.event(LOOK)
        again = change(State.WAITING, Reason.QUOTA_IMAGE, before=State.WAITING, until=NIGHT + 900)
        console.event(DENIED, [again])
    called, denied, waiting = out.getvalue().splitlines()
    assert called == "03:12:07Z call c1 asks cn-north-1 to copy 1 image to cn-east-2: img-a"
    assert 'the cloud refused the credentials; details: "invalid key"' in denied
    assert waiting.endswith("the destination's image quota is used up; tried again in 15m")


def test_a_wait_that_is_over_is_not_told() -> None:
    """A copy that may be tried at once says nothing of a time."""
    out = io.StringIO()
    make(out).event(CALLED, [change(State.WAITING, Reason.BUSY, until=NIGHT)])
    assert out.getvalue().endswith("converted by another task\n")


def test_a_run_that_goes_on_tells_it_every_five_minutes_with_its_notes() -> None:
    """The heartbeat says why a destination waits, and comes again after the next five minutes."""
    out = io.StringIO()
    with make(out, views=(overview("image quota full\x1b[2J", eta_s=None),)) as console:
        for second in range(0, 601):
            console.tick(NIGHT + second)
    lines = out.getvalue().splitlines()
    said = "40 of 120 ready, 8 copying, 70 waiting, 2 failed; cn-east-2: image quota full\\x1b[2J"
    assert lines == [f"03:17:07Z {said}", f"03:22:07Z {said}"]


def test_a_terminal_gets_a_table_and_trouble_above_it() -> None:
    """The table has a row per destination; failures stay above it, other changes are only in the table."""
    out = Terminal()
    one_night(make(out, views=(overview("full"), Overview(region=SOUTH, states={State.READY: 3}))))
    shown = out.getvalue()
    assert shown.count("FAILED") == 1
    assert "ready after" not in shown
    assert "of 120 ready" not in shown
    table = shown[shown.rindex("destination") :]
    assert "cn-east-2" in table
    assert "cn-south-1" in table
    assert shown.endswith("\x1b[?25h"), "the cursor is back"


def test_no_color_is_honoured() -> None:
    """With NO_COLOR nothing on the terminal is coloured."""
    coloured, plain = Terminal(), Terminal()
    one_night(make(coloured))
    one_night(make(plain, environ={**XTERM, "NO_COLOR": "1"}))
    assert "\x1b[36m" in coloured.getvalue()
    assert not [code for code in ("\x1b[31m", "\x1b[32m", "\x1b[36m", "38;5") if code in plain.getvalue()]


def test_the_table_shows_the_numbers_of_each_destination_and_their_sum() -> None:
    """A bar, waiting, copying with percent, ready, failed, ETA and note stand in their columns."""
    out = io.StringIO()
    doubt = Overview(region=SOUTH, states={State.DOUBTFUL: 2, State.READY: 1}, note="[red]x[/red]\nnext")
    table = build_table((overview("quota full"), doubt))
    RichConsole(file=out, force_terminal=True, width=140, color_system=None, _environ={}).print(table)
    lines = out.getvalue().splitlines()
    assert [line.count("━") for line in lines] == [0, 7, 6, 7]
    head, east, south, total = (line.replace("━", "").replace("╸", "").split() for line in lines)
    assert head == ["destination", "waiting", "copying", "ready", "failed", "ETA", "note"]
    assert east == ["cn-east-2", "70", "8", "45%", "40", "2", "12m", "quota", "full"]
    assert south == ["cn-south-1", "0", "0", "1", "0", "2", "in", "doubt;", "[red]x[/red]\\nnext"]
    assert total == ["all", "70", "8", "45%", "41", "2", "12m", "2", "in", "doubt"]


@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_foreign_acts_on_the_terminal(terminal: bool) -> None:
    """Escapes, line breaks and bidi marks in names and answers are shown as text."""
    out = Terminal() if terminal else io.StringIO()
    evil = "\x1b]0;title\x07\n\u202e\u2028\x9b2J" + "x" * 10_000
    with make(out, verbose=True) as console:
        for event in every_event(evil):
            console.event(event)
        for one in every_change(evil):
            console.event(LOOK, [one])
    shown = out.getvalue()
    assert not [char for char in ("\x1b]", "\x07", "\u202e", "\u2028", "\x9b") if char in shown]
    assert "\\x1b]0;title\\x07\\n\\u202e\\u2028\\x9b2J" in shown
    assert "x" * 301 not in shown


class Gone(io.StringIO):
    """A stream whose reader went away after some characters."""

    def __init__(self, room: int, *, terminal: bool) -> None:
        super().__init__()
        self.room = room
        self.terminal = terminal

    def isatty(self) -> bool:
        return self.terminal

    def write(self, text: str) -> int:
        self.room -= len(text)
        if self.room < 0:
            raise BrokenPipeError
        return super().write(text)


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("room", [0, 10, 700, 2000])
def test_a_reader_that_goes_away_does_not_stop_the_run(room: int, terminal: bool) -> None:
    """At whatever moment stderr breaks, the console goes silent and nothing is raised."""
    one_night(make(Gone(room, terminal=terminal)))


@pytest.mark.parametrize("terminal", [True, False])
def test_a_closed_stream_does_not_stop_the_run(terminal: bool) -> None:
    """Neither does a stream that is closed before or during the run."""
    before = Terminal() if terminal else io.StringIO()
    before.close()
    one_night(make(before))
    during = Terminal() if terminal else io.StringIO()
    with make(during) as console:
        during.close()
        console.event(LOOK, [change(State.FAILED, Reason.NOT_FOUND)])
    one_night(Console(None, overview=lambda: (), clock=lambda: NIGHT))


def test_a_real_broken_pipe_does_not_stop_the_run() -> None:
    """The same with a real pipe whose reading end is closed; stdout stays what it is."""
    reading, writing = os.pipe()
    os.close(reading)
    stdout = os.fstat(1)
    stream = os.fdopen(writing, "w", buffering=1)
    console = Console(stream, overview=lambda: (), clock=lambda: NIGHT)
    with console:
        console.event(LOOK, [change(State.FAILED, Reason.NOT_FOUND)])
    with pytest.raises(BrokenPipeError):
        stream.close()
    assert os.fstat(1) == stdout


def test_letters_that_the_stream_lacks_are_escaped() -> None:
    """A terminal in an ASCII locale shows escapes instead of ending the output."""
    raw = io.BytesIO()
    with make_ascii(raw) as console:
        console.event(LOOK, [change(State.FAILED, Reason.NOT_FOUND, detail="镜像不存在")])
        console.event(LOOK, [change(State.READY, Reason.COPIED, image=ImageId("img-z"))])
    lines = raw.getvalue().decode("ascii").splitlines()
    assert "\\u955c\\u50cf" in lines[0]
    assert lines[1].endswith("ready (img-z)")


def make_ascii(raw: io.BytesIO) -> Console:
    """Make a console on a strict ASCII stream."""
    stream = io.TextIOWrapper(raw, encoding="ascii", errors="strict", write_through=True)
    return Console(stream, overview=lambda: (), clock=lambda: NIGHT)


def test_no_secret_is_shown() -> None:
    """Even if the cloud sent a secret back, it is masked, also where a text is cut."""
    out = io.StringIO()
    secret = SECRET
    with make(out, verbose=True, secrets=(secret,)) as console:
        for detail in (secret, "x" * 295 + secret):
            refused = Refused(at=NIGHT, call=CALL, reason=Reason.UNEXPLAINED, detail=detail)
            console.event(refused, [change(State.FAILED, Reason.ATTEMPTS, detail=detail)])
    assert "CANA" not in out.getvalue()
    assert "***" in out.getvalue()


def test_stopping_twice_is_stopping_once() -> None:
    """The terminal is given back once, and later ticks print no table."""
    out = Terminal()
    console = make(out)
    console.start()
    console.stop()
    once = out.getvalue()
    console.stop()
    console.tick(NIGHT + 1)
    assert out.getvalue() == once
    assert not is_terminal(io.StringIO(), XTERM)


def test_the_table_shows_quotas_where_they_are_known() -> None:
    """Used and limit with a bar, the full one as well; nothing for a quota that nobody could read."""
    out = io.StringIO()
    full = replace(overview(), images=(5, 5), snapshots=(9, 40))
    blind = Overview(region=SOUTH, states={State.READY: 1}, snapshots=(0, 0))
    console = RichConsole(file=out, force_terminal=True, width=160, color_system=None, _environ={})
    console.print(build_table((full, blind)))
    head, east, south, total = (
        line.replace("━", "").replace("╸", "").split() for line in out.getvalue().splitlines()
    )
    assert head[-3:] == ["images", "snapshots", "note"]
    assert east[-2:] == ["5/5", "9/40"]
    assert south[-1] == "0/0"
    assert "/" not in "".join(total), "quotas of several regions have no sum"
