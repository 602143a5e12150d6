"""A program that uses the orchestrator as a library: a plan, a simulated cloud, a machine of its own.

Everything is in one loop and in virtual time; the ledger and the log are real files. It asserts nothing.
"""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from random import Random
from typing import Any

from orchestrator.app import Machine, Orchestrator, Outcome, Screen, Wish
from orchestrator.core.model import DOCUMENTED_REGIONS, ImageId, Region
from orchestrator.core.plan import Plan, load_plan
from orchestrator.core.plan.narrowing import Narrowing
from orchestrator.engine.halt import Halt
from orchestrator.ledger.reader import LedgerReader
from orchestrator.settings import Settings, load_settings
from orchestrator.settings.credentials import Credentials
from orchestrator.settings.secret import Secret
from orchestrator.simulator.traits import Pace
from tests.canary import SECRET, Heard
from tests.contract.ways import KEY, serving
from tests.nights import EAST, NORTH, SOUTH, Cloud, image_id, now

Line = dict[str, Any]

QUICK = Pace(copy_base_s=50, copy_per_gb_s=0)
"""A copy takes about a minute; the heartbeat ticks twice a second, so a long night is slow to test."""

QUICKLY: Mapping[str, object] = {"settle_time": 40.0, "poll_interval": 10.0, "log_days": 10_000}
"""What fits to that; and files bear the true time while runs have a virtual one, so no log is too old."""


def plan_of(images: Sequence[ImageId], *destinations: Region) -> Plan:
    """Load the plan that wants these images of the north in these regions."""
    shown = {"name": "golden", "source": NORTH, "destinations": destinations, "images": images}
    text = json.dumps({"version": 1, "replications": [shown]})
    return load_plan(text.encode(), "nightly.yaml", regions=DOCUMENTED_REGIONS, read_list=_no_list)


def _no_list(path: str) -> bytes:
    """Refuse list files: these plans have none."""
    raise FileNotFoundError(path)


@dataclass
class House:
    """A state folder, a simulated cloud, and what the machine lends. `set_back_s` moves the wall clock."""

    folder: Path
    cloud: Cloud = field(default_factory=lambda: Cloud(images=12, pace=QUICK))
    chance: Random = field(default_factory=lambda: Random(7))
    set_back_s: float = 0.0
    secret: str = SECRET
    options: Mapping[str, object] = field(default_factory=dict)
    screen: Screen = field(default_factory=lambda: Screen(stream=Heard(), progress=False))

    @property
    def state(self) -> Path:
        """The state folder."""
        return self.folder / "state"

    def wall(self) -> float:
        """Show the wall clock."""
        return now() - self.set_back_s

    def settings(self, url: str) -> Settings:
        """Make the settings that lead to the simulated cloud."""
        places: dict[str, object] = {"vm_endpoint": url, "disk_endpoint": url, "state_dir": self.state}
        overrides = {**places, **QUICKLY, **self.options}
        return load_settings(environ={}, cwd=self.folder, home=self.folder, config=None, overrides=overrides)

    def orchestrator(self, url: str) -> Orchestrator:
        """Make the orchestrator on a machine whose clocks and chance are the test's."""
        machine = Machine(
            wall=self.wall,
            monotonic=asyncio.get_running_loop().time,
            chance=self.chance,
            host="test-host",
            environ={},
        )
        keys = Credentials(KEY, Secret(self.secret))
        return Orchestrator(self.settings(url), keys, machine=machine, screen=self.screen)

    async def night(
        self,
        *,
        images: Sequence[ImageId] = tuple(map(image_id, range(12))),
        destinations: Sequence[Region] = (EAST, SOUTH),
        narrowing: Narrowing | None = None,
        halt: Halt | None = None,
        deadline_s: float = inf,
        lock_wait_s: float = 0.0,
        afresh: bool = False,
    ) -> Outcome:
        """Serve the cloud and run the plan once."""
        wish = Wish(
            plan=plan_of(images, *destinations),
            narrowing=narrowing or Narrowing(),
            deadline_s=deadline_s,
            lock_wait_s=lock_wait_s,
        )
        async with (
            serving(self.cloud.world, self.cloud.faults, self.wall) as url,
            self.orchestrator(url) as orchestrator,
        ):
            return await orchestrator.run(wish, halt, afresh=afresh)

    def shown(self) -> str:
        """Show what was printed on the screen."""
        stream = self.screen.stream
        return stream.getvalue() if isinstance(stream, io.StringIO) else ""


def log_lines(path: Path) -> list[Line]:
    """Read a progress log; every line must be one JSON object."""
    lines = [json.loads(line) for line in path.read_text(encoding="ascii").splitlines()]
    return [line for line in lines if isinstance(line, dict)]


def later(delay_s: float, act: Callable[[], object]) -> None:
    """Do something after a while."""
    asyncio.get_running_loop().call_later(delay_s, act)


def reading(house: House) -> LedgerReader:
    """Open the ledger as `status` does."""
    reader = LedgerReader.open(house.state)
    if reader is None:
        raise FileNotFoundError(house.state)
    return reader


def sent(house: House) -> int:
    """Count the requests that the cloud took."""
    return sum(house.cloud.world.books()["requests"].values())
