"""The simulator as a program: it says where it listens, serves, and stops cleanly when cancelled."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import anyio
import pytest

from orchestrator.core.model import Copy, ImageId
from orchestrator.errors import UsageError
from orchestrator.simulator.program import run_simulator
from tests.canary import SECRET, holds
from tests.simulator.clients import Client, Clock
from tests.simulator.worlds import EAST, NORTH

WORLD = "regions: {cn-north-1: {}, cn-east-2: {}}\nkeys: {AKFILE: " + SECRET + "}\n"


@asynccontextmanager
async def _running(
    *, world_file: Path | None = None, copies: tuple[Copy, ...] = ()
) -> AsyncIterator[list[str]]:
    """Run the simulator on a free port until the block ends, and give the lines it announced."""
    lines: list[str] = []
    ready = asyncio.Event()

    def announce(line: str) -> None:
        lines.append(line)
        if "_simulator/books" in line:
            ready.set()

    async with anyio.create_task_group() as tasks:

        async def run() -> None:
            await run_simulator(
                clock=Clock(), announce=announce, port=0, world_file=world_file, copies=copies
            )

        tasks.start_soon(run)
        with anyio.fail_after(10):
            await ready.wait()
        yield lines
        tasks.cancel_scope.cancel()


def _exports(lines: list[str]) -> dict[str, str]:
    """Read the variables out of the lines that people paste into their shell."""
    pairs = (line.strip().removeprefix("export ").split("=", 1) for line in lines if "export " in line)
    return {name: value for name, value in pairs}  # noqa: C416  dict() cannot tell that there are two


async def test_the_announced_lines_are_all_it_takes() -> None:
    """Address first; the exported endpoint and credentials really open the simulator."""
    copies = (Copy(ImageId("img-planned"), NORTH, EAST),)
    async with _running(copies=copies) as lines, aiohttp.ClientSession() as session:
        assert lines[0].startswith("simulator listening on http://127.0.0.1:")
        given = _exports(lines)
        assert (
            given["ORCHESTRATOR_VM_ENDPOINT"] == given["ORCHESTRATOR_DISK_ENDPOINT"] == lines[0].split()[-1]
        )
        client = Client(given["ORCHESTRATOR_VM_ENDPOINT"], session, Clock(), given["JDCLOUD_SECRET_KEY"])
        reply = await client.send(
            "GET", f"/v1/regions/{NORTH}/images?ids.1=img-planned", key=given["JDCLOUD_ACCESS_KEY"]
        )
        assert reply.json["result"]["totalCount"] == 1


async def test_it_stops_when_cancelled() -> None:
    """The port is closed, and the same program can be started again."""
    async with _running() as lines:
        url = lines[0].split()[-1]
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"{url}/_simulator/books")


async def test_a_secret_of_a_world_file_is_not_announced(tmp_path: Path) -> None:
    """Only the demo secret, which is no secret, is shown."""
    path = tmp_path / "w.yaml"
    holds(path, "the cloud knows its keys").write_text(WORLD, encoding="utf-8")
    async with _running(world_file=path) as lines:
        assert SECRET not in "".join(lines)
        assert _exports(lines)["JDCLOUD_ACCESS_KEY"] == "AKFILE"


async def test_a_taken_port_is_a_usage_error() -> None:
    """It says which address and what to do."""
    async with _running() as lines:
        port = int(lines[0].rpartition(":")[2])
        with pytest.raises(UsageError, match=f"cannot listen on 127.0.0.1:{port} .*Choose another --port"):
            await run_simulator(clock=Clock(), announce=lines.append, port=port)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
async def test_a_speed_that_is_none_is_a_usage_error(speed: float) -> None:
    """Zero, negative, infinite or not a number."""
    with pytest.raises(UsageError, match="--speed"):
        await run_simulator(clock=Clock(), announce=print, port=0, speed=speed)


async def test_a_bad_world_file_is_a_usage_error(tmp_path: Path) -> None:
    """Nothing is served for it."""
    path = tmp_path / "w.yaml"
    path.write_text("regions: 5", encoding="utf-8")
    with pytest.raises(UsageError, match=r"w\.yaml:1:1: regions"):
        await run_simulator(clock=Clock(), announce=print, port=0, world_file=path)
