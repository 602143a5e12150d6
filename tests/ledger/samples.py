"""Ready-made events, changes and ledgers for the tests of the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orchestrator.core.memory import KnownCall
from orchestrator.core.messages import (
    Accepted,
    Begun,
    Called,
    Change,
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
from orchestrator.core.model import CallId, Copy, ImageId, Region, Resource, RunId, Sighting, State
from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Labelled, Pruned, Selected, Verified
from orchestrator.ledger.sqlite import Ledger

ORIGIN, EAST, SOUTH = Region("cn-north-1"), Region("cn-east-2"), Region("cn-south-1")
RUN = RunId("20261123-010000-aaaa")
NEXT_RUN = RunId("20261124-010000-bbbb")
NOW = 1_790_000_000.123456
CALL = CallId("c0ffee00c0ffee00")
LEDGER_ID = "abcdef012345"


def source(number: int) -> ImageId:
    """Name a source image."""
    return ImageId(f"img-s{number:09d}")


def copy(number: int, destination: Region = EAST) -> Copy:
    """Make a copy of that image."""
    return Copy(source(number), ORIGIN, destination)


SIGHTING = Sighting(
    image=ImageId("img-d000000001"),
    status="pending",
    progress=42,
    name='quotes " and \\ and 映像\u2028\x00\x1b[31m',
    text="a mark",
    size_mb=40960,
    snapshots=("snapshot-1", "snapshot-2"),
    root_device="cloudDisk",
    image_source="private",
)

ONE_OF_EACH: tuple[Event, ...] = (
    Begun(at=NOW, run=RUN, plan="plans/nightly.yaml"),
    Planned(at=NOW + 0.1, copies=(copy(1), copy(2), copy(1, SOUTH))),
    Inspected(at=NOW + 1, origin=ORIGIN, asked=(source(1), source(2)), images=(SIGHTING,), request="r-1"),
    Surveyed(at=NOW + 2, region=EAST, resource=Resource.IMAGE, limit=5, used=2),
    Surveyed(at=NOW + 3, region=EAST, resource=Resource.SNAPSHOT, limit=15, used=2),
    Listed(at=NOW + 4, began=NOW + 3.5, region=EAST, page=1, total=1, images=(SIGHTING,), shown=1),
    Called(at=NOW + 5, call=CALL, copies=(copy(1), copy(2)), marked=False),
    Accepted(at=NOW + 6, call=CALL, pairs=((source(1), SIGHTING.image),), request="r-2"),
    Refused(at=NOW + 7, call=CALL, reason=Reason.BUSY, culprit=source(2), detail="busy", until=NOW + 60.5),
    Lost(at=NOW + 8, call=CALL, reason=Reason.TIMEOUT, detail="no answer within 30 s"),
    Seen(at=NOW + 9, region=EAST, asked=(SIGHTING.image,), images=(SIGHTING,)),
    Checked(at=NOW + 10, region=EAST, image=SIGHTING.image, sighting=None),
    Unanswered(at=NOW + 11, read="list", region=EAST, reason=Reason.SERVER_ERROR, until=NOW + 20),
    Settled(at=NOW + 12, copy=copy(1), made=False),
    Selected(at=NOW + 12, replication="golden", region=ORIGIN, selector="name *", images=(source(1),)),
    Pruned(at=NOW + 12, region=EAST, image=SIGHTING.image, copy=copy(1), reason=Reason.SHARED, request="r-3"),
    Labelled(at=NOW + 12, copy=copy(1), image=SIGHTING.image, name="golden-1", reason=Reason.LABELLED),
    Verified(at=NOW + 12, copy=copy(1), image=SIGHTING.image, differs=("size",)),
    Ended(at=NOW + 12, run=RUN, verdict="partial", exit_code=3),
    Remembered(at=NOW + 13, account="somebody", calls=(KnownCall(call=CALL, copies=(0, 1)),)),
)


def change(
    number: int,
    after: State,
    reason: Reason,
    *,
    image: str | None = None,
    call: CallId | None = None,
    at: float = NOW,
    detail: str = "",
) -> Change:
    """Make a change of one copy; nothing here looks at where it came from."""
    return Change(
        at=at, copy=copy(number), before=State.WAITING, after=after, reason=reason, detail=detail,
        image=None if image is None else ImageId(image), call=call,
    )  # fmt: skip


def open_ledger(folder: Path, ledger_id: str = LEDGER_ID) -> Ledger:
    """Open the ledger of a folder, with a given id where it is new."""
    return Ledger.open(folder, ids=lambda: ledger_id, now=NOW)


def fill(folder: Path, events: Sequence[Event] = ONE_OF_EACH) -> None:
    """Make a ledger that holds these events and is closed properly."""
    with open_ledger(folder) as ledger:
        ledger.begin_run(RUN, plan="nightly.yaml", started_at=NOW, wanted=[copy(1), copy(2)])
        for event in events:
            ledger.record(event, run=RUN)


def begun(number: int) -> Begun:
    """Make an event that carries a number."""
    return Begun(at=NOW + number, run=RUN, plan=str(number))
