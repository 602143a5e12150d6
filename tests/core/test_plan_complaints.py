"""Every complaint about a plan file, each with its exact place."""

from __future__ import annotations

import pytest
import yaml

from orchestrator.core.plan import yaml_text
from orchestrator.core.plan.complaints import KEPT_MAX, SHOWN_MAX
from tests.core.plans import GOOD, complaints, spoiled

DESTINATIONS = "[cn-east-2, cn-south-1]"
IMAGES = "[img-a, img-b]"
NAME = "name: golden"
KNOWN = "Known are cn-east-1, cn-east-2, cn-north-1, cn-south-1; the setting EXTRA_REGIONS adds more"
SECOND = "- name: golden\n  source: cn-east-1\n  destinations: [cn-east-2]\n  images: [img-a]\n"

Case = tuple[str, str, list[str]]

# id, plan, complaints: each begins so (behind the file's name); there are no others
SHAPE: list[Case] = [
    ("empty", "", ["1:1: plan: nothing in it; a plan needs version and replications"]),
    ("only-comments", "# nothing\n\n", ["1:1: plan: nothing in it"]),
    ("empty-document", "---\n", ["2:1: plan: expected a mapping of version and replications, found nothing"]),
    ("root-list", "- a\n", ["1:1: plan: expected a mapping of version and replications, found a list"]),
    ("root-text", "hello\n", [
        "1:1: plan: expected a mapping of version and replications, found the text 'hello'"]),
    ("several-documents", GOOD + "---\nb: 1\n", ["7:1: plan: a second document begins here"]),
    ("second-document-is-not-all", spoiled("version: 1", "version: 2") + "---\n", [
        "1:10: version: '2' is unknown; this program reads version 1", "7:1: plan: a second document"]),
    ("version-missing", spoiled("version: 1\n", ""), ["1:1: version: missing; add version: 1"]),
    ("version-nothing", spoiled("version: 1", "version:"), ["1:9: version: expected 1, found nothing"]),
    ("version-list", spoiled("version: 1", "version: [1]"), ["1:10: version: expected 1, found a list"]),
    ("version-012", spoiled("version: 1", "version: 01"), ["1:10: version: '01' is unknown"]),
    ("replications-missing", "version: 1\n", ["1:1: replications: missing; add a list of replications"]),
    ("replications-empty", "version: 1\nreplications: []\n", ["2:15: replications: an empty list"]),
    ("replications-mapping", "version: 1\nreplications:\n  name: a\n", [
        "3:3: replications: expected a list of replications, found a mapping"]),
    ("replication-text", "version: 1\nreplications: [golden]\n", [
        "2:16: replications[0]: expected a mapping of name, "]),
    ("unknown-key-near", GOOD + "  destination: [cn-east-1]\n", [
        "7:3: replications[0].destination: unknown key, did you mean destinations?"]),
    ("unknown-key-far", GOOD + "  color: red\n", [
        "7:3: replications[0].color: unknown key; the keys here are name, source, "]),
    ("unknown-key-at-the-top", GOOD + "verson: 1\n", ["7:1: verson: unknown key, did you mean version?"]),
    ("every-key-missing", "version: 1\nreplications:\n- {}\n", [
        "3:3: replications[0].destinations: missing; add a list of regions",
        "3:3: replications[0].images: missing; add images, images_from or both",
        "3:3: replications[0].name: missing; add a name that no other replication of this plan has",
        "3:3: replications[0].source: missing; add the region that holds the images"]),
    ("duplicate-key", GOOD + "  source: cn-east-1\n", [
        "7:3: replications[0].source: key 'source' again; it was given in line 4"]),
    ("duplicate-key-at-the-top", GOOD + "version: 1\n", [
        "7:1: version: key 'version' again; it was given in line 1"]),
    ("key-is-a-list", GOOD + "? [a]\n: 1\n", ["7:3: plan: a key must be text"]),
]  # fmt: skip

