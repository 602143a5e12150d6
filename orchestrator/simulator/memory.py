"""The cloud port answered by a World directly, without a network: same events as the HTTP adapter.

Waits with `anyio.sleep` only, so that it keeps true time under a virtual clock. Keeps no record;
the world's books do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from orchestrator.cloud.altering import Altered
from orchestrator.cloud.errors import Fault as Trouble
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
from orchestrator.core.model import PAGE_SIZE, CallId, Chunk, ImageId, Region, Resource, Sighting
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.exchange import Exchange, Good
from orchestrator.simulator.faults import FaultPlan
from orchestrator.simulator.things import OS_TYPE, Image, created_text
from orchestrator.simulator.world import Query, World

Page = tuple[tuple[Sighting, ...], int]


class MemoryCloud:
    """A `cloud.port.Cloud` on a World.

    `clock` gives epoch seconds; `latency_s` passes half before the world acts and half after, so
    that a request can be cut off on either side. An answer later than `timeout_s` is a time-out.
    """

    def __init__(
        self,
        world: World,
        *,
        clock: Callable[[], float],
        latency_s: float = 0.0,
        faults: FaultPlan | None = None,
        timeout_s: float = 30.0,
    ) -> None:
        self._world = world
        self._clock = clock
        luck = faults or FaultPlan(Random(0))  # noqa: S311  without rules nothing comes of it
        self._exchange = Exchange(world, clock=clock, latency_s=latency_s, faults=luck, timeout_s=timeout_s)

    async def copy(self, call: CallId, chunk: Chunk, mark: str | None) -> Accepted | Refused | Lost:
        """Submit one copyImages call, exactly once."""
        request = CopyRequest(
            origin=chunk.origin, destination=chunk.destination, sources=chunk.sources, description=mark
        )
        held_s = self._world.pace.scaled(self._world.pace.acceptance_s)
        answer = await self._exchange.ask(
            "copyImages", lambda at: self._world.copy_images(at, request), held_s
        )
        at = self._clock()
        if isinstance(answer, Trouble):
            return _refused(at, call, answer)
        pairs = answer.value[:-1] if answer.shortened else answer.value
        if not pairs:
            return Lost(
                at=at, call=call, reason=Reason.UNREADABLE, detail="200 no pair", request=answer.request
            )
        return Accepted(at=at, call=call, pairs=pairs, request=answer.request)

    async def inspect(self, action: Inspect) -> Inspected | Unanswered:
        """Describe source images by id."""
        answer = await self._page(action.region, _by_ids(action.images))
        at = self._clock()
        if isinstance(answer, Trouble):
            return _unanswered(at, "inspect", action.region, answer)
        images, _ = answer.value
        return Inspected(
            at=at, origin=action.region, asked=action.images, images=images, request=answer.request
        )

    async def list(self, action: List) -> Listed | Unanswered:
        """Fetch one page of a region's private images."""
        began = self._clock()
        query = Query(image_source="private", page=action.page, size=PAGE_SIZE)
        answer = await self._page(action.region, query)
        at = self._clock()
        if isinstance(answer, Trouble):
            return _unanswered(at, "list", action.region, answer)
        images, total = answer.value
        return Listed(
            at=at,
            began=began,
            region=action.region,
            page=action.page,
            total=total,
            images=images,
            shown=len(images),
            request=answer.request,
        )

    async def survey(self, action: Survey) -> Surveyed | Unanswered:
        """Read one quota."""
        region, resource = action.region, action.resource
        operation = "describeQuotas" if resource is Resource.IMAGE else "describeQuota"
        answer = await self._exchange.ask(operation, lambda at: self._world.quota(at, region, resource))
        at = self._clock()
        if isinstance(answer, Trouble):
            return _unanswered(at, "survey", region, answer)
        limit, used = answer.value
        return Surveyed(
            at=at, region=region, resource=resource, limit=limit, used=used, request=answer.request
        )

    async def look(self, action: Look) -> Seen | Unanswered:
        """Describe copies under way by id."""
        answer = await self._page(action.region, _by_ids(action.images))
        at = self._clock()
        if isinstance(answer, Trouble):
            return _unanswered(at, "look", action.region, answer)
        images, _ = answer.value
        return Seen(at=at, region=action.region, asked=action.images, images=images, request=answer.request)

    async def check(self, action: Check) -> Checked | Unanswered:
        """Describe one image by itself; a 404 is an answer."""
        region, image = action.region, action.image
        answer = await self._exchange.ask(
            "describeImage",
            lambda at: self._sight(at, region, self._world.describe_image(at, region, image)),
        )
        at = self._clock()
        if isinstance(answer, Trouble) and answer.reason is not Reason.NOT_FOUND:
            return _unanswered(at, "check", region, answer)
        sighting = answer.value if isinstance(answer, Good) else None
        return Checked(at=at, region=region, image=image, sighting=sighting, request=answer.request)

    async def delete(self, region: Region, image: ImageId) -> Altered:
        """Delete an image with its snapshots; that it is not there is as good."""
        altered = await self._alter(
            "deleteImage", lambda at: self._world.delete_image(at, region, image, delete_snapshot=True)
        )
        return replace(altered, reason=None) if altered.reason is Reason.NOT_FOUND else altered

    async def relabel(self, region: Region, image: ImageId, name: str | None, text: str | None) -> Altered:
        """Set an image's name and description; None leaves one as it is."""
        return await self._alter(
            "modifyImageAttribute", lambda at: self._world.modify_image(at, region, image, name, text)
        )

    async def _alter(self, operation: str, act: Callable[[float], None]) -> Altered:
        """Make a request that changes an image, once."""
        answer = await self._exchange.ask(operation, act)
        if isinstance(answer, Trouble):
            why = Reason.UNEXPLAINED if answer.reason is Reason.MARK_REFUSED else answer.reason
            return Altered(at=self._clock(), reason=why, detail=answer.detail, request=answer.request)
        return Altered(at=self._clock(), request=answer.request)

    async def _page(self, region: Region, query: Query) -> Good[Page] | Trouble:
        """Ask for one page of images."""

        def act(at: float) -> Page:
            images, total = self._world.describe_images(at, region, query)
            return tuple(self._sight(at, region, image) for image in images), total

        return await self._exchange.ask("describeImages", act)

    def _sight(self, at: float, region: Region, image: Image) -> Sighting:
        """Show one image as the adapter would read it from JSON."""
        store = self._world.stores[region]
        return Sighting(
            image=image.id,
            status=image.status,
            progress=image.progress(at),
            name=image.name,
            text=image.text,
            size_mb=image.size_mb,
            snapshots=image.snapshots,
            encrypted=store.encrypted_snapshot(image) is not None,
            root_device=image.root_device,
            image_source=image.image_source,
            owner=image.owner,
            platform=image.platform,
            architecture=image.architecture,
            os_type=OS_TYPE,
            created=created_text(image.created_s),
            shared=image.shared,
        )


def _by_ids(images: tuple[ImageId, ...]) -> Query:
    """Ask for images by id, all on one page."""
    return Query(ids=images, size=PAGE_SIZE)


def _refused(at: float, call: CallId, trouble: Trouble) -> Refused | Lost:
    """Tell a refusal, after which surely nothing was made, from doubt."""
    reason, detail, request = trouble.reason, trouble.detail, trouble.request
    if MEANINGS[reason].nature is Nature.DOUBT:
        return Lost(at=at, call=call, reason=reason, detail=detail, request=request)
    return Refused(at=at, call=call, reason=reason, culprit=trouble.culprit, detail=detail, request=request)


def _unanswered(at: float, read: str, region: Region, trouble: Trouble) -> Unanswered:
    """Say that a read gave nothing."""
    return Unanswered(
        at=at,
        read=read,
        region=region,
        reason=trouble.reason,
        detail=trouble.detail,
        request=trouble.request,
    )
