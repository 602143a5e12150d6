"""What the tiny cloud makes of a request, and what it answers. Pure; answers are stamped when delivered."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from orchestrator.core.marks import write_mark
from orchestrator.core.messages import (
    Accepted,
    Action,
    Check,
    Checked,
    Event,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    Lost,
    Read,
    ReadAnswer,
    Refused,
    Seen,
    Submit,
    Survey,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import ImageId, Region, Resource, Sighting
from orchestrator.core.reasons import Reason
from tests.walk.cloud import LEDGER, Cloud, Fault, Made, Request, World, moment

REFUSALS = {
    Fault.THROTTLE: Reason.THROTTLED,
    Fault.BUSY: Reason.BUSY,
    Fault.QUOTA: Reason.QUOTA_IMAGE,
    Fault.UNEXPLAINED: Reason.UNEXPLAINED,
}
"""The faults that refuse a call; it has surely made nothing then."""

_READS: dict[type[Action], str] = {
    Inspect: "inspect", List: "list", Survey: "survey", Look: "look", Check: "check"
}  # fmt: skip


def carry_out(world: World, cloud: Cloud, request: Request) -> Cloud:
    """Let the cloud carry a request out; its answer waits, unless nobody waits for it."""
    if not isinstance(request.action, Submit):
        answered = request._replace(answer=observe(world, cloud, request.action, request.sent))
        return cloud.replacing(request, answered)
    obstacle = _obstacle(world, cloud, request)
    if obstacle is not None:
        return cloud.replacing(request, None if request.orphan else request._replace(answer=obstacle))
    made = tuple(
        _made(world, cloud, request, request.action, source) for source in request.action.chunk.sources
    )
    answer = Accepted(at=0, call=request.call, pairs=tuple((m.source, m.image) for m in made))
    after = cloud.replacing(request, None if request.orphan else request._replace(answer=answer))
    return after._replace(images=tuple(sorted((*after.images, *made))))


def _obstacle(world: World, cloud: Cloud, request: Request) -> Refused | None:
    """Refuse a call one of whose sources is being copied, or whose destination is full."""
    assert isinstance(request.action, Submit)
    chunk = request.action.chunk
    locked = {image.source for image in cloud.images if image.status == "pending"}
    for source in chunk.sources:
        if source in locked:
            return Refused(at=0, call=request.call, reason=Reason.BUSY, culprit=source)
    if len(_kept(cloud, chunk.destination)) + len(chunk.copies) > world.room:
        return Refused(at=0, call=request.call, reason=Reason.QUOTA_IMAGE)
    return None


def _made(world: World, cloud: Cloud, request: Request, action: Submit, source: ImageId) -> Made:
    """Make one pending copy; its id tells destination, source and how many there were before."""
    region = action.chunk.destination
    before = sum(i.source == source and i.destination == region for i in cloud.images)
    image = ImageId(f"img-{source[4:]}{world.regions.index(region)}{before}")
    marked = action.marked and world.marks
    text = write_mark(LEDGER, request.call, action.chunk) if marked else ""
    return Made(region, source, image, request.call, text)


def refusal(request: Request, fault: Fault, culprit: ImageId | None) -> Refused:
    """Return a refusal that the cloud's own state does not explain."""
    return Refused(at=0, call=request.call, reason=REFUSALS[fault], culprit=culprit)


def _kept(cloud: Cloud, region: Region) -> list[Made]:
    """Return what a region holds, broken images included."""
    return [image for image in cloud.images if image.destination == region and image.status != "gone"]


def observe(world: World, cloud: Cloud, action: Read, sent: int) -> ReadAnswer:
    """Answer a read from what the cloud holds now."""
    match action:
        case Inspect(region, images):
            sources = tuple(_source(world, image) for image in images)
            return Inspected(at=0, origin=region, asked=images, images=sources)
        case List(region, page):
            shown = tuple(_sighting(world, image) for image in _kept(cloud, region))
            total, began = len(shown), moment(sent)
            return Listed(at=0, began=began, region=region, page=page, total=total, images=shown, shown=total)
        case Survey(region, resource):
            used = len(_kept(cloud, region))
            limit = world.room if resource is Resource.IMAGE else 100
            return Surveyed(at=0, region=region, resource=resource, limit=limit, used=used)
        case Look(region, asked):
            there = (image for image in _kept(cloud, region) if image.image in asked)
            return Seen(at=0, region=region, asked=asked, images=tuple(_sighting(world, i) for i in there))
        case Check(region, image):
            found = [i for i in _kept(cloud, region) if i.image == image]
            sighting = _sighting(world, found[0]) if found else None
            return Checked(at=0, region=region, image=image, sighting=sighting)
        case _:
            assert_never(action)


def _source(world: World, image: ImageId) -> Sighting:
    return Sighting(image=image, status="ready", name=world.name(image), snapshots=("snap-1",))


def _sighting(world: World, image: Made) -> Sighting:
    return Sighting(image=image.image, status=image.status, name=world.name(image.source), text=image.text)


def stamped(answer: Event, tick: int) -> Event:
    """Return an answer with the time at which it arrives."""
    return replace(answer, at=moment(tick))


def silence(request: Request, tick: int) -> Lost | Unanswered:
    """Return what is learned when no answer comes."""
    if isinstance(request.action, Submit):
        return Lost(at=moment(tick), call=request.call, reason=Reason.TIMEOUT)
    read, region = _READS[type(request.action)], request.action.region
    return Unanswered(at=moment(tick), read=read, region=region, reason=Reason.TIMEOUT)