MEANING: list[Case] = [
    ("relay-yes", GOOD + "relay: yes\n", ["7:8: relay: 'yes' is neither true nor false"]),
    ("relay-nothing", GOOD + "relay:\n", ["7:7: relay: expected true or false, found nothing"]),
    ("relay-list", GOOD + "  relay: [true]\n", [
        "7:10: replications[0].relay: expected true or false, found a list"]),
    ("relay-capital", GOOD + "  relay: True\n", [
        "7:10: replications[0].relay: 'True' is neither true nor false"]),
    ("name-nothing", spoiled(NAME, "name:"), ["3:8: replications[0].name: expected a name, found nothing"]),
    ("name-list", spoiled(NAME, "name: [a]"), ["3:9: replications[0].name: expected a name, found a list"]),
    ("name-empty", spoiled(NAME, "name: ''"), [
        "3:9: replications[0].name: '' cannot be a name; a name is 1 to 64"]),
    ("name-too-long", spoiled(NAME, "name: " + "é" * 65), [
        f"3:9: replications[0].name: '{'é' * 64}…' cannot be a name"]),
    ("name-control", spoiled(NAME, r'name: "a\eb"'), [
        r"3:9: replications[0].name: 'a\x1bb' cannot be a name"]),
    ("name-bidi", spoiled(NAME, r'name: "a\u202eb"'), [
        r"3:9: replications[0].name: 'a\u202eb' cannot be a name"]),
    ("duplicate-name", GOOD + SECOND, ["7:9: replications[1].name: the name 'golden' is taken in line 3"]),
    ("source-list", spoiled("cn-north-1", "[cn-north-1]"), [
        "4:11: replications[0].source: expected a region, found a list"]),
    ("source-unknown", spoiled("cn-north-1", "cn-nroth-1"), [
        f"4:11: replications[0].source: unknown region 'cn-nroth-1', did you mean cn-north-1? {KNOWN}"]),
    ("source-far-off", spoiled("cn-north-1", "no"), [
        f"4:11: replications[0].source: unknown region 'no'. {KNOWN}"]),
    ("destination-unknown", spoiled("cn-south-1", "cn-south-2"), [
        "5:29: replications[0].destinations[1]: unknown region 'cn-south-2', did you mean cn-south-1? "]),
    ("destination-text", spoiled(DESTINATIONS, "cn-east-2"), [
        "5:17: replications[0].destinations: expected a list of regions, found the text 'cn-east-2'"]),
    ("destination-mapping", spoiled("cn-south-1", "{a: 1}"), [
        "5:29: replications[0].destinations[1]: expected a region, found a mapping"]),
    ("destinations-empty", spoiled(DESTINATIONS, "[]"), [
        "5:17: replications[0].destinations: an empty list; expected a list of regions"]),
    ("destination-twice", spoiled("cn-south-1", "cn-east-2"), [
        "5:29: replications[0].destinations[1]: cn-east-2 again; it is already in line 5"]),
    ("destination-is-source", spoiled("cn-south-1", "cn-north-1"), [
        "5:29: replications[0].destinations[1]: cn-north-1 is the source; name other regions"]),
    ("images-empty", spoiled(IMAGES, "[]"), [
        "6:11: replications[0].images: an empty list; expected a list of image ids and selectors"]),
    ("images-nothing", spoiled(" " + IMAGES, ""), [
        "6:10: replications[0].images: expected a list of image ids and selectors, found nothing"]),
    ("images-text", spoiled(IMAGES, "img-a"), [
        "6:11: replications[0].images: expected a list of image ids and selectors, found the text 'img-a'"]),
    ("image-mapping", spoiled("img-b", "{img-b: x}"), [
        "6:20: replications[0].images[1].img-b: unknown key; the keys here are name, name_regex, latest"]),
    ("image-nothing", spoiled(IMAGES, "\n  - img-a\n  -"), [
        "8:4: replications[0].images[1]: expected an image id or a selector, found nothing"]),
    ("image-twice", spoiled("img-b", "img-a"), [
        "6:19: replications[0].images[1]: img-a again; it is already in line 6 of this list"]),
    ("neither-images-nor-list", spoiled(f"  images: {IMAGES}\n", ""), [
        "3:3: replications[0].images: missing; add images, images_from or both"]),
    ("list-path-list", GOOD + "  images_from: [a]\n", [
        "7:16: replications[0].images_from: expected the path of a list file, found a list"]),
    ("list-path-empty", GOOD + "  images_from: ''\n", [
        "7:16: replications[0].images_from: '' cannot be a path"]),
    ("list-path-nul", GOOD + '  images_from: "a\\0b"\n', [
        r"7:16: replications[0].images_from: 'a\x00b' cannot be a path"]),
]  # fmt: skip

