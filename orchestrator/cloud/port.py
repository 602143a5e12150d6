"""The port to the cloud: six methods, each one HTTP request answered by one event; no retries."""

from __future__ import annotations

from typing import Protocol

from orchestrator.core.messages import (
    Accepted,
    Check,
    Checked,
    Inspect,
    Inspected,
    List,
    Listed,
    Look,
    Lost,
    Refused,
    Seen,
    Survey,
    Surveyed,
    Unanswered,
)
from orchestrator.core.model import CallId, Chunk


class Cloud(Protocol):
    """What the engine needs of a cloud.

    No method raises for anything the cloud or the network does: that is an event. Every event is
    stamped with the time the request ended, `Listed.began` with the time it was sent.
    """

    async def copy(self, call: CallId, chunk: Chunk, mark: str | None) -> Accepted | Refused | Lost:
        """Submit one copyImages call, exactly once; `mark` is the description, if any."""
        ...

    async def inspect(self, action: Inspect) -> Inspected | Unanswered:
        """Describe source images by id."""
        ...

    async def list(self, action: List) -> Listed | Unanswered:
        """Fetch one page of a region's private images."""
        ...

    async def survey(self, action: Survey) -> Surveyed | Unanswered:
        """Read one quota."""
        ...

    async def look(self, action: Look) -> Seen | Unanswered:
        """Describe copies under way by id."""
        ...

    async def check(self, action: Check) -> Checked | Unanswered:
        """Describe one image by itself."""
        ...
