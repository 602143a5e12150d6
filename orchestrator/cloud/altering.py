"""The port for what changes an image: delete it, or give it another name. Two methods, each one request.

Apart from `port.Cloud`, so that whoever only copies or looks cannot even ask for it. Both may be
asked for again: a second deletion finds nothing, a second naming changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orchestrator.core.model import ImageId, Region
from orchestrator.core.reasons import Reason


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
