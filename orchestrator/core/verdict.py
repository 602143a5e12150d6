"""What the night came to: counts, verdict, exit code. From the end state, never from retries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orchestrator.core.model import Copy, ImageId, Region, RunId, State
from orchestrator.core.reasons import Reason


class Verdict(StrEnum):
    """How a run ended; stable words of `run --json`."""

    OK = "ok"
    PARTIAL = "partial"
    FAILED = "failed"
    DEADLINE = "deadline"
    INTERRUPTED = "interrupted"
    CREDENTIALS = "credentials"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one wanted copy stands, for people and for JSON. `progress` is in percent.

    A relayed copy is made of the image `carrier` in the region `via`; both are None where it is
    the original.
    """

    copy: Copy
    state: State
    reason: Reason
    detail: str = ""
    image: ImageId | None = None
    progress: int | None = None
    via: Region | None = None
    carrier: ImageId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many copies the run wants, has ready, gave up, and still owes."""

    wanted: int
    ready: int
    failed: int
    pending: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about a run that no copy's state tells; `kind` is a stable word, `says` is for people.

    `selection`: a selector matched nothing. `tolerated`: a copy is missing where the plan asks for best
    effort only. `label`, `difference`: a ready copy has not the name, or is not what, it should be.
    `prune`: room was to be made, and could not.
    """

    kind: str
    says: str


INCOMPLETE_NOTICES = ("label", "difference")
"""Notices with which a run is not ok: something that the plan asks for is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one replication of the plan came to in one destination.

    `planned` counts the copies that the plan wants there, `ready` those of them that the run wanted
    and saw ready: a run that was narrowed makes no part whole that it left something out of.
    """

    replication: str
    destination: Region
    planned: int
    ready: int

    @property
    def whole(self) -> bool:
        """Tell whether everything that the plan wants here was seen ready."""
        return self.ready == self.planned


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One run as `run --json` and `status --json` print it. Times are UTC epoch seconds.

    `strangers` are images, by region, that carry this ledger's mark and that it does not know.
    `parts` are in the order of the plan; `narrowed` tells that the run was asked for less than the plan.
    """

    run: RunId
    plan: str
    verdict: Verdict
    exit_code: int
    started_at: float
    finished_at: float
    counts: Counts
    calls: Mapping[str, int]
    copies: tuple[Standing, ...]
    strangers: tuple[tuple[Region, ImageId], ...] = ()
    narrowed: bool = False
    notices: tuple[Notice, ...] = ()
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """What does not fit into a destination's quotas: `deferred` of the copies `wanted` there.

    `short` is by how much each quota that is too small falls short of all: images, snapshots.
    """

    wanted: int
    deferred: int
    short: Mapping[str, int]

    @property
    def fit(self) -> int:
        """How many of the copies are there, under way, or have a place."""
        return self.wanted - self.deferred

    def told(self, where: str = "") -> str:
        """Put it into words: `37 of 52 fit in cn-east-2, snapshots are 12 short`."""
        lacks = [f"{word} are {number} short" for word, number in self.short.items()]
        return ", ".join([f"{self.fit} of {self.wanted} fit{where and f' in {where}'}", *lacks])


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """One destination at a glance: how many wanted copies are in each state.

    `percent` is the mean progress of the copies under way; `eta_s` the seconds until the last
    copy is expected to be ready, None while nobody can tell; `note` says why the destination
    waits, if it does ("image quota full, tried again at 03:15"), `shortage` what its quotas have no
    room for; `images` and `snapshots` are (used, limit) of its quotas, what was sent since they were
    read included, None where nobody could read them.
    """

    region: Region
    states: Mapping[State, int]
    percent: int | None = None
    eta_s: float | None = None
    note: str = ""
    shortage: Shortage | None = None
    images: tuple[int, int] | None = None
    snapshots: tuple[int, int] | None = None


EXIT_OK = 0
EXIT_CONFIGURATION = 2
EXIT_INCOMPLETE = 3
EXIT_DEADLINE = 4
EXIT_CREDENTIALS = 77
EXIT_FOREIGN = 78


def count(copies: tuple[Standing, ...]) -> Counts:
    """Count the copies of a run by what they came to."""
    ready = sum(standing.state is State.READY for standing in copies)
    failed = sum(standing.state is State.FAILED for standing in copies)
    return Counts(wanted=len(copies), ready=ready, failed=failed, pending=len(copies) - ready - failed)


def judge(
    counts: Counts, *, settled: bool, stopped: Reason | None, late: bool, signal: int | None
) -> tuple[Verdict, int]:
    """Return verdict and exit code of a run from its end state.

    `settled` tells that nothing is left to do, `stopped` why the cloud made the run stop, `late`
    that the deadline came first, `signal` the number of the signal that ended it.
    """
    if settled and counts.ready == counts.wanted:
        return Verdict.OK, EXIT_OK
    if stopped is Reason.CREDENTIALS:
        return Verdict.CREDENTIALS, EXIT_CREDENTIALS
    if stopped is Reason.CONFIGURATION:
        return Verdict.FAILED, EXIT_CONFIGURATION
    if stopped is Reason.OTHER_ACCOUNT:
        return Verdict.FAILED, EXIT_FOREIGN
    if signal is not None:
        return Verdict.INTERRUPTED, 128 + signal
    if late or stopped is Reason.SUBMITS_OVER:
        return Verdict.DEADLINE, EXIT_DEADLINE
    return (Verdict.PARTIAL if counts.ready else Verdict.FAILED), EXIT_INCOMPLETE


def judge_rebuild(
    copies: tuple[Standing, ...], *, looked: bool, stopped: Reason | None, signal: int | None
) -> tuple[Verdict, int]:
    """Return verdict and exit code of a run that rebuilt a ledger: ok when no copy needs a person.

    `looked` tells that everything was looked at. A copy that is in doubt is accounted for: the next
    run settles it.
    """
    if not looked or stopped is not None:
        return judge(count(copies), settled=False, stopped=stopped, late=False, signal=signal)
    lost = any(s.state is State.FAILED or s.reason is Reason.NEEDS_PERSON for s in copies)
    return (Verdict.PARTIAL, EXIT_INCOMPLETE) if lost else (Verdict.OK, EXIT_OK)
