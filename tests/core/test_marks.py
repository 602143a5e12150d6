"""The mark: it fits, it reads back, and no foreign text passes for it by accident."""

from __future__ import annotations

import re
from itertools import cycle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.marks import MARK_MAX, Mark, platform_source, read_mark, write_mark
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region

NORTH, EAST = Region("cn-north-1"), Region("cn-east-2")
TOKEN = st.from_regex(r"[a-z0-9]{1,32}", fullmatch=True)


def chunk(*ids: str, origin: Region = NORTH) -> Chunk:
    return Chunk(tuple(Copy(ImageId(image), origin, EAST) for image in ids))


CHUNKS = st.lists(
    st.from_regex(r"img-[a-z0-9]{1,32}", fullmatch=True), min_size=1, max_size=10, unique=True
).map(lambda ids: chunk(*ids))


@settings(derandomize=True, deadline=None)
@given(TOKEN, TOKEN, CHUNKS)
def test_a_mark_fits_and_reads_back(ledger: str, call: str, carried: Chunk) -> None:
    """Ids of every allowed length, one to ten of them: at most 256 characters, all ids or none."""
    text = write_mark(ledger, CallId(call), carried)
    assert len(text) <= MARK_MAX
    mark = read_mark(text)
    assert mark is not None
    assert (mark.ledger, mark.call, mark.origin) == (ledger, call, NORTH)
    assert mark.sources in (carried.sources, ())


@pytest.mark.parametrize("length", range(1, 33))
@pytest.mark.parametrize("count", [1, 5, 10])
def test_the_sources_are_written_whenever_they_fit(length: int, count: int) -> None:
    """They are left out only when the whole mark would be longer than 256."""
    ids = [f"img-{i:x}".ljust(4 + length, "z") if length > 1 else f"img-{i:x}"[:5] for i in range(count)]
    carried = chunk(*dict.fromkeys(ids))
    text = write_mark("l" * 16, CallId("c" * 16), carried)
    whole = f"orchestrator/1 ledger={'l' * 16} call={'c' * 16} from=cn-north-1 of={','.join(carried.sources)}"
    assert (text == whole) is (len(whole) <= MARK_MAX)


def test_ten_documented_ids_fit() -> None:
    """Ids as the cloud makes them (img- and 10 characters) fit all ten, with ids of ours of 16."""
    ids = [f"img-m5s000002{i}" for i in range(10)]
    mark = read_mark(write_mark("a" * 16, CallId("b" * 16), chunk(*ids)))
    assert mark is not None
    assert mark.sources == tuple(ids)


def relayed(*ids: str, origins: tuple[str, ...] = (NORTH,), via: str = "cn-south-1") -> Chunk:
    copies = (Copy(ImageId(image), Region(o), EAST) for image, o in zip(ids, cycle(origins), strict=False))
    return Chunk(tuple(copies), Region(via), tuple(ImageId(f"img-carrier{i}") for i in range(len(ids))))


def test_a_relayed_copy_is_marked_as_a_copy_of_its_original() -> None:
    """Region and ids are the original's, so that any ledger and a rebuild know it; the way is added."""
    text = write_mark("l1", CallId("c1"), relayed("img-a", "img-b"))
    assert text == "orchestrator/1 ledger=l1 call=c1 from=cn-north-1 of=img-a,img-b via=cn-south-1"
    expected = Mark("l1", CallId("c1"), NORTH, (ImageId("img-a"), ImageId("img-b")), Region("cn-south-1"))
    assert read_mark(text) == expected


def test_a_relay_of_ten_documented_ids_fits() -> None:
    """The largest mark of a relay: ten ids as the cloud makes them, ids of ours of 12 and 16, a way."""
    ids = [f"img-m5s000002{i}" for i in range(10)]
    text = write_mark("a" * 12, CallId("b" * 16), relayed(*ids))
    assert len(text) == 240
    mark = read_mark(text)
    assert mark is not None
    assert (mark.sources, mark.via) == (tuple(ids), "cn-south-1")