FORBIDDEN: list[Case] = [
    ("anchor", spoiled("cn-north-1", "&here cn-north-1"), [
        "4:11: replications[0].source: anchor &here; write"]),
    ("anchor-on-list", spoiled(IMAGES, "&x " + IMAGES), ["6:11: replications[0].images: anchor &x; write"]),
    ("alias", spoiled("img-b", "*x"), [
        "6:19: replications[0].images[1]: alias *x; write the values out instead"]),
    ("alias-as-plan", "*x", ["1:1: plan: alias *x"]),
    ("alias-as-key", GOOD + "*x : 1\n", ["7:1: plan: alias *x"]),
    ("merge-key", GOOD + "  <<: {color: red}\n", ["7:3: replications[0].<<: merge key <<; write"]),
    ("merge-key-quoted", GOOD + "  '<<': 1\n", ["7:3: replications[0].<<: unknown key; the keys "]),
    ("empty-key", GOOD + "  '': 1\n", ["7:3: replications[0].'': unknown key; the keys "]),
    ("tag", spoiled("cn-north-1", "!!str cn-north-1"), [
        "4:11: replications[0].source: tag tag:yaml.org,2002:str"]),
    ("tag-on-list", spoiled(IMAGES, "!set " + IMAGES), ["6:11: replications[0].images: tag !set; remove it"]),
    ("tag-unspecific", spoiled("cn-north-1", "! cn-north-1"), [
        "4:11: replications[0].source: tag !; remove it"]),
    ("directive", "%YAML 1.1\n---\n" + GOOD, ["1:1: plan: directive '%YAML 1.1'; remove the line"]),
    ("too-deep", GOOD + "  color: " + "[" * 10 + "]" * 10, [
        "7:19: replications[0].color[0][0][0][0][0][0][0][0][0]: nested deeper than 12 levels"]),
    ("too-deep-in-blocks", "- " * 13 + "a\n", ["1:25: " + "[0]" * 12 + ": nested deeper than 12 levels"]),
    ("endless-brackets", "[" * 100_000, ["1:13: " + "[0]" * 12 + ": nested deeper than 12 levels"]),
    ("endless-mappings", "{a: " * 100_000, ["1:49: a" + ".a" * 11 + ": nested deeper than 12 levels"]),
    ("syntax", spoiled(DESTINATIONS, "[cn-east-2"), ["6:9: plan: not YAML: "]),
    ("syntax-tab", spoiled("  source", "\tsource"), [
        "4:1: plan: not YAML: found "]),
    ("syntax-colon", spoiled("golden", "a: b"), ["3:10: plan: not YAML: mapping values are not allowed "]),
    ("nul", spoiled("golden", "gol\0den"), ["3:12: plan: control character U+0000; remove it"]),
    ("escape-character", spoiled("golden", "\x1b[31m"), ["3:9: plan: control character U+001B; remove it"]),
    ("hidden-line-end", spoiled("golden", "a\u2028b"), ["3:10: plan: control character U+2028; remove it"]),
    ("byte-order-mark-inside", spoiled("golden", "a\ufeffb"), [
        "3:10: plan: control character U+FEFF; remove it"]),
    ("two-controls", "\r\n\0é\x01\r\r\n \x7f", [
        "2:1: plan: control character U+0000", "2:3: plan: control character U+0001",
        "4:2: plan: control character U+007F"]),
]  # fmt: skip

CASES = [*SHAPE, *MEANING, *FORBIDDEN]


@pytest.fixture(params=["libyaml", "pure"], autouse=True)
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "pure":
        monkeypatch.setattr(yaml_text, "LOADER", yaml_text.PURE_LOADER)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML was built without libyaml")


def test_a_good_plan_draws_no_complaint() -> None:
    """The plan that the table spoils is good, so what a case draws comes from its spoiling."""
    assert complaints(GOOD) == ()


