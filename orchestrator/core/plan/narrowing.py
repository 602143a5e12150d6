"""Part of a plan: only some images, destinations, failed copies, or the first few. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from orchestrator.core.model import Copy, ImageId, Region, State
from orchestrator.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What to leave out. Empty sets and None leave nothing out.

    `failed` keeps only the copies that the ledger has as failed; `limit` keeps the first so many
    that are not ready yet.
    """

    images: frozenset[ImageId] = frozenset()
    destinations: frozenset[Region] = frozenset()
    failed: bool = False
    limit: int | None = None


def narrow(copies: tuple[Copy, ...], narrowing: Narrowing, states: Mapping[Copy, State]) -> tuple[Copy, ...]:
    """Return the copies that are left, in order; `states` is what the ledger knows.

    Raises UsageError for an image or a region that the plan does not name.
    """
    _refuse_unknown("--only", narrowing.images, {copy.source for copy in copies})
    _refuse_unknown("--destination", narrowing.destinations, {copy.destination for copy in copies})
    left = [
        copy
        for copy in copies
        if (not narrowing.images or copy.source in narrowing.images)
        and (not narrowing.destinations or copy.destination in narrowing.destinations)
        and (not narrowing.failed or states.get(copy) is State.FAILED)
    ]
    if narrowing.limit is None:
        return tuple(left)
    return tuple([copy for copy in left if states.get(copy) is not State.READY][: narrowing.limit])


def _refuse_unknown(option: str, asked: frozenset[str], known: set[str]) -> None:
    """Name what the plan does not have, and what it has that is nearest."""
    for name in sorted(asked - known):
        near = get_close_matches(name, known, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UsageError(f"{option} {name}: the plan does not name it.{hint}")
