"""Readers that go away: what the program printed to nobody changes nothing about what it says of itself."""

from __future__ import annotations

import os
import subprocess

from tests.e2e.processes import PROGRAM
from tests.e2e.support import EAST, Cloud, MakeHome, check_once, copies_of


def test_a_reader_that_has_seen_enough(cloud: Cloud, make_home: MakeHome) -> None:
    """`orchestrator log | head -1` is no failure of `log`: it exits 0 and says nothing on stderr."""
    home = make_home(cloud)
    assert home.call("run", home.plan(cloud.take(3), EAST)).code == 0
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [*PROGRAM, "log"]
        done = subprocess.run(
            command, stdout=writer, stderr=subprocess.PIPE, env=home.environ, cwd=home.folder, check=False
        )
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_nobody_at_either_stream(cloud: Cloud, make_home: MakeHome) -> None:
    """A run with stdout and stderr closed, as some job runners start it, is as good as any other: exit 0."""
    home, sources = make_home(cloud), cloud.take(2)
    plan = home.plan(sources, EAST)
    script = '"$@" >&- 2>&-; echo $?'
    done = home.call("-c", script, "sh", *PROGRAM, "run", plan, "--json", program=["/bin/sh"])
    assert done.out == "0\n"
    check_once(cloud, copies_of(sources, EAST))
