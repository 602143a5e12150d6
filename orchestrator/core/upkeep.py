"""What happens to images before and after their copying, as events: selected, pruned, labelled, verified.

They are stored for ever like those of `messages`, which names them all. An image is the unit here, not a
call: each answers one request about one image, or none.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.core.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """What a selector of the plan matched when the run began.

    `family` is the pattern by which it groups names, empty where it has none.
    """

    at: float
    replication: str
    region: Region
    selector: str
    images: tuple[ImageId, ...]
    family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """An old copy was deleted on purpose (reason PRUNED), or was to be and is still there (any other).

    `copy` is the wanted copy that it was made for, None where only its mark says that it is ours. One that
    was `broken` is made anew when a plan wants it: it went for its room, not because it was old.
    """

    at: float
    region: Region
    image: ImageId
    copy: Copy | None = None
    broken: bool = False
    reason: Reason
    detail: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """A copy that is ready got its name and description (reason LABELLED), or did not (any other)."""

    at: float
    copy: Copy
    image: ImageId
    name: str
    reason: Reason
    detail: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A copy that is ready was compared with its source; `differs` says in what, empty when it is equal."""

    at: float
    copy: Copy
    image: ImageId
    differs: tuple[str, ...] = ()


Upkeep = Selected | Pruned | Labelled | Verified
