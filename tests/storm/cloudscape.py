"""The simulated cloud of a scenario: furnished, behind its real HTTP server, with people at work in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import inf
from random import Random

from orchestrator.core.model import ImageId, Region
from orchestrator.simulator.faults import FaultPlan
from orchestrator.simulator.refusals import Refusal
from orchestrator.simulator.things import ERROR, READY, Image
from orchestrator.simulator.traits import Fates
from orchestrator.simulator.world import Query, World
from tests.storm.scenario import REGIONS, Act, Deed, Furniture, Scenario, Trait

_ROOMY = (500, 2000)


class StaleWorld(World):
    """A world whose listings come from several replicas, one of which lags behind.

    Never two such answers in a row for one region: one listing proves nothing, two do. (Where the
    fresh one in between is lost on its way, two in a row arrive: by chance so rare that no storm
    up to now met it.) And a world that shows nothing at all, while `blind`, to those who may not list.
    """

    blind: tuple[tuple[Region, float, float], ...] = ()

    stale_share = 0.0
    stale_s = 0.0
    stale_chance: Random
    stale_last: set[Region]

    def describe_images(self, at: float, region: Region, query: Query) -> tuple[list[Image], int]:
        """List as the world does, or as it would have a while ago, or nothing."""
        if not query.ids and any(r == region and since <= at < until for r, since, until in self.blind):
            super().describe_images(at, region, query)
            return [], 0
        if query.ids or not self._strikes(region):
            return super().describe_images(at, region, query)
        store = self.stores[region]
        young = [image for image in store.images.values() if image.created_s > at - self.stale_s]
        kept = [image.visible_s for image in young]
        for image in young:
            image.visible_s = inf
        try:
            return super().describe_images(at, region, query)
        finally:
            for image, visible_s in zip(young, kept, strict=True):
                image.visible_s = visible_s

    def _strikes(self, region: Region) -> bool:
        """Tell whether this listing is stale; the next one of the region is not."""
        struck = self.stale_chance.random() < self.stale_share and region not in self.stale_last
        self.stale_last.discard(region)
        if struck:
            self.stale_last.add(region)
        return struck


class Cloudscape:
    """The world of a scenario and what happens in it. `foreign` are the images that others put there."""

    def __init__(self, scenario: Scenario, clock: Callable[[], float]) -> None:
        seed = scenario.seed
        self.scenario = scenario
        self.clock = clock
        self.foreign: dict[ImageId, ImageId | None] = {}
        self.renamed: set[ImageId] = set()
        self.world = StaleWorld(
            Random(f"world/{seed}"),
            ids=Random(f"ids/{seed}"),
            pace=scenario.pace,
            switches=scenario.switches,
            fates=scenario.fates,
            rate_per_minute=scenario.rate_per_minute,
        )
        self.world.stale_share, self.world.stale_last = scenario.stale, set()
        self.world.stale_s = scenario.stale_s
        self.world.blind = tuple((r, clock() + since, clock() + until) for r, since, until in scenario.blind)
        self.world.stale_chance = Random(f"stale/{seed}")
        self.faults = FaultPlan(Random(f"faults/{seed}"), scenario.rules, slow_s=20.0)
        for region in REGIONS:
            images, snapshots = scenario.quotas.get(region, _ROOMY)
            self.world.add_region(region, images=images, snapshots=snapshots)
        for furniture in scenario.sources:
            if furniture.trait is not Trait.ABSENT:
                self._place(furniture)

    def _place(self, furniture: Furniture) -> None:
        """Put one source image into its region."""
        trait = furniture.trait
        image = Image(
            id=furniture.image,
            name=furniture.name,
            size_mb=furniture.size_mb,
            snapshots=tuple(f"snapshot-{furniture.image}-{disk}" for disk in range(furniture.disks)),
            status=ERROR if trait is Trait.BROKEN else READY,
            image_source="official" if trait is Trait.PUBLIC else "private",
            root_device="localDisk" if trait is Trait.LOCAL_DISK else "cloudDisk",
        )
        self.world.add_image(furniture.region, image, encrypted=trait is Trait.ENCRYPTED)

    def clear_up(self) -> None:
        """End the storm: nothing new goes wrong, there is room, nobody else works on anything."""
        self.faults.replace(())
        self.world.fates, self.world.stale_share, self.world.blind = Fates(), 0.0, ()
        self.world.rate_per_minute = 100_000
        for region, store in self.world.stores.items():
            self.world.add_region(region, images=_ROOMY[0], snapshots=_ROOMY[1])
            for image in store.images.values():
                image.busy_until_s = image.task_until_s = -inf

    # --- people -----------------------------------------------------------------------------------

    def act(self, deed: Deed) -> None:
        """Do one deed; where the cloud refuses it, nothing happens."""
        furniture = self.scenario.sources[deed.number % len(self.scenario.sources)]
        with suppress(Refusal):
            match deed.act:
                case Act.QUOTA:
                    sizes = ((0, 0), (3, 500), (200, 4), (200, 500), (200, 500))
                    images, snapshots = sizes[deed.number % len(sizes)]
                    self.world.add_region(deed.region, images=images, snapshots=snapshots)
                case Act.FOREIGN:
                    self._intrude(deed, furniture)
                case Act.DELETE_COPY:
                    self._delete_copy(deed)
                case Act.DELETE_SOURCE:
                    self.world.delete_image(self.clock(), furniture.region, furniture.image)
                case Act.RENAME_SOURCE:
                    name = f"renamed-{deed.number}"
                    self.world.modify_image(self.clock(), furniture.region, furniture.image, name, None)
                    self.renamed.add(furniture.image)
                case Act.BUSY | Act.TASK | Act.BREAK_SOURCE:
                    self._occupy(deed, furniture)

    def _occupy(self, deed: Deed, furniture: Furniture) -> None:
        """Let somebody else work on a source, or a copy that may carry, or let it turn out to be broken."""
        image = self.world.stores[furniture.region].images.get(furniture.image)
        if self.scenario.relay and deed.number % 2:
            image = self._ready_copy(deed)
        until = self.clock() + deed.span_s
        if image is None:
            return
        if deed.act is Act.BUSY:
            image.busy_until_s = until
        elif deed.act is Act.TASK:
            image.task_until_s = until
        else:
            image.status = ERROR

    def _intrude(self, deed: Deed, furniture: Furniture) -> None:
        """Put somebody's image of a source's name into a destination: plain, marked by others, or a copy."""
        source, region = furniture.image, furniture.region
        texts = ("", "", f"orchestrator/1 ledger=otherledger2 call=othercall2 from={region} of={source}")
        text = (*texts, f"Copied from {region} image {source}")[deed.number % 4]
        image = Image(
            id=ImageId(f"img-other{len(self.foreign):05d}"),
            name=furniture.name,
            size_mb=furniture.size_mb,
            snapshots=(f"snapshot-other-{len(self.foreign)}",),
            text=text,
            root=(region, source) if text else None,  # what is copied on from it is a copy of that
            created_s=self.clock(),
        )
        self.foreign[image.id] = source if text else None
        self.world.add_image(deed.region, image)

    def _delete_copy(self, deed: Deed) -> None:
        """Delete a finished copy, as somebody who needs the room would."""
        copy = self._ready_copy(deed)
        if copy is not None:
            self.world.remove(self.clock(), deed.region, copy.id)

    def _ready_copy(self, deed: Deed) -> Image | None:
        """Choose one of a region's finished copies, if there are any."""
        made = [entry["image"] for entry in self.world.record.copies if entry["destination"] == deed.region]
        held = self.world.stores[deed.region].images
        ready = [held[image] for image in map(ImageId, made) if image in held and held[image].status == READY]
        return ready[deed.number % len(ready)] if ready else None
