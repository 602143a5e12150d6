"""What a report tells of one run, as plain records: all of it, nothing formatted. No behaviour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.model import CallId, Copy, ImageId, Region, Resource, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.upkeep import Upkeep
from orchestrator.core.verdict import Counts, Overview, Standing

Place = tuple[Region, ImageId]
"""An image where it lies."""


class Spell(NamedTuple):
    """A copy was in this state from `since` (epoch seconds) to its next spell, at last for this reason."""

    state: State
    since: float
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyStory:
    """One copy: where it stands, and how it came there.

    `name` is the source image's, empty where no event told it; `calls` are those that named it in
    this run; `lineage` leads from the original to the destination image where another copy carried it.
    """

    standing: Standing
    name: str
    family: str
    spells: tuple[Spell, ...] = ()
    calls: tuple[CallId, ...] = ()
    lineage: tuple[Place, ...] = ()

    @property
    def copy(self) -> Copy:
        """Which copy it is."""
        return self.standing.copy


@dataclass(frozen=True, slots=True, kw_only=True)
class CallStory:
    """One copyImages call, sent to `origin`; `answer` is accepted, refused, lost, or empty: none yet."""

    call: CallId
    at: float
    origin: Region
    destination: Region
    copies: int
    relayed: bool
    answered_at: float | None = None
    answer: str = ""
    reason: Reason | None = None
    detail: str = ""
    request: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaStory:
    """One quota of a destination at the end of the story.

    `used` is as last read, at `read_at`; `made` is what was sent since then, `needed` what the copies
    that still wait would take.
    """

    region: Region
    resource: Resource
    limit: int
    used: int
    made: int
    needed: int
    read_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Requests by API in equal spans of `span_s` seconds from the run's start on."""

    span_s: float
    counts: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierRun:
    """A run of the same plan before this one; `finished_at` is None for one that was killed."""

    run: RunId
    started_at: float
    finished_at: float | None
    verdict: str
    counts: Counts

    @property
    def took_s(self) -> float | None:
        """How long it took, if it ended."""
        return None if self.finished_at is None else max(0.0, self.finished_at - self.started_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One run, whole. Times are UTC epoch seconds.

    `verdict` is that of the result, `running` or `killed`; `sentence` says it in words. `until` is the
    last moment that the story knows: the end, or when it was told. `whole` is false where a
    compaction took the events away: then there are no spells, calls, quotas and upkeep. `upkeep` is what
    happened to images beside their copying.
    """

    run: RunId
    plan: str
    verdict: str
    exit_code: int | None
    sentence: str
    started_at: float
    finished_at: float | None
    until: float
    told_at: float
    counts: Counts
    requests: Mapping[str, int]
    copies: tuple[CopyStory, ...]
    whole: bool = True
    calls: tuple[CallStory, ...] = ()
    quotas: tuple[QuotaStory, ...] = ()
    overviews: tuple[Overview, ...] = ()
    traffic: Traffic | None = None
    earlier: tuple[EarlierRun, ...] = ()
    strangers: tuple[Place, ...] = ()
    upkeep: tuple[Upkeep, ...] = ()
