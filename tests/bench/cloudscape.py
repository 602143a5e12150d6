"""The simulated cloud of a night, and the way to it: half a latency there, half a latency back.

The simulator's own World, with the night's durations in place of drawn ones and with culprits
that no inspection shows. Reads are answered by shorter ways to the same answers: the World walks
over all images of a region for each page, and a benchmark asks for a million of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from random import Random
from typing import TypeVar

from orchestrator.cloud.errors import Fault, classify
from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.simulator import refusals
from orchestrator.simulator.books import Pairs
from orchestrator.simulator.checks import CopyRequest
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.things import READY, Image, Store
from orchestrator.simulator.traits import Pace
from orchestrator.simulator.world import Query, World
from tests.bench.clockwork import Clockwork, Process
from tests.bench.nights import ORIGIN, Night

T = TypeVar("T")

_PLENTY = 1_000_000


class _Shelf(Store):
    """A store that counts its images without walking over them: all of them are private here."""

    def private_images(self) -> int:
        """Count what uses the image quota."""
        return len(self.images)


class Cloudscape(World):
    """The cloud of one night; whatever carries a copy, how long it takes is a matter of its original."""

    def __init__(self, night: Night) -> None:
        super().__init__(Random(night.seed), rate_per_minute=night.rate_per_minute)
        self.night, self._originals = night, dict[ImageId, ImageId]()
        for region in (ORIGIN, *night.destinations):
            self.stores[region] = _Shelf(region)
            self.add_region(region, images=_PLENTY, snapshots=_PLENTY)
        for source, size_mb in night.sizes_mb.items():
            name, disks = f"golden {source[4:]}", (f"snap-{source[4:]}",)
            self.add_image(ORIGIN, Image(id=source, name=name, size_mb=size_mb, snapshots=disks))
        if night.kind.quota is not None:  # else there is room even for what a script makes twice
            first, second, *_ = night.destinations
            self.stores[first].image_quota = night.fits(first)
            self.stores[second].snapshot_quota = night.fits(second)

    def describe_images(self, at: float, region: Region, query: Query) -> tuple[list[Image], int]:
        """List what was asked for: images by id, or a page of all (all are private, and visible at once)."""
        if query.name or query.status or query.root_device or query.image_source not in (None, "private"):
            return super().describe_images(at, region, query)
        self._settle(at)
        images = self.stores[region].images
        if query.ids:
            found = [images[ImageId(image)] for image in query.ids if image in images]
            return found, len(found)
        first = (query.page - 1) * query.size
        return list(islice(images.values(), first, first + query.size)), len(images)

    def ready(self, at: float, region: Region, asked: Iterable[ImageId]) -> set[ImageId]:
        """Tell which of these images are ready."""
        self._settle(at)
        images = self.stores[region].images
        return {image for image in asked if image in images and images[image].status == READY}

    def _settle(self, at: float) -> float:
        """Bring the world to this moment; nothing is ever deleted here."""
        self._now = max(self._now, at)
        self._copying.settle(self._now)
        return self._now

    def _copy(self, now: float, request: CopyRequest) -> Pairs:
        """Refuse the whole call for a culprit, in documented words that name nobody."""
        if not self.night.culprits.isdisjoint(request.sources):
            raise refusals.not_usable()
        return super()._copy(now, request)

    def _start(self, now: float, request: CopyRequest, source: Image) -> ImageId:
        """Begin one copy, which takes as long as the night says."""
        original = self._originals.get(source.id, source.id)
        took_s = self.night.lasts_s(Copy(original, request.origin, request.destination))
        pace = Pace(copy_base_s=took_s, copy_per_gb_s=0.0, copy_spread=0.0)
        made = self._copying.start(now, request, source, pace, self.fates, self.switches)
        self._originals[made] = original
        return made


class Line:
    """The way to the cloud: admission, latency, refusals turned into what the error table says.

    Every request takes equally long, unless `chance` has each way take half to one and a half times that.
    """

    def __init__(self, clock: Clockwork, world: Cloudscape) -> None:
        self.clock, self.world, self.half_s = clock, world, world.night.latency_s / 2
        self.chance: Random | None = None

    def ask(self, operation: str, act: Callable[[float], T]) -> Process[T | Fault]:
        """Make one request; the world acts when half of the latency is over."""
        yield self._way_s()
        answer = self._act(operation, act)
        yield self._way_s()
        return answer

    def _way_s(self) -> float:
        """Say how long one way takes."""
        return self.half_s if self.chance is None else self.half_s * (0.5 + self.chance.random())

    def _act(self, operation: str, act: Callable[[float], T]) -> T | Fault:
        """Let the world act, unless it refuses."""
        try:
            self.world.admit(self.clock.now, "bench", operation)
            return act(self.clock.now)
        except Refusal as refusal:
            self.world.record.refused[refusal.message] += 1
            return classify(refusal.http, refusal.status, refusal.message)
