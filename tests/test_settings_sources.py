"""The sources of settings: who wins, what is unknown, what is unreadable; and the reference."""

from __future__ import annotations

import os
import re
import tomllib
from itertools import combinations
from pathlib import Path

import pytest

from orchestrator.core.limits import Limits
from orchestrator.settings import Settings
from orchestrator.settings.origins import origins
from tests.settings_place import CANARY, FIELDS, ROOT, Place, make_place, variable


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


SOURCES = ("command line", "environment", "--config", "working directory", "XDG", "default")
WORKERS = dict(zip(SOURCES, (11, 12, 13, 14, 15, Limits().workers), strict=True))


def load_from(place: Place, sources: tuple[str, ...]) -> Settings:
    """Load with `workers` set in each of these sources."""
    texts = {source: f"workers = {WORKERS[source]}\n" for source in sources}
    environ = {"ORCHESTRATOR_WORKERS": str(WORKERS["environment"])} if "environment" in sources else {}
    overrides = {"workers": WORKERS["command line"]} if "command line" in sources else {}
    if "working directory" in sources:
        place.here(texts["working directory"])
    if "XDG" in sources:
        place.xdg(texts["XDG"])
    config = place.write(place.home / "mine.toml", texts["--config"]) if "--config" in sources else None
    return place.load(environ, config, **overrides)


@pytest.mark.parametrize("pair", list(combinations(SOURCES, 2)), ids=" over ".join)
def test_precedence(place: Place, pair: tuple[str, str]) -> None:
    """Of any two sources the one that stands first in the documentation wins."""
    assert load_from(place, pair).workers == WORKERS[pair[0]]


def test_sources_are_merged_but_only_one_file_is_read(place: Place) -> None:
    """Each source adds what it names; the files that lost are not even looked into."""
    place.here("workers = 8\nlog_days = 9")
    place.xdg("max_attempts = 10\nthis is not TOML")
    settings = place.load({"ORCHESTRATOR_LOG_DAYS": "3"}, region_copies=5, max_attempts=None)
    assert (settings.workers, settings.log_days, settings.region_copies, settings.max_attempts) == (
        8,
        3,
        5,
        20,
    )
    mine = place.write(place.cwd / "mine.toml", "max_attempts = 4")
    assert place.load(config=Path("mine.toml")).model_dump() == place.load(config=mine).model_dump()
    assert place.load(config=mine).workers == Limits().workers


def test_xdg_config_home(place: Place) -> None:
    """The XDG configuration folder is followed when it is an absolute path."""
    place.write(place.cwd / "xdg/orchestrator/settings.toml", "workers = 7")
    assert place.load({"XDG_CONFIG_HOME": str(place.cwd / "xdg")}).workers == 7
    assert place.load({"XDG_CONFIG_HOME": "xdg"}).workers == Limits().workers


