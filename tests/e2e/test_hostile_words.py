"""Words that would act on a terminal, on the command line, in names of files and in files: none gets out."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.e2e.processes import Running
from tests.e2e.support import EAST, Cloud, Home, MakeHome

EVIL = "\x1b]0;x\x07\x1b[2J\u202e\u2028\x9b31m\udcff\r\n\x7fevil"
NAME = f"{EVIL.replace(chr(13) + chr(10), '')}.yaml"
"""A file's name; the byte 0xff in it is no UTF-8."""


def shown(running: Running, folder: Path) -> str:
    """Wait for the end, and hold all that was printed to being harmless."""
    running.process.wait(30)
    number = len(list(folder.glob("*.out"))) - 1
    out, err = ((folder / f"{number}.{end}").read_bytes().decode() for end in ("out", "err"))
    for line in (out + err).split("\n"):
        assert line.isprintable(), ascii(line)
    return out + err


def say(home: Home, *arguments: str) -> str:
    """Run the program and give what it printed."""
    return shown(home.start(*arguments), home.folder)


@pytest.mark.parametrize(
    "arguments",
    [
        [EVIL],
        ["run", f"--{EVIL}"],
        ["run", EVIL],
        ["run", "--deadline", EVIL, NAME],
        ["run", "--only", EVIL, NAME],
        ["run", "--limit", EVIL, NAME],
        ["run", "--profile", EVIL, NAME],
        ["validate", "--set", EVIL, NAME],
        ["validate", "--set", f"workers={EVIL}", NAME],
        ["validate", "--config", EVIL, NAME],
        ["status", EVIL, "--state-dir", f"./{NAME}"],
        ["log", EVIL],
        ["settle", EVIL, EVIL, "--made", "--as", EVIL],
        ["simulator", "--world", EVIL],
    ],
    ids=lambda words: " ".join(words).split("\x1b")[0].strip() or "verb",
)
def test_what_is_said_on_the_command_line_is_not_acted_on(make_home: MakeHome, arguments: list[str]) -> None:
    """Each is refused in words that no terminal acts on, and not as a fault of our own."""
    home = make_home()
    home.plan(["img-a"], EAST, name=NAME)  # type: ignore[list-item]
    assert "fault of our own" not in say(home, *arguments)


def test_a_plan_with_a_hostile_name(cloud: Cloud, make_home: MakeHome) -> None:
    """It can be validated, previewed, run, looked at and listed; each --json says the name safely."""
    home = make_home(cloud)
    plan = home.plan(cloud.take(1), EAST, name=NAME)
    for verb in (["validate", plan], ["plan", plan], ["run", plan, "-v"], ["status"], ["runs"], ["log"]):
        assert "evil.yaml" in say(home, *verb), verb
    for verb in (["plan", plan], ["run", plan], ["status"], ["runs"]):
        running = home.start(*verb, "--json", "-q") if verb[0] == "run" else home.start(*verb, "--json")
        shown(running, home.folder)
        assert running.out.count("\n") == 1
        assert "evil.yaml" in json.dumps(json.loads(running.out), ensure_ascii=False).encode().decode()
    log = home.start("log", "--json")
    shown(log, home.folder)
    assert all(json.loads(line) for line in log.out.splitlines())


def test_a_spoilt_log_is_shown_without_what_spoilt_it(make_home: MakeHome) -> None:
    """Torn and foreign lines are left out of `log --json` too: every line there is one JSON object."""
    home = make_home()
    logs = home.state / "logs"
    logs.mkdir(parents=True)
    good = json.dumps({"event": "run.started", "run": "r1", "plan": EVIL})
    foreign = json.dumps({"event": f"{EVIL[:30]}"}, ensure_ascii=False).replace("\udcff", "")
    lines = [good, good[:20], foreign, "\x1b]0;x\x07", '{"event": 5}', '{"event": "\x7f"}']
    (logs / "r1.jsonl").write_bytes("".join(f"{line}\n" for line in lines).encode())
    os.symlink("r1.jsonl", logs / "latest")
    assert say(home, "log", "--json") == good + "\n"
    assert "run.started" not in say(home, "log")
