"""Every command that README and documentation show exists as it stands, and works on a simulator."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from signal import SIGTERM

import click
import pytest

from tests.docs.commands import Command, parse, steps
from tests.docs.place import Place
from tests.docs.reference import APIS, DOCS
from tests.e2e.processes import Running, until

ROOT = DOCS.parent
PAGES = sorted(page for page in DOCS.glob("*.md") if page.name != "commands.md")
READMES = [ROOT / "README.md", ROOT / "README.zh-CN.md"]
NOT_RUN = {"simulator": "served below", "--simulate": "plays the demo plan, half a minute: tests/e2e does"}
"""A word of a command -> why it is only parsed."""

CODES = {
    r"settle ": 2,  # nothing is in doubt here, and it says so
    r"ledger rebuild (?!.*--even-if-healthy)": 2,  # the ledger is healthy
}
"""Commands that must be refused here, with their exit code."""


def filled(command: Command, at: Place, run: str) -> list[str]:
    """Put real things in the place of those that stand for them."""
    words = [
        {"IMAGE": "img-m5s0000029", "REGION": "cn-east-2", "RUN": run, "PLAN": "nightly.yaml"}.get(word, word)
        for word in command.words
    ]
    moved = {
        "/etc/orchestrator/": f"{at.folder}/etc/",
        "/var/lib/orchestrator": f"{at.folder}/state/orchestrator",
        "/safe/place/": f"{at.folder}/",
        "img-0123456789": "img-m5s0000029",
    }
    for old, new in moved.items():
        words = [word.replace(old, new) for word in words]
    return words


@pytest.mark.parametrize("page", [*READMES, *PAGES], ids=lambda page: page.name)
def test_every_command_is_understood(page: Path) -> None:
    """Verb, options, arguments: click takes each command as it stands on the page."""
    for step in steps(page):
        if isinstance(step, Command):
            try:
                parse(step)
            except click.ClickException as error:
                pytest.fail(f"{page.name}: {step}: {error.format_message()}")


def test_the_commands_are_found() -> None:
    """The reader of the pages overlooks neither a shell's commands nor those of cron."""
    found = [step for step in steps(ROOT / "README.md") if isinstance(step, Command)]
    assert {"init", "rehearse", "plan", "run", "status", "report", "prune", "doctor"} <= {
        c.verb for c in found
    }
    assert any("--deadline" in command.words for command in found)
    with pytest.raises(click.ClickException, match="No such option"):
        parse(Command(("run", "--no-such-option", "nightly.yaml")))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_works(page: Path, place: Place, tmp_path: Path) -> None:
    """In the order of the page, each ends as it should and calls what permissions.md names."""
    at = place.copied(tmp_path / "home")
    here, run = at.folder, place.run_id()
    for step in steps(page):
        if not isinstance(step, Command):
            here = _shell(step.words, here, at)
        elif not any(word in NOT_RUN for word in step.words):
            before = at.asked()
            code, said = at.call(*filled(step, at, run), at=here)
            expected = next((code for key, code in CODES.items() if re.match(key, " ".join(step.words))), 0)
            assert code == expected, f"{page.name}: {step}\n{said}"
            called = set(at.asked() - before)
            assert called <= set(APIS.get(step.verb, ())), f"{step} calls {called}"


def _shell(words: tuple[str, ...], here: Path, at: Place) -> Path:
    """Do what a page tells the shell: change the folder, or choose a state folder."""
    if words[0] == "cd":
        return here / words[1]
    for word in words[1:]:
        name, _, value = word.partition("=")
        if name == "ORCHESTRATOR_STATE_DIR":
            at.environ[name] = value.replace("$PWD", str(here)).replace("$HOME", str(at.folder))
    return here


def servings() -> list[Command]:
    """Find every simulator that a page starts."""
    found = (step for page in (*READMES, *PAGES) for step in steps(page))
    return list(dict.fromkeys(s for s in found if isinstance(s, Command) and s.verb == "simulator"))


@pytest.mark.parametrize("command", servings(), ids=str)
def test_every_simulator_serves(command: Command, place: Place, tmp_path: Path) -> None:
    """It starts as the page says (on a free port), tells how to use it, and ends when it is told to."""
    at = place.copied(tmp_path / "home")
    words = [str(ROOT / word) if word.startswith("config/") else word for word in command.words]
    running = Running(
        [sys.executable, "-m", "orchestrator", *words, "--port", "0"], folder=at.folder, environ=at.environ
    )
    until(lambda: "JDCLOUD_SECRET_KEY" in running.out, "the lines to use it by")
    running.signal(SIGTERM)
    assert running.wait().code == 143
