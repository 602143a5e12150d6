"""`run --simulate`: the same run, over HTTP, against a simulated cloud inside this process.

Every simulated run begins from nothing, ledger and cloud alike, so a demo can be repeated; its
state folder lies apart from that of real runs and is the only thing that is ever removed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskStatus

from orchestrator.app import Orchestrator, Outcome, Screen, Wish
from orchestrator.cli.options import SIMULATED, state_folder
from orchestrator.engine.halt import Halt
from orchestrator.machine import Machine
from orchestrator.settings import Settings
from orchestrator.settings.credentials import Credentials
from orchestrator.settings.messages import leads_here
from orchestrator.settings.secret import Secret
from orchestrator.simulator.furnish import Simulation, demo_faults, world_for_plan
from orchestrator.simulator.inventing import invented
from orchestrator.simulator.program import serve
from orchestrator.simulator.worldfile import DEMO_KEY, DEMO_SECRET

_SEED = 1
_QUICK = {"poll_interval": 1.0, "backoff_initial": 0.2, "backoff_max": 2.0}
"""A simulated copy takes seconds, not tens of minutes; so must everything that waits for it."""


async def run_simulated(settings: Settings, wish: Wish, screen: Screen, halt: Halt) -> Outcome:
    """Simulate a cloud that holds what the plan needs, and run the plan on it."""
    machine = Machine()
    folder = state_folder(settings, simulate=True)
    named, images = invented(wish.plan, at=machine.wall())
    simulation = Simulation(
        world=world_for_plan(named.copies(), seed=_SEED, at=machine.wall(), images=images),
        faults=demo_faults(_SEED),
        keys={DEMO_KEY: DEMO_SECRET},
    )
    async with _served(simulation, machine) as url:
        places = {"vm_endpoint": url, "disk_endpoint": url, "state_dir": folder, "proxy": None}
        reports = {"report_dir": settings.report_dir and settings.report_dir / SIMULATED}
        local = settings.model_copy(update={**places, **reports, **_QUICK, **unheard(settings)})
        keys = Credentials(DEMO_KEY, Secret(DEMO_SECRET), None)
        async with Orchestrator(local, keys, machine=machine, screen=screen) as orchestrator:
            return await orchestrator.run(wish, halt, afresh=True)


def unheard(settings: Settings) -> dict[str, object]:
    """Take away who would hear of a real run; what leads to this machine stays, so that it can be tried."""
    urls = {"ping_url": settings.ping_url, "webhook_url": settings.webhook_url}
    here = {name: url if leads_here(url) else None for name, url in urls.items()}
    return {"metrics_file": None, "notify_urls": (), **here}


@asynccontextmanager
async def _served(simulation: Simulation, machine: Machine) -> AsyncIterator[str]:
    """Serve a simulation on a free port of this machine, as long as the block lasts."""
    async with anyio.create_task_group() as tasks:
        url: str = await tasks.start(_serve, simulation, machine)
        yield url
        tasks.cancel_scope.cancel()


async def _serve(simulation: Simulation, machine: Machine, *, task_status: TaskStatus[str]) -> None:
    """Serve, and tell the address that was taken."""
    lines: list[str] = []

    def announce(line: str) -> None:
        if not lines:
            task_status.started(line.rsplit(" ", 1)[-1])
        lines.append(line)

    await serve(simulation, host="127.0.0.1", port=0, clock=machine.wall, announce=announce)
