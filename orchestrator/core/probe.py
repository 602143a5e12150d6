"""Whether somebody must be woken: what the latest nights came to, as a level for monitoring. Pure.

Judged is what is there in the end. Retries, refusals and doubts that were settled on the way count for
nothing; a later run of a part of the plan counts for the copies that it wanted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import assert_never

from orchestrator.core.model import Copy, RunId, State
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.core.verdict import EXIT_INCOMPLETE, Standing, Verdict


class Level(IntEnum):
    """The exit codes of a monitoring plugin."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


class Alarm(Enum):
    """What is wrong, or not known; each with its level and what a person reads."""

    NEVER = Level.UNKNOWN, "no run yet"
    FIRST = Level.UNKNOWN, "the first run is going on, nothing has ended yet"
    PARTS = Level.UNKNOWN, "only parts of the plan were run yet"
    KILLED = Level.CRITICAL, "the latest run was killed and nothing runs now; run it again"
    OLD = Level.CRITICAL, "the last time that everything was ready is too long ago"
    PERSON = Level.CRITICAL, "copies need a person; see `orchestrator status`"
    FAILED = Level.CRITICAL, "copies failed; see `orchestrator status`"
    UNDONE = Level.CRITICAL, "the run ended with copies not made; see `orchestrator status`"
    CREDENTIALS = Level.CRITICAL, "the cloud refused the credentials; renew them"
    FAULT = Level.CRITICAL, "something stopped the run; see `orchestrator status`"
    DEFERRED = Level.WARNING, "quotas have no room; delete images or ask for a higher quota"
    DEADLINE = Level.WARNING, "the deadline came first, the next run goes on"
    INTERRUPTED = Level.WARNING, "the run was stopped, the next run goes on"
    REBUILT = Level.WARNING, "the ledger was rebuilt, the next run settles the rest"
    DIFFERENT = Level.CRITICAL, "copies are not what their sources are; see `orchestrator status`"
    LABELS = Level.WARNING, "copies have not the names or texts that they should; see `orchestrator status`"
    TOLERATED = Level.WARNING, "copies are missing where best effort is enough for now"
    SELECTION = Level.WARNING, "a selector of the plan matched no image; see `orchestrator status`"
    STRANGERS = Level.WARNING, "images carry our mark and are not known; see `orchestrator status`"
    NOTHING = Level.WARNING, "the plan wanted no copy at all"

    @property
    def level(self) -> Level:
        """How loud it is."""
        return self.value[0]

    @property
    def says(self) -> str:
        """What it means and what to do."""
        return self.value[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """One run of a plan. Times are UTC epoch seconds; without `verdict` it goes on, or was killed.

    `narrowed` tells that it wanted less than the plan; `strangers` counts images that nobody knows;
    `notices` are the kinds of its `verdict.Notice`s.
    """

    run: RunId
    started_at: float
    finished_at: float | None = None
    verdict: Verdict | None = None
    exit_code: int = 0
    going_on: bool = False
    narrowed: bool = False
    copies: tuple[Standing, ...] = ()
    strangers: int = 0
    notices: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """The answer: its level, what speaks against a better one, and the numbers behind it.

    `run` is the run that was judged; `age_s` the seconds since everything was ready, None where it never
    was, `but_tolerated` where best effort let some be missing then; `ready` to `person` count copies;
    `reasons` why the missing ones are missing.
    """

    level: Level
    alarms: tuple[Alarm, ...]
    run: RunId | None = None
    going_on: bool = False
    age_s: float | None = None
    but_tolerated: bool = False
    wanted: int = 0
    ready: int = 0
    failed: int = 0
    deferred: int = 0
    person: int = 0
    owed: int = 0
    reasons: Counter[Reason] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Night:
    """A run of the whole plan that has ended, with what later runs of parts of it changed.

    `complete_at` is since when everything was ready, or might be missing, None where something is not;
    `told_by` is the last of these runs that did not end well, or else the whole one.
    """

    run: Past
    told_by: Past
    copies: tuple[Standing, ...]
    strangers: int
    notices: frozenset[str]
    complete_at: float | None

    @property
    def tolerated(self) -> bool:
        """Tell whether whatever is missing may be: every one of these runs ended well all the same."""
        return self.told_by.verdict is Verdict.OK and "tolerated" in self.notices


def probe(past: Sequence[Past], *, now: float, max_age_s: float) -> Probe:
    """Judge the runs of one plan, the newest first; `max_age_s` is how old the last good end may be.

    Of the runs before the last good one nothing is needed.
    """
    if not past:
        return Probe(level=Level.UNKNOWN, alarms=(Alarm.NEVER,))
    nights = list(_nights(past))
    night = nights[0] if nights else None
    last = next((n for n in nights if n.complete_at is not None), None)
    good = last.complete_at if last else None
    alarms = list(_alarms(past, night))
    if now - (good if good is not None else past[-1].started_at) > max_age_s:
        alarms = [Alarm.OLD, *(alarm for alarm in alarms if alarm.level is not Level.UNKNOWN)]
    copies = night.copies if night else ()
    tallies = _tallies(copies)
    return Probe(
        level=max((alarm.level for alarm in alarms), default=Level.OK),
        alarms=tuple(alarms),
        run=night.run.run if night else past[0].run,
        going_on=past[0].going_on,
        age_s=None if good is None else max(0.0, now - good),
        but_tolerated=last is not None and any(s.state is not State.READY for s in last.copies),
        wanted=tallies.total(),
        ready=tallies["ready"],
        failed=tallies["failed"],
        deferred=tallies["deferred"],
        person=tallies["person"],
        owed=tallies["owed"],
        reasons=Counter(s.reason for s in copies if s.state is not State.READY),
    )


def worse(one: Probe, other: Probe) -> bool:
    """Tell whether the first answer is worse: what is critical comes before what is not known."""
    order = (Level.OK, Level.WARNING, Level.UNKNOWN, Level.CRITICAL)
    return order.index(one.level) > order.index(other.level)


def _nights(past: Sequence[Past]) -> Iterator[_Night]:
    """Give the runs of the whole plan that have ended, newest first, each with the parts run after it."""
    parts: list[Past] = []
    for run in past:
        if run.verdict is None or run.finished_at is None:
            continue
        parts.append(run)
        if not run.narrowed:
            yield _night(run, parts[::-1])
            parts = []


def _night(run: Past, parts: Sequence[Past]) -> _Night:
    """Put the parts, the whole run first, over each other: the later word on a copy counts."""
    copies: dict[Copy, Standing] = {}
    complete_at: float | None = None
    notices = frozenset[str]()
    for part in parts:
        copies |= {standing.copy: standing for standing in part.copies}
        notices |= part.notices
        stopped = part.verdict in (Verdict.FAILED, Verdict.CREDENTIALS)
        lacks = any(s.state is not State.READY for s in copies.values())
        may_lack = part.verdict is Verdict.OK and "tolerated" in notices
        if stopped or not copies or (lacks and not may_lack):
            complete_at = None
        elif complete_at is None:
            complete_at = part.finished_at
    told_by = next((part for part in reversed(parts) if part.verdict is not Verdict.OK), run)
    return _Night(run, told_by, tuple(copies.values()), parts[-1].strangers, notices, complete_at)


def _alarms(past: Sequence[Past], night: _Night | None) -> Iterator[Alarm]:
    """Say what is wrong with the latest night, and with a run that never came to its end."""
    latest = past[0]
    if latest.verdict is None and not latest.going_on:
        yield Alarm.KILLED
    elif night is None:
        yield Alarm.FIRST if latest.going_on else Alarm.PARTS
    if night is not None:
        yield from _wrong(night)


_OF_NOTICES = {"difference": Alarm.DIFFERENT, "label": Alarm.LABELS, "selection": Alarm.SELECTION}
"""What the notices of a run mean here, by their kinds."""


def _wrong(night: _Night) -> Iterator[Alarm]:
    """Say what is wrong with one night as it ended."""
    tallies = _tallies(night.copies)
    named = (("person", Alarm.PERSON), ("failed", Alarm.FAILED), ("deferred", Alarm.DEFERRED))
    if night.tolerated and tallies["ready"] < tallies.total():
        yield Alarm.TOLERATED
    else:
        yield from (alarm for word, alarm in named if tallies[word])
    yield from (alarm for kind, alarm in _OF_NOTICES.items() if kind in night.notices)
    if night.strangers:
        yield Alarm.STRANGERS
    if night.complete_at is None:
        yield from _ended_early(night, owes=tallies["owed"] > 0)


def _ended_early(night: _Night, *, owes: bool) -> Iterator[Alarm]:
    """Say what the verdict adds to where the copies stand."""
    verdict = night.told_by.verdict
    match verdict:
        case Verdict.CREDENTIALS:
            yield Alarm.CREDENTIALS
        case Verdict.DEADLINE:
            yield Alarm.DEADLINE
        case Verdict.INTERRUPTED:
            yield Alarm.INTERRUPTED
        case Verdict.FAILED | Verdict.PARTIAL:
            if night.told_by.exit_code != EXIT_INCOMPLETE:
                yield Alarm.FAULT
            elif owes:
                yield Alarm.UNDONE
        case Verdict.OK:
            yield Alarm.REBUILT if night.copies else Alarm.NOTHING
        case None:
            return
        case _:
            assert_never(verdict)


def _tallies(copies: Sequence[Standing]) -> Counter[str]:
    """Count copies by what a person has to do about them."""
    return Counter(_kind(standing) for standing in copies)


def _kind(standing: Standing) -> str:
    """Name what a copy came to: ready, failed, person, deferred, or owed to the next run."""
    if standing.state is State.READY:
        return "ready"
    if standing.state is State.FAILED:
        return "failed"
    if standing.state is State.DOUBTFUL and standing.reason is Reason.NEEDS_PERSON:
        return "person"
    full = standing.state is State.WAITING and MEANINGS[standing.reason].nature is Nature.QUOTA
    return "deferred" if full else "owed"