def test_the_real_environment_is_never_read(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is handed in counts, also for a Settings made by hand."""
    monkeypatch.setenv("ORCHESTRATOR_WORKERS", "99")
    monkeypatch.setenv("workers", "99")
    assert place.load().workers == Limits().workers
    assert Settings(state_dir=Path("s")).workers == Limits().workers


def test_an_empty_variable_counts_as_not_set(place: Place) -> None:
    """`ORCHESTRATOR_WORKERS=` in a unit file is no error and sets nothing."""
    place.here("workers = 8")
    assert place.load({variable(name): "" for name in FIELDS}).workers == 8


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("ORCHESTRATOR_WORKER", "ORCHESTRATOR_WORKERS"),
        ("ORCHESTRATOR_POLL_INTERVALL", "ORCHESTRATOR_POLL_INTERVAL"),
        ("ORCHESTRATOR_REQUEST_PER_MINUTE", "ORCHESTRATOR_REQUESTS_PER_MINUTE"),
        ("orchestrator_workers", "ORCHESTRATOR_WORKERS"),
        ("ORCHESTRATOR_", "ORCHESTRATOR_"),
    ],
)
@pytest.mark.parametrize("value", ["1", ""])
def test_unknown_variables(place: Place, name: str, near: str, value: str) -> None:
    """A variable with our prefix that nobody knows is an error with the nearest known name."""
    assert f"{name}: no such setting; the nearest known name is {near}" in place.refusal({name: value})


@pytest.mark.parametrize("name", ["bogus", "log-days", "log_day"])
def test_unknown_names_on_the_command_line(place: Place, name: str) -> None:
    """What was typed after --set is named, with the nearest name that may stand there."""
    line = place.refusal(None, None, **{name: "1"}).splitlines()[0]
    assert re.fullmatch(rf"--set {name}: no such setting; the nearest known name is (\w+)", line)
    assert line.rpartition(" ")[2] in FIELDS


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("worker = 3", "worker: no such setting; the nearest known name is workers"),
        (
            "ORCHESTRATOR_LOG_DAYS = 3",
            "ORCHESTRATOR_LOG_DAYS: no such setting; the nearest known name is log_days",
        ),
        ("poll-interval = 3", "poll-interval: no such setting; the nearest known name is poll_interval"),
        ("Workers = 3", "Workers: no such setting; the nearest known name is workers"),
        ("[backoff]\ninitial = 1", "backoff: no such setting; the nearest known name is backoff_"),
        ("[workers]\nmost = 1", "workers: {'most': 1} is not a whole number"),
        (
            f'secret_key = "{CANARY}"',
            "secret_key: credentials are no setting; use the environment variable JD",
        ),
        ("workers = 0", "workers: must be a whole number from 1"),
        ("workers = 1\nworkers = ", "is not TOML: Invalid value (at line 2, the end)"),
        (
            "workers = 1\nworkers 2",
            "is not TOML: Expected '=' after a key in a key/value pair (at line 2, column 9)",
        ),
        ("a = " + "[" * 5000, "is not TOML: "),
        ("a = " + "9" * 5000, "is not TOML: "),
        ("#" * (1 << 20) + "#", "is larger than 1048576 bytes"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_files(place: Place, text: str, part: str) -> None:
    """A complaint about a file names the file, the key, and the nearest known name or the line."""
    path = place.here(text)
    message = place.refusal()
    assert message.startswith(f"{path}: {part}")
    assert CANARY not in message


def test_files_that_cannot_be_read(place: Place) -> None:
    """A --config that is not there, is a folder or is not UTF-8 is an error; so is a dangling link."""
    assert f"{place.cwd}/no.toml: there is no such file" in place.refusal(config=Path("no.toml"))
    assert f"{place.home}/no.toml: there is no such file" in place.refusal(config=Path("~/no.toml"))
    assert f"{place.home}: cannot be read: Is a directory" in place.refusal(config=place.home)
    path = place.here("")
    path.write_bytes(b"log_level = '\xff'")
    assert place.refusal().startswith(f"{path}: is not UTF-8")
    path.unlink()
    os.symlink("nowhere", path)
    assert place.refusal().startswith(f"{path}: there is no such file")


def test_all_complaints_at_once(place: Place) -> None:
    """One start tells every mistake of every source, each with its place, and what to do next."""
    path = place.here("workers = 0\nwat = 1\n")
    message = place.refusal(
        {"ORCHESTRATOR_VM_ENDPOINT": "https://evil.com", "ORCHESTRATOR_X": "1", "ORCHESTRATOR_PROXY": "p"},
        settle_time="soon",
        nothing=1,
    )
    assert [line.split(": ")[0] for line in message.splitlines()[:-1]] == (
        [
            "--set nothing",
            "ORCHESTRATOR_X",
            str(path),
            "ORCHESTRATOR_VM_ENDPOINT",
            str(path),
            "--set settle_time",
            "ORCHESTRATOR_PROXY",
        ]
    )
    assert message.splitlines()[-1] == "docs/settings.md lists every setting and its form."


# --- the reference --------------------------------------------------------------------------------


def shown_default(place: Place, name: str, text: str) -> object:
    """Read a documented default as the program would."""
    return getattr(place.load({variable(name): text}), name)


def test_the_reference_is_complete_and_true(place: Place) -> None:
    """docs/settings.md names every setting with its key, its real default and its meaning."""
    row = re.compile(r"\| `(ORCHESTRATOR_\w+)` \| `(\w+)` \| (none|`[^`]+`) \| (.+) \|")
    rows = row.findall((ROOT / "docs/settings.md").read_text())
    assert [(name, key) for name, key, _, _ in rows] == [(variable(name), name) for name in FIELDS]
    defaults = place.load()
    for _, key, default, meaning in rows:
        assert meaning == Settings.model_fields[key].description
        if default == "none":
            assert not getattr(defaults, key)
        else:
            assert shown_default(place, key, default.strip("`")) == getattr(defaults, key)


def test_the_example_file_holds_every_setting(place: Place) -> None:
    """config/settings.example.toml is valid as it is, and with its comments taken away sets the defaults."""
    text = (ROOT / "config/settings.example.toml").read_text()
    assert tomllib.loads(text) == {}
    live = "\n".join(line.removeprefix("#") for line in text.splitlines() if re.match(r"#\w+ = ", line))
    assert list(tomllib.loads(live)) == list(FIELDS)
    unset = {"proxy", "ca_file", "api_requests_per_minute", "metrics_file", "ping_url", "webhook_url"}
    unset |= {"report_dir"}
    defaults = "\n".join(line for line in live.splitlines() if line.split(" ")[0] not in unset)
    place.here(defaults)
    assert place.load() == Settings(state_dir=place.home / ".local/state/orchestrator")


def test_where_each_setting_came_from_is_told(place: Place) -> None:
    """Of a name given twice the place that counts; what is a default has none, and no value is repeated."""
    place.here(f'workers = 14\nproxy = "http://user:{CANARY}@127.0.0.1:3128"\n')
    environ, overrides = {"ORCHESTRATOR_WORKERS": "12", "ORCHESTRATOR_LOG_DAYS": "3"}, {"log_days": "4"}
    told = origins(environ=environ, cwd=place.cwd, home=place.home, config=None, overrides=overrides)
    assert told == {
        "workers": "ORCHESTRATOR_WORKERS",
        "log_days": "--set log_days",
        "proxy": f"{place.cwd / 'config' / 'settings.toml'}: proxy",
    }
