"""Notifications go through a process of their own, which is ended when it hangs; `ps` shows no URL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.core.model import State
from orchestrator.core.reasons import Reason
from orchestrator.engine.halt import Halt
from orchestrator.messages import notify as notify_module
from orchestrator.messages.messenger import Messenger
from orchestrator.messages.notify import ADVICE, is_possible, notify
from orchestrator.settings import load_settings
from orchestrator.settings.secret import Secret
from tests.canary import PASSWORD, SECRET, holds
from tests.watch.samples import result, standing

STUB = '''
"""Stands in for apprise: writes down what it is told, and obeys the host of the URL."""
import json, os, time

class Apprise:
    def __init__(self):
        self.urls = []

    def add(self, url):
        self.urls.append(url)
        return "unknown" not in url

    def notify(self, **given):
        if any("slow" in url for url in self.urls):
            time.sleep(3600)
        with open(os.environ["HEARD"], "w") as file:
            json.dump({"urls": self.urls, "given": given, "environ": dict(os.environ)}, file)
        return not any("bad" in url for url in self.urls)
'''


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Give an environment in which apprise is a stub, and secrets that are nobody else's affair."""
    (tmp_path / "apprise.py").write_text(STUB)
    heard = holds(tmp_path / "heard", "what the notifier is told: it must have the URLs")
    root = str(Path(__file__).parents[2])
    own = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{root}", "HEARD": str(heard), "PATH": os.environ["PATH"]}
    return {**own, "JDCLOUD_SECRET_KEY": SECRET, "ORCHESTRATOR_PING_URL": f"http://h/{PASSWORD}"}


def urls(*hosts: str) -> list[Secret]:
    """Make URLs that are secret."""
    return [Secret(f"dingtalk://{host}/{PASSWORD}") for host in hosts]


async def test_a_notification_arrives(environ: dict[str, str]) -> None:
    """Title, body and URLs come through, and the proxy; our own variables do not."""
    proxy = Secret("http://proxy.example:3128")
    assert await notify(urls("good"), "title", "镜像\nbody", proxy=proxy, environ=environ) == ""
    heard = json.loads(Path(environ["HEARD"]).read_text())
    assert heard["urls"] == [f"dingtalk://good/{PASSWORD}"]
    assert heard["given"] == {"title": "title", "body": "镜像\nbody", "body_format": "text"}
    assert heard["environ"]["https_proxy"] == "http://proxy.example:3128"
    assert not [name for name in heard["environ"] if name.startswith(("JDCLOUD_", "ORCHESTRATOR_"))]


@pytest.mark.parametrize(
    ("hosts", "trouble"),
    [
        (("good", "bad"), "at least one of the services did not take it"),
        (("unknown",), "at least one of the URLs is none that apprise knows"),
    ],
)
async def test_what_went_wrong_is_said_without_the_url(
    environ: dict[str, str], hosts: tuple[str, ...], trouble: str
) -> None:
    """The services' own words may hold the URL, so ours are used."""
    assert (await notify(urls(*hosts), "t", "b", proxy=None, environ=environ)).startswith(trouble)


async def test_a_run_is_told_in_words(environ: dict[str, str], tmp_path: Path) -> None:
    """From the settings to the service: title and lines, failures first, secrets masked."""
    places = {"state_dir": tmp_path / "state", "notify_urls": [f"dingtalk://good/{PASSWORD}"]}
    settings = load_settings(environ={}, cwd=tmp_path, home=tmp_path, config=None, overrides=places)
    failed = standing(State.FAILED, Reason.COPY_ERROR, source=f"img-{SECRET}")
    messenger = Messenger(settings, clock=lambda: 0.0, environ=environ, secrets=[SECRET])
    notes: list[str] = []
    await messenger.ended(
        result(failed), fault=None, halt=Halt(), note=lambda name, _level, /, **_more: notes.append(name)
    )
    assert (notes, messenger.troubles) == ([], [])
    given = json.loads(Path(environ["HEARD"]).read_text())["given"]
    assert given["title"] == "config/plans/nightly.yaml: partial"
    assert given["body"].startswith("failed: img-*** cn-north-1 > cn-east-2: ")


async def test_a_service_that_hangs_is_given_up(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process is ended at the limit, whatever its threads are at."""
    monkeypatch.setattr(notify_module, "LIMIT_S", 0.5)
    trouble = await notify(urls("slow"), "t", "b", proxy=None, environ=environ)
    assert trouble.startswith("it was not done within")
    assert not Path(environ["HEARD"]).exists()


async def test_without_the_package_it_says_what_to_install(environ: dict[str, str]) -> None:
    """Also where it vanished between the start of the run and its end."""
    broken = "raise ModuleNotFoundError('apprise')"
    Path(environ["PYTHONPATH"].split(os.pathsep)[0], "apprise.py").write_text(broken)
    assert await notify(urls("good"), "t", "b", proxy=None, environ=environ) == ADVICE
    assert 'pip install "jdcloud-image-orchestrator[notify]"' in ADVICE


def test_apprise_is_not_loaded_into_the_run(environ: dict[str, str]) -> None:
    """To look whether it is there loads neither it nor what sends over HTTP."""
    code = (
        "import sys, orchestrator.messages.messenger as m; found = m.is_possible();"
        "print(found, sorted({'apprise', 'aiohttp', 'prometheus_client'} & set(sys.modules)))"
    )
    kept = {name: value for name, value in environ.items() if name in ("PATH", "PYTHONPATH")}
    done = subprocess.run([sys.executable, "-c", code], env=kept, capture_output=True, text=True, check=True)
    assert done.stdout == "True []\n"
    assert isinstance(is_possible(), bool)
