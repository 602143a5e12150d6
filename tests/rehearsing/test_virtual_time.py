"""Virtual time: pauses pass at once and in order, and waiting for nothing is an error, not a hang."""

from __future__ import annotations

import asyncio
import time

import anyio
import pytest

from orchestrator.simulator.virtual_time import Stalled, run_virtually


def test_pauses_pass_in_order_and_at_once() -> None:
    """Two sleepers of many hours wake in the order of their alarms, at exactly these times."""
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await anyio.sleep(seconds)
        woken.append((name, asyncio.get_running_loop().time()))

    async def work() -> float:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(sleeper, "late", 90_000.0)
            tasks.start_soon(sleeper, "early", 7_200.0)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_virtually(work) == pytest.approx(90_000)
    assert [name for name, _ in woken] == ["early", "late"]
    assert [at for _, at in woken] == pytest.approx([7_200, 90_000])
    assert time.monotonic() - began < 90_000


def test_a_timeout_is_virtual_too() -> None:
    """What takes too long is cut off at its virtual deadline."""

    async def work() -> tuple[bool, float]:
        with anyio.move_on_after(600) as scope:
            await anyio.sleep(3_600)
        return scope.cancelled_caught, asyncio.get_running_loop().time()

    cut, at = run_virtually(work)
    assert cut
    assert at == pytest.approx(600)


def test_waiting_for_nothing_is_an_error() -> None:
    """Where everybody waits for everybody no time can pass; that is said."""

    async def work() -> None:
        await anyio.Event().wait()

    with pytest.raises(Stalled, match="nothing is scheduled"):
        run_virtually(work)


def test_every_run_begins_at_zero() -> None:
    """Two runs know nothing of each other."""

    async def work() -> float:
        began = asyncio.get_running_loop().time()
        await anyio.sleep(10)
        return began

    assert [run_virtually(work), run_virtually(work)] == [0.0, 0.0]
