"""The story of a run out of the events of its ledger: the same events bring the same story. Pure.

The events are taken in by a schedule, as a run does; so what a copy did is what the schedule says
that it did, and nothing here interprets an event a second time.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from orchestrator.core.families import compiled, family_by
from orchestrator.core.messages import Accepted, Begun, Called, Change, Ended, Event, Lost, Planned, Refused
from orchestrator.core.model import CallId, Chunk, Copy, Resource, RunId, State
from orchestrator.core.retelling import before
from orchestrator.core.schedule import Schedule
from orchestrator.core.upkeep import Upkeep
from orchestrator.core.verdict import Overview, Standing
from orchestrator.report.story import CallStory, CopyStory, QuotaStory, Spell
from orchestrator.report.traffic import TrafficCount

NAMELESS = "(name not known)"
"""The family of images whose name no event told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retold:
    """What the events of one run tell. `until` is the time of the last of them, UTC epoch seconds."""

    standings: tuple[Standing, ...]
    copies: dict[Copy, CopyStory]
    calls: tuple[CallStory, ...]
    quotas: tuple[QuotaStory, ...]
    overviews: tuple[Overview, ...]
    upkeep: tuple[Upkeep, ...]
    traffic: TrafficCount
    until: float


def retell(events: Iterable[Event], run: RunId, schedule: Schedule) -> Retold | None:
    """Tell what a run did; None when its beginning is not among the events.

    `schedule` knows what was before the first of the events, and is moved to the end of the run.
    """
    rest, found = iter(events), list[Begun]()
    schedule.recover(before(rest, run, found))
    if not found:
        return None
    course = _Course(schedule, TrafficCount(found[0].at), until=found[0].at)
    for event in (found[0], *_until_end(rest, run)):
        course.take(event)
    return course.retold()


def _until_end(events: Iterator[Event], run: RunId) -> Iterator[Event]:
    """Give the events up to the end of the run, or to whatever ended it: what came later is not its own."""
    for event in events:
        if isinstance(event, Begun):
            return
        yield event
        if isinstance(event, Ended) and event.run == run:
            return


@dataclass(slots=True)
class _Course:
    """Takes the events of one run in and notes what they did."""

    schedule: Schedule
    traffic: TrafficCount
    until: float
    spells: defaultdict[Copy, list[Spell]] = field(default_factory=lambda: defaultdict(list))
    upkeep: list[Upkeep] = field(default_factory=list)
    calls: dict[CallId, CallStory] = field(default_factory=dict)
    called: defaultdict[Copy, list[CallId]] = field(default_factory=lambda: defaultdict(list))

    def take(self, event: Event) -> None:
        """Take one event in."""
        self.until = max(self.until, event.at)
        self.traffic.take(event)
        changes = self.schedule.apply(event)
        if isinstance(event, Planned):
            self._begin(event)
        elif isinstance(event, Called):
            self._call(event)
        elif isinstance(event, Accepted | Refused | Lost):
            self._answer(event)
        elif isinstance(event, Upkeep):
            self.upkeep.append(event)
        for change in changes:
            self._move(change)

    def _begin(self, event: Planned) -> None:
        """Open the first spell of the copies that are wanted: where an earlier night left them."""
        for copy in event.copies:
            track = self.schedule.register.tracks[copy]
            if copy not in self.spells:
                self.spells[copy].append(Spell(track.state, event.at, track.reason))

    def _call(self, event: Called) -> None:
        """Note a call that is sent."""
        chunk = Chunk(event.copies, event.via, event.carriers)
        self.calls[event.call] = CallStory(
            call=event.call,
            at=event.at,
            origin=chunk.origin,
            destination=chunk.destination,
            copies=len(event.copies),
            relayed=event.via is not None,
        )
        for copy in event.copies:
            self.called[copy].append(event.call)

    def _answer(self, event: Accepted | Refused | Lost) -> None:
        """Note what became of a call; one of an earlier run was lost with it."""
        call = self.calls.get(event.call)
        if call is None:
            return
        kind = {Accepted: "accepted", Refused: "refused", Lost: "lost"}[type(event)]
        told = replace(call, answered_at=event.at, answer=kind, request=event.request)
        if not isinstance(event, Accepted):
            told = replace(told, reason=event.reason, detail=event.detail)
        self.calls[event.call] = told

    def _move(self, change: Change) -> None:
        """Begin a new spell where the state is another one, else only learn its latest reason."""
        spells = self.spells[change.copy]
        if spells and spells[-1].state is change.after:
            spells[-1] = spells[-1]._replace(reason=change.reason)
        else:
            spells.append(Spell(change.after, change.at, change.reason))

    # --- the end ----------------------------------------------------------------------------------

    def retold(self) -> Retold:
        """Sum it all up."""
        standings = self.schedule.standings()
        patterns = compiled(self.schedule.register.patterns.values())
        return Retold(
            standings=standings,
            copies={standing.copy: self._story(standing, patterns) for standing in standings},
            calls=tuple(self.calls.values()),
            quotas=tuple(self._quotas()),
            overviews=self.schedule.overview(),
            upkeep=tuple(self.upkeep),
            traffic=self.traffic,
            until=self.until,
        )

    def _story(self, standing: Standing, patterns: tuple[re.Pattern[str], ...]) -> CopyStory:
        """Put together what is known of one copy."""
        copy = standing.copy
        source = self.schedule.register.sources[copy.origin, copy.source]
        shown = source.sighting.name if source.sighting else ""
        name = shown or min(source.names, default="")
        return CopyStory(
            standing=standing,
            name=name,
            family=family_by(name, patterns) if name else NAMELESS,
            spells=tuple(self.spells.get(copy, ())),
            calls=tuple(self.called.get(copy, ())),
        )

    def _quotas(self) -> Iterator[QuotaStory]:
        """Tell of each quota that was read what is used of it, and what the waiting copies would take."""
        for region, destination in sorted(self.schedule.register.destinations.items()):
            waiting = [t for t in destination.tracks if t.wanted and t.state is State.WAITING]
            for resource in Resource:
                quota = destination.quotas.get(resource)
                if quota is None or not destination.states.total():
                    continue
                yield QuotaStory(
                    region=region,
                    resource=resource,
                    limit=quota.limit,
                    used=quota.used,
                    made=quota.committed,
                    needed=sum(track.needs(resource) for track in waiting),
                    read_at=quota.at,
                )
