"""Two schedules in one story: one remembers every event, the other what a compaction kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields

from orchestrator.core.messages import Action, Begun, Change, Event
from orchestrator.core.model import RunId
from orchestrator.core.schedule import Schedule
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination, Source, Suspects, Track
from tests.core.schedule.stories import LEDGER
from tests.core.schedule.walks import Walk, written

INDIFFERENT = {
    Register: {"changes", "pace", "limits"},
    Track: {"absences", "listings"},
    Source: {"holder"},
    Destination: {"names", "served"},
}
"""What a Begun leaves and nothing reads before it is set anew.

- `changes` are the last event's; the pace and the limits are new with each Begun;
- listings without a copy are counted from the beginning of its doubt, and a doubt begins or begins again
  with the run;
- `holder` only words why a sibling waits;
- `names` are set by the first page of each listing; whose turn it is is not even replayed.
"""


@dataclass
class Twins(Walk):
    """A walk whose every event is told to both, and whose every decision both must make."""

    kept: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.other = Schedule(self.limits, LEDGER)

    def compact(self) -> None:
        """Forget the events behind the other's state, but for its memory."""
        whole = Schedule(self.limits, LEDGER)
        whole.recover(written(event) for event in self.told)
        self.kept = [written(event) for event in whole.remember()]

    def decide(self) -> tuple[Action, ...]:
        """Let both decide."""
        actions = super().decide()
        decision = self.other.decide(self.now)
        assert decision.actions == actions
        assert decision.wake == self.wake
        return actions

    def tell(self, event: Event, jitter: float = 0.5) -> list[Change]:
        """Tell both the same; it must change the same."""
        changes = super().tell(event, jitter)
        self.kept.append(written(self.told[-1]))
        assert list(self.other.apply(self.kept[-1])) == changes
        return changes

    def restart(self) -> None:
        """Kill both, compact one of them, begin anew."""
        self.compact()
        self.other = Schedule(self.limits, LEDGER)
        self.other.recover(self.kept)
        super().restart()


def after_begun(schedule: Schedule) -> dict[str, object]:
    """Tell everything that a schedule still knows when the next run begins."""
    register = schedule.register
    schedule.apply(Begun(at=register.now + 1, run=RunId("next"), limits=schedule.limits))
    whole = {
        name: _plain(value) for name, value in vars(register).items() if name not in INDIFFERENT[Register]
    }
    return {
        **whole,
        "tracks": [_record(track) for track in register.tracks.values()],
        "sources": [_record(source) for source in register.sources.values()],
        "destinations": [_record(destination) for destination in register.destinations.values()],
    }


def _record(record: Track | Source | Destination) -> dict[str, object]:
    """Tell a record field by field: one that is added later is compared without a word here."""
    names = [f.name for f in fields(record) if f.name not in INDIFFERENT[type(record)]]
    return {name: _plain(getattr(record, name)) for name in names}


_NAMES: dict[type, Callable[..., object]] = {
    Track: lambda track: track.copy,
    Source: lambda source: (source.origin, source.image),
    Destination: lambda destination: destination.region,
    Suspects: lambda suspects: [source.image for source in (*suspects.among, *suspects.aside)],
}


def _plain(value: object) -> object:
    """Tell a value; records by their names, so that nothing goes in circles."""
    name = _NAMES.get(type(value))
    if name is not None:
        return name(value)
    if isinstance(value, Counter):
        return +value
    if isinstance(value, dict):
        told = {key: _plain(item) for key, item in value.items()}
        return {key: item for key, item in told.items() if item not in (0, [], {})}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def twins(seed: int, texts: str, walk: Walk) -> Twins:
    """Begin a walk of twins under the bounds of an ordinary one."""
    made = Twins(limits=walk.limits, texts=texts, chance=walk.chance, relay=walk.relay)
    made.begin(made.plan, relay=made.relay)
    made.act()
    return made
