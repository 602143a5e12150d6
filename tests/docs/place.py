"""Where the commands of a page are run: a folder, an environment, a simulated cloud; no test is here."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

from click.testing import CliRunner

from orchestrator.cli.main import cli
from orchestrator.errors import OrchestratorError


@dataclass(frozen=True)
class Place:
    """A folder, the environment of whoever works there, and the URL of a simulated cloud, if there is one."""

    folder: Path
    url: str
    environ: dict[str, str]

    def copied(self, folder: Path) -> Place:
        """Make a copy for one page."""
        shutil.copytree(self.folder, folder, symlinks=True)
        changes = {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
        return Place(folder, self.url, {**self.environ, **changes})

    def call(self, *words: str, at: Path | None = None) -> tuple[int, str]:
        """Run the program in this process; return its exit code and what it printed."""
        before = Path.cwd()
        os.chdir(at or self.folder)
        try:
            done = CliRunner().invoke(cli, words, env=self.environ, standalone_mode=False)
        finally:
            os.chdir(before)
        if done.exception is None:
            return int(done.return_value or 0), done.output
        if isinstance(done.exception, OrchestratorError):
            return done.exception.exit_code, str(done.exception)
        raise done.exception

    def run_id(self) -> str:
        """Name the latest run."""
        answer: list[dict[str, str]] = json.loads(self.call("runs", "--json")[1])
        return answer[0]["run"]

    def asked(self) -> Counter[str]:
        """Count the requests that the cloud was ever asked, by API."""
        connection = HTTPConnection(self.url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/_simulator/books")
        books = json.loads(connection.getresponse().read())
        connection.close()
        return Counter(books["requests"])
