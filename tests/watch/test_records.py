"""Every event and change becomes a record with the promised name, level and fields."""

from __future__ import annotations

import pytest

from orchestrator.core.codec import KINDS as KINDS_OF_EVENTS
from orchestrator.core.messages import (
    Called,
    Change,
    Event,
    Inspected,
    Listed,
    Lost,
    Refused,
    Seen,
    Unanswered,
)
from orchestrator.core.model import ImageId, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.watch.names import ALWAYS, COPIES, EVENTS, NOTES, Level, every_name
from orchestrator.watch.records import change_record, event_record, records
from tests.watch.samples import CALL, COPY, EAST, NIGHT, NORTH, SOUTH, A, B, change, every_change, every_event

FRAME = set(ALWAYS)


def test_every_kind_of_event_and_every_state_has_a_name_of_its_own() -> None:
    """Nothing that the ledger can hold is without a name in the log, and no name is used twice."""
    assert set(EVENTS) == set(KINDS_OF_EVENTS)
    assert set(COPIES) == set(State)
    assert len(every_name()) == len(EVENTS) + len(COPIES) + len(NOTES)


@pytest.mark.parametrize("event", every_event(), ids=lambda event: type(event).__name__)
def test_an_event_has_exactly_the_fields_that_are_documented(event: Event) -> None:
    """The documented fields are there, apart from a wait that there is not, and no others."""
    record = event_record(event, ())
    documented = set(every_name()[record.name].fields)
    own = set(record.fields) - FRAME
    assert own <= documented
    assert documented - own <= {"wait_s", "until"}
    assert record.at == NIGHT


def test_a_change_has_exactly_the_fields_that_are_documented() -> None:
    """So does every change, into every state and for every reason."""
    for one in every_change():
        record = change_record(one)
        assert set(record.fields) - FRAME == set(every_name()[record.name].fields)


def test_a_relay_is_told_from_call_to_copy() -> None:
    """The call says where it was sent and what it named; the copy, what it is made of."""
    call = Called(at=NIGHT, call=CALL, copies=(COPY,), via=SOUTH, carriers=(ImageId("img-x"),))
    sent = event_record(call, ()).fields
    assert (sent["source_region"], sent["images"], sent["carriers"]) == (SOUTH, ["img-a"], ["img-x"])
    made = change_record(change(State.READY, Reason.COPIED, carrier=ImageId("img-x"))).fields
    assert (made["source_image"], made["source_region"]) == ("img-a", NORTH)
    assert (made["carrier"], made["via"]) == ("img-x", SOUTH)


def test_what_is_not_relayed_has_no_carrier() -> None:
    """Keys without anything to say are left out."""
    plain = Called(at=NIGHT, call=CALL, copies=(COPY,))
    assert "carriers" not in event_record(plain, ()).fields
    assert not {"via", "carrier"} & set(change_record(change(State.READY, Reason.COPIED)).fields)


def test_a_line_leads_from_the_copy_to_its_call_and_request() -> None:
    """A change carries its copy and its call, and the request id of the event behind it."""
    refused = Refused(at=NIGHT, call=CALL, reason=Reason.BUSY, request="req-1", until=NIGHT + 41)
    event, moved = records(refused, [change(State.WAITING, Reason.BUSY, until=NIGHT + 41.25)])
    assert (event.fields["call"], event.fields["request"]) == ("c1", "req-1")
    assert moved.fields["copy"] == "img-a cn-north-1>cn-east-2"
    assert (moved.fields["call"], moved.fields["request"]) == ("c1", "req-1")
    assert (moved.fields["wait_s"], moved.fields["until"]) == (41.25, "2026-11-23T03:12:48.250Z")


@pytest.mark.parametrize(
    "reason", [Reason.CREDENTIALS, Reason.CONFIGURATION, Reason.NOT_FOUND, Reason.INVALID_REGION]
)
def test_what_is_never_tried_again_has_no_wait(reason: Reason) -> None:
    """Whatever time an event bears, its line does not say that the same is tried again; nor "in 0 s"."""
    events: tuple[Event, ...] = (
        Refused(at=NIGHT, call=CALL, reason=reason, until=NIGHT + 2),
        Unanswered(at=NIGHT, read="list", region=EAST, reason=reason, until=NIGHT + 2),
        Refused(at=NIGHT, call=CALL, reason=Reason.MARK_REFUSED, until=NIGHT),
    )
    for event in events:
        assert not {"until", "wait_s"} & set(event_record(event, ()).fields)


