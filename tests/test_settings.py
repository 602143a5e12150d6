"""The forms of settings: defaults, durations, counts, regions, levels, paths."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.model import DOCUMENTED_REGIONS
from orchestrator.errors import SettingsError
from orchestrator.settings import Settings
from tests.settings_place import FIELDS, Place, make_place, variable

SHARES = ("chunk_linger",)
DURATIONS = tuple(
    name for name in FIELDS if Settings.model_fields[name].annotation is float and name not in SHARES
)
COUNTS = tuple(name for name in FIELDS if Settings.model_fields[name].annotation in (int, int | None))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


def test_defaults_are_those_of_the_schedule(place: Place) -> None:
    """With nothing set the schedule gets its own defaults, and the rest is as documented."""
    settings = place.load()
    assert settings.limits() == Limits()
    assert settings.request_timeout == 30.0
    assert settings.log_days == 30
    assert (settings.vm_endpoint, settings.disk_endpoint) == (
        "https://vm.jdcloud-api.com",
        "https://disk.jdcloud-api.com",
    )
    assert settings.regions() == DOCUMENTED_REGIONS


def test_limits_carry_every_number(place: Place) -> None:
    """No setting of the schedule is dropped or swapped on its way."""
    given = {name: str(number) for number, name in enumerate((*COUNTS, *DURATIONS), start=1)}
    given["chunk_linger"] = "0.25"
    settings = place.load({variable(name): text for name, text in given.items()})
    expected = {
        field: int(given[name]) if name in COUNTS else float(given[name])
        for field in Limits.__dataclass_fields__
        for name in [{"settle_s": "settle_time"}.get(field, field.removesuffix("_s"))]
    }
    assert {field: getattr(settings.limits(), field) for field in expected} == expected


@pytest.mark.parametrize(("text", "share"), [("0", 0.0), ("1", 1.0), ("0.11", 0.11), (" .5 ", 0.5)])
def test_a_share_is_a_number_from_0_to_1(place: Place, text: str, share: float) -> None:
    """Waiting for fuller chunks can be switched off, and made as dear as a whole copy."""
    assert place.load({variable("chunk_linger"): text}).limits().chunk_linger == share


@pytest.mark.parametrize("text", ["-0.1", "1.1", "nan", "inf", "much", "11%"])
def test_what_is_no_share_is_refused(place: Place, text: str) -> None:
    """With its place and what would do."""
    with pytest.raises(SettingsError, match=r"ORCHESTRATOR_CHUNK_LINGER: .* is not a number from 0 to 1"):
        place.load({variable("chunk_linger"): text})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("250ms", 0.25),
        ("30s", 30),
        ("15m", 900),
        ("2h", 7200),
        ("1d", 86400),
        ("0.5", 0.5),
        ("1.5h", 5400),
        (".25s", 0.25),
        (" 5 s ", 5),
        ("1ms", 0.001),
        (7, 7),
        (0.001, 0.001),
    ],
)
@pytest.mark.parametrize("name", DURATIONS)
def test_durations(place: Place, name: str, text: str | float, seconds: float) -> None:
    """Every duration takes every documented form, below a second too."""
    assert getattr(place.load(None, None, **{name: text}), name) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "value",
    [
        "0",
        "0s",
        "-1s",
        "-0.5",
        "nan",
        "inf",
        "1e3",
        "1w",
        "15M",
        "1h30m",
        "s",
        "1,5s",
        "٣s",
        "36501d",
        0,
        -1,
        float("nan"),
        float("inf"),
        True,
        10**400,
        [],
        {},
    ],
)
def test_bad_durations(place: Place, value: object) -> None:
    """What is no finite time above zero is refused, with the forms that are accepted."""
    assert re.match(
        r"--set settle_time: .+ is not a duration above zero such as 250ms", place.refusal(settle_time=value)
    )


@pytest.mark.parametrize("name", COUNTS)
def test_counts_have_no_low_caps(place: Place, name: str) -> None:
    """Counts start at 1 and 100,000 of anything is accepted."""
    assert getattr(place.load({variable(name): "100000"}), name) == 100_000
    assert getattr(place.load({variable(name): "1"}), name) == 1


@pytest.mark.parametrize("name", COUNTS)
@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "many", "1_000", "٣", "9" * 18, "9" * 5000, 0, True, 2.0, 10**30, []]
)
def test_bad_counts(place: Place, name: str, value: object) -> None:
    """What is no whole number of 1 or more is refused by the name it was given under."""
    text = place.refusal(None, None, **{name: value})
    assert text.startswith(f"--set {name}: ")
    assert "whole number" in text


def test_regions(place: Place) -> None:
    """Extra regions come with commas or as a list, once each, and join the documented four."""
    assert place.load(
        {"ORCHESTRATOR_EXTRA_REGIONS": "cn-west-1, eu-mid-land-12,cn-west-1"}
    ).extra_regions == (
        "cn-west-1",
        "eu-mid-land-12",
    )
    place.here('extra_regions = ["cn-west-1"]')
    assert place.load().regions() == DOCUMENTED_REGIONS | {"cn-west-1"}


@pytest.mark.parametrize(
    "text", ["c-west-1", "cn-1", "cn-west", "CN-west-1", "cn-west-1/..", "a,,b", "cn-west-1\n,"]
)
def test_bad_regions(place: Place, text: str) -> None:
    """A region becomes part of a signed path, so nothing but an id is accepted."""
    assert "is not a region id such as cn-north-1" in place.refusal({"ORCHESTRATOR_EXTRA_REGIONS": text})


def test_log_level_in_any_case(place: Place) -> None:
    """DEBUG, Debug and debug are one level; a wrong one names the nearest."""
    assert {place.load(log_level=text).log_level for text in ("DEBUG", "Debug", " debug ")} == {"debug"}
    assert "the nearest is warning" in place.refusal(log_level="WARN")


def test_paths(place: Place) -> None:
    """`~/` is the home folder handed in, a relative path starts at the working directory, XDG is followed."""
    home, cwd = place.home, place.cwd
    assert place.load().state_dir == home / ".local/state/orchestrator"
    assert place.load({"XDG_STATE_HOME": "/xdg"}).state_dir == Path("/xdg/orchestrator")
    assert place.load({"XDG_STATE_HOME": "relative"}).state_dir == home / ".local/state/orchestrator"
    assert place.load({"ORCHESTRATOR_STATE_DIR": "~/s"}).state_dir == home / "s"
    assert place.load(state_dir=Path("s")).state_dir == cwd / "s"
    place.here('state_dir = "s"')
    assert place.load().state_dir == cwd / "s"


@pytest.mark.parametrize("value", ["~root/s", "", " ", "a\0b", 3, True, ["s"]])
def test_bad_paths(place: Place, value: object) -> None:
    """What names no folder is refused."""
    assert place.refusal(state_dir=value).startswith("--state-dir: ")


def test_ca_file_is_tried(place: Place) -> None:
    """A certificate file that is missing or none is known before the first request."""
    assert "cannot be read: No such file" in place.refusal({"ORCHESTRATOR_CA_FILE": "~/none.pem"})
    place.write(place.home / "ca.pem", "no certificate")
    assert "holds no certificates in PEM form" in place.refusal({"ORCHESTRATOR_CA_FILE": "~/ca.pem"})
    system = ssl.get_default_verify_paths().cafile
    if system:
        assert place.load(ca_file=system).ca_file == Path(system)
