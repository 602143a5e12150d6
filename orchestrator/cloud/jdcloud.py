"""The cloud over HTTP: eight methods, each one request and one event; it retries and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import TracebackType
from typing import Self, TypeVar

from orchestrator.cloud import requests, shapes
from orchestrator.cloud.access import Access, Keys
from orchestrator.cloud.altering import Altered
from orchestrator.cloud.document import Unreadable
from orchestrator.cloud.errors import Fault
from orchestrator.cloud.http import Http
from orchestrator.cloud.replies import Body, judge, judge_bare, unreadable
from orchestrator.cloud.requests import Request
from orchestrator.core.messages import (
    Accepted,
    Check,
    Checked,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    Lost,
    Refused,
    Seen,
    Survey,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import CallId, Chunk, ImageId, Region, Sighting
from orchestrator.core.reasons import MEANINGS, Nature, Reason

T = TypeVar("T")


class JdCloud:
    """The adapter to JD Cloud, one account; an asynchronous context manager. See `port.Cloud`, `altering`."""

    def __init__(self, access: Access) -> None:
        self._clock = access.clock
        self._http = Http(access)

    async def __aenter__(self) -> Self:
        """Open the connections. Raises SettingsError when the CA file cannot be used."""
        await self._http.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self._http.__aexit__(kind, error, trace)

    async def copy(self, call: CallId, chunk: Chunk, mark: str | None) -> Accepted | Refused | Lost:
        """Submit one copyImages call. Only an answer that surely made nothing is Refused.

        Pairs that cannot be believed are left out of Accepted, so their sources are in doubt.
        """
        got = await self._ask(requests.copy_images(chunk, mark), lambda body: _pairs(body, chunk.sources))
        if isinstance(got, Fault):
            return _not_accepted(self._clock(), call, chunk, _marked(got, mark is not None))
        pairs, request = got
        return Accepted(at=self._clock(), call=call, pairs=pairs, request=request)

    async def inspect(self, action: Inspect) -> Inspected | Unanswered:
        """Describe source images by id."""
        got = await self._describe(action.region, action.images)
        if isinstance(got, Fault):
            return self._unanswered("inspect", action.region, got)
        images, request = got
        return Inspected(
            at=self._clock(), origin=action.region, asked=action.images, images=images, request=request
        )

    async def list(self, action: List) -> Listed | Unanswered:
        """Fetch one page of a region's private images."""
        began = self._clock()
        got = await self._ask(
            requests.list_images(action.region, action.page),
            lambda body: (shapes.total(body.result), shapes.images(body.result)),
        )
        if isinstance(got, Fault):
            return self._unanswered("list", action.region, got)
        (total, images), request = got
        return Listed(
            at=self._clock(),
            began=began,
            region=action.region,
            page=action.page,
            total=total,
            images=images,
            shown=len(images),
            request=request,
        )

    async def survey(self, action: Survey) -> Surveyed | Unanswered:
        """Read one quota."""
        got = await self._ask(
            requests.describe_quota(action.region, action.resource),
            lambda body: shapes.quota(body.result, action.resource),
        )
        if isinstance(got, Fault):
            return self._unanswered("survey", action.region, got)
        (limit, used), request = got
        return Surveyed(
            at=self._clock(),
            region=action.region,
            resource=action.resource,
            limit=limit,
            used=used,
            request=request,
        )

    async def look(self, action: Look) -> Seen | Unanswered:
        """Describe copies under way by id."""
        got = await self._describe(action.region, action.images)
        if isinstance(got, Fault):
            return self._unanswered("look", action.region, got)
        images, request = got
        return Seen(
            at=self._clock(), region=action.region, asked=action.images, images=images, request=request
        )

    async def check(self, action: Check) -> Checked | Unanswered:
        """Describe one image by itself; only a 404 that speaks of this image says that it is gone."""
        got = await self._ask(
            requests.describe_image(action.region, action.image),
            lambda body: _only(body, action.image),
        )
        if isinstance(got, Fault):
            if got.reason is not Reason.NOT_FOUND:
                return self._unanswered("check", action.region, got)
            if got.culprit not in (None, action.image):
                return self._unanswered("check", action.region, replace(got, reason=Reason.UNREADABLE))
        sighting, request = (None, got.request) if isinstance(got, Fault) else got
        return Checked(
            at=self._clock(), region=action.region, image=action.image, sighting=sighting, request=request
        )

    async def delete(self, region: Region, image: ImageId) -> Altered:
        """Delete an image with its snapshots; that it is not there is as good (`altering`)."""
        altered = await self._alter(requests.delete_image(region, image))
        return replace(altered, reason=None) if altered.reason is Reason.NOT_FOUND else altered

    async def relabel(self, region: Region, image: ImageId, name: str | None, text: str | None) -> Altered:
        """Set an image's name and description; None leaves one as it is."""
        return await self._alter(requests.modify_image(region, image, name, text))

    async def _alter(self, request: Request) -> Altered:
        """Send a request that changes an image, once."""
        keys = self._http.keys
        answer = await self._http.send(request)
        got = answer if isinstance(answer, Fault) else judge_bare(answer)
        if isinstance(got, str):
            return Altered(at=self._clock(), request=got)
        fault = _marked(self._renewed(got, keys), False)
        return Altered(at=self._clock(), reason=fault.reason, detail=fault.detail, request=fault.request)

    async def _describe(
        self, region: Region, images: tuple[ImageId, ...]
    ) -> tuple[tuple[Sighting, ...], str] | Fault:
        """Describe images by id; what was not asked for is dropped."""
        request = requests.describe_images(region, images)
        return await self._ask(request, lambda body: shapes.asked(body.result, images))

    async def _ask(self, request: Request, read: Callable[[Body], T]) -> tuple[T, str] | Fault:
        """Send a request and read its success with `read`: (what was read, the cloud's request id)."""
        keys = self._http.keys  # those it is signed with: `send` signs before it waits for anything
        answer = await self._http.send(request)
        body = answer if isinstance(answer, Fault) else judge(answer)
        if isinstance(body, Fault):
            return self._renewed(body, keys)
        try:
            return read(body), body.request
        except Unreadable as error:
            return unreadable(error, body.request)

    def _renewed(self, fault: Fault, keys: Keys) -> Fault:
        """Tell keys that were refused for good from those that others have taken the place of."""
        if MEANINGS[fault.reason].nature is Nature.CREDENTIALS and self._http.renew(keys):
            return replace(fault, reason=Reason.KEYS_CHANGED)
        return fault

    def _unanswered(self, read: str, region: Region, fault: Fault) -> Unanswered:
        """Make the event of a read without an answer."""
        why = _marked(fault, False)
        return Unanswered(
            at=self._clock(),
            read=read,
            region=region,
            reason=why.reason,
            detail=why.detail,
            request=why.request,
        )


