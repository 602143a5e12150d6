"""Whatever a name or a message holds, a terminal gets printable characters and newlines, and nothing else."""

from __future__ import annotations

import io
import json
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

import pytest
import rich.console
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orchestrator.core.model import DOCUMENTED_REGIONS, ImageId, Region, RunId, State
from orchestrator.core.plan import load_plan
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Overview, Result
from orchestrator.errors import PlanError, SettingsError
from orchestrator.settings import load_settings
from orchestrator.watch.console import Console
from orchestrator.watch.live_table import build_table
from orchestrator.watch.log_view import render
from orchestrator.watch.masks import LONGEST, Mask
from orchestrator.watch.plain import heartbeat_line
from orchestrator.watch.progress_log import ProgressLog
from orchestrator.watch.result import Running, result_json
from orchestrator.watch.status_view import RunLine, runs_json, runs_lines, status_lines
from orchestrator.watch.summary import summary_lines
from orchestrator.watch.text import clean, neutral
from tests.settings_place import FIELDS
from tests.watch.samples import NIGHT, RUN, change, every_change, every_event, result, standing

CONTROLS = [
    *("\x1b[2J", "\x1b]0;title\x07", "\x1b]52;c;Zm9v\x07", "\x9b31m", "\x90q"),
    *("[bold]", "[link=x]", "\\x1b", "%s", "{name}", "镜像"),
    *"\r\n\t\v\f\b\0\x7f\x85\xa0\xad\u200b\u200e\u200f\u202a\u202e\u2028\u2029\u2066\u2069",
    *"\ufeff\ufff9\U000e0041\ud800\udfff\ue000\U0010ffff\"'\\:#éa",
]
HOSTILE = st.lists(
    st.one_of(st.sampled_from(CONTROLS), st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Lu"])),
    min_size=1,
    max_size=8,
).map("".join)
ALL = "".join(CONTROLS)


def check(lines: Iterable[str]) -> None:
    """Hold lines to being lines, and harmless."""
    for line in lines:
        assert line.isprintable(), ascii(line)
        line.encode()


def check_json(text: str) -> None:
    """Hold a text to being one line of ASCII, and JSON that every parser takes."""
    assert text.isascii()
    assert text.isprintable()
    json.dumps(json.loads(text), ensure_ascii=False).encode()


def hostile_result(text: str) -> Result:
    """Make a result with a foreign text wherever one may stand."""
    words = [
        standing(state, reason, detail=text, image=ImageId(text))
        for state in State
        for reason in (Reason.COPY_ERROR, Reason.QUEUED, Reason.NEEDS_PERSON)
    ]
    whole = result(*words)
    return Result(
        run=whole.run,
        plan=text,
        verdict=whole.verdict,
        exit_code=3,
        started_at=NIGHT,
        finished_at=NIGHT + 9,
        counts=whole.counts,
        calls=whole.calls,
        copies=whole.copies,
        strangers=((Region("r"), ImageId("img-a")),),
    )


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
@example(ALL)
def test_the_progress_log_and_its_view(text: str) -> None:
    """A log's line is one line of plain ASCII JSON, and what `log` makes of it is one harmless line."""
    events, changes = every_event(text), [change(State.FAILED, Reason.COPY_ERROR, detail=text)]
    with TemporaryDirectory() as folder, ProgressLog.open(
        Path(folder), RUN, level="debug", clock=lambda: NIGHT
    ) as log:  # fmt: skip
        for event in events:
            log.event(event, changes)
        log.note("run.settings", "info", settings={text: text, "list": [text]})
        log.note("library", "warning", logger=text, message=text)
        lines = log.path.read_bytes().decode().removesuffix("\n").split("\n")
    assert len(lines) == 2 * len(events) + 2
    for line in lines:
        check_json(line)
    words = [render(line) for line in lines]
    assert None not in words
    check(word or "" for word in words)


@settings(max_examples=40, deadline=None)
@given(HOSTILE)
@example(ALL)
def test_a_log_that_somebody_else_wrote(text: str) -> None:
    """Whatever fields and names a line has, and whatever is no line, the view is harmless."""
    line = {
        "event": text,
        "ts": text * 20,
        "level": text,
        text: text,
        "reason": text,
        "copies": [text, {text: text}],
    }
    for raw in (
        json.dumps(line),
        json.dumps(line, ensure_ascii=False),
        text,
        f'{{"event": "call.sent", "call": "{text}',
    ):
        check([render(raw) or ""])
    for name in ("call.sent", "copy.failed", "run.settings", "run.finished", "library", "log.gap"):
        check([render(json.dumps({**line, "event": name, "images": {text: text}, "ts": text * 20})) or ""])


@settings(max_examples=40, deadline=None)
@given(HOSTILE, st.booleans())
@example(ALL, True)
def test_lines_on_the_screen(text: str, quiet: bool) -> None:
    """Events, changes and heartbeats of a run come out as harmless lines, as many as there should be."""
    out, view = io.StringIO(), Overview(region=Region(text), states={State.WAITING: 1}, note=text)
    console = Console(out, quiet=quiet, verbose=not quiet, overview=lambda: [view], clock=lambda: NIGHT)
    with console:
        for event in every_event(text):
            console.event(event, [change(State.FAILED, Reason.COPY_ERROR, detail=text, image=ImageId(text))])
        console.tick(NIGHT + 1000)
    lines = out.getvalue().removesuffix("\n").split("\n")
    check(lines)
    if not quiet:
        assert len(lines) <= 2 * len(every_event()) + 1
    check([heartbeat_line(NIGHT, [view, view])])


def test_every_reason_on_the_screen() -> None:
    """No state and no reason has words of its own that let something through."""
    out = io.StringIO()
    with Console(out, verbose=True, overview=list, clock=lambda: NIGHT) as console:
        for one in every_change(ALL):
            console.event(every_event()[0], [one])
    check(out.getvalue().removesuffix("\n").split("\n"))


@settings(max_examples=40, deadline=None)
@given(HOSTILE)
@example(ALL)
def test_the_live_table(text: str) -> None:
    """A cell holds no control, no markup and no link; rich's own cursor movements are not asked for here."""
    views = [
        Overview(region=Region(text), states={State.COPYING: 3, State.DOUBTFUL: 1}, percent=5, note=text)
    ] * 2
    out = io.StringIO()
    screen = rich.console.Console(
        file=out, width=400, color_system=None, markup=False, emoji=False, _environ={}
    )
    screen.print(build_table(views))
    check(out.getvalue().removesuffix("\n").split("\n"))
    if "[bold]" in text:
        assert "[bold]" in out.getvalue()


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
@example(ALL)
def test_status_runs_and_summary(text: str) -> None:
    """Tables and sentences are harmless, and --json is one line that every parser takes."""
    done = hostile_result(text)
    going = Running(
        run=RunId(text), plan=text, started_at=NIGHT, counts=done.counts, calls={}, copies=done.copies,
        overviews=(Overview(region=done.copies[0].copy.destination, states={}, note=text),),
    )  # fmt: skip
    rows = [RunLine(run=RUN, plan=text, started_at=NIGHT, verdict=text)]
    for view in (done, going):
        check(status_lines(view, NIGHT + 60))
    check(summary_lines(done, Path(text.replace("\0", "x"))))
    check(runs_lines(rows, NIGHT + 60))
    check_json(result_json(done))
    check_json(runs_json([RunLine(run=RUN, plan=text, started_at=NIGHT)]))


def _unlisted(path: str) -> bytes:
    """Have no list file."""
    raise FileNotFoundError(2, path, path)


@settings(max_examples=100, deadline=None)
@given(
    HOSTILE,
    st.sampled_from(["name", "source", "destinations", "images", "images_file", "key", "raw", "file"]),
)
@example(ALL, "file")
def test_complaints_about_a_plan(text: str, place: str) -> None:
    """Every complaint about a plan is one harmless line, wherever the foreign text stands."""
    part: dict[str, object] = {
        "name": "n",
        "source": "cn-north-1",
        "destinations": ["cn-east-2"],
        "images": ["img-a"],
    }
    if place == "key":
        part[text] = text
    elif place in part or place == "images_file":
        part[place] = [text] if place in ("destinations", "images") else text
    body = json.dumps({"version": 1, "replications": [part]}) if place != "raw" else f"version: {text}"
    name = text if place == "file" else "plan.yaml"
    try:
        load_plan(body.encode(errors="replace") + b"]" * (place == "file"), name, regions=DOCUMENTED_REGIONS,
                  read_list=_unlisted)  # fmt: skip
    except PlanError as error:
        check(error.complaints)


@settings(max_examples=100, deadline=None)
@given(HOSTILE, st.sampled_from(FIELDS), st.sampled_from(["environment", "option", "file"]))
def test_complaints_about_a_setting(text: str, field: str, source: str) -> None:
    """Every complaint about a setting is harmless in the way in which it is told."""
    with TemporaryDirectory() as place:
        folder, config = Path(place), None
        if source == "file":
            config = folder / "settings.toml"
            config.write_text(f"{field} = {json.dumps(text)}\n")
        environ = {f"ORCHESTRATOR_{field.upper()}": text} if source == "environment" else {}
        options = {field: text} if source == "option" else {}
        try:
            load_settings(environ=environ, cwd=folder, home=folder, config=config, overrides=options)
        except SettingsError as error:
            check(neutral(str(error)).split("\n"))


@settings(max_examples=200, deadline=None)
@given(HOSTILE)
@example(ALL)
def test_neutral_keeps_lines_and_clean_makes_one(text: str) -> None:
    """What is printable stays as it is; the rest becomes escapes, and only newlines still part lines."""
    assert len(neutral(text).split("\n")) == text.count("\n") + 1
    check(neutral(text).split("\n"))
    check([clean(text)])
    if text.isprintable():
        assert neutral(text) == clean(text) == text


@pytest.mark.parametrize("secret", ["kept/secret+key=1", "0123456789abcdef"])
def test_a_mask_knows_what_requests_make_of_a_secret(secret: str) -> None:
    """As it is, in base64 as a token is sent, quoted as in a URL; an empty or short one cuts no holes."""
    mask = Mask((secret, "", " ", "abc"))
    encoded = b64encode(secret.encode()).decode()
    for form in (secret, encoded, quote(secret, safe="")):
        assert form not in str(mask.value({"x": [f"<{form}>"], form: 1}))
        assert "***" in str(mask.value(f"<{form}>"))
        assert form[:8] not in str(mask.value("x" * (LONGEST - 12) + form))
    assert mask.text("YWJj and ab c") == "YWJj and ab c"
