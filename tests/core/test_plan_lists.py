"""List files: one image id a line, in files beside the plan; the loader is handed their bytes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orchestrator.core.model import DOCUMENTED_REGIONS
from orchestrator.core.plan import image_list, plan
from tests.core.plans import GOOD, Lists, complaints, load, spoiled

LISTED = spoiled("images: [img-a, img-b]", "images_from: ids.txt")
BOTH = GOOD + "  images_from: ids.txt\n"
PATH = "replications[0].images_from"

CASES: list[tuple[str, str, Lists, list[str]]] = [
    ("missing", LISTED, {"ids.txt": FileNotFoundError(2, "No such file or directory")}, [
        f"plans/nightly.yaml:6:16: {PATH}: plans/ids.txt cannot be read: No such file or directory"]),
    ("unreadable", LISTED, {"ids.txt": PermissionError(13, "Permission denied")}, [
        f"plans/nightly.yaml:6:16: {PATH}: plans/ids.txt cannot be read: Permission denied"]),
    ("unreadable-without-words", LISTED, {"ids.txt": OSError()}, [
        f"plans/nightly.yaml:6:16: {PATH}: plans/ids.txt cannot be read: OSError"]),
    ("empty", LISTED, {"ids.txt": b""}, [
        f"plans/ids.txt:1:1: {PATH}: an empty list; add image ids, one a line"]),
    ("only-comments", BOTH, {"ids.txt": b"# none\n\n"}, [f"plans/ids.txt:1:1: {PATH}: an empty list"]),
    ("malformed", LISTED, {"ids.txt": b"img-a\r\n\r\n  img-B # why\r\n"}, [
        f"plans/ids.txt:3:3: {PATH}: malformed image id 'img-B'; an image id is img- and 1 to 32 of a"]),
    ("two-on-a-line", LISTED, {"ids.txt": b"img-a img-b\n"}, [
        f"plans/ids.txt:1:1: {PATH}: malformed image id 'img-a img-b'"]),
    ("twice", LISTED, {"ids.txt": b"img-a\nimg-b\n img-a\n"}, [
        f"plans/ids.txt:3:2: {PATH}: img-a again; it is already in line 1 of this list"]),
    ("twice-across", BOTH, {"ids.txt": b"img-c\nimg-b\n"}, [
        f"plans/ids.txt:2:1: {PATH}: img-b again; it is already in plans/nightly.yaml:6"]),
    ("not-utf-8", LISTED, {"ids.txt": b"img-a\n# caf\xe9\n"}, [
        f"plans/ids.txt:2:6: {PATH}: not UTF-8: byte 0xe9; save the file as UTF-8"]),
    ("control", LISTED, {"ids.txt": b"img-a\rimg-b\0\r\n\x0cimg-c"}, [
        f"plans/ids.txt:2:6: {PATH}: control character U+0000; remove it",
        f"plans/ids.txt:3:1: {PATH}: control character U+000C; remove it"]),
    ("plan-first-then-lists", BOTH.replace("golden", "''"), {"ids.txt": b"x\n"}, [
        "plans/nightly.yaml:3:9: replications[0].name: '' cannot be a name",
        f"plans/ids.txt:1:1: {PATH}: malformed image id 'x'"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "lists", "expected"), [pytest.param(*c[1:], id=c[0]) for c in CASES])
def test_complaint(text: str, lists: Lists, expected: list[str]) -> None:
    """A fault in a list file is told with that file's name, line and column."""
    found = complaints(text, lists, "plans/nightly.yaml")
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(start), found


def test_what_a_list_may_hold() -> None:
    """Ids one a line, any line ends, blank lines, comments, a byte order mark, no end at the last line."""
    data = "\ufeff# golden\r\nimg-a\r\n\r\n\timg-b   # base\rimg-c#next\n#\nimg-d".encode()
    assert load(LISTED, {"ids.txt": data}).replications[0].images == ("img-a", "img-b", "img-c", "img-d")


def test_images_and_list_add_up() -> None:
    """With both keys the plan's own images come first, then the listed ones."""
    images = load(BOTH, {"ids.txt": b"img-d\nimg-c\n"}).replications[0].images
    assert images == ("img-a", "img-b", "img-d", "img-c")


@pytest.mark.parametrize(
    ("listed", "file"),
    [("ids.txt", "plans/ids.txt"), ("../ids.txt", "plans/../ids.txt"), ("/srv/ids.txt", "/srv/ids.txt")],
)
def test_where_a_list_stands(listed: str, file: str) -> None:
    """The path is handed on as written; complaints name it from where the plan's own name starts."""
    (found,) = complaints(LISTED.replace("ids.txt", listed), {listed: b"x"}, "plans/nightly.yaml")
    assert found.startswith(f"{file}:1:1: {PATH}: ")


def test_one_list_for_two_replications() -> None:
    """A list that is named twice is read once, and its faults are told once."""
    again = (
        LISTED.partition("replications:\n")[2].replace("golden", "again").replace("cn-north-1", "cn-east-1")
    )
    reads: list[str] = []

    def read_list(path: str) -> bytes:
        reads.append(path)
        return b"img-a\n"

    regions = DOCUMENTED_REGIONS
    loaded = plan.load_plan((LISTED + again).encode(), "p", regions=regions, read_list=read_list)
    assert reads == ["ids.txt"]
    assert [each.images for each in loaded.replications] == [("img-a",), ("img-a",)]
    assert len(complaints(LISTED + again, {"ids.txt": b"x"})) == 1


def test_larger_than_64_mib(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list file has a cap of its own."""
    monkeypatch.setattr(image_list, "LIST_BYTES_MAX", 1 << 20)
    assert plan.LIST_BYTES_MAX == 64 << 20
    padded = b"img-a\n".ljust(1 << 20, b"#")
    assert load(LISTED, {"ids.txt": padded.replace(b"#", b"\n")}).replications[0].images == ("img-a",)
    (found,) = complaints(LISTED, {"ids.txt": padded + b"#"})
    assert found == f"ids.txt:1:1: {PATH}: larger than 1 MiB; split it"


def test_more_than_a_million_images(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list that is too long for any plan is given up at the first line too many."""
    monkeypatch.setattr(image_list, "IMAGES_MAX", 3)
    (found,) = complaints(LISTED, {"ids.txt": b"img-1\nimg-2\nimg-3\n\nimg-4\nimg-5\n"})
    assert found == f"ids.txt:5:1: {PATH}: more than 3 images"


def test_a_hundred_thousand_ids() -> None:
    """A list of 100,000 ids loads, in its order (how long that takes is in docs/plan.md)."""
    data = b"".join(b"img-m5s%07d\n" % number for number in range(100_000))
    copies = load(LISTED, {"ids.txt": data}).copies()
    assert len(copies) == 200_000
    assert copies[99_999].source == "img-m5s0099999"


def test_the_documented_complaints() -> None:
    """What docs/plan.md shows is what the loader says, and its whole examples are good plans."""
    page = (Path(__file__).parents[2] / "docs/plan.md").read_text(encoding="utf-8")
    *good, spoilt = re.findall(r"```yaml\n(version.*?)```", page, re.S)
    (expected,) = re.findall(r"```text\n(.*?)```", page, re.S)
    assert [complaints(plan, {"golden.txt": b"img-m5s0000031"}) for plan in good] == [(), ()]
    assert "\n".join(complaints(spoilt, {"bastion.txt": b"img-m5s0000030\nimg-m5s-31"})) + "\n" == expected
