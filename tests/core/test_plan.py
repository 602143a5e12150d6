"""Plans that load: what they mean, which copies they make, and how these are previewed."""

from __future__ import annotations

import re
from pathlib import Path
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.model import CHUNK_MAX, DOCUMENTED_REGIONS, Copy, ImageId, Region
from orchestrator.core.plan import Plan, Replication, load_plan, preview, yaml_text
from orchestrator.core.plan import plan as plan_module
from tests.core.plans import GOOD, complaints, load, spoiled

ROOT = Path(__file__).parents[2]
BOTH_LOADERS = pytest.mark.parametrize("loader", [yaml_text.LOADER, yaml_text.PURE_LOADER])
COMPLAINT = re.compile(r"(plan\.yaml|l):[1-9]\d*:[1-9]\d*: \S.*: .+|and (at least )?\d+ more")

AGAIN = """\
- name: again
  source: cn-north-1
  destinations: [cn-south-1, cn-east-1]
  images: [img-b, img-c]
"""


def copy(source: str, destination: str, origin: str = "cn-north-1") -> Copy:
    return Copy(ImageId(source), Region(origin), Region(destination))


def test_a_good_plan() -> None:
    """A plan is what its file says, under the file's name."""
    loaded = load(GOOD, name="plans/nightly.yaml")
    assert loaded.name == "plans/nightly.yaml"
    (golden,) = loaded.replications
    assert golden == Replication(
        "golden",
        Region("cn-north-1"),
        (Region("cn-east-2"), Region("cn-south-1")),
        (ImageId("img-a"), ImageId("img-b")),
    )


def test_copies_in_order() -> None:
    """Copies come in the plan's order, destination by destination."""
    expected = (
        copy("img-a", "cn-east-2"),
        copy("img-b", "cn-east-2"),
        copy("img-a", "cn-south-1"),
        copy("img-b", "cn-south-1"),
    )
    assert load(GOOD).copies() == expected


@pytest.mark.parametrize(
    ("plan", "relayed"),
    [
        (GOOD, ()),
        (GOOD + "relay: false\n", ()),
        (GOOD + "  relay: true\n", ("img-a", "img-b")),
        (GOOD + "relay: 'true'\n", ("img-a", "img-b")),
        (GOOD + "  relay: false\nrelay: true\n", ()),
    ],
)
def test_a_relay_is_asked_for(plan: str, relayed: tuple[str, ...]) -> None:
    """Of the whole plan, or of a replication, which has the last word; off where nothing is said."""
    loaded = load(plan)
    relays = loaded.relays()
    assert tuple(dict.fromkeys(c.source for c in loaded.copies() if relays(c))) == relayed


def test_a_copy_may_be_relayed_when_one_replication_says_so() -> None:
    """Two want it, one of them by relay; what only the other wants is not."""
    loaded = load(GOOD + AGAIN + "  relay: true\n")
    relays = loaded.relays()
    assert {c for c in loaded.copies() if relays(c)} == {
        copy(image, region) for image in ("img-b", "img-c") for region in ("cn-south-1", "cn-east-1")
    }


def test_wanted_by_two_replications_is_one_copy() -> None:
    """A copy that two replications want is made once, where the first wants it."""
    copies = load(GOOD + AGAIN).copies()
    assert copies[:4] == load(GOOD).copies()
    assert copies[4:] == (
        copy("img-c", "cn-south-1"),
        copy("img-b", "cn-east-1"),
        copy("img-c", "cn-east-1"),
    )


