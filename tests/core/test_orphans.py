"""What fits to no ledger: every kind is found, each image once, and what is as it should be is left alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from orchestrator.core.marks import write_mark
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Region, Sighting, State
from orchestrator.core.orphans import Kind, Orphan, Shelf, live_copies, orphans

NORTH, EAST = Region("cn-north-1"), Region("cn-east-2")
LEDGER, OTHER = "ledgerone", "ledgertwo"


def copy_of(source: str) -> Copy:
    """Want a source in the east."""
    return Copy(ImageId(source), NORTH, EAST)


def marked(image: str, *sources: str, ledger: str = LEDGER, status: str = "ready") -> Sighting:
    """Show an image with the mark of a call for these sources."""
    chunk = Chunk(tuple(copy_of(source) for source in sources))
    return Sighting(image=ImageId(image), status=status, text=write_mark(ledger, CallId("c1"), chunk))


def plain(image: str, status: str = "ready") -> Sighting:
    """Show an image without a mark."""
    return Sighting(image=ImageId(image), status=status, text="somebody's own")


def shelf(
    entries: Mapping[str, tuple[str, State]] | None = None,
    *,
    accepted: tuple[str, ...] = (),
    makers: Mapping[str, str] | None = None,
) -> Shelf:
    """Write what a ledger says: image -> (source, state); `makers` are images whose copy a mark tells."""
    known = {ImageId(i): (copy_of(source), state) for i, (source, state) in (entries or {}).items()}
    told = {ImageId(image): copy_of(source) for image, source in (makers or {}).items()}
    return Shelf(
        ledger=LEDGER,
        entries=known,
        accepted=frozenset(map(ImageId, accepted)),
        maker=lambda sighting: told.get(sighting.image),
    )


READY = {"img-x": ("img-a", State.READY)}


@pytest.mark.parametrize(
    ("said", "listing", "kinds"),
    [
        (shelf(), [plain("img-x"), plain("img-y", "error")], []),  # nobody's business
        (shelf(READY), [marked("img-x", "img-a")], []),
        (shelf(READY), [plain("img-x")], []),  # adopted without a mark
        (shelf(READY), [], [Kind.MISSING]),
        (shelf(READY), [marked("img-x", "img-a", status="deleting")], []),  # on its way out, not gone yet
        (shelf({"img-x": ("img-a", State.COPYING)}), [], []),  # the run that watches it tells
        (shelf({"img-x": ("img-a", State.FAILED)}), [plain("img-x", "error")], [Kind.BROKEN]),
        (shelf(), [marked("img-x", "img-a", status="error")], [Kind.BROKEN]),
        (shelf(), [marked("img-x", "img-a", ledger=OTHER, status="error")], [Kind.BROKEN]),
        (shelf(), [marked("img-x", "img-a")], [Kind.STRANGER]),
        (shelf(accepted=("img-x",)), [marked("img-x", "img-a")], []),
        (shelf(makers={"img-x": "img-a"}), [marked("img-x", "img-a")], []),  # the answer to a lost call
        (shelf(), [marked("img-x", "img-a", ledger=OTHER)], [Kind.FOREIGN]),
        (shelf(), [marked("img-x", "img-a"), marked("img-y", "img-a")], [Kind.DUPLICATE]),
        (shelf(READY), [plain("img-x"), marked("img-y", "img-a", ledger=OTHER)], [Kind.DUPLICATE]),
        (shelf(READY, makers={"img-y": "img-a"}), [plain("img-x"), plain("img-y")], [Kind.DUPLICATE]),
        (shelf(READY), [plain("img-x"), marked("img-y", "img-a", status="error")], [Kind.BROKEN]),
        (
            shelf(),
            [marked("img-x", "img-a", "img-b"), marked("img-y", "img-a", "img-b")],
            [Kind.STRANGER] * 2,
        ),
    ],
)
def test_every_kind_is_told_from_the_others(said: Shelf, listing: list[Sighting], kinds: list[Kind]) -> None:
    """One finding for each thing that does not fit, and none for what does."""
    assert [orphan.kind for orphan in orphans(said, listing)] == kinds


def test_twins_are_named_with_their_source() -> None:
    """A person can choose only between images that are named."""
    found = orphans(shelf(READY), [plain("img-x"), marked("img-y", "img-a")])
    images = (ImageId("img-x"), ImageId("img-y"))
    assert found == (Orphan(kind=Kind.DUPLICATE, images=images, original=(NORTH, ImageId("img-a"))),)


def test_a_mark_of_many_sources_counts_as_none_of_them() -> None:
    """It does not tell which of them an image is, so the image is no copy of any for certain."""
    listing = [marked("img-x", "img-a", "img-b"), marked("img-y", "img-c")]
    assert live_copies(shelf(), listing) == {(NORTH, ImageId("img-c")): (ImageId("img-y"),)}


def test_what_failed_is_no_copy() -> None:
    """A broken image does not count as there."""
    assert live_copies(shelf(READY), [plain("img-x", "error")]) == {}
