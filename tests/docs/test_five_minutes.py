"""A stranger follows the README's first section to the letter, and everything in it happens."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.commands import Command, steps
from tests.docs.place import Place
from tests.docs.reference import DOCS
from tests.e2e.processes import PROGRAM, Running, scratch_environment, until
from tests.e2e.support import SETTINGS

README = DOCS.parent / "README.md"


def story() -> list[Command]:
    """Return the commands from `init` to `prune`, in their order."""
    commands = [step for step in steps(README) if isinstance(step, Command)]
    last = next(number for number, command in enumerate(commands) if command.verb == "prune")
    return commands[: last + 1]


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[Place]:
    """Give a stranger's empty folder, after `init` and with the README's simulator in another process."""
    (tmp_path / "clone").mkdir()
    environ = scratch_environment(tmp_path, SETTINGS)
    place = Place(tmp_path / "clone", "", environ)
    served = next(command for command in story() if command.verb == "simulator")
    assert place.call("init", "night")[0] == 0
    words = [*served.words, "--port", "0", "--speed", "20000"]  # the last word counts: seconds, not a minute
    cloud = Running([*PROGRAM, *words], folder=tmp_path / "clone" / "night", environ=environ)
    try:
        until(lambda: "DISK_ENDPOINT" in cloud.out, "the simulator to say how to use it")
        pasted = (shlex.split(line) for line in cloud.out.splitlines() if line.strip().startswith("export "))
        environ |= {name: value for _, pair in pasted for name, _, value in [pair.partition("=")]}
        yield place
    finally:
        cloud.end()


def test_a_stranger_succeeds(stranger: Place) -> None:
    """Plan, rehearsal, a run that copies, one that has nothing to do, status, page, prune: all exit 0."""
    night = stranger.folder / "night"
    stranger.environ["ORCHESTRATOR_STATE_DIR"] = str(night / "state")
    told = []
    for command in story():
        if command.verb not in ("init", "simulator"):
            code, said = stranger.call(*command.words, at=night)
            assert code == 0, f"{command}\n{said}"
            told.append((command.verb, said))
    assert [verb for verb, _ in told] == [
        "validate", "rehearse", "plan", "run", "run", "status", "report", "prune"
    ]  # fmt: skip
    _, _, (_, planned), (_, first), (_, second), (_, status), _, (_, pruned) = told
    assert "4 copies wanted: 4 to copy" in planned
    assert "ok: 4 of 4 copies ready\n" in first
    assert "ok: 4 of 4 copies ready, nothing had to be copied" in second
    assert "4 wanted, 4 ready" in status
    assert (night / "night.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert "nothing may go" in pruned


def test_the_readmes_plan_is_a_plan(tmp_path: Path) -> None:
    """What the README shows as a plan is accepted."""
    text = README.read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (tmp_path / "plan.yaml").write_text(text, encoding="utf-8")
    place = Place(tmp_path, "", scratch_environment(tmp_path, {}))
    code, said = place.call("validate", "plan.yaml")
    assert code == 0, json.dumps(said)