def test_a_wait_without_end_has_no_time() -> None:
    """A time that no calendar has is left out instead of breaking the line."""
    for until in (float("inf"), float("nan"), 1e30, None):
        fields = change_record(change(State.WAITING, Reason.QUOTA_IMAGE, until=until)).fields
        assert not {"until", "wait_s"} & set(fields)


QUEUED = change(State.WAITING, Reason.QUEUED, before=State.WAITING)
CHANGES: list[tuple[Change, Level]] = [
    (QUEUED, "debug"),
    (change(State.WAITING, Reason.QUEUED), "info"),
    (change(State.WAITING, Reason.BUSY), "info"),
    (change(State.WAITING, Reason.THROTTLED), "info"),
    (change(State.WAITING, Reason.QUOTA_IMAGE), "warning"),
    (change(State.WAITING, Reason.QUOTA_SNAPSHOT, before=State.WAITING), "warning"),
    (change(State.CALLING, Reason.CALLED), "info"),
    (change(State.COPYING, Reason.ACCEPTED), "info"),
    (change(State.READY, Reason.COPIED), "info"),
    (change(State.DOUBTFUL, Reason.TIMEOUT), "warning"),
    (change(State.DOUBTFUL, Reason.NEEDS_PERSON), "error"),
    (change(State.FAILED, Reason.NOT_FOUND), "error"),
    (change(State.FAILED, Reason.COPY_TIMEOUT), "error"),
]


@pytest.mark.parametrize(("one", "level"), CHANGES, ids=lambda value: getattr(value, "reason", value))
def test_the_level_of_a_change_is_its_duty(one: Change, level: Level) -> None:
    """Error means that somebody must act, warning that it is in doubt or will probably fail."""
    assert change_record(one).level == level


REFUSALS: list[tuple[Reason, Level]] = [
    (Reason.THROTTLED, "info"),
    (Reason.BUSY, "info"),
    (Reason.CONFLICT, "info"),
    (Reason.UNREACHABLE, "info"),
    (Reason.MARK_REFUSED, "info"),
    (Reason.QUOTA_IMAGE, "warning"),
    (Reason.NOT_FOUND, "warning"),
    (Reason.INVALID_REGION, "warning"),
    (Reason.UNEXPLAINED, "warning"),
    (Reason.CREDENTIALS, "error"),
    (Reason.CONFIGURATION, "error"),
]


@pytest.mark.parametrize(("reason", "level"), REFUSALS)
def test_the_level_of_a_refusal_is_its_duty(reason: Reason, level: Level) -> None:
    """A throttle that is tried again is no more than information; refused credentials are an error."""
    assert event_record(Refused(at=NIGHT, call=CALL, reason=reason), ()).level == level


def test_the_level_of_a_read_depends_on_what_it_changed() -> None:
    """A look that changed nothing is for debugging, one that did is information."""
    look = Seen(at=NIGHT, region=EAST, asked=(A,), images=())
    page = Listed(at=NIGHT, began=NIGHT, region=EAST, page=1, total=0, images=())
    ready = change(State.READY, Reason.COPIED)
    for read in (look, page):
        assert event_record(read, ()).level == "debug"
        assert event_record(read, (ready,)).level == "info"


def test_unanswered_reads_and_lost_calls_have_their_duty() -> None:
    """A throttled read is information, another failure a warning, refused credentials an error."""
    lost = Lost(at=NIGHT, call=CALL, reason=Reason.TIMEOUT)
    late = Unanswered(at=NIGHT, read="look", region=EAST, reason=Reason.TIMEOUT)
    slow = Unanswered(at=NIGHT, read="look", region=EAST, reason=Reason.THROTTLED)
    denied = Unanswered(at=NIGHT, read="look", region=EAST, reason=Reason.CREDENTIALS)
    levels = [event_record(event, ()).level for event in (lost, late, slow, denied)]
    assert levels == ["warning", "warning", "info", "error"]


def test_reads_count_what_they_showed() -> None:
    """The numbers of an inspection and of a look are those of the images in it."""
    there = Sighting(image=A, status="ready")
    inspected = Inspected(at=NIGHT, origin=NORTH, asked=(A, B), images=(there,))
    fields = event_record(inspected, ()).fields
    assert (fields["asked"], fields["found"], fields["missing"]) == (2, 1, [B])
    images = (there, Sighting(image=B, status="pending"), Sighting(image=ImageId("img-c"), status="ready"))
    seen = Seen(at=NIGHT, region=EAST, asked=(A, B, ImageId("img-c")), images=images)
    assert event_record(seen, ()).fields["statuses"] == {"pending": 1, "ready": 2}
    assert COPY.source == A
