"""The mark: the text we put into a copy's description, so that a lost call can be recognised later.

It must fit into 256 characters (field `description` of copyImages in the official SDK) and
holds the ledger's id, the call's id, the origin and, where they fit, the source image ids: always
those of the originals, so that a copy is known for what it is, whichever image carried it. A
relayed call adds the region of its carriers. Never a user's words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from orchestrator.core.model import CallId, Chunk, ImageId, Region

MARK_MAX = 256
_MARK = re.compile(
    r"orchestrator/1 ledger=([a-z0-9]+) call=([a-z0-9]+) from=([a-z0-9-]+)"
    r"(?: of=([a-z0-9,/-]+))?(?: via=([a-z0-9-]+))?"
)
_IMAGE = re.compile(r"(?<![A-Za-z0-9-])img-[a-z0-9]{1,32}(?![A-Za-z0-9-])")
"""An id in any text: a Chinese character before it is a letter to Unicode, but no part of an id."""
_REGION = re.compile(r"(?<![A-Za-z0-9-])[a-z]{2}-[a-z]{2,16}-[0-9]{1,2}(?![A-Za-z0-9-])")


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark read back. `sources` are the originals, empty when they did not fit; `via` is that of a relay.

    `origins` are their regions, one for each, where they are not all of `origin`.
    """

    ledger: str
    call: CallId
    origin: Region
    sources: tuple[ImageId, ...]
    via: Region | None = None
    origins: tuple[Region, ...] = ()

    @property
    def originals(self) -> tuple[tuple[Region, ImageId], ...]:
        """The originals with the region of each."""
        return tuple(zip(self.origins or (self.origin,) * len(self.sources), self.sources, strict=True))


def write_mark(ledger: str, call: CallId, chunk: Chunk) -> str:
    """Make the description of one call; what does not fit is left out: the way first, then all source ids.

    An original of another region than the first one's is written with its region.
    """
    origin = chunk.copies[0].origin
    head = f"orchestrator/1 ledger={ledger} call={call} from={origin}"
    named = (c.source if c.origin == origin else f"{c.origin}/{c.source}" for c in chunk.copies)
    whole, way = f"{head} of={','.join(named)}", f" via={chunk.via}" if chunk.via else ""
    texts = (f"{whole}{way}", whole, f"{head}{way}")
    return next((text for text in texts if len(text) <= MARK_MAX), head)


def read_mark(text: str) -> Mark | None:
    """Read a mark out of an image's `desc`; None when it holds none."""
    found = _MARK.search(text)
    if found is None:
        return None
    ledger, call, origin, named, via = found.groups()
    parts = [part.rpartition("/") for part in named.split(",")] if named else []
    regions = tuple(Region(region or origin) for region, _, _ in parts)
    return Mark(
        ledger,
        CallId(call),
        Region(origin),
        tuple(ImageId(image) for _, _, image in parts),
        Region(via) if via else None,
        regions if set(regions) - {origin} else (),
    )


def platform_source(text: str) -> ImageId | None:
    """Read the source id out of the text that the platform writes by itself.

    The documented behaviour is that the text names source region and source image; its form is
    not documented, so the only id in it is taken, and two different ids mean nothing.
    """
    ids = set(_IMAGE.findall(text))
    return ImageId(ids.pop()) if len(ids) == 1 else None


def regions_in(text: str) -> frozenset[Region]:
    """Read the region ids out of any text; names of regions in words are not known here."""
    return frozenset(map(Region, _REGION.findall(text)))
