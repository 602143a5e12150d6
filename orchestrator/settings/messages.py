"""The settings that say who hears of a run: files, URLs, when. It checks their forms and sends nothing.

A URL of this kind is its own credential, so it is locked away and no complaint repeats any of it.
"""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Literal, get_args
from urllib.parse import urlsplit

from pydantic import BeforeValidator, PlainSerializer

from orchestrator.settings.endpoints import is_loopback_host
from orchestrator.settings.forms import path_of
from orchestrator.settings.secret import STARS, Secret

Occasion = Literal["change", "failure", "always", "never"]
"""When webhook and notifications are sent."""

_URL_FORM = "must be http://HOST… or https://HOST…, without a fragment (#)"
_NOTIFY_FORM = "must be a list of URLs as apprise writes them (SCHEME://…), in a variable with blanks between"
_NOTIFY_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[!-~]+")


def web_url(value: object) -> Secret | None:
    """Check the URL of a ping or a webhook. Raises ValueError that repeats nothing of it."""
    if value is None:
        return None
    text = value.reveal() if isinstance(value, Secret) else value
    if not isinstance(text, str) or not all("!" <= char <= "~" for char in text) or "#" in text:
        raise ValueError(_URL_FORM)
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a broken port or address; its text would repeat the value
        valid = False
    if not valid:
        raise ValueError(_URL_FORM)
    return Secret(text)


def notify_urls(value: object) -> tuple[Secret, ...]:
    """Check the URLs of notifications. Raises ValueError that repeats nothing of them."""
    items = value.reveal().split() if isinstance(value, Secret) else value
    if not isinstance(items, (list, tuple)):
        raise ValueError(_NOTIFY_FORM)
    texts = [item.reveal() if isinstance(item, Secret) else item for item in items]
    if not all(isinstance(text, str) and _NOTIFY_URL.fullmatch(text) for text in texts):
        raise ValueError(_NOTIFY_FORM)
    return tuple(Secret(text) for text in dict.fromkeys(texts))


def locked(value: object) -> object:
    """Lock a secret away before anything can print it: a text, or each text of a list."""
    if isinstance(value, list):
        return [locked(item) for item in value]
    return Secret(value) if isinstance(value, str) else value


def metrics_path(value: object) -> Path | None:
    """Read the path of the metrics file; a textfile collector reads only names that end in .prom."""
    if value is None:
        return None
    path = path_of(value)
    if path.suffix != ".prom":
        raise ValueError("must be a path that ends in .prom; a textfile collector reads no other")
    return path


def occasion(value: object) -> str:
    """Read when messages are sent, in any case of letters."""
    word = value.strip().lower() if isinstance(value, str) else ""
    known = get_args(Occasion)
    if word not in known:
        near = difflib.get_close_matches(word, known, n=1, cutoff=0)[0]
        raise ValueError(f"{value!r:.60} is none of {', '.join(known)}; the nearest is {near}")
    return word


def leads_here(url: Secret | None) -> bool:
    """Tell whether a checked URL leads to this machine."""
    return url is not None and is_loopback_host(urlsplit(url.reveal()).hostname or "")


MetricsFile = Annotated[Path | None, BeforeValidator(metrics_path)]
WebUrl = Annotated[Secret | None, BeforeValidator(web_url), PlainSerializer(lambda url: url and STARS)]
NotifyUrls = Annotated[
    tuple[Secret, ...], BeforeValidator(notify_urls), PlainSerializer(lambda urls: [STARS for _ in urls])
]
NotifyOn = Annotated[Occasion, BeforeValidator(occasion)]