@pytest.mark.parametrize(
    ("length", "sources", "via"),
    [(10, 10, True), (12, 10, False), (13, 10, False), (14, 0, True), (32, 0, True)],
)
def test_what_does_not_fit_is_left_out_the_way_first(length: int, sources: int, via: bool) -> None:
    """The ids tell whose copy it is; by which way it came matters less."""
    ids = [f"img-{i}".ljust(4 + length, "z") for i in range(10)]
    text = write_mark("a" * 12, CallId("b" * 16), relayed(*ids))
    assert len(text) <= MARK_MAX
    mark = read_mark(text)
    assert mark is not None
    assert (len(mark.sources), mark.via is not None) == (sources, via)


def test_originals_of_several_regions_keep_their_regions() -> None:
    """A relay may carry copies of originals that lie apart: each is named with its own region."""
    text = write_mark("l1", CallId("c1"), relayed("img-a", "img-b", "img-c", origins=(NORTH, "cn-east-1")))
    assert " from=cn-north-1 of=img-a,cn-east-1/img-b,img-c via=cn-south-1" in text
    mark = read_mark(text)
    assert mark is not None
    assert mark.originals == ((NORTH, "img-a"), ("cn-east-1", "img-b"), (NORTH, "img-c"))


def test_a_mark_is_plain_ascii_without_anybodys_words() -> None:
    """Only what the program made itself: safe in a header, a log, a table."""
    text = write_mark("l1", CallId("c1"), chunk("img-a", "img-b"))
    assert re.fullmatch(r"[a-z0-9/=, -]+", text)
    assert text == "orchestrator/1 ledger=l1 call=c1 from=cn-north-1 of=img-a,img-b"


@pytest.mark.parametrize(
    "around", ["{}", "before {}", "{} after", "{}\n", "镜像{}。", "<b>{}</b>", "x" * 5000 + "{}"]
)
def test_a_mark_is_found_within_other_text(around: str) -> None:
    """People and platforms may add words around it."""
    mark = read_mark(around.format(write_mark("l1", CallId("c1"), chunk("img-a"))))
    assert mark == Mark("l1", CallId("c1"), NORTH, (ImageId("img-a"),))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "orchestrator",
        "orchestrator/1",
        "orchestrator/1 ledger= call=c from=cn-north-1",
        "orchestrator/1 ledger=l call= from=cn-north-1",
        "orchestrator/1 ledger=l call=c",
        "orchestrator/2 ledger=l call=c from=cn-north-1",
        "orchestrator/1  ledger=l call=c from=cn-north-1",
        "orchestrator/1 call=c ledger=l from=cn-north-1",
        "ORCHESTRATOR/1 LEDGER=L CALL=C FROM=CN-NORTH-1",
        "orchestrator/1 ledger=Lé call=c from=cn-north-1",
        "copied from cn-north-1 img-abc",
        "\x00" * 300,
    ],
)
def test_what_is_no_mark_reads_as_none(text: str) -> None:
    """Half a mark, another version, another order or case: nobody's."""
    assert read_mark(text) is None


@settings(derandomize=True, deadline=None)
@given(st.text(max_size=400))
def test_hostile_text_is_read_without_a_fault(text: str) -> None:
    """Any text whatever gives a mark or None, and one id or None."""
    assert read_mark(text) is None or "orchestrator/1 ledger=" in text
    source = platform_source(text)
    assert source is None or source in text


@pytest.mark.parametrize(
    "text", ["orchestrator/1 ledger=" * 20_000, "img-" * 50_000, "img-a " * 50_000, "-" * 200_000]
)
def test_long_hostile_text_costs_no_time(text: str) -> None:
    """No text makes the reader go back and forth; the test's own time limit is the judge."""
    assert read_mark(text) is None
    assert platform_source(text) in (None, "img-a")


def test_the_first_of_two_marks_counts() -> None:
    """A copy of a copy may carry both; which one is said, not guessed."""
    one, two = (write_mark("l1", CallId(c), chunk("img-a")) for c in ("c1", "c2"))
    mark = read_mark(f"{one} {two}")
    assert mark is not None
    assert mark.call == "c1"
