"""An account whose plan selects, keeps and names, on one served world. No test is here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler

from orchestrator.app import Orchestrator, Outcome, Wish
from orchestrator.core.diff import Diff
from orchestrator.core.messages import Event
from orchestrator.core.model import DOCUMENTED_REGIONS, ImageId, Region
from orchestrator.core.plan import Plan, load_plan
from orchestrator.core.plan.narrowing import Narrowing
from orchestrator.core.retention import Doom
from orchestrator.core.upkeep import Labelled, Pruned, Selected, Verified
from orchestrator.simulator.server import LINE_MAX, make_app
from orchestrator.simulator.things import Image
from tests.canary import SECRET
from tests.contract.running import QUICK, House, reading
from tests.contract.ways import KEY
from tests.nights import EAST, EPOCH, NORTH, SOUTH, Cloud, image_id

DAY_S = 86_400.0
PLAN = """\
version: 1
replications:
- name: golden
  source: cn-north-1
  destinations: [{regions}]
  images: [{images}]
  {policy}
"""
KEEP = "keep: {latest: 2}"
NEWEST = "{name: 'golden-*', latest: 1}"


def plan_of(images: str = NEWEST, policy: str = KEEP, *regions: Region) -> Plan:
    """Load the plan of one replication; by default it wants the newest golden image in the east."""
    return parsed(PLAN.format(regions=", ".join(regions or (EAST,)), images=images, policy=policy))


def parsed(text: str) -> Plan:
    """Load a plan that has no list files."""
    return load_plan(text.encode(), "nightly.yaml", regions=DOCUMENTED_REGIONS, read_list=_no_list)


def _no_list(path: str) -> bytes:
    raise FileNotFoundError(path)


def ids(*numbers: int) -> str:
    """Name images as a plan lists them."""
    return ", ".join(map(image_id, numbers))


@dataclass
class Estate(House):
    """A house with golden images, each a day younger than the one before; the last is a day old.

    Regions that are `down` answer nothing but 503. What is to be done `before` a method's next request
    reaches the cloud is done once.
    """

    number: int = 5
    plan: Plan = field(default_factory=plan_of)
    down: frozenset[Region] = frozenset()
    before: dict[str, Callable[[], object]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud.world.pace = QUICK
        for number in range(self.number):
            self.add(number, EPOCH - (self.number - number) * DAY_S)

    def add(self, number: int, created_s: float, **traits: Any) -> Image:
        """Build one more golden image."""
        return self.cloud.add(number, created_s=created_s, **traits)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Orchestrator]:
        """Serve the cloud, and give the orchestrator on it."""
        async with self._serving() as url, self.orchestrator(url) as orchestrator:
            yield orchestrator

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[str]:
        """Serve the world; the regions that are down answer nothing but 503."""
        app = make_app(self.cloud.world, keys={KEY: SECRET}, clock=self.wall, faults=self.cloud.faults)

        @web.middleware
        async def outage(request: web.Request, handler: Handler) -> web.StreamResponse:
            if request.method in self.before:
                self.before.pop(request.method)()
            if any(f"/regions/{region}/" in request.path for region in self.down):
                return web.Response(status=503, text="down")
            return await handler(request)

        app.middlewares.append(outage)
        server = TestServer(app)
        await server.start_server(max_line_size=LINE_MAX)
        try:
            yield str(server.make_url("")).rstrip("/")
        finally:
            await server.close()

    async def run(
        self, plan: Plan | None = None, *, prune_first: bool = False, submit_s: float = inf,
        only: frozenset[ImageId] = frozenset(),
    ) -> Outcome:  # fmt: skip
        """Run once."""
        wish = Wish(
            plan=plan or self.plan,
            prune_first=prune_first,
            submit_s=submit_s,
            narrowing=Narrowing(images=only),
        )
        async with self.open() as orchestrator:
            return await orchestrator.run(wish)

    async def look(self, plan: Plan | None = None) -> Diff:
        """Look, as `orchestrator plan` does."""
        async with self.open() as orchestrator:
            return await orchestrator.diff(plan or self.plan)

    async def dooms(self, plan: Plan | None = None) -> tuple[Doom, ...]:
        """Judge, as `orchestrator prune` does."""
        async with self.open() as orchestrator:
            return await orchestrator.prunable(plan or self.plan)

    async def prune(self, plan: Plan | None = None) -> tuple[int, list[Pruned]]:
        """Prune, as `orchestrator prune --apply --yes` does: what is left, and what was told."""
        told: list[Pruned] = []
        async with self.open() as orchestrator:
            dooms = await orchestrator.prunable(plan or self.plan)
            going = [doom for doom in dooms if doom.goes]
            return await orchestrator.prune(plan or self.plan, going, told.append), told

    # --- what came of it ----------------------------------------------------------------------------

    def requests(self) -> dict[str, int]:
        """Count the requests so far, by operation."""
        return self.cloud.world.books()["requests"]

    def writes(self) -> dict[str, int]:
        """Count those that change something: all but the reads, whose names begin with describe."""
        return {name: n for name, n in self.requests().items() if not name.startswith("describe")}

    def copies(self, region: Region = EAST) -> dict[int, Image]:
        """Return the copies in a region by the number of their source; of two the later one."""
        held = self.cloud.world.stores[region].images.values()
        return {int(image.root[1][-7:]): image for image in held if image.root is not None}

    def events(self) -> list[Event]:
        """Read the whole ledger."""
        with reading(self) as reader:
            return list(reader.events())

    def upkeep(self) -> list[Selected | Pruned | Labelled | Verified]:
        """Read what the ledger has of upkeep."""
        kinds = (Selected, Pruned, Labelled, Verified)
        return [event for event in self.events() if isinstance(event, kinds)]


async def settled(folder: Path, number: int = 5, *, policy: str = KEEP, quota: int = 1000) -> Estate:
    """Let a night pass that copied every golden image to the east."""
    estate = Estate(folder, cloud=Cloud(images=0, quota=quota), number=number)
    outcome = await estate.run(plan_of(ids(*range(number)), policy))
    assert outcome.result.exit_code == 0
    assert sorted(estate.copies()) == list(range(number))
    return estate


def fates(dooms: tuple[Doom, ...]) -> dict[str, str]:
    """Name each image's fate by its name."""
    return {doom.held.sighting.name: doom.fate.value for doom in dooms}


__all__ = ["EAST", "NORTH", "SOUTH", "Cloud", "Estate", "fates", "ids", "image_id", "plan_of", "settled"]
