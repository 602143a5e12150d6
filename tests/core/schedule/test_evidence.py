"""Whose copy is this image, and what a listing proves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.marks import write_mark
from orchestrator.core.messages import Accepted, Called, Inspect, Listed
from orchestrator.core.model import CallId, Chunk, Copy, ImageId, Resource, Sighting, State
from orchestrator.core.schedule.essence import slim
from orchestrator.core.schedule.evidence import judge_text, owner, relevant, trusted
from orchestrator.core.schedule.likeness import lookalikes
from orchestrator.core.schedule.readings import Evidence, Quota
from orchestrator.core.schedule.tracks import Destination
from tests.core.schedule.stories import EAST, LEDGER, NORTH, SOUTH, Story, copies_of, image_id, story

COPIES = copies_of(2, EAST)
CALL = CallId("call0001")


def lost_call(copies: tuple[Copy, ...] = COPIES) -> Story:
    """Begin a story in which one call carried these copies and nobody answered."""
    tale = story(copies)
    tale.go()
    return tale


def seen(text: str = "", name: str = "", image: str = "img-there", status: str = "ready") -> Sighting:
    return Sighting(image=ImageId(image), status=status, name=name, text=text)


def mark(ledger: str = LEDGER, call: str = CALL, copies: tuple[Copy, ...] = COPIES) -> str:
    return write_mark(ledger, CallId(call), Chunk(copies))


def owned(tale: Story, sighting: Sighting) -> Copy | None:
    track = owner(tale.schedule.register, tale.region(EAST), sighting)
    return track.copy if track else None


NAME = [f"name-{image_id(number)}" for number in range(3)]


@pytest.mark.parametrize(
    ("sighting", "expected"),
    [
        (seen(mark(), NAME[0]), COPIES[0]),
        (seen(mark(), NAME[1]), COPIES[1]),
        (seen(f"words before; {mark()}", NAME[1]), COPIES[1]),
        (seen(mark(), "another name"), None),
        (seen(mark(), ""), None),
        (seen(mark(call="unknowncall"), NAME[1]), COPIES[1]),
        (seen(mark(ledger="another", call="theirs"), NAME[0]), COPIES[0]),
        (seen(mark(ledger="another", call="theirs", copies=COPIES[:1]), "renamed"), COPIES[0]),
        (seen(f"copied from cn-north-1 {image_id(1)}", "renamed"), COPIES[1]),
        (seen(f"{image_id(0)} and {image_id(1)}"), None),
        (seen("img-stranger"), None),
        (seen("", NAME[0]), None),
    ],
)
def test_an_image_belongs_to_the_copy_that_its_text_names(sighting: Sighting, expected: Copy | None) -> None:
    """Our mark and the name; else the platform's text. A name alone is never enough."""
    assert owned(lost_call(), sighting) == expected


NAMED = f"Copied from {NORTH} image {image_id(1)}"
MENTIONED = f"my web server, hotfixed on top of {image_id(1)}"


@pytest.mark.parametrize(
    ("sighting", "expected"),
    [
        (seen(NAMED, "renamed"), COPIES[1]),
        (seen(NAMED, "renamed", status="pending"), COPIES[1]),
        (seen(image_id(1), NAME[1]), COPIES[1]),
        (seen(MENTIONED, "web"), None),
        (seen(NAMED, NAME[1], status="error"), None),
        (seen(f"Copied from {SOUTH} image {image_id(1)}", NAME[1]), None),
        (seen(f"Copied from {SOUTH} by way of {NORTH}, image {image_id(1)}", "renamed"), COPIES[1]),
        (replace(seen(NAMED, NAME[1]), snapshots=("s-1", "s-2", "s-3")), None),
        (replace(seen(NAMED, NAME[1]), encrypted=True), None),
        (replace(seen(NAMED, NAME[1]), size_mb=77), COPIES[1]),
    ],
)
def test_a_mentioned_id_alone_makes_no_copy_of_what_was_never_called(
    sighting: Sighting, expected: Copy | None
) -> None:
    """Region or name speaks for it too, it is not broken, and neither region nor disks say otherwise."""
    tale = story(())
    tale.sources[image_id(1)] = Sighting(
        image=image_id(1), status="ready", name=NAME[1], size_mb=1200, snapshots=("s-1",)
    )
    tale.begin(COPIES, run="night", relay=False)
    tale.decide()
    tale.tell(tale.answer(Inspect(NORTH, (image_id(0), image_id(1)))))
    assert owned(tale, sighting) == expected


