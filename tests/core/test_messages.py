"""Events are for ever: what is written down reads back the same, and what is not an event is refused."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core import messages
from orchestrator.core.codec import KINDS, from_json, kind_of, to_json
from orchestrator.core.memory import KnownCall, KnownCopy, KnownSource
from orchestrator.core.messages import (
    Accepted,
    Begun,
    Called,
    Checked,
    Ended,
    Event,
    Inspected,
    Listed,
    Lost,
    Planned,
    Refused,
    Remembered,
    Seen,
    Settled,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import (
    CHUNK_MAX,
    CallId,
    Chunk,
    Copy,
    ImageId,
    Region,
    Resource,
    RunId,
    Sighting,
    State,
)
from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Labelled, Pruned, Selected, Verified

FEW = settings(max_examples=30, derandomize=True, deadline=None, database=None)

AT = st.floats(0, 4e9)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
IMAGE = st.from_regex(r"img-[a-z0-9]{1,32}", fullmatch=True).map(ImageId)
REGION = st.sampled_from(["cn-north-1", "cn-east-2", "cn-south-1"]).map(Region)
CALL = st.from_regex(r"[a-z0-9]{1,26}", fullmatch=True).map(CallId)
RUN = TEXT.map(RunId)
REASON = st.sampled_from(Reason)
COUNT = st.integers(0, 10**9)
COPY = st.builds(Copy, IMAGE, REGION, REGION)
COPIES = st.lists(COPY, max_size=4).map(tuple)
SIGHTING = st.builds(
    Sighting,
    image=IMAGE,
    status=TEXT,
    progress=st.none() | st.integers(-1, 101),
    name=TEXT,
    text=TEXT,
    size_mb=st.none() | COUNT,
    snapshots=st.lists(TEXT, max_size=3).map(tuple),
    encrypted=st.booleans(),
    root_device=TEXT,
    image_source=TEXT,
    platform=TEXT,
    architecture=TEXT,
)
SIGHTINGS = st.lists(SIGHTING, max_size=3).map(tuple)
IMAGES = st.lists(IMAGE, max_size=3).map(tuple)
WAY, CARRIER = st.none() | REGION, st.none() | IMAGE
READ = st.sampled_from(["inspect", "list", "survey", "look", "check"])

EVENTS: dict[str, st.SearchStrategy[Event]] = {
    "begun": st.builds(Begun, at=AT, run=RUN, plan=TEXT),
    "planned": st.builds(Planned, at=AT, copies=COPIES, relay=st.booleans()),
    "ended": st.builds(Ended, at=AT, run=RUN, verdict=TEXT, exit_code=st.integers(0, 255)),
    "remembered": st.builds(
        Remembered,
        at=AT,
        endpoint=TEXT,
        account=TEXT,
        copies=st.lists(
            st.builds(KnownCopy, copy=COPY, state=st.sampled_from(State), call=CALL, via=WAY, carrier=CARRIER)
        ).map(tuple),
        sources=st.lists(
            st.builds(
                KnownSource,
                image=IMAGE,
                origin=REGION,
                sighting=SIGHTING,
                original_origin=WAY,
                original=CARRIER,
            )
        ).map(tuple),
        calls=st.lists(st.builds(KnownCall, call=CALL, copies=st.just((0,)), via=WAY, carriers=IMAGES)).map(
            tuple
        ),
    ),
    "settled": st.builds(Settled, at=AT, copy=COPY, made=st.booleans(), image=st.none() | IMAGE),
    "called": st.builds(
        Called, at=AT, call=CALL, copies=COPIES, marked=st.booleans(), via=WAY, carriers=IMAGES
    ),
    "accepted": st.builds(
        Accepted,
        at=AT,
        call=CALL,
        pairs=st.lists(st.tuples(IMAGE, IMAGE), max_size=3).map(tuple),
        request=TEXT,
    ),
    "refused": st.builds(
        Refused,
        at=AT,
        call=CALL,
        reason=REASON,
        culprit=st.none() | IMAGE,
        detail=TEXT,
        request=TEXT,
        until=AT,
    ),
    "lost": st.builds(Lost, at=AT, call=CALL, reason=REASON, detail=TEXT, request=TEXT),
    "inspected": st.builds(Inspected, at=AT, origin=REGION, asked=IMAGES, images=SIGHTINGS, request=TEXT),
    "listed": st.builds(
        Listed,
        at=AT,
        began=AT,
        region=REGION,
        page=COUNT,
        total=COUNT,
        images=SIGHTINGS,
        shown=COUNT,
        request=TEXT,
    ),
    "surveyed": st.builds(
        Surveyed,
        at=AT,
        region=REGION,
        resource=st.sampled_from(Resource),
        limit=COUNT,
        used=COUNT,
        request=TEXT,
    ),
    "seen": st.builds(Seen, at=AT, region=REGION, asked=IMAGES, images=SIGHTINGS, request=TEXT),
    "checked": st.builds(
        Checked, at=AT, region=REGION, image=IMAGE, sighting=st.none() | SIGHTING, request=TEXT
    ),
    "selected": st.builds(Selected, at=AT, replication=TEXT, region=REGION, selector=TEXT, images=IMAGES),
    "pruned": st.builds(
        Pruned,
        at=AT,
        region=REGION,
        image=IMAGE,
        copy=st.none() | COPY,
        reason=REASON,
        detail=TEXT,
        request=TEXT,
    ),
    "labelled": st.builds(
        Labelled, at=AT, copy=COPY, image=IMAGE, name=TEXT, reason=REASON, detail=TEXT, request=TEXT
    ),
    "verified": st.builds(
        Verified, at=AT, copy=COPY, image=IMAGE, differs=st.lists(TEXT, max_size=3).map(tuple)
    ),
    "unanswered": st.builds(
        Unanswered, at=AT, read=READ, region=REGION, reason=REASON, detail=TEXT, request=TEXT, until=AT
    ),
}


def test_every_kind_of_event_is_tried_here_and_has_a_name() -> None:
    """The union, the table of kinds and this file know the same events."""
    assert set(KINDS.values()) == set(get_args(messages.Event))
    assert set(EVENTS) == set(KINDS)


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_is_written_reads_back_the_same(kind: str) -> None:
    """Any value of any field, hostile text and extreme numbers included, survives the ledger."""

    @FEW
    @given(EVENTS[kind])
    def round_trip(event: Event) -> None:
        body = to_json(event)
        assert kind_of(event) == kind
        assert from_json(kind, body) == event
        assert to_json(from_json(kind, body)) == body
        assert "\n" not in body

    round_trip()


@pytest.mark.parametrize("kind", list(KINDS))
def test_what_is_left_out_reads_back_as_its_default(kind: str) -> None:
    """Fields that hold their default are not written; an event of the older form gets the default."""

    @FEW
    @given(EVENTS[kind])
    def without_defaults(event: Event) -> None:
        written = json.loads(to_json(event))
        for field in fields(event):
            if field.default is not MISSING and getattr(event, field.name) == field.default:
                assert field.name not in written
            else:
                assert field.name in written

    without_defaults()


def required(kind: str) -> list[str]:
    return [field.name for field in fields(KINDS[kind]) if field.default is MISSING]


@pytest.mark.parametrize("kind", list(KINDS))
def test_a_body_that_lacks_what_it_needs_is_refused(kind: str) -> None:
    """Each required field in turn: ValueError, never an event with a hole."""

    @FEW
    @given(EVENTS[kind])
    def lacking(event: Event) -> None:
        for name in required(kind):
            body = json.loads(to_json(event))
            del body[name]
            with pytest.raises(ValueError, match=name):
                from_json(kind, json.dumps(body))

    lacking()


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "[]",
        "7",
        '"at"',
        '{"at": null, "run": "r"}',
        '{"at": "soon", "run": "r"}',
        '{"at": 1, "run": 7}',
        '{"at": 1}',
        "\x00",
        '{"at": 1, "run": "r"',
        "not json at all",
    ],
)
def test_garbage_is_refused(body: str) -> None:
    """What is no JSON, or not of the kind: ValueError, as documented."""
    with pytest.raises(ValueError, match=r"."):
        from_json("begun", body)


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("refused", {"reason": "no-such-reason"}),
        ("refused", {"reason": None}),
        ("surveyed", {"resource": "disk"}),
        ("surveyed", {"limit": "many"}),
        ("planned", {"copies": [["img-a", "cn-north-1"]]}),
        ("planned", {"copies": "img-a"}),
        ("accepted", {"pairs": [["img-a"]]}),
        ("checked", {"sighting": {"status": "ready"}}),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused(kind: str, change: dict[str, object]) -> None:
    """An unknown reason code, half a copy, an image without an id: ValueError."""
    examples: dict[str, Event] = {
        "refused": Refused(at=1, call=CallId("c"), reason=Reason.BUSY),
        "surveyed": Surveyed(at=1, region=Region("r"), resource=Resource.IMAGE, limit=1, used=0),
        "planned": Planned(at=1, copies=()),
        "accepted": Accepted(at=1, call=CallId("c"), pairs=()),
        "checked": Checked(at=1, region=Region("r"), image=ImageId("img-a"), sighting=None),
    }
    body = json.loads(to_json(examples[kind]))
    with pytest.raises(ValueError, match=next(iter(change))):
        from_json(kind, json.dumps({**body, **change}))


def test_an_unknown_kind_is_a_key_error() -> None:
    """A ledger of a newer version is noticed by its kinds."""
    with pytest.raises(KeyError):
        from_json("teleported", '{"at": 1}')


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    """Fields are only added: an older program reads what it knows."""
    assert from_json("begun", '{"at": 1.5, "run": "r", "colour": "blue"}') == Begun(at=1.5, run=RunId("r"))


OLD_LEDGER = [
    ("begun", '{"at":1.0,"run":"r1","plan":"p"}', Begun(at=1.0, run=RunId("r1"), plan="p")),
    (
        "called",
        '{"at":2.0,"call":"c1","copies":[["img-a","cn-north-1","cn-east-2"]]}',
        Called(
            at=2.0,
            call=CallId("c1"),
            copies=(Copy(ImageId("img-a"), Region("cn-north-1"), Region("cn-east-2")),),
        ),
    ),
    (
        "accepted",
        '{"at":3.0,"call":"c1","pairs":[["img-a","img-b"]],"request":"q"}',
        Accepted(at=3.0, call=CallId("c1"), pairs=((ImageId("img-a"), ImageId("img-b")),), request="q"),
    ),
    (
        "seen",
        '{"at":4.0,"region":"cn-east-2","asked":["img-b"],"images":[{"image":"img-b","status":"ready"}]}',
        Seen(
            at=4.0,
            region=Region("cn-east-2"),
            asked=(ImageId("img-b"),),
            images=(Sighting(image=ImageId("img-b"), status="ready"),),
        ),
    ),
]


@pytest.mark.parametrize(("kind", "body", "event"), OLD_LEDGER)
def test_the_form_on_disk_is_this_one(kind: str, body: str, event: Event) -> None:
    """Ledgers that exist keep being read, and are written in the same form today."""
    assert from_json(kind, body) == event
    assert to_json(event) == body


def copies(count: int, destination: str = "cn-east-2") -> tuple[Copy, ...]:
    return tuple(Copy(ImageId(f"img-{i}"), Region("cn-north-1"), Region(destination)) for i in range(count))


NEXT_DOOR = Copy(ImageId("img-b"), Region("cn-east-1"), Region("cn-east-2"))
VIA = Region("cn-south-1")


@pytest.mark.parametrize("count", [1, CHUNK_MAX])
def test_a_chunk_holds_one_to_ten(count: int) -> None:
    """It knows its route and its sources, in order."""
    chunk = Chunk(copies(count))
    assert (chunk.origin, chunk.destination) == ("cn-north-1", "cn-east-2")
    assert chunk.sources == tuple(f"img-{i}" for i in range(count))


@pytest.mark.parametrize(
    ("held", "complaint"),
    [
        ((), "1 to 10 copies, not 0"),
        (copies(11), "1 to 10 copies, not 11"),
        (copies(1) + copies(1, "cn-south-1"), "share a destination"),
        ((*copies(1), NEXT_DOOR), "share origin and destination"),
        (copies(1) + copies(1), "each source once"),
    ],
)
def test_a_chunk_that_no_call_could_carry_does_not_exist(held: tuple[Copy, ...], complaint: str) -> None:
    """Too few, too many, two routes, one source twice."""
    with pytest.raises(ValueError, match=complaint):
        Chunk(held)


def relayed(held: tuple[Copy, ...], *carriers: str, via: str = VIA) -> Chunk:
    return Chunk(held, Region(via), tuple(map(ImageId, carriers)))


def test_a_relayed_chunk_is_sent_where_its_carriers_are() -> None:
    """It names the carriers, one of them perhaps an original that lies there; its copies stay the plan's."""
    held = (*copies(1), NEXT_DOOR, Copy(ImageId("img-c"), VIA, Region("cn-east-2")))
    chunk = relayed(held, "img-x", "img-y", "img-c")
    assert (chunk.origin, chunk.destination) == (VIA, "cn-east-2")
    assert chunk.sources == ("img-x", "img-y", "img-c")
    assert chunk.originals == ("img-0", "img-b", "img-c")


