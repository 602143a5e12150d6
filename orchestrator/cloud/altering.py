"""The port for what changes an image: delete it, or give it another name. Two methods, each one request.

Apart from `port.Cloud`, so that whoever only copies or looks cannot even ask for it. Both may be
asked for again: a second deletion finds nothing, a second naming changes nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

import anyio

from orchestrator.core.model import ImageId, Region
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.core.schedule.backoff import delay_s

_TRIES = 4
_INITIAL_S, _MAX_S = 1.0, 20.0
_LATER = (Nature.THROTTLE, Nature.API_THROTTLE, Nature.NOT_SENT, Nature.DOUBT, Nature.RENEWED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Altered:
    """The answer: done, or the reason why not. A deletion of what is not there is done."""

    at: float
    reason: Reason | None = None
    detail: str = ""
    request: str = ""


class AlteringCloud(Protocol):
    """What retention and labels need of a cloud besides `port.Cloud`; nothing raises for what it does."""

    async def delete(self, region: Region, image: ImageId) -> Altered:
        """Delete an image with its snapshots (deleteImage with deleteSnapshot=true)."""
        ...

    async def relabel(self, region: Region, image: ImageId, name: str | None, text: str | None) -> Altered:
        """Set an image's name and description (modifyImageAttribute); None leaves one as it is."""
        ...


async def persist(ask: Callable[[], Awaitable[Altered]], chance: Callable[[], float]) -> Altered:
    """Ask for a change until it is done or surely refused, a few times at most; `chance` is in [0, 1).

    What nobody knows the outcome of may be asked for again: see above.
    """
    for attempt in range(_TRIES - 1):
        answer = await ask()
        if answer.reason is None or MEANINGS[answer.reason].nature not in _LATER:
            return answer
        await anyio.sleep(delay_s(attempt, initial_s=_INITIAL_S, max_s=_MAX_S, jitter=chance()))
    return await ask()
