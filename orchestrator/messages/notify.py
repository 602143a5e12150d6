"""Runs the notifier in a process of its own, and ends it when it takes too long; it knows no service."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from subprocess import DEVNULL

import anyio

from orchestrator.messages import notifier
from orchestrator.settings.secret import Secret

LIMIT_S = 30.0
"""Longest that all notifications of a run may take together."""

ADVICE = (
    "notify_urls needs a package that is not installed: "
    'run `pip install "jdcloud-image-orchestrator[notify]"`'
)
_KEPT_BACK = ("JDCLOUD_", "ORCHESTRATOR_")
_TROUBLES = {
    notifier.UNSENT: "at least one of the services did not take it",
    notifier.MISSING: ADVICE,
    notifier.UNREADABLE: "at least one of the URLs is none that apprise knows; see its documentation",
}


def is_possible() -> bool:
    """Tell whether apprise is installed, without loading it."""
    return find_spec("apprise") is not None


async def notify(
    urls: Sequence[Secret], title: str, body: str, *, proxy: Secret | None, environ: Mapping[str, str]
) -> str:
    """Send a notification everywhere; return "" when all was taken, else why not.

    The URLs go through a pipe, where `ps` does not show them; of the environment the process gets all
    but our own variables. A cancellation ends it.
    """
    given = {
        "urls": [url.reveal() for url in urls],
        "title": title,
        "body": body,
        "proxy": proxy.reveal() if proxy else None,
    }
    code: int | None = None
    with anyio.move_on_after(LIMIT_S):
        done = await anyio.run_process(
            [sys.executable, "-m", notifier.__name__],
            input=json.dumps(given).encode(),
            stdout=DEVNULL,
            stderr=DEVNULL,
            check=False,
            env={name: value for name, value in environ.items() if not name.startswith(_KEPT_BACK)},
            start_new_session=True,
        )
        code = done.returncode
    if code is None:
        return f"it was not done within {LIMIT_S:.0f} s"
    return "" if code == notifier.SENT else _TROUBLES.get(code, f"the notifier ended with {code}")
