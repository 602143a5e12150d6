"""World files: every complaint with its place, all at once; the samples that we ship are good."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import UsageError
from orchestrator.simulator.furnish import build
from orchestrator.simulator.worldfile import parse_world, read_world
from tests.canary import SECRET

SAMPLES = Path(__file__).parents[2] / "config" / "simulator"


def _complaints(text: str) -> list[str]:
    with pytest.raises(UsageError) as caught:
        parse_world(text, "w.yaml")
    return str(caught.value).splitlines()


def test_the_least_world_is_one_region() -> None:
    """Everything else has a default: documented quotas, demo key, no faults."""
    spec = parse_world("regions: {cn-north-1: {}}", "w.yaml")
    assert spec.regions["cn-north-1"].quota.images == 5
    assert spec.regions["cn-north-1"].quota.snapshots == 15
    assert list(spec.keys) == ["AKSIMULATOR"]
    assert spec.faults == []


def test_all_complaints_come_at_once_each_with_its_place() -> None:
    """Unknown keys, wrong types and values out of bounds, in nested parts and in lists."""
    text = "\n".join(
        [
            "sed: 1",
            "regions:",
            "  cn-north-1:",
            "    quota: {images: -1}",
            "    images:",
            "      - id: IMG-1",
            "      - {id: img-1, size: 5}",
            "faults:",
            "  - {fault: earthquake}",
            "  - {fault: slow, chance: 2}",
            "pace: {speed: 0}",
        ]
    )
    found = _complaints(text)
    assert "w.yaml:1:1: sed: Extra inputs are not permitted" in found
    places = {line.split(": ")[0] + " " + line.split(": ")[1] for line in found[:-1]}
    assert places == {
        "w.yaml:1:1 sed",
        "w.yaml:4:13 regions.cn-north-1.quota.images",
        "w.yaml:6:9 regions.cn-north-1.images.0.id",
        "w.yaml:7:21 regions.cn-north-1.images.1.size",
        "w.yaml:9:6 faults.0.fault",
        "w.yaml:10:19 faults.1.chance",
        "w.yaml:11:8 pace.speed",
    }
    assert found[-1] == "See docs/simulator.md for the form of a world file."


def test_on_and_no_are_words() -> None:
    """YAML 1.1 would read the key `on` of a fault as True, and a name `no` as False."""
    text = "regions: {a: {images: [{id: img-1, name: no}]}}\nfaults: [{fault: slow, on: [copyImages]}]"
    spec = parse_world(text, "w.yaml")
    assert spec.faults[0].on == {"copyImages"}
    assert spec.regions["a"].images[0].name == "no"
    assert parse_world(text + "\nswitches: {partial: true}", "w.yaml").switches.partial


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("regions: [", "w.yaml:1:11: not YAML"),
        ("regions: {a: {}, a: {}}", "w.yaml:1:18: not YAML: key a given twice"),
        ("regions: {a: &x {}, b: *x}", "w.yaml:1:14: not YAML: an alias"),
        ("regions: {a: {}}\n---\nregions: {}", "w.yaml:2:1: not YAML"),
        ("regions: !!python/name:os.system {}", "w.yaml:1:10: not YAML"),
        ("a: \x00", "w.yaml: not YAML"),
        ("", "w.yaml:1:1: regions: Field required"),
        ("[]", "w.yaml:1:1: world: Input should be"),
        ("regions: {}", "w.yaml:1:1: regions: Dictionary should have at least 1 item"),
    ],
)
def test_text_that_is_no_world_is_refused_with_its_place(text: str, start: str) -> None:
    """Broken YAML, doubled keys, aliases, several documents, tags, nothing at all."""
    assert _complaints(text)[0].startswith(start)


def test_deep_nesting_is_refused() -> None:
    """It ends in a complaint, not in a traceback."""
    assert "not YAML" in _complaints("[" * 100_000)[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "cannot be read"), (b"\xff\xfe", "not UTF-8"), (b"#" * (4 * 1024 * 1024 + 1), "too many")],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    """Missing, not text, or too large."""
    path = tmp_path / "w.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match=words):
        read_world(path)


def test_a_secret_is_not_shown() -> None:
    """Neither the repr of a world file nor a complaint beside it holds a secret."""
    text = "regions: {a: {}}\nkeys: {AK1: " + SECRET + "}"
    assert SECRET not in repr(parse_world(text, "w.yaml"))
    assert SECRET not in "".join(_complaints(text + "\nkey: 1"))
    assert SECRET not in "".join(_complaints(text.replace("AK1:", "AK1: [") + "]"))
    assert SECRET not in repr(build(parse_world(text, "w.yaml"), at=0))


@pytest.mark.parametrize("name", sorted(path.name for path in SAMPLES.glob("*.yaml")))
def test_our_samples_are_good(name: str) -> None:
    """Every file under config/simulator builds a world."""
    simulation = build(read_world(SAMPLES / name), at=0)
    assert len(simulation.world.stores) >= 3
