"""The place where the pages' commands are run, set up once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from orchestrator.simulator.worldfile import DEMO_KEY, DEMO_SECRET
from tests.docs.place import Place
from tests.docs.reference import DOCS
from tests.e2e.processes import PROGRAM, Running, scratch_environment, until
from tests.e2e.support import SETTINGS

PLANS = ("nightly.yaml", "config/plans/nightly.yaml", "config/plans/bad-night.yaml")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Set up the place that every page's reader is in: the program is there, and two nights were good."""
    folder = tmp_path_factory.mktemp("docs") / "home"
    shutil.copytree(DOCS.parent / "config", folder / "config")
    environ = scratch_environment(folder, {**SETTINGS, "ORCHESTRATOR_SETTLE_TIME": "200ms"})
    environ |= {"JDCLOUD_ACCESS_KEY": DEMO_KEY, "JDCLOUD_SECRET_KEY": DEMO_SECRET}
    bare = Place(folder, "", {**environ, "XDG_STATE_HOME": str(folder / "state")})
    assert bare.call("init", ".")[0] == 0
    for name in ("plans", "etc"):
        shutil.copytree(folder / "config/plans", folder / name)
    for name in ("etc/nightly.yaml", "etc/production.yaml", "etc/staging.yaml"):
        shutil.copy(folder / "nightly.yaml", folder / name)
    (folder / ".jdc").mkdir()
    keys = f"access_key = {DEMO_KEY}\nsecret_key = {DEMO_SECRET}\n"
    profiles = "".join(f"[{name}]\n{keys}" for name in ("production", "staging", "NAME"))
    (folder / ".jdc" / "config").write_text(profiles, encoding="utf-8")
    (folder / ".jdc" / "config").chmod(0o600)
    options = [word for plan in PLANS for word in ("--plan", plan)]
    command = [*PROGRAM, "simulator", "--port", "0", "--speed", "20000", *options]
    cloud = Running(command, folder=folder, environ=environ)
    try:
        url = until(lambda: cloud.out.partition("\n")[0].split()[-1:], "the simulator")[0]
        environ |= {"ORCHESTRATOR_VM_ENDPOINT": url, "XDG_STATE_HOME": str(folder / "state")}
        ready = Place(folder, url, environ)
        for plan in PLANS[:2]:
            assert ready.call("run", "-q", plan)[0] == 0
        yield ready
    finally:
        cloud.end()