def _pairs(body: Body, sources: tuple[ImageId, ...]) -> shapes.Pairs:
    """Read the pairs of an accepted call; the documented answer always has a request id."""
    if not body.request:
        raise Unreadable("requestId: missing")
    return shapes.pairs(body.result, sources)


def _only(body: Body, image: ImageId) -> Sighting:
    """Read the answer to describeImage: the image that was asked for."""
    node = body.result.at("image")
    sighting = shapes.sighting(node)
    if sighting.image != image:
        raise node.complaint(f"{sighting.image}, not {image}")
    return sighting


def _marked(fault: Fault, marked: bool) -> Fault:
    """Keep MARK_REFUSED for requests that carried a mark: without one, nobody knows what was meant."""
    if fault.reason is Reason.MARK_REFUSED and not marked:
        return replace(fault, reason=Reason.UNEXPLAINED)
    return fault


def _not_accepted(at: float, call: CallId, chunk: Chunk, fault: Fault) -> Refused | Lost:
    """Tell a call that surely made nothing from one of which nobody knows.

    A culprit counts only when it is one of the chunk's own images.
    """
    if MEANINGS[fault.reason].nature is Nature.DOUBT:
        return Lost(at=at, call=call, reason=fault.reason, detail=fault.detail, request=fault.request)
    return Refused(
        at=at,
        call=call,
        reason=fault.reason,
        culprit=fault.culprit if fault.culprit in chunk.sources else None,
        detail=fault.detail,
        request=fault.request,
    )
