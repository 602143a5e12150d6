"""Signals around a verb: a verb in two parts hears them in both, and one that is over no more."""

from __future__ import annotations

from functools import partial
from signal import SIG_IGN, SIGTERM, getsignal

import anyio
import pytest

from orchestrator.cli.early import heard_signals
from orchestrator.cli.signals import listening
from orchestrator.engine.halt import Halt


async def work(halt: Halt) -> frozenset[int]:
    """Say which signals would be heard by work that began now."""
    return frozenset(heard_signals())


@pytest.mark.parametrize(("leaves", "again"), [(False, True), (True, False)])
def test_who_goes_on_hears_signals_again(leaves: bool, again: bool) -> None:
    """`prune` looks, asks and deletes: a signal ends each part. What is over has its exit status."""
    assert SIGTERM in anyio.run(partial(listening, work, leaves=leaves))
    assert (getsignal(SIGTERM) is not SIG_IGN) is again
    assert (SIGTERM in anyio.run(partial(listening, work))) is again