@pytest.mark.parametrize(
    "sighting",
    [
        seen(f"Copied from {SOUTH} image {image_id(0)}", "web", image="img-theirs"),
        seen(f"Copied from {NORTH} image {image_id(0)}", "web", image="img-theirs", status="error"),
        replace(seen(MENTIONED.replace(image_id(1), image_id(0)), "web"), snapshots=("s-1", "s-2")),
    ],
    ids=["from elsewhere", "broken", "other disks"],
)
def test_what_is_surely_no_copy_keeps_no_copy_from_being_made(sighting: Sighting) -> None:
    """Somebody's image that merely mentions a source: the copy is made, and nobody is asked."""
    tale = story(())
    tale.sources[image_id(0)] = Sighting(
        image=image_id(0), status="ready", name=NAME[0], size_mb=1200, snapshots=("s-1",)
    )
    tale.shelves[EAST] = {sighting.image: sighting}
    tale.begin(copies_of(1, EAST), run="night")
    (call,) = tale.go()
    assert call.sources == (image_id(0),)


def test_a_mentioned_id_is_doubted_where_nothing_speaks_against_it() -> None:
    """It might be a copy that was renamed: nothing is sent, and nothing is called ready."""
    tale = story(())
    tale.shelves[EAST] = {ImageId("img-theirs"): seen(MENTIONED.replace(image_id(1), image_id(0)), "web")}
    tale.begin(copies_of(1, EAST), run="night")
    assert tale.go() == []
    assert tale.state(copies_of(1, EAST)[0])[0] is State.DOUBTFUL


def test_a_call_of_one_copy_needs_no_name() -> None:
    """The mark of a call that carried one copy says all, whatever the image is called now."""
    assert owned(lost_call(COPIES[:1]), seen(mark(copies=COPIES[:1]), "renamed")) == COPIES[0]


def test_two_sources_of_one_name_in_a_foreign_call_are_not_told_apart() -> None:
    """Another ledger put them into one call: neither is adopted."""
    tale = lost_call()
    for copy in COPIES:
        source = tale.track(copy).source
        source.names = {"golden"}
    assert owned(tale, seen(mark(ledger="another"), "golden")) is None


def test_a_known_image_stays_whose_it_is() -> None:
    """The destination id that the answer gave counts before any text."""
    tale = lost_call()
    tale.tell(Accepted(at=tale.now, call=CALL, pairs=((COPIES[0].source, ImageId("img-there")),)))
    assert owned(tale, seen(mark(), NAME[1])) == COPIES[0]


def test_the_mark_of_a_call_to_another_region_is_no_evidence_here() -> None:
    """An image that carries EAST's call id and stands in SOUTH was made by somebody else."""
    tale = story((*COPIES, *copies_of(2, SOUTH)))
    tale.tell(Called(at=tale.now, call=CALL, copies=COPIES))
    assert owner(tale.schedule.register, tale.region(SOUTH), seen(mark(), NAME[0])) is None


def test_one_image_id_in_two_origins_is_not_told_apart_by_the_platforms_text() -> None:
    """The text names only the image: with two candidates nobody is adopted."""
    twice = (*COPIES, *copies_of(1, EAST, origin=SOUTH))
    assert owned(story(twice), seen(f"copy of {image_id(0)}")) is None


@pytest.mark.parametrize(
    ("before", "text", "status", "after"),
    [
        (Evidence.UNKNOWN, mark(), "pending", Evidence.MARK),
        (Evidence.UNKNOWN, f"from {image_id(0)}", "pending", Evidence.PLATFORM),
        (Evidence.UNKNOWN, f"from {image_id(1)}", "ready", Evidence.NONE),
        (Evidence.UNKNOWN, "", "pending", Evidence.UNKNOWN),
        (Evidence.UNKNOWN, "", "ready", Evidence.NONE),
        (Evidence.NONE, mark(), "ready", Evidence.MARK),
        (Evidence.MARK, "", "ready", Evidence.MARK),
        (Evidence.PLATFORM, "", "ready", Evidence.PLATFORM),
    ],
)
def test_a_destinations_texts_are_learned_from_our_own_copies(
    before: Evidence, text: str, status: str, after: Evidence
) -> None:
    """A text is believed at once; that there is none only of a ready image."""
    tale = lost_call()
    tale.region(EAST).evidence = before
    tale.track(COPIES[0]).answered = True
    judge_text(tale.schedule.register, tale.track(COPIES[0]), seen(text, status=status))
    assert tale.region(EAST).evidence is after


