"""What a region holds, read in full for those who look outside a run: images of every page, and both quotas.

Reads only, and repeats them: a read changes nothing. A run does not come through here, its reads are events.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import anyio

from orchestrator.cloud.port import Cloud
from orchestrator.core.messages import Inspect, List, Survey, Unanswered
from orchestrator.core.model import PAGE_SIZE, ImageId, Region, Resource, Sighting
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.core.schedule.backoff import delay_s
from orchestrator.errors import CloudSilent, CredentialsRefused, OrchestratorError, UsageError

Answer = TypeVar("Answer")

_TRIES = 6
_WALKS = 3
_INITIAL_S, _MAX_S = 1.0, 30.0


@dataclass(frozen=True, slots=True)
class Room:
    """The quotas of one region, each as (limit, used)."""

    images: tuple[int, int]
    snapshots: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Inventory:
    """Reads of one cloud; `chance` gives jitter in [0, 1).

    Every method raises CloudSilent where a region gives no answer, CredentialsRefused where it refuses.
    """

    cloud: Cloud
    chance: Callable[[], float]

    async def images(self, region: Region) -> tuple[Sighting, ...]:
        """List all private images of a region, each once, in the cloud's order.

        A list that changes under the walk (fewer images than it claims) is walked again.
        """
        found: dict[ImageId, Sighting] = {}
        for _ in range(_WALKS):
            found, total = await self._walk(region)
            if len(found) >= total:
                return tuple(found.values())
        raise CloudSilent(region, f"the listing shows {len(found)} of {total} images each time")

    async def _walk(self, region: Region) -> tuple[dict[ImageId, Sighting], int]:
        """Read page after page until one is empty or all is there; return them and the total."""
        found: dict[ImageId, Sighting] = {}
        page = 1
        while True:
            listed = await self._answer(lambda: self.cloud.list(List(region, page)))  # noqa: B023  called at once
            found |= {sighting.image: sighting for sighting in listed.images}
            if not listed.images or len(found) >= listed.total:
                return found, listed.total
            page += 1

    async def sources(self, region: Region, images: tuple[ImageId, ...]) -> dict[ImageId, Sighting]:
        """Describe images of a region by id, a hundred at a time; one that is not there is left out."""
        found: dict[ImageId, Sighting] = {}
        for start in range(0, len(images), PAGE_SIZE):
            asked = Inspect(region, images[start : start + PAGE_SIZE])
            answer = await self._answer(lambda: self.cloud.inspect(asked))  # noqa: B023  called at once
            found |= {sighting.image: sighting for sighting in answer.images}
        return found

    async def described(
        self, images: Iterable[tuple[Region, ImageId]]
    ) -> dict[tuple[Region, ImageId], Sighting]:
        """Describe images of several regions, each once; one that is not there is left out."""
        asked: defaultdict[Region, dict[ImageId, None]] = defaultdict(dict)
        for region, image in images:
            asked[region][image] = None
        shown = {region: await self.sources(region, tuple(ids)) for region, ids in asked.items()}
        return {(region, image): seen for region, found in shown.items() for image, seen in found.items()}

    async def room(self, region: Region) -> Room:
        """Read both quotas of a region."""
        images = await self._answer(lambda: self.cloud.survey(Survey(region, Resource.IMAGE)))
        snapshots = await self._answer(lambda: self.cloud.survey(Survey(region, Resource.SNAPSHOT)))
        return Room((images.limit, images.used), (snapshots.limit, snapshots.used))

    async def _answer(self, ask: Callable[[], Awaitable[Answer | Unanswered]]) -> Answer:
        """Ask until there is an answer, with pauses that grow; refused credentials end it at once."""
        for attempt in range(_TRIES):
            answer = await ask()
            if not isinstance(answer, Unanswered):
                return answer
            silent = answer
            nature = MEANINGS[silent.reason].nature
            if nature in (Nature.CREDENTIALS, Nature.CONFIGURATION):
                break
            if silent.reason is not Reason.KEYS_CHANGED and attempt + 1 < _TRIES:
                await anyio.sleep(delay_s(attempt, initial_s=_INITIAL_S, max_s=_MAX_S, jitter=self.chance()))
        raise fault_of(silent)


def fault_of(silent: Unanswered) -> OrchestratorError:
    """Say which region did not answer, what it said instead, and what to do."""
    meaning = MEANINGS[silent.reason]
    if meaning.nature is Nature.CREDENTIALS:
        return CredentialsRefused(silent.region, silent.detail)
    said = f": {silent.detail}" if silent.detail else ""
    if meaning.nature is Nature.CONFIGURATION:
        return UsageError(f"{silent.region}: {meaning.says}{said}. What to do: {meaning.advice}.")
    return CloudSilent(silent.region, f"{meaning.says} ({silent.reason.value}){said}")
