"""The simulator as a program: builds the world, serves it, says where, stops when cancelled.

The command line calls `run_simulator`; nothing here reads arguments, the environment or the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType

import anyio
from aiohttp import web

from orchestrator.core.model import Copy, ImageId
from orchestrator.errors import UsageError
from orchestrator.simulator.furnish import Simulation, build, default_simulation, furnish
from orchestrator.simulator.gate import Gate
from orchestrator.simulator.server import LINE_MAX, make_app
from orchestrator.simulator.things import Image
from orchestrator.simulator.worldfile import DEMO_KEY, DEMO_SECRET, read_world

DEFAULT_PORT = 8700
_STOP_S = 1.0  # how long open requests may take when the simulator is stopped


async def run_simulator(
    *,
    clock: Callable[[], float],
    announce: Callable[[str], None],
    world_file: Path | None = None,
    copies: Iterable[Copy] = (),
    images: Mapping[ImageId, Image] = MappingProxyType({}),
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    speed: float | None = None,
    seed: int | None = None,
) -> None:
    """Serve a simulated cloud until cancelled.

    The world is that of the file, else the four documented regions; what `copies` (of a plan)
    need and it lacks is added, looking like `images` where these say so. `clock` gives epoch
    seconds. Port 0 takes a free one. Raises UsageError for a bad world file and for an address that
    cannot be listened on.
    """
    if speed is not None and not 0 < speed < float("inf"):
        raise UsageError(f"--speed {speed:g} is not a speed. Give a number over 0.")
    if world_file is None:
        simulation = default_simulation(at=clock(), seed=seed, speed=speed)
    else:
        simulation = build(read_world(world_file), at=clock(), seed=seed, speed=speed)
    furnish(simulation.world, copies, seed=seed or 1, at=clock(), images=images)
    await serve(simulation, host=host, port=port, clock=clock, announce=announce)


async def serve(
    simulation: Simulation,
    *,
    host: str,
    port: int,
    clock: Callable[[], float],
    announce: Callable[[str], None],
) -> None:
    """Serve one simulation until cancelled; `announce` gets the lines for people, address first."""
    gate = Gate(simulation.keys, window_s=simulation.clock_window_s)
    app = make_app(simulation.world, keys=simulation.keys, clock=clock, faults=simulation.faults, gate=gate)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_S, max_line_size=LINE_MAX)
    await runner.setup()
    try:
        url = await _listen(runner, host, port)
        for line in _welcome(url, simulation):
            announce(line)
        await anyio.sleep_forever()
    finally:
        with anyio.CancelScope(shield=True):
            await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> str:
    """Open the port and tell the address that was taken."""
    try:
        await web.TCPSite(runner, host, port).start()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or error
        raise UsageError(f"cannot listen on {host}:{port} ({why}). Choose another --port.") from None
    taken = runner.addresses[0]
    shown = f"[{taken[0]}]" if ":" in taken[0] else taken[0]
    return f"http://{shown}:{taken[1]}"


def _welcome(url: str, simulation: Simulation) -> list[str]:
    """Say where it listens and how to talk to it. Only the demo secret, which is public, is shown."""
    key = DEMO_KEY if DEMO_KEY in simulation.keys else next(iter(simulation.keys), "")
    public = simulation.keys.get(key) == DEMO_SECRET
    secret = DEMO_SECRET if public else f"'...the secret of {key} in the world file...'"
    return [
        f"simulator listening on {url}",
        "to use it:",
        f"  export JDCLOUD_ACCESS_KEY={key}",
        f"  export JDCLOUD_SECRET_KEY={secret}",
        f"  export ORCHESTRATOR_VM_ENDPOINT={url}",
        f"  export ORCHESTRATOR_DISK_ENDPOINT={url}",
        f"  curl {url}/_simulator/books",
    ]
