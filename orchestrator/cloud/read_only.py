"""A cloud that is only read: whoever asks it for a copy has a bug. It adds nothing and leaves nothing out."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.cloud.port import Cloud
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


@dataclass(slots=True)
class ReadOnly:
    """Passes reads on."""

    cloud: Cloud

    async def copy(self, call: CallId, chunk: Chunk, mark: str | None) -> Accepted | Refused | Lost:
        """Refuse: whoever asks for this has a bug."""
        raise RuntimeError("a look sends no call")

    async def inspect(self, action: Inspect) -> Inspected | Unanswered:
        """Describe source images by id."""
        return await self.cloud.inspect(action)

    async def list(self, action: List) -> Listed | Unanswered:
        """Fetch one page."""
        return await self.cloud.list(action)

    async def survey(self, action: Survey) -> Surveyed | Unanswered:
        """Read one quota."""
        return await self.cloud.survey(action)

    async def look(self, action: Look) -> Seen | Unanswered:
        """Describe copies under way."""
        return await self.cloud.look(action)

    async def check(self, action: Check) -> Checked | Unanswered:
        """Describe one image."""
        return await self.cloud.check(action)
