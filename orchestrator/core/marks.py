"""The mark: the text we put into a copy's description, so that a lost call can be recognised later.

It must fit into 256 characters (field `description` of copyImages in the official SDK) and
holds the ledger's id, the call's id, the origin and, where they fit, the source image ids.
Never a user's words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.core.model import CallId, Chunk, ImageId, Region

MARK_MAX = 256
_MARK = re.compile(
    r"orchestrator/1 ledger=([a-z0-9]+) call=([a-z0-9]+) from=([a-z0-9-]+)(?: of=([a-z0-9,-]+))?"
)
_IMAGE = re.compile(r"(?<![A-Za-z0-9-])img-[a-z0-9]{1,32}(?![A-Za-z0-9-])")
"""An id in any text: a Chinese character before it is a letter to Unicode, but no part of an id."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark read back. `sources` is empty when they did not fit."""

    ledger: str
    call: CallId
    origin: Region
    sources: tuple[ImageId, ...]


def write_mark(ledger: str, call: CallId, chunk: Chunk) -> str:
    """Make the description of one call; the source ids are left out when they do not all fit."""
    head = f"orchestrator/1 ledger={ledger} call={call} from={chunk.origin}"
    full = f"{head} of={','.join(chunk.sources)}"
    return full if len(full) <= MARK_MAX else head


def read_mark(text: str) -> Mark | None:
    """Read a mark out of an image's `desc`; None when it holds none."""
    found = _MARK.search(text)
    if found is None:
        return None
    ledger, call, origin, sources = found.groups()
    ids = tuple(ImageId(s) for s in sources.split(",")) if sources else ()
    return Mark(ledger, CallId(call), Region(origin), ids)


def platform_source(text: str) -> ImageId | None:
    """Read the source id out of the text that the platform writes by itself.

    The documented behaviour is that the text names source region and source image; its form is
    not documented, so the only id in it is taken, and two different ids mean nothing.
    """
    ids = set(_IMAGE.findall(text))
    return ImageId(ids.pop()) if len(ids) == 1 else None
