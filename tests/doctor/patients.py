"""A patient for tests: settings, keys and a machine, and a simulated cloud over HTTP that counts methods."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from aiohttp import web
from aiohttp.test_utils import TestServer
from aiohttp.typedefs import Handler, Middleware

from orchestrator.core.diagnosis import Finding, Level
from orchestrator.core.limits import Limits
from orchestrator.core.messages import Accepted, Begun, Called, Event, Lost, Planned, Seen
from orchestrator.core.model import DOCUMENTED_REGIONS, CallId, Copy, ImageId, Region, RunId, Sighting
from orchestrator.core.plan import Plan, load_plan
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule
from orchestrator.doctor.examine import Patient, examine
from orchestrator.ledger.folder import prepare_folder
from orchestrator.ledger.sqlite import Ledger
from orchestrator.machine import Machine
from orchestrator.settings import load_settings
from orchestrator.settings.credentials import ACCESS_KEY, SECRET_KEY, Credentials, load_credentials
from orchestrator.simulator.faults import FaultPlan, Rule
from orchestrator.simulator.server import LINE_MAX, make_app
from orchestrator.simulator.things import Image
from orchestrator.simulator.world import World
from tests.canary import SECRET
from tests.simulator.worlds import NORTH, make_world

KEY = "AKDOCTOR"
LEDGER_ID = "doctorledger"
RUN = RunId("r1")
NOW = 1_800_000_000.0


def plan_of(*destinations: Region, images: tuple[str, ...] = ("img-a1", "img-a2", "img-a3")) -> Plan:
    """Load a plan that wants these images of the north in these regions."""
    shown = {"name": "all", "source": NORTH, "destinations": destinations, "images": images}
    text = json.dumps({"version": 1, "replications": [shown]})
    return load_plan(text.encode(), "plan.yaml", regions=DOCUMENTED_REGIONS, read_list=_no_list)


def _no_list(path: str) -> bytes:
    raise FileNotFoundError(path)


@dataclass
class Ward:
    """Where examinations take place. `ahead_s` is how far this machine's clock is ahead of the cloud's."""

    folder: Path
    world: World = field(default_factory=make_world)
    rules: tuple[Rule, ...] = ()
    secret: str = SECRET
    ahead_s: float = 0.0
    mounts: str = ""
    profile: str | None = None
    methods: Counter[str] = field(default_factory=Counter)

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    async def findings(
        self, plan: Plan | None = None, *, url: str | None = None, environ: dict[str, str] | None = None
    ) -> tuple[Finding, ...]:
        """Serve the cloud (unless a `url` leads elsewhere) and examine everything once."""
        async with self._served() as served:
            return await examine(self.patient(url or served, plan, environ))

    def patient(self, url: str, plan: Plan | None, environ: dict[str, str] | None = None) -> Patient:
        """Make the patient."""
        places: dict[str, object] = {"vm_endpoint": url, "disk_endpoint": url, "state_dir": self.state}
        keys = {ACCESS_KEY: KEY, SECRET_KEY: self.secret} if environ is None else environ
        settings = load_settings(environ={}, cwd=self.folder, home=self.folder, config=None, overrides=places)

        def load(warn: Callable[[str], None]) -> Credentials:
            return load_credentials(environ=keys, home=self.folder, profile=self.profile, warn=warn)

        machine = Machine(wall=lambda: NOW + self.ahead_s, chance=Random(1), host="here", environ=keys)
        return Patient(
            settings=settings,
            places={"vm_endpoint": "--set"},
            load=load,
            plan=plan,
            profile=self.profile,
            machine=machine,
            mounts=self.mounts,
        )

    @asynccontextmanager
    async def _served(self) -> AsyncIterator[str]:
        """Serve the world, and count every request by its method before anything else is done with it."""
        app = make_app(
            self.world, keys={KEY: SECRET}, clock=lambda: NOW, faults=FaultPlan(Random(1), self.rules)
        )
        app.middlewares.append(self._counting())
        server = TestServer(app)
        await server.start_server(max_line_size=LINE_MAX)
        try:
            yield str(server.make_url("")).rstrip("/")
        finally:
            await server.close()

    def _counting(self) -> Middleware:
        """Make the middleware that counts."""

        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.methods[request.method] += 1
            return await handler(request)

        return count


def of(findings: tuple[Finding, ...], check: str, where: str = "") -> tuple[Finding, ...]:
    """Pick the findings of one check, in one place if one is named."""
    return tuple(f for f in findings if f.check == check and (not where or f.where == where))


def bad(findings: tuple[Finding, ...]) -> list[tuple[str, str, Level]]:
    """Name everything that is not ok."""
    return [(f.check, f.where, f.level) for f in findings if f.level is not Level.OK]


def put(world: World, region: Region, name: str, *, text: str = "", status: str = "ready") -> Image:
    """Put an image with one snapshot into a region."""
    snapshots = (f"snapshot-of-{name.removeprefix('img-')}",)
    image = Image(id=ImageId(name), name=name, size_mb=8192, snapshots=snapshots, text=text, status=status)
    return world.add_image(region, image)


def write_ledger(folder: Path, made: Mapping[Copy, str], *, lost: tuple[Copy, ...] = ()) -> None:
    """Write the ledger of a night in which one call made these images, and another one was lost."""
    prepare_folder(folder)
    copies, call, doubt = tuple(made), CallId("c1"), CallId("c2")
    schedule = Schedule(Limits(), LEDGER_ID)
    events: list[Event] = [
        Begun(at=1000.0, run=RUN, plan="p", endpoint="localhost"),
        Planned(at=1000.0, copies=(*copies, *lost)),
        Called(at=1001.0, call=call, copies=copies),
        Accepted(at=1002.0, call=call, pairs=tuple((c.source, ImageId(i)) for c, i in made.items())),
        *(_seen(copy, image) for copy, image in made.items()),
    ]
    events += [Called(at=1004.0, call=doubt, copies=lost)] if lost else []
    events += [Lost(at=1005.0, call=doubt, reason=Reason.TIMEOUT)] if lost else []
    with Ledger.open(folder, ids=lambda: LEDGER_ID, now=1.0) as ledger:
        ledger.take_epoch()
        ledger.begin_run(RUN, plan="p", started_at=1000.0, wanted=[*copies, *lost])
        for event in events:
            ledger.record(event, schedule.apply(event), run=RUN)


def _seen(copy: Copy, image: str) -> Seen:
    """See one copy ready."""
    sighting = Sighting(image=ImageId(image), status="ready", name=copy.source)
    return Seen(at=1003.0, region=copy.destination, asked=(sighting.image,), images=(sighting,))
