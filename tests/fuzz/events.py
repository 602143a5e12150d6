"""What an event must be, whatever the reply was that led to it: the contract of the port, for any bytes."""

from __future__ import annotations

from orchestrator.cloud.document import TEXT_MAX
from orchestrator.cloud.errors import DETAIL_MAX
from orchestrator.core.messages import (
    Accepted,
    Checked,
    Event,
    Inspected,
    Listed,
    Lost,
    Refused,
    Seen,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import PAGE_SIZE, Chunk, Copy, ImageId, RunId, Sighting
from orchestrator.core.reasons import MEANINGS, Nature
from orchestrator.ledger.rows import write_row
from tests.cloud.support import EAST, NORTH

CHUNK = Chunk(tuple(Copy(ImageId(f"img-a{number}"), NORTH, EAST) for number in range(1, 11)))
"""What every copy call here asks for."""


def judge(event: Event, http: int) -> None:
    """Raise AssertionError unless this event may follow from an answer with this HTTP status."""
    write_row(
        event, ledger_id="abcdef012345", seq=1, run=RunId("20261123-010000-aaaa")
    )  # raises if not storable
    if isinstance(event, Accepted):
        _judge_pairs(event)
        assert http == 200, "accepted by something that is no success"
    elif isinstance(event, Refused | Lost | Unanswered):
        _judge_fault(event, http)
    elif isinstance(event, Checked):
        assert http == 200 or (http == 404 and event.sighting is None), "a success that is none"
        _judge_images(() if event.sighting is None else (event.sighting,), {event.image})
    else:
        assert isinstance(event, Inspected | Listed | Seen | Surveyed), f"no answer to anything: {event}"
        assert http == 200, "a success that is none"
        _judge_read(event)


def _judge_pairs(event: Accepted) -> None:
    """Pairs are of sources that were asked for and images that can be their copies, each once."""
    sources, made = {source for source, _ in event.pairs}, {image for _, image in event.pairs}
    assert event.pairs, "accepted without a copy"
    assert len(sources) == len(made) == len(event.pairs), "an image in two pairs"
    assert sources <= set(CHUNK.sources), "a source that nobody asked for"
    assert not made & set(CHUNK.sources), "a copy that is one of the sources"
    assert len(event.request) <= 64, "a long request id"


def _judge_fault(event: Refused | Lost | Unanswered, http: int) -> None:
    """Only an answer that surely made nothing is a refusal; what is shown to people is fit to be shown."""
    assert event.detail.isprintable(), f"not printable: {event.detail!r}"
    assert event.request.isprintable(), f"not printable: {event.request!r}"
    assert len(event.detail) <= DETAIL_MAX, "a long detail"
    doubt = MEANINGS[event.reason].nature is Nature.DOUBT
    assert doubt or http in range(400, 500), "a success, a redirect or a server's fault taken for a refusal"
    if isinstance(event, Refused):
        assert not doubt, "a doubt taken for a refusal"
        assert event.culprit is None or event.culprit in CHUNK.sources, "a culprit that was not in the call"
    if isinstance(event, Lost):
        assert doubt, "a refusal taken for a doubt"


def _judge_read(event: Inspected | Listed | Seen | Surveyed) -> None:
    """Hold counts to being counts, and images to those that were asked for."""
    if isinstance(event, Surveyed):
        assert min(event.limit, event.used) >= 0, "a negative quota"
        return
    if isinstance(event, Listed):
        assert event.total >= 0, "a negative total"
        assert event.shown == len(event.images), "not all that was shown"
        _judge_images(event.images, {sighting.image for sighting in event.images})
        return
    assert len(event.images) <= PAGE_SIZE
    _judge_images(event.images, set(event.asked))


def _judge_images(images: tuple[Sighting, ...], asked: set[ImageId]) -> None:
    """Each image is there once, was asked for, and holds nothing without bounds."""
    ids = [sighting.image for sighting in images]
    assert len(set(ids)) == len(ids), "an image twice"
    assert set(ids) <= asked, "an image that nobody asked for"
    for sighting in images:
        assert max(len(sighting.text), len(sighting.name), len(sighting.status)) <= TEXT_MAX, "a long text"
        assert sighting.progress is None or 0 <= sighting.progress <= 100, "a strange percentage"
        assert sighting.size_mb is None or sighting.size_mb >= 0, "a negative size"
