"""`orchestrator simulator`: the simulated cloud, over HTTP, until interrupted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from orchestrator.cli.options import read_plan, settings_of, settings_options

if TYPE_CHECKING:
    from orchestrator.engine.halt import Halt


@click.command()
@click.option("--world", type=click.Path(path_type=Path), help="World file (docs/simulator.md).")
@click.option(
    "--plan", "plans", multiple=True, help="Furnish the world with what this plan needs; repeatable."
)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8700, show_default=True, help="0 takes a free one.")
@click.option("--speed", type=float, help="Let copies go so many times faster.")
@click.option("--seed", type=int, help="Same seed, same world, same luck.")
@settings_options
def simulator(
    world: Path | None, plans: tuple[str, ...], host: str, port: int, speed: float | None, seed: int | None,
    config: Path | None, state_dir: str | None, settings: tuple[str, ...],
) -> int:  # fmt: skip
    """Serve a simulated JD Cloud on this machine, for trying plans without an account."""
    import anyio

    from orchestrator.cli.signals import listening
    from orchestrator.simulator.inventing import invented
    from orchestrator.simulator.program import run_simulator

    loaded = settings_of(config, state_dir, settings)
    furnished = [invented(read_plan(path, loaded), at=time.time()) for path in plans]
    copies = [copy for plan, _ in furnished for copy in plan.copies()]
    images = {image: looks for _, found in furnished for image, looks in found.items()}

    async def serve(halt: Halt) -> int:
        async with anyio.create_task_group() as tasks:
            halt.listener = tasks.cancel_scope.cancel
            await run_simulator(
                clock=time.time,
                announce=_announce,
                world_file=world,
                copies=copies,
                images=images,
                host=host,
                port=port,
                speed=speed,
                seed=seed,
            )
        return 128 + (halt.signal or 0)

    return anyio.run(listening, serve)


def _announce(line: str) -> None:
    """Say where the simulator listens, at once, even into a pipe."""
    click.echo(line)
