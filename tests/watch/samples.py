"""One of everything that the watch has to show: events, changes, standings, results."""

from __future__ import annotations

from collections.abc import Iterator

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
from orchestrator.core.verdict import Counts, Overview, Result, Standing, Verdict

NIGHT = 1_795_403_527.0
"""2026-11-23 03:12:07 UTC, a moment in a night."""

NORTH, EAST, SOUTH = Region("cn-north-1"), Region("cn-east-2"), Region("cn-south-1")
A, B, COPY_OF_A = ImageId("img-a"), ImageId("img-b"), ImageId("img-y")
RUN = RunId("r1")
CALL = CallId("c1")
COPY = Copy(A, NORTH, EAST)
OTHER = Copy(B, NORTH, EAST)


def change(
    after: State,
    reason: Reason,
    *,
    before: State = State.CALLING,
    at: float = NIGHT,
    detail: str = "",
    image: ImageId | None = None,
    until: float | None = None,
    copy: Copy = COPY,
    carrier: ImageId | None = None,
) -> Change:
    """Make a change of one copy; a `carrier` lies in the south."""
    return Change(
        at=at, copy=copy, before=before, after=after, reason=reason, detail=detail, image=image,
        call=CALL, until=until, carrier=carrier, via=SOUTH if carrier else None,
    )  # fmt: skip


def every_event(text: str = "text", at: float = NIGHT) -> list[Event]:
    """Give one event of every kind, with `text` wherever foreign text may stand."""
    seen = Sighting(image=COPY_OF_A, status=text, name=text, text=text)
    image = ImageId(text)
    region = Region(text)
    return [
        Begun(at=at, run=RUN, plan=text),
        Planned(at=at, copies=(COPY, OTHER)),
        Called(at=at, call=CALL, copies=(COPY, OTHER), via=region, carriers=(image, image)),
        Accepted(at=at, call=CALL, pairs=((A, image),), request=text),
        Refused(
            at=at, call=CALL, reason=Reason.BUSY, culprit=image, detail=text, request=text, until=at + 41
        ),
        Lost(at=at, call=CALL, reason=Reason.TIMEOUT, detail=text, request=text),
        Inspected(at=at, origin=NORTH, asked=(A, image), images=(Sighting(image=A, status="ready"),)),
        Listed(at=at, began=at, region=region, page=1, total=3, images=(seen,)),
        Surveyed(at=at, region=EAST, resource=Resource.IMAGE, limit=5, used=5, request=text),
        Seen(at=at, region=EAST, asked=(COPY_OF_A,), images=(seen,)),
        Checked(at=at, region=EAST, image=image, sighting=None),
        Unanswered(at=at, read=text, region=EAST, reason=Reason.TIMEOUT, detail=text, until=at + 5),
        Settled(at=at, copy=COPY, made=True, image=COPY_OF_A),
        Ended(at=at, run=RUN, verdict=text, exit_code=3),
        Remembered(at=at),
        Selected(at=at, replication=text, region=region, selector=text, images=(image,)),
        Pruned(at=at, region=region, image=image, copy=COPY, reason=Reason.BUSY, detail=text, request=text),
        Labelled(at=at, copy=COPY, image=image, name=text, reason=Reason.BUSY, detail=text, request=text),
        Verified(at=at, copy=COPY, image=image, differs=(text,)),
    ]


def every_change(text: str = "text") -> Iterator[Change]:
    """Give a change into every state for every reason, with `text` wherever foreign text may stand."""
    for after in State:
        for reason in Reason:
            image = ImageId(text)
            yield change(after, reason, detail=text, image=image, until=NIGHT + 41, carrier=image)


def standing(
    state: State,
    reason: Reason,
    *,
    source: str = "img-a",
    destination: Region = EAST,
    detail: str = "",
    image: ImageId | None = None,
    carrier: ImageId | None = None,
) -> Standing:
    """Say where one copy stands; a `carrier` lies in the south."""
    copy, via = Copy(ImageId(source), NORTH, destination), SOUTH if carrier else None
    return Standing(
        copy=copy, state=state, reason=reason, detail=detail, image=image, via=via, carrier=carrier
    )


def result(*copies: Standing, verdict: Verdict = Verdict.PARTIAL, exit_code: int = 3) -> Result:
    """Make the result of a run with these copies that took an hour."""
    ready = sum(copy.state is State.READY for copy in copies)
    failed = sum(copy.state is State.FAILED for copy in copies)
    pending = len(copies) - ready - failed
    return Result(
        run=RUN, plan="config/plans/nightly.yaml", verdict=verdict, exit_code=exit_code,
        started_at=NIGHT, finished_at=NIGHT + 3600.25,
        counts=Counts(wanted=len(copies), ready=ready, failed=failed, pending=pending),
        calls={"copyImages": 36, "describeImages": 120}, copies=copies,
    )  # fmt: skip


def overview(note: str = "", eta_s: float | None = 720.0) -> Overview:
    """Give a destination with something in most states."""
    states = {State.WAITING: 70, State.COPYING: 7, State.CALLING: 1, State.READY: 40, State.FAILED: 2}
    return Overview(region=EAST, states=states, percent=45, eta_s=eta_s, note=note)