@pytest.mark.parametrize(("plan", "expected"), [pytest.param(c[1], c[2], id=c[0]) for c in CASES])
def test_complaint(plan: str, expected: list[str]) -> None:
    """Each fault draws exactly its complaints, with file, line, column and path, with either parser."""
    found = complaints(plan)
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(f"plan.yaml:{start}"), found


@pytest.mark.parametrize(
    "wrong",
    [
        "img-",
        "img-" + "a" * 33,
        "IMG-a",
        "img-A",
        "img-a_b",
        "img-é",
        "img-١",
        "img-a-b",
        " img-a",
        "a",
        '"img-a\\n"',
    ],
)
def test_malformed_image_id(wrong: str) -> None:
    """Anything but img- and 1 to 32 of a-z and 0-9 is refused, a line end at its end too."""
    if wrong.startswith(" "):
        wrong = f"'{wrong}'"
    (found,) = complaints(spoiled("img-b", wrong))
    assert found.startswith("plan.yaml:6:19: replications[0].images[1]: malformed image id '")
    assert found.endswith("'; an image id is img- and 1 to 32 of a-z and 0-9")
    assert "\n" not in found


@pytest.mark.parametrize("escape", [r'"\U00110000"', r'"\UFFFFFFFF"', r'"\ud800"'])
def test_escape_beyond_unicode(escape: str) -> None:
    """An escape that is no character is a complaint on its line, not a crash."""
    (found,) = complaints(spoiled("img-b", escape))
    assert found.startswith("plan.yaml:6:")


def test_not_utf_8() -> None:
    """A plan in another encoding is refused at the first byte that is not UTF-8, counted in characters."""
    data = GOOD.replace("golden", "é-\udcff").encode("utf-8", "surrogateescape")
    for start in (b"", b"\xef\xbb\xbf"):
        (found,) = complaints(start + data)
        assert found == "plan.yaml:3:11: plan: not UTF-8: byte 0xff; save the file as UTF-8"


def test_utf_16_is_not_guessed() -> None:
    """What an editor saved as UTF-16 is refused with the advice to save it as UTF-8."""
    (found,) = complaints(GOOD.encode("utf-16"))
    assert found == "plan.yaml:1:1: plan: not UTF-8: byte 0xff; save the file as UTF-8"


def test_more_values_than_any_good_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan of countless tiny values is given up at a limit, so it cannot fill the memory."""
    monkeypatch.setattr(yaml_text, "VALUES_MAX", 1_000)
    (found,) = complaints("[" + "a," * 5_000 + "]")
    assert found == "plan.yaml:1:2000: [999]: more than 1,000 values"


def test_all_complaints_at_once_by_position() -> None:
    """One load tells of every fault, from top to bottom, however different the faults are."""
    plan = spoiled("version: 1", "version: 2").replace("golden", "&a golden").replace("img-b", "img-a")
    plan = plan.replace("cn-south-1", "cn-north-1") + "  color: red\n  color: blue\n"
    assert [line.split(": ")[0] for line in complaints(plan)] == [
        f"plan.yaml:{place}" for place in ("1:10", "3:9", "5:29", "6:19", "7:3", "8:3")
    ]


def test_complaints_are_capped() -> None:
    """The first hundred are printed and the rest counted, as far as anybody looked."""
    plan = GOOD + "".join(f"  x{n}: 1\n" for n in range(SHOWN_MAX + 7))
    found = complaints(plan)
    assert len(found) == SHOWN_MAX + 1
    assert found[-1] == "and 7 more"
    plan = GOOD + "".join(f"  x{n}: 1\n" for n in range(KEPT_MAX + 7))
    assert complaints(plan)[-1] == f"and at least {KEPT_MAX - SHOWN_MAX} more"


def test_what_is_quoted_is_short_and_printable() -> None:
    """Neither a file's content nor its name can flood the terminal or send it commands."""
    plan = GOOD + f'  ? "\\e[2J{"x" * 100_000}"\n  : 1\n'
    (found,) = complaints(plan, name="evil\x1b[2J\n.yaml")
    assert found.isprintable()
    assert len(found) < 300
    assert found.startswith(r"evil\x1b[2J\n.yaml:7:5: replications[0].\x1b[2Jxxx")
