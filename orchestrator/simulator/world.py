"""A cloud small enough to believe: regions, images, copies under way, quotas. Pure and synchronous.

Time comes in as an argument (epoch seconds, never going back), chance as a seeded Random; no
files, no network, no sleeping. A call the cloud would refuse raises `Refusal`, which carries the
documented text.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass
from math import inf
from random import Random

from orchestrator.core.model import PAGE_SIZE, ImageId, Region, Resource
from orchestrator.simulator import refusals
from orchestrator.simulator.books import Books, BooksDict, Pairs
from orchestrator.simulator.checks import (
    CopyRequest,
    check_description,
    check_shape,
    check_texts,
    refuse_image,
    refuse_room,
)
from orchestrator.simulator.copying import Copying
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.things import DELETING, PENDING, Image, Snapshot, Store
from orchestrator.simulator.traits import Fates, Pace, Switches

MINUTE_S = 60.0
_PAGE_MIN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What describeImages is asked for; the conditions are AND-ed. Pages count from 1."""

    ids: tuple[str, ...] = ()
    image_source: str | None = None
    name: str | None = None
    root_device: str | None = None
    status: str | None = None
    page: int = 1
    size: int = 20


class World:
    """One account's cloud. `pace`, `switches`, `fates` and `rate_per_minute` may change at any time.

    New ids come from `ids`, durations and fates from `chance`: a world that begins again with the
    same chance should have other ids, for the real cloud never gives an id twice.
    """

    def __init__(
        self,
        chance: Random,
        *,
        ids: Random | None = None,
        pace: Pace | None = None,
        switches: Switches | None = None,
        fates: Fates | None = None,
        rate_per_minute: int = 1000,
    ) -> None:
        self.pace = pace or Pace()
        self.switches = switches or Switches()
        self.fates = fates or Fates()
        self.rate_per_minute = rate_per_minute
        self.stores: dict[Region, Store] = {}
        self.record = Books()
        self._copying = Copying(self.stores, self.record, chance, ids or chance)
        self._leaving: list[tuple[float, Region, ImageId, bool]] = []
        self._lately: defaultdict[str, deque[float]] = defaultdict(deque)
        self._now = -inf

    # --- furnishing -------------------------------------------------------------------------------

    def add_region(self, region: str, *, images: int = 5, snapshots: int = 15) -> Store:
        """Open a region with these quotas; the defaults are the documented ones. Existing content stays."""
        store = self.stores.setdefault(Region(region), Store(Region(region)))
        store.image_quota, store.snapshot_quota = images, snapshots
        return store

    def add_image(self, region: str, image: Image, *, encrypted: bool = False) -> Image:
        """Put an image into a region, with the snapshots it refers to."""
        store = self.stores[Region(region)]
        size_gb = max(1, image.size_mb // 1024)
        store.snapshots.update((name, Snapshot(name, size_gb, encrypted)) for name in image.snapshots)
        store.images[image.id] = image
        return image

    # --- the gateway's share ----------------------------------------------------------------------

    def admit(self, at: float, access_key: str, operation: str) -> None:
        """Count one request; refuse it when the key made too many within the last minute."""
        self.record.requests[operation] += 1
        lately = self._lately[access_key]
        while lately and lately[0] <= at - MINUTE_S:
            lately.popleft()
        if len(lately) >= self.rate_per_minute:
            raise refusals.throttled(old_spelling=self.switches.old_rate_limit)
        lately.append(at)

    # --- calls ------------------------------------------------------------------------------------

    def copy_images(self, at: float, request: CopyRequest) -> Pairs:
        """Begin the copies of one call; all or nothing unless the switch `partial` is on."""
        now = self._settle(at)
        try:
            pairs = self._copy(now, request)
        except Refusal as refusal:
            self.record.called(now, request, f"{refusal.http} {refusal.message}")
            raise
        self.record.called(now, request, "accepted", pairs)
        return pairs

    def describe_images(self, at: float, region: Region, query: Query) -> tuple[list[Image], int]:
        """List one page of the matching images, and how many match; unknown ids are simply missing."""
        now = self._settle(at)
        store = self._store(region)
        if not query.ids and query.image_source is None:
            raise refusals.source_missing()
        if not _PAGE_MIN <= query.size <= PAGE_SIZE:
            raise refusals.page_size()
        if query.page < 1:
            raise refusals.page_number()
        found = [i for i in _candidates(store, query.ids) if i.visible_s <= now and _matches(i, query)]
        if self.switches.newest_first:
            found.reverse()
        first = (query.page - 1) * query.size
        return found[first : first + query.size], len(found)

    def describe_image(self, at: float, region: Region, image: ImageId) -> Image:
        """Show one image; 404 when there is none."""
        now = self._settle(at)
        found = self._store(region).images.get(image)
        if found is None or found.visible_s > now:
            raise refusals.not_found(image)
        return found

    def quota(self, at: float, region: Region, resource: Resource) -> tuple[int, int]:
        """Tell limit and use of one quota of a region; a copy counts from the moment it is accepted."""
        self._settle(at)
        store = self._store(region)
        if resource is Resource.IMAGE:
            return store.image_quota, store.private_images()
        return store.snapshot_quota, len(store.snapshots)

    def modify_image(
        self, at: float, region: Region, image: ImageId, name: str | None, description: str | None
    ) -> None:
        """Change name or description of an image."""
        if name is None and description is None:
            raise refusals.nothing_to_modify()
        check_texts(name, description)
        found = self.describe_image(at, region, image)
        if found.image_source != "private":
            raise refusals.not_usable()
        if found.task_until_s > self._now:
            raise refusals.conflict(f"task-{image.removeprefix('img-')}")
        found.name = found.name if name is None else name
        found.text = found.text if description is None else description

    def delete_image(
        self, at: float, region: Region, image: ImageId, *, delete_snapshot: bool = False
    ) -> None:
        """Delete an image; without `delete_snapshot` its snapshots stay and keep counting."""
        found = self.describe_image(at, region, image)
        self._check_deletable(region, found)
        if self.pace.deleting_s == 0:
            self._store(region).drop(image, with_snapshots=delete_snapshot)
            return
        found.status = DELETING
        gone_s = self._now + self.pace.scaled(self.pace.deleting_s)
        self._leaving.append((gone_s, region, image, delete_snapshot))

    def remove(self, at: float, region: Region, image: ImageId) -> bool:
        """Take an image and its snapshots away whatever its state; tell whether it was there."""
        now = self._settle(at)
        store = self._store(region)
        known = image in store.images
        self._copying.abandon(now, image)
        store.drop(image, with_snapshots=True)
        return known

    def settle(self, at: float) -> None:
        """Bring the world to this moment; every call does so by itself."""
        self._settle(at)

    def books(self) -> BooksDict:
        """Show the account of everything that was asked and made."""
        return self.record.as_dict()

    # --- within -----------------------------------------------------------------------------------

    def _settle(self, at: float) -> float:
        """Bring the world to this moment; a clock that goes back stands still instead."""
        self._now = max(self._now, at)
        self._copying.settle(self._now)
        for entry in [entry for entry in self._leaving if entry[0] <= self._now]:
            self._leaving.remove(entry)
            _, region, image, with_snapshots = entry
            self.stores[region].drop(image, with_snapshots=with_snapshots)
        return self._now

    def _store(self, region: Region) -> Store:
        """Find a region's store; refuse a region that this world does not have."""
        store = self.stores.get(region)
        if store is None:
            raise refusals.invalid_region(region)
        return store

    def _copy(self, now: float, request: CopyRequest) -> Pairs:
        """Check one call in the order that `checks` documents, then begin what passed."""
        check_shape(request)
        origin, destination = self._store(request.origin), self._store(request.destination)
        if origin is destination:
            raise refusals.invalid_region(request.destination)
        check_description(request, refuses=self.switches.refuses_description)
        images = self._acceptable(now, origin, destination, request)
        return tuple((image.id, self._start(now, request, image)) for image in images)

    def _acceptable(self, now: float, origin: Store, destination: Store, request: CopyRequest) -> list[Image]:
        """Choose the images that can be copied now; raise the first complaint unless `partial`."""
        chosen: list[Image] = []
        complaints: list[Refusal] = []
        for source in request.sources:
            complaint = refuse_image(origin, source, now, locks=self.switches.locks_sources)
            if complaint is None and self.switches.partial:
                complaint = refuse_room(destination, [*chosen, origin.images[source]])
            if complaint is None:
                chosen.append(origin.images[source])
            else:
                complaints.append(complaint)
        if not self.switches.partial and not complaints:
            complaints.extend(filter(None, [refuse_room(destination, chosen)]))
        if complaints and not (self.switches.partial and chosen):
            raise complaints[0]
        return chosen

    def _start(self, now: float, request: CopyRequest, source: Image) -> ImageId:
        """Begin one copy as this world behaves just now."""
        return self._copying.start(now, request, source, self.pace, self.fates, self.switches)

    def _check_deletable(self, region: Region, image: Image) -> None:
        """Refuse to delete what is not ours, shared, being copied, or still being made."""
        if image.image_source != "private":
            raise refusals.undeletable()
        if image.shared:
            raise refusals.undeletable_shared()
        if image.task_until_s > self._now:
            raise refusals.conflict(f"task-{image.id.removeprefix('img-')}")
        held = self._store(region).locks.get(image.id, 0) > 0 or image.busy_until_s > self._now
        if held or image.status == PENDING:
            raise refusals.busy(image.id)


def _candidates(store: Store, ids: tuple[str, ...]) -> list[Image]:
    """Pick the images asked for by id, or all of them."""
    if not ids:
        return list(store.images.values())
    return [store.images[ImageId(image)] for image in dict.fromkeys(ids) if image in store.images]


def _matches(image: Image, query: Query) -> bool:
    """Compare one image with every condition of a query."""
    return (
        query.image_source in (None, image.image_source)
        and (query.name is None or query.name in image.name)
        and query.root_device in (None, image.root_device)
        and query.status in (None, image.status)
    )
