"""The queue between tasks: each item once, in order, whoever takes it and whenever it was put in."""

from __future__ import annotations

import anyio
import pytest

from orchestrator.engine.channel import Channel

pytestmark = pytest.mark.looptime


async def take(channel: Channel[int], taken: list[int], *, pause_s: float = 0.0) -> None:
    """Take items for ever."""
    async for item in channel.items():
        taken.append(item)
        await anyio.sleep(pause_s)


async def test_what_was_put_in_first_comes_out_first() -> None:
    """Items put in before anybody takes, and while somebody waits, come in order."""
    channel, taken = Channel[int](), list[int]()
    channel.put(1)
    channel.put(2)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(take, channel, taken)
        await anyio.sleep(1)
        assert taken == [1, 2]
        for item in (3, 4, 5):
            channel.put(item)
        await anyio.sleep(1)
        channel.put(6)
        await anyio.sleep(1)
        tasks.cancel_scope.cancel()
    assert taken == [1, 2, 3, 4, 5, 6]


async def test_several_takers_share_and_none_takes_twice() -> None:
    """Every item goes to exactly one of the waiting tasks, and the idle ones get the next."""
    channel = Channel[int]()
    hands = [list[int]() for _ in range(3)]
    async with anyio.create_task_group() as tasks:
        for hand in hands:
            tasks.start_soon(lambda hand: take(channel, hand, pause_s=10), hand)
        await anyio.sleep(1)
        for item in range(3):
            channel.put(item)
        await anyio.sleep(1)
        assert sorted(item for hand in hands for item in hand) == [0, 1, 2]
        assert [len(hand) for hand in hands] == [1, 1, 1]
        tasks.cancel_scope.cancel()


async def test_putting_never_waits() -> None:
    """A thousand items without a taker: the bound is the schedule's affair, and none is lost."""
    channel, taken = Channel[int](), list[int]()
    for item in range(1000):
        channel.put(item)
    with anyio.move_on_after(1):
        await take(channel, taken)
    assert taken == list(range(1000))


async def test_a_taker_that_is_cancelled_takes_nothing_with_it() -> None:
    """What arrives after it is gone is for the next one."""
    channel, gone, taken = Channel[int](), list[int](), list[int]()
    with anyio.move_on_after(1):
        await take(channel, gone)
    channel.put(7)
    with anyio.move_on_after(1):
        await take(channel, taken)
    assert (gone, taken) == ([], [7])