@BOTH_LOADERS
@pytest.mark.parametrize("word", ["no", "012", "1:30", "null", "~", "1e3", "2026-11-23", "=", "0x1f", "true"])
def test_text_stays_text(word: str, loader: yaml_text.Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    """What YAML 1.1 would turn into a number, a date or a truth is the text that was written."""
    monkeypatch.setattr(yaml_text, "LOADER", loader)
    assert load(spoiled("golden", word)).replications[0].name == word


VARIANTS = {
    "byte-order-mark": "\ufeff" + GOOD,
    "crlf": GOOD.replace("\n", "\r\n"),
    "cr": GOOD.replace("\n", "\r"),
    "no-end": GOOD.rstrip(),
    "document-marks": "---\n" + GOOD + "...\n",
    "comments": "# a\n" + GOOD.replace("golden", "golden # b") + "# c\n",
    "quotes": GOOD.replace("golden", "'golden'").replace("img-a", '"img-a"').replace("1\n", "'1'\n", 1),
    "quoted-key": GOOD.replace("source", '"source"'),
    "blocks": GOOD.replace("[img-a, img-b]", "\n    - img-a\n\n    - img-b"),
    "flow": "{version: 1, replications: [{name: golden, source: cn-north-1, "
    "destinations: [cn-east-2, cn-south-1], images: [img-a, img-b]}]}",
}


@BOTH_LOADERS
@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS.keys())
def test_other_ways_to_write_it(text: str, loader: yaml_text.Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Byte order mark, line ends, quotes, comments and style make no difference."""
    monkeypatch.setattr(yaml_text, "LOADER", loader)
    assert load(text).replications == load(GOOD).replications


@pytest.mark.parametrize("name", ["a", "é" * 64, "夜间 备份", "a: b", "😀"])
def test_names(name: str) -> None:
    """A name is 1 to 64 printable characters of any language."""
    assert load(spoiled("golden", f'"{name}"')).replications[0].name == name


@pytest.mark.parametrize("image", ["img-0", "img-" + "z9" * 16])
def test_image_ids(image: str) -> None:
    """The shortest and the longest id are good."""
    assert image in load(spoiled("img-b", image)).replications[0].images


def test_regions_are_those_handed_in() -> None:
    """A region that the settings add may be named, one that they leave out may not."""
    text = spoiled("cn-south-1", "cn-west-1").encode()
    more = DOCUMENTED_REGIONS | {Region("cn-west-1")}
    loaded = load_plan(text, "p", regions=more, read_list=lambda path: b"")
    assert loaded.replications[0].destinations == ("cn-east-2", "cn-west-1")
    assert "unknown region 'cn-west-1'" in complaints(text)[0]


def test_digest() -> None:
    """The digest stays while nothing changes, and changes with the plan and with a list file."""
    listed = spoiled("images: [img-a, img-b]", "images_from: l")
    digests = [
        load(GOOD).digest,
        load(GOOD + "\n").digest,
        load(listed, {"l": b"img-a\n"}).digest,
        load(listed, {"l": b"img-b\n"}).digest,
    ]
    assert len(set(digests)) == 4
    assert load(GOOD, name="elsewhere.yaml").digest == digests[0]
    assert re.fullmatch("[0-9a-f]{12}", digests[0])


def test_nesting_of_twelve_is_read() -> None:
    """Twelve levels are within the limit: only the unknown key is complained of."""
    (found,) = complaints(GOOD + "  color: " + "[" * 9 + "]" * 9)
    assert "unknown key" in found


def test_larger_than_8_mib() -> None:
    """8 MiB are read, one byte more is not."""
    data = GOOD.encode().ljust(8 << 20, b"#")
    assert complaints(data) == ()
    assert complaints(data + b"#") == ("plan.yaml:1:1: plan: larger than 8 MiB; split it",)


def test_more_than_a_million_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    """The replication that brings a copy too many is named; a copy wanted twice counts once."""
    assert plan_module.COPIES_MAX == 1_000_000
    monkeypatch.setattr(plan_module, "COPIES_MAX", 7)
    assert complaints(GOOD + AGAIN) == ()
    monkeypatch.setattr(plan_module, "COPIES_MAX", 6)
    assert complaints(GOOD + AGAIN) == (
        "plan.yaml:7:3: replications[1]: with this one the plan makes more than 6 copies; split it",
    )


def test_long_plans_take_time_in_proportion() -> None:
    """Eight times as long a plan takes about eight times as long: nothing grows with the square."""

    def seconds(count: int) -> float:
        images = "".join(f"\n  - img-{number}" for number in range(count))
        data = spoiled("[img-a, img-b]", images).encode()
        begin = process_time()
        load(data)
        return process_time() - begin

    seconds(1_000)
    short = min(seconds(4_000) for _ in range(3))
    long = min(seconds(32_000) for _ in range(2))
    assert long < 8 * short * 4


# --- the plans that come with the program ---------------------------------------------------------


def of_project(path: str) -> Plan:
    return load((ROOT / path).read_bytes(), name=path)


def test_demo_plan() -> None:
    """The demo plan makes 72 copies: 24 images in 3 regions, in two replications."""
    demo = of_project("config/plans/demo.yaml")
    copies = demo.copies()
    assert (len(demo.replications), len(copies)) == (2, 72)
    assert len({each.source for each in copies}) == 24
    assert len({each.destination for each in copies}) == 3


def test_demo_plan_inside_the_package() -> None:
    """The wheel carries the same demo plan as the project's folder."""
    inside = ROOT / "orchestrator/simulator/data/demo.yaml"
    assert inside.read_bytes() == (ROOT / "config/plans/demo.yaml").read_bytes()


def test_nightly_plan() -> None:
    """The sample for a real account is a good plan from cn-north-1 to two regions."""
    copies = of_project("config/plans/nightly.yaml").copies()
    assert {each.origin for each in copies} == {"cn-north-1"}
    assert {each.destination for each in copies} == {"cn-east-2", "cn-south-1"}


def test_nightly_plan_with_its_example() -> None:
    """The part of the sample that is commented out is right, too."""
    text = (ROOT / "config/plans/nightly.yaml").read_text()
    awake = re.sub(r"(?m)^  # (- name: weekly|  \w+: )", r"  \1", text)
    assert [each.name for each in load(awake, {"weekly-builds.txt": b"img-w"}).replications][
        -1
    ] == "weekly-builds"


# --- any input ------------------------------------------------------------------------------------

PIECES = st.sampled_from(
    b"&a |*a|!t |<<: |- |: |\n|\r|\t|{|}|[|]|\"|'|#|---\n|? |%TAG|>|\0|\\|,|  |@|`|~|img-a|\xff|\xef\xbb\xbf|"
    b'\xc2\x85|\xe2\x80\xa8|\xf0\x9f\x98\x80|"\\U00110000"|images_from: l\n|images_from: m\n'.split(b"|")
)
SPOTS = st.integers(0, len(GOOD))
EDITS = st.lists(st.tuples(SPOTS, st.integers(0, 8), PIECES | st.binary(max_size=4)), min_size=1, max_size=5)


@BOTH_LOADERS
@settings(derandomize=True, deadline=None, max_examples=300)
@given(edits=EDITS)
def test_any_bytes(loader: yaml_text.Loader, edits: list[tuple[int, int, bytes]]) -> None:
    """Whatever is typed into a plan, it loads or draws complaints with places; nothing else happens."""
    data = GOOD.encode()
    for at, removed, piece in edits:
        data = data[:at] + piece + data[at + removed :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(yaml_text, "LOADER", loader)
        for line in complaints(data, {"l": data}):
            assert COMPLAINT.fullmatch(line), line


# --- preview --------------------------------------------------------------------------------------

REGIONS = st.sampled_from(sorted(DOCUMENTED_REGIONS))
COPIES = st.lists(st.builds(copy, st.integers(0, 30).map("img-{}".format), REGIONS, REGIONS), max_size=150)


@settings(derandomize=True, deadline=None)
@given(wanted=COPIES)
def test_preview(wanted: list[Copy]) -> None:
    """Every copy is in exactly one chunk, chunks are of one route and at most 10, only the last is short."""
    chunks = preview(wanted)
    carried = [each for chunk in chunks for each in chunk.copies]
    assert len(carried) == len(set(carried))
    assert set(carried) == set(wanted)
    routes: dict[tuple[Region, Region], list[int]] = {}
    for chunk in chunks:
        assert {(each.origin, each.destination) for each in chunk.copies} == {
            (chunk.origin, chunk.destination)
        }
        routes.setdefault((chunk.origin, chunk.destination), []).append(len(chunk.copies))
    for sizes in routes.values():
        assert all(size == CHUNK_MAX for size in sizes[:-1])
        assert 1 <= sizes[-1] <= CHUNK_MAX


def test_preview_keeps_the_order() -> None:
    """Chunks follow the order of the copies, so the same plan always gives the same preview."""
    copies = load(spoiled("[img-a, img-b]", f"[{', '.join(f'img-{n}' for n in range(12))}]")).copies()
    assert [(c.destination, len(c.copies)) for c in preview(copies)] == [
        ("cn-east-2", 10), ("cn-east-2", 2), ("cn-south-1", 10), ("cn-south-1", 2),
    ]  # fmt: skip
    assert [each for chunk in preview(copies) for each in chunk.copies] == list(copies)
    assert preview(()) == ()
