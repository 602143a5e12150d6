"""Retention: which copies in a destination may go, and why each other one stays. Pure; deletes nothing.

Every rule keeps: an image is superseded only when no rule speaks for it. The order of the rules is
the order in which a person would ask: is it ours at all, does anybody use it, does tonight want it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf

from orchestrator.core.cloud_time import created_s
from orchestrator.core.model import Copy, Region, Sighting
from orchestrator.core.plan.policy import Keep


class Fate(StrEnum):
    """What becomes of one image, and why; stable codes."""

    SUPERSEDED = "delete-superseded"
    BROKEN = "delete-broken"
    NOT_OURS = "keep-not-ours"
    NO_POLICY = "keep-no-policy"
    UNDER_WAY = "keep-under-way"
    A_SOURCE = "keep-a-source"
    SHARED = "keep-shared"
    WANTED = "keep-wanted"
    NEWEST = "keep-newest"
    LATEST = "keep-latest"
    WITHIN = "keep-within"


SAYS: dict[Fate, str] = {
    Fate.SUPERSEDED: "an older copy that no rule keeps",
    Fate.BROKEN: "a broken copy of ours, which holds quota; the next run makes it anew if the plan wants it",
    Fate.NOT_OURS: "neither the ledger nor a mark proves that we made it",
    Fate.NO_POLICY: "no replication with `keep` speaks of it",
    Fate.UNDER_WAY: "it is not ready yet, or just being deleted",
    Fate.A_SOURCE: "the plan copies from it",
    Fate.SHARED: "it is shared with other accounts; unshare it first",
    Fate.WANTED: "tonight's plan wants it",
    Fate.NEWEST: "the newest ready copy of its family",
    Fate.LATEST: "among the newest that `keep: latest` keeps",
    Fate.WITHIN: "not older than `keep: within`",
}

DELETED = (Fate.SUPERSEDED, Fate.BROKEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One image of a destination, and what is known of it.

    `copy` is the wanted copy it is, if the ledger knows it; `made` is when its source was made
    (`createTime`, else its own), by which a family is ordered; `keeps` are the rules of all replications
    that speak of it.
    """

    region: Region
    sighting: Sighting
    copy: Copy | None
    family: str
    made: str
    ours: bool
    wanted: bool
    is_source: bool
    keeps: tuple[Keep, ...]


@dataclass(frozen=True, slots=True)
class Doom:
    """The fate of one image."""

    held: Held
    fate: Fate

    @property
    def goes(self) -> bool:
        """Tell whether it may be deleted."""
        return self.fate in DELETED


def judge(images: Iterable[Held], *, now: float) -> tuple[Doom, ...]:
    """Judge the images of all destinations at `now` (UTC epoch seconds); each family's newest come first."""
    families: defaultdict[tuple[Region, str], list[Held]] = defaultdict(list)
    for held in images:
        families[held.region, held.family].append(held)
    return tuple(doom for key in sorted(families) for doom in _family(families[key], now))


def _family(members: Sequence[Held], now: float) -> list[Doom]:
    """Judge one family in one destination. Only ready copies of ours have a rank."""
    ordered = sorted(members, key=lambda held: (held.made, held.sighting.image), reverse=True)
    dooms: list[Doom] = []
    rank = 0
    for held in ordered:
        dooms.append(Doom(held, _fate(held, rank, now)))
        rank += held.ours and held.sighting.status == "ready"
    return dooms


def _fate(held: Held, rank: int, now: float) -> Fate:
    """Ask one rule after the other."""
    shown = held.sighting
    rules = (
        (not held.ours, Fate.NOT_OURS),
        (not held.keeps, Fate.NO_POLICY),
        (shown.status not in ("ready", "error"), Fate.UNDER_WAY),
        (held.is_source, Fate.A_SOURCE),
        (shown.shared, Fate.SHARED),
        (shown.status == "error", Fate.BROKEN),
        (held.wanted, Fate.WANTED),
        (rank == 0, Fate.NEWEST),
    )
    return next((fate for holds, fate in rules if holds), None) or _by_rule(held, rank, now)


def _by_rule(held: Held, rank: int, now: float) -> Fate:
    """Ask what the plan keeps. An image of unknown age is never too old."""
    made = created_s(held.sighting.created)
    age_s = -inf if made is None else now - made
    if any(keep.latest is not None and rank < keep.latest for keep in held.keeps):
        return Fate.LATEST
    if any(keep.within_s is not None and age_s <= keep.within_s for keep in held.keeps):
        return Fate.WITHIN
    return Fate.SUPERSEDED
