"""Copies under way: making the pending image, holding the source, bringing each copy to its end.

Knows nothing of calls, quotas or refusals; the caller has checked everything.
"""

from __future__ import annotations

from collections import defaultdict
from heapq import heappop, heappush
from math import inf
from random import Random
from string import ascii_lowercase, digits

from orchestrator.core.model import ImageId, Region
from orchestrator.simulator.books import Books
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.things import ERROR, PENDING, READY, Image, Snapshot, Store, Task
from orchestrator.simulator.traits import Fate, Fates, Pace, Switches

_ALPHABET = ascii_lowercase + digits


def draw_id(kind: str, chance: Random) -> str:
    """Draw an id as the cloud writes them: the kind and ten letters or digits."""
    return f"{kind}-{''.join(chance.choices(_ALPHABET, k=10))}"


def draw_request_id(chance: Random) -> str:
    """Draw a request id: 32 letters or digits, as in the documents."""
    return "".join(chance.choices(_ALPHABET, k=32))


class Copying:
    """All copies under way in a world, in the order in which they will end."""

    def __init__(self, stores: dict[Region, Store], books: Books, chance: Random, ids: Random) -> None:
        self._stores = stores
        self._books = books
        self._chance = chance
        self._ids = ids
        self._due: list[tuple[float, int, Task]] = []
        self._by_image: dict[ImageId, Task] = {}
        self._made: defaultdict[tuple[Region, ImageId, Region], list[ImageId]] = defaultdict(list)
        self._count = 0

    def start(
        self, at: float, request: CopyRequest, source: Image, pace: Pace, fates: Fates, switches: Switches
    ) -> ImageId:
        """Begin one copy: a pending image with its own snapshots in the destination, a held source."""
        _, root = source.rooted(request.origin)
        fate = fates.draw(root, request.destination, self._chance)
        due_s = at + pace.copy_s(source.size_mb, self._chance, (request.origin, request.destination))
        image = self._pending_image(at, request, source, switches)
        image.visible_s, image.due_s = at + pace.scaled(pace.listing_lag_s), due_s
        holds = fate is not Fate.STUCK or switches.stuck_holds_lock
        task = self._task(request, source, image, inf if fate is Fate.STUCK else due_s, fate, holds)
        self._books.began(at, task, self._living(task))
        self._made[(*task.root, task.destination)].append(task.image)
        self._by_image[task.image] = task
        if fate is not Fate.STUCK:
            heappush(self._due, (task.due_s, task.number, task))
        self._hold(task, 1)
        return image.id

    def settle(self, at: float) -> None:
        """End every copy that is due by now."""
        while self._due and self._due[0][0] <= at:
            _, _, task = heappop(self._due)
            if task.image in self._by_image:
                self._end(task)

    def abandon(self, at: float, image: ImageId) -> None:
        """Let go of a copy whose image somebody removed while it was being made."""
        task = self._by_image.pop(image, None)
        if task is not None:
            self._hold(task, -1)
            self._books.ended(at, task, "deleted")

    def _end(self, task: Task) -> None:
        """Bring one copy to the end that was drawn for it."""
        del self._by_image[task.image]
        self._hold(task, -1)
        self._books.ended(task.due_s, task, task.fate.value)
        store = self._stores[task.destination]
        if task.fate is Fate.VANISH:
            store.drop(task.image, with_snapshots=True)
        else:
            store.images[task.image].status = ERROR if task.fate is Fate.ERROR else READY

    def _task(
        self, request: CopyRequest, source: Image, image: Image, due_s: float, fate: Fate, holds: bool
    ) -> Task:
        """Give a copy its number."""
        self._count += 1
        return Task(
            number=self._count,
            source=source.id,
            origin=request.origin,
            destination=request.destination,
            image=image.id,
            due_s=due_s,
            fate=fate,
            holds=holds,
            root=source.rooted(request.origin),
        )

    def _pending_image(self, at: float, request: CopyRequest, source: Image, switches: Switches) -> Image:
        """Put the pending image and its snapshots into the destination."""
        store, origin = self._stores[request.destination], self._stores[request.origin]
        copied = [self._copy_snapshot(origin, old) for old in source.snapshots]
        store.snapshots.update((snapshot.id, snapshot) for snapshot in copied)
        image = Image(
            id=ImageId(draw_id("img", self._ids)),
            name=request.name or source.name,
            size_mb=source.size_mb,
            snapshots=tuple(snapshot.id for snapshot in copied),
            text=_text(request, source, switches),
            status=PENDING,
            owner=source.owner,
            platform=source.platform,
            architecture=source.architecture,
            root=source.rooted(request.origin),
            created_s=at,
            started_s=at,
        )
        store.images[image.id] = image
        return image

    def _copy_snapshot(self, origin: Store, old: str) -> Snapshot:
        """Make the destination's twin of one snapshot."""
        known = origin.snapshots.get(old)
        return Snapshot(draw_id("snapshot", self._ids), known.size_gb if known else 0)

    def _living(self, task: Task) -> list[ImageId]:
        """Name the earlier copies of the same root that are pending or ready in the destination."""
        images = self._stores[task.destination].images
        made = self._made[(*task.root, task.destination)]
        return [image for image in made if image in images and images[image].status in (PENDING, READY)]

    def _hold(self, task: Task, change: int) -> None:
        """Hold the source once more, or once less."""
        if task.holds:
            locks = self._stores[task.origin].locks
            locks[task.source] = locks.get(task.source, 0) + change


def _text(request: CopyRequest, source: Image, switches: Switches) -> str:
    """Write the field `desc`. That the platform names region and image is documented, its form is not."""
    if request.description is not None and switches.stores_description:
        return request.description
    return f"Copied from {request.origin} image {source.id}" if switches.writes_text else ""
