"""What follows once copies are ready: their names and descriptions, and the comparison with their sources.

A step of its own, with events of its own: a copy whose name could not be set is ready all the same.
Only copies that are surely ours are renamed; what the cloud shows decides what is left to do, so a
step that was cut off is simply done by the next run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from orchestrator.cloud.altering import AlteringCloud
from orchestrator.cloud.inventory import Inventory
from orchestrator.cloud.persisting import persist
from orchestrator.core.cloud_time import created_day, day_of
from orchestrator.core.labels import description_of, name_of
from orchestrator.core.likeness import differences
from orchestrator.core.marks import write_mark
from orchestrator.core.model import Chunk, Copy, ImageId, Sighting, State
from orchestrator.core.plan import Plan
from orchestrator.core.plan.policy import Label
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.heritage import Heritage
from orchestrator.core.upkeep import Labelled, Verified

_UNKNOWN_DAY = "00000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finishing:
    """Names and compares ready copies; `tell` is handed the event of each deed and of each difference."""

    ledger: str
    cloud: AlteringCloud
    inventory: Inventory
    clock: Callable[[], float]
    chance: Callable[[], float]
    tell: Callable[[Labelled | Verified], None]

    async def finish(self, plan: Plan, held: Iterable[Heritage], fresh: frozenset[Copy]) -> None:
        """Finish the copies of a plan that are ready; `fresh` are those that this very run made.

        Raises CloudSilent or CredentialsRefused where a destination cannot be read.
        """
        wishes = _Wishes.of(plan)
        due = [each for each in held if each.state is State.READY and wishes.any(each.copy)]
        shown = await self.inventory.described((each.copy.destination, each.image) for each in due)
        compared = ((c.origin, c.source) for c in (each.copy for each in due) if c in wishes.verified)
        originals = await self.inventory.described(compared)
        for each in due:
            seen = shown.get((each.copy.destination, each.image))
            if seen is None:
                continue
            original = originals.get((each.copy.origin, each.copy.source))
            if original is not None:
                self._compare(each, original, seen, is_fresh=each.copy in fresh)
            label = wishes.labels.get(each.copy)
            if label is not None and each.is_ours(seen, self.ledger):
                await self._label(each, seen, label)

    def _compare(self, each: Heritage, original: Sighting, seen: Sighting, *, is_fresh: bool) -> None:
        """Compare one copy with its source; an old copy that is equal is not told of every night."""
        differs = differences(original, seen)
        if differs or is_fresh:
            self.tell(Verified(at=self.clock(), copy=each.copy, image=each.image, differs=differs))

    async def _label(self, each: Heritage, shown: Sighting, label: Label) -> None:
        """Set name and description, unless they are what they should be."""
        name, text = self._wanted(each, shown, label)
        if name == shown.name and text in (shown.text, None):
            return
        change = partial(self.cloud.relabel, each.copy.destination, each.image, name or None, text)
        done = await persist(change, self.chance)
        reason = done.reason or Reason.LABELLED
        event = Labelled(
            at=self.clock(), copy=each.copy, image=each.image, name=name, reason=reason,
            detail=done.detail, request=done.request,
        )  # fmt: skip
        self.tell(event)

    def _wanted(self, each: Heritage, shown: Sighting, label: Label) -> tuple[str, str | None]:
        """Say what a copy should be called and described as; None leaves its description as it is."""
        source_name = each.source.name if each.source is not None and each.source.name else shown.name
        fields = {
            "source_name": source_name,
            "source_image": each.copy.source,
            "source_region": each.copy.origin,
            "date": created_day(shown.created) or day_of(self.clock()),
        }
        name = name_of(label.name, fields) if label.name else shown.name
        if each.call is None:
            return name, None
        mark = write_mark(self.ledger, each.call, Chunk((each.copy,)))
        return name, description_of(label.description, mark, fields)


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What a plan wants of each copy once it is ready; the first replication that says something counts."""

    labels: dict[Copy, Label]
    verified: frozenset[Copy]

    @classmethod
    def of(cls, plan: Plan) -> _Wishes:
        """Collect them."""
        pairs = [(copy, each.policy) for copy, wanting in plan.wanting().items() for each in wanting]
        labels = {copy: policy.label for copy, policy in reversed(pairs) if policy.label is not None}
        return cls(labels, frozenset(copy for copy, policy in pairs if policy.verify))

    def any(self, copy: Copy) -> bool:
        """Tell whether anything is left to do about a copy."""
        return copy in self.labels or copy in self.verified


def outcome(events: Iterable[Labelled | Verified]) -> Iterator[tuple[str, Copy, ImageId, str]]:
    """Give what is wrong: its kind (`verdict.Notice`), with which copy and image, and a phrase."""
    for event in events:
        if isinstance(event, Verified):
            if event.differs:
                says = f"differs from its source in {', '.join(event.differs)}"
                yield "difference", event.copy, event.image, says
        elif event.reason is not Reason.LABELLED:
            said = f" ({event.detail})" if event.detail else ""
            says = f"could not be named {event.name}: {event.reason.value}{said}"
            yield "label", event.copy, event.image, says
