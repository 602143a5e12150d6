"""The settings of messages: their forms, and that a URL which is a credential is shown nowhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.cli.simulated import unheard
from orchestrator.settings.messages import leads_here
from orchestrator.settings.secret import Secret
from tests.settings_place import CANARY, Place, make_place, variable


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


@pytest.mark.parametrize("name", ["ping_url", "webhook_url"])
@pytest.mark.parametrize(
    "text",
    [
        "https://hc.example/uuid",
        "HTTP://127.0.0.1:8000/x?rid=1&create=1",
        f"https://user:{CANARY}@h.example/",
        "https://[::1]/x",
    ],
)
def test_a_url_is_kept_as_it_is(place: Place, name: str, text: str) -> None:
    """It is a credential: no part of it is made prettier, and nothing prints it."""
    settings = place.load({variable(name): text})
    url = getattr(settings, name)
    assert url.reveal() == text
    assert "**********" in f"{settings!r}"
    assert text not in f"{settings!r}{settings.model_dump()}{settings.model_dump_json()}"


@pytest.mark.parametrize("name", ["ping_url", "webhook_url"])
@pytest.mark.parametrize(
    "value",
    [
        CANARY,
        f"ftp://h/{CANARY}",
        f"https:///{CANARY}",
        f"https://h:0/{CANARY}",
        f"https://h:port/{CANARY}",
        f"https://h/{CANARY} x",
        f"https://h/{CANARY}\n",
        f"https://h/{CANARY}#part",
        f"https://h/{CANARY}镜",
        f"https://[{CANARY}/",
        7,
        [f"https://h/{CANARY}"],
    ],
    ids=range(12),
)
def test_a_bad_url_is_refused_and_not_repeated(place: Place, name: str, value: object) -> None:
    """The complaint names the setting and the form, and holds nothing of the value."""
    message = place.refusal(None, None, **{name: value})
    assert message.startswith(f"--set {name}: must be http://HOST")
    assert CANARY not in message


def test_notify_urls_come_as_a_list_or_with_blanks(place: Place) -> None:
    """Commas may be part of such a URL; each one counts once."""
    mail = f"mailtos://user:{CANARY}@h.example?to=a@b.example,c@d.example"
    settings = place.load({variable("notify_urls"): f" {mail}  dingtalk://t/ {mail}"})
    assert [url.reveal() for url in settings.notify_urls] == [mail, "dingtalk://t/"]
    place.here(f'notify_urls = ["{mail}", "wecombot://key"]')
    settings = place.load()
    assert [url.reveal() for url in settings.notify_urls] == [mail, "wecombot://key"]
    assert CANARY not in f"{settings!r}{settings.model_dump()}{settings.model_dump_json()}"
    assert place.load({variable("notify_urls"): ""}).notify_urls == settings.notify_urls


@pytest.mark.parametrize(
    "value", [f'"{CANARY}"', f'["x://{CANARY}", "{CANARY}"]', f'[["x://{CANARY}"]]', "[7]", "7"]
)
def test_bad_notify_urls_are_refused_and_not_repeated(place: Place, value: str) -> None:
    """One that is none spoils all: a message must not go to half of those who wait for it in silence."""
    path = place.here(f"notify_urls = {value}")
    message = place.refusal()
    assert message.startswith(f"{path}: notify_urls: must be a list of URLs as apprise writes them")
    assert CANARY not in message


def test_the_metrics_file_ends_in_prom(place: Place) -> None:
    """A collector reads no other, so another name is a mistake; otherwise it is a path like any other."""
    assert place.load(metrics_file="~/m.prom").metrics_file == place.home / "m.prom"
    assert place.load(metrics_file="out/m.prom").metrics_file == place.cwd / "out" / "m.prom"
    for text in ("m.txt", "prom", ".prom", "m.prom.txt"):
        assert "must be a path that ends in .prom" in place.refusal(metrics_file=text), text


def test_notify_on(place: Place) -> None:
    """In any case of letters; a wrong word names the nearest."""
    assert place.load().notify_on == "change"
    assert place.load(notify_on=" Failure ").notify_on == "failure"
    assert "is none of change, failure, always, never; the nearest is always" in place.refusal(
        notify_on="alway"
    )


def test_a_simulation_tells_this_machine_only(place: Place) -> None:
    """Its runs are nobody's affair: no metrics, no notifications, and only URLs that lead here stay."""
    far, near = f"https://h.example/{CANARY}", f"http://127.0.0.1:9/{CANARY}"
    settings = place.load(
        metrics_file="m.prom", ping_url=far, webhook_url=near, notify_urls=[f"x://{CANARY}"]
    )
    left = settings.model_copy(update=unheard(settings))
    assert (left.metrics_file, left.ping_url, left.notify_urls) == (None, None, ())
    assert left.webhook_url == settings.webhook_url


@pytest.mark.parametrize(
    ("url", "here"),
    [("http://localhost:1/x", True), ("http://127.8.9.1/x", True), ("https://[::1]/", True),
     ("https://localhost.example/x", False), ("https://user@h.example/127.0.0.1", False)],
)  # fmt: skip
def test_what_leads_to_this_machine_is_known(url: str, here: bool) -> None:
    """A simulation tells nobody else, and a proxy is not asked for it."""
    assert leads_here(Secret(url)) is here
    assert not leads_here(None)