@pytest.mark.parametrize(
    ("text", "after"),
    [
        (mark(), Evidence.MARK),
        (mark(ledger="another", call="theirs"), Evidence.UNKNOWN),
        (f"from {image_id(0)}", Evidence.UNKNOWN),
        ("", Evidence.UNKNOWN),
    ],
)
def test_what_others_wrote_tells_nothing_of_the_texts_that_our_calls_leave(
    text: str, after: Evidence
) -> None:
    """An adopted image with somebody's words: the cloud need not store, or write, any of its own."""
    tale = lost_call()
    judge_text(tale.schedule.register, tale.track(COPIES[0]), seen(text))
    assert tale.region(EAST).evidence is after


@pytest.mark.parametrize(
    ("shown", "used", "total", "blind", "expected"),
    [
        (True, None, 5, False, True),
        (True, 99, 5, True, True),
        (False, None, 5, False, None),
        (False, None, 5, True, False),
        (False, 5, 5, False, True),
        (False, 6, 5, False, False),
        (False, 0, 0, False, True),
    ],
)
def test_absence_is_believed_only_of_a_listing_that_sees(
    shown: bool, used: int | None, total: int, blind: bool, expected: bool | None
) -> None:
    """A known copy in it proves it; else the quota must not count more; else nobody knows yet."""
    destination = Destination(EAST)
    if used is not None:
        destination.quotas[Resource.IMAGE] = Quota(100, used)
    if blind:
        destination.blind.add(Resource.IMAGE)
    if shown:
        destination.images[ImageId("img-known")] = lost_call().track(COPIES[0])
    assert trusted(destination, {ImageId("img-known"), ImageId("img-other")}, total) is expected


@pytest.mark.parametrize(
    ("state", "seen_there", "unconfirmed", "expected"),
    [
        (State.READY, True, False, False),
        (State.COPYING, True, False, False),
        (State.COPYING, False, False, True),
        (State.READY, True, True, True),
        (State.FAILED, True, False, True),
    ],
)
def test_a_listing_without_what_is_surely_there_is_blind(
    state: State, seen_there: bool, unconfirmed: bool, expected: bool
) -> None:
    """A copy that this run has seen is not shown: no quota makes up for that."""
    track = lost_call().track(COPIES[0])
    track.state, track.seen, track.unconfirmed = state, seen_there, unconfirmed
    destination = Destination(EAST, images={ImageId("img-known"): track})
    destination.quotas[Resource.IMAGE] = Quota(100, 0)
    assert trusted(destination, set(), 0) is expected


def test_a_lookalike_has_a_wanted_name_and_no_owner() -> None:
    """The name of a copy that has no image yet; images that somebody owns do not count."""
    tale = lost_call()
    images = [seen("", NAME[0]), seen("", "else", "img-else"), seen("", "", "img-nameless")]
    assert lookalikes(tale.schedule.register, tale.region(EAST), images) == {ImageId("img-there")}
    tale.tell(Accepted(at=tale.now, call=CALL, pairs=((COPIES[0].source, ImageId("img-there")),)))
    assert lookalikes(tale.schedule.register, tale.region(EAST), images) == set()


def test_what_no_copy_will_ever_need_is_not_recorded() -> None:
    """Of a page of strangers only lookalikes, and what names a source of ours, are kept; the counts stay."""
    tale = lost_call()
    images = (
        seen("", NAME[0]), seen(mark(call="older"), "x", "img-marked"), seen("holiday", "y", "img-stranger"),
        seen(mark(ledger="another", call="theirs"), "z", "img-theirs"),
    )  # fmt: skip
    page = Listed(at=tale.now, began=tale.now, region=EAST, page=1, total=4, images=images, shown=4)
    kept = relevant(tale.schedule.register, page).images
    assert [sighting.image for sighting in kept] == ["img-there", "img-marked", "img-theirs"]
    essence = tale.schedule.essence(page)
    assert isinstance(essence, Listed)
    assert (essence.total, essence.shown, essence.images) == (4, 4, kept)


@pytest.mark.parametrize("keep", [True, False])
def test_a_look_is_worth_status_progress_and_perhaps_the_text(keep: bool) -> None:
    """Names, sizes and snapshots of a known copy are not recorded again."""
    whole = Sighting(
        image=ImageId("img-a"), status="pending", progress=7, name="n", text="t", size_mb=1, snapshots=("s",)
    )
    slimmed = Sighting(image=ImageId("img-a"), status="pending", progress=7, text="t" if keep else "")
    assert slim(whole, keep_text=keep) == slimmed


def test_the_origin_of_the_story_is_the_north() -> None:
    """The texts above name the region that the copies come from."""
    assert {copy.origin for copy in COPIES} == {NORTH}
