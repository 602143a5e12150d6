"""Asks for a change of an image until it is done, with pauses that grow. It decides nothing else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from orchestrator.cloud.altering import Altered
from orchestrator.core.reasons import MEANINGS, Nature
from orchestrator.core.schedule.backoff import delay_s

_TRIES = 4
_INITIAL_S, _MAX_S = 1.0, 20.0
_LATER = (Nature.THROTTLE, Nature.API_THROTTLE, Nature.NOT_SENT, Nature.DOUBT, Nature.RENEWED)
"""What is tried again: to name an image twice, or to delete it twice, changes nothing more."""


async def persist(ask: Callable[[], Awaitable[Altered]], chance: Callable[[], float]) -> Altered:
    """Ask for a change until it is done or surely refused, a few times at most; `chance` is in [0, 1).

    What nobody knows the outcome of may be asked for again: see `altering`.
    """
    for attempt in range(_TRIES - 1):
        answer = await ask()
        if answer.reason is None or MEANINGS[answer.reason].nature not in _LATER:
            return answer
        await anyio.sleep(delay_s(attempt, initial_s=_INITIAL_S, max_s=_MAX_S, jitter=chance()))
    return await ask()
