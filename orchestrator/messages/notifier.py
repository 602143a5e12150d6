"""A program of its own that hands a notification to apprise; it shows nothing and ends with a code.

    python -m orchestrator.messages.notifier    # what to send comes as JSON on stdin

It is a process and no function: apprise works in threads that nobody can stop, a process can be ended.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

SENT, UNSENT, MISSING, UNREADABLE = 0, 1, 3, 4
"""How it ends: all sent; some not; apprise is not installed; apprise does not know what a URL means."""


def main() -> int:
    """Send `title` and `body` to each of `urls`, through `proxy` where one is given."""
    given = json.load(sys.stdin)
    if given["proxy"]:
        os.environ |= dict.fromkeys(("http_proxy", "https_proxy"), given["proxy"])
    try:
        apprise = import_module("apprise")
    except ModuleNotFoundError:
        return MISSING
    mailer = apprise.Apprise()
    known = [mailer.add(url) for url in given["urls"]]
    sent = mailer.notify(title=given["title"], body=given["body"], body_format="text")
    if not all(known):
        return UNREADABLE
    return SENT if sent else UNSENT


if __name__ == "__main__":
    sys.exit(main())