@pytest.mark.parametrize(
    ("held", "carriers", "via", "complaint"),
    [
        (copies(2), ("img-x",), VIA, "each with its carrier"),
        (copies(2), ("img-x", "img-x"), VIA, "each source once"),
        (copies(1) * 2, ("img-x", "img-y"), VIA, "each copy once"),
        (copies(1), ("img-x",), "cn-east-2", "neither its origin nor its destination"),
        (copies(1), ("img-0",), "cn-north-1", "neither its origin nor its destination"),
        ((*copies(1), NEXT_DOOR), ("img-x", "img-y"), "cn-east-1", "carries its copies itself"),
        (copies(1) + copies(1, "cn-south-1"), ("img-x", "img-y"), VIA, "share a destination"),
    ],
)
def test_a_relay_that_no_call_could_carry_does_not_exist(
    held: tuple[Copy, ...], carriers: tuple[str, ...], via: str, complaint: str
) -> None:
    """A copy without a carrier, one carrier twice, a way that leads nowhere."""
    with pytest.raises(ValueError, match=complaint):
        relayed(held, *carriers, via=via)


def test_a_chunk_that_is_not_relayed_has_no_carriers() -> None:
    """There is one way to say that the originals travel."""
    with pytest.raises(ValueError, match="no carriers"):
        Chunk(copies(1), None, (ImageId("img-0"),))
