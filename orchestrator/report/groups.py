"""What did not become ready, grouped by state and reason as a person deals with it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from orchestrator.core.model import Region, State
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.report.story import CopyStory

NAMED_MAX = 50
"""Most copies that a group names; the list of all copies has the others."""

_PENDING = (State.DOUBTFUL, State.WAITING, State.CALLING, State.COPYING)


@dataclass(frozen=True, slots=True)
class Group:
    """Copies of one state for one reason. `named` are the first of them, `places` how many go where.

    `places` is (destination, detail where all its copies share one, number), the largest first.
    """

    state: State
    reason: Reason
    number: int
    named: tuple[CopyStory, ...]
    places: tuple[tuple[Region, str, int], ...]

    @property
    def says(self) -> str:
        """What the reason means."""
        return MEANINGS[self.reason].says

    @property
    def advice(self) -> str:
        """What to do about it; may be empty."""
        return MEANINGS[self.reason].advice

    @property
    def more(self) -> int:
        """How many copies are not named."""
        return self.number - len(self.named)


def failures(copies: Iterable[CopyStory]) -> tuple[Group, ...]:
    """Group what failed, the largest group first."""
    return _grouped([copy for copy in copies if copy.standing.state is State.FAILED])


def pending(copies: Sequence[CopyStory]) -> tuple[Group, ...]:
    """Group what is neither ready nor failed: first doubts, then what waits, then what is under way."""
    return tuple(
        group
        for state in _PENDING
        for group in _grouped([copy for copy in copies if copy.standing.state is state])
    )


def _grouped(copies: Iterable[CopyStory]) -> tuple[Group, ...]:
    """Group copies of one state by reason, the largest group first."""
    groups: dict[Reason, list[CopyStory]] = {}
    for copy in copies:
        groups.setdefault(copy.standing.reason, []).append(copy)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    return tuple(_group(reason, group) for reason, group in ordered)


def _group(reason: Reason, copies: Sequence[CopyStory]) -> Group:
    """Make one group; copies that only wait for their turn, or for room, are counted and not named."""
    counted = MEANINGS[reason].nature in (Nature.NORMAL, Nature.QUOTA)
    return Group(
        state=copies[0].standing.state,
        reason=reason,
        number=len(copies),
        named=() if counted and copies[0].standing.state is not State.FAILED else tuple(copies[:NAMED_MAX]),
        places=_places(copies),
    )


def _places(copies: Iterable[CopyStory]) -> tuple[tuple[Region, str, int], ...]:
    """Count copies by destination, with what the cloud or the quotas said where all heard the same."""
    numbers: Counter[Region] = Counter()
    details: dict[Region, set[str]] = {}
    for copy in copies:
        numbers[copy.copy.destination] += 1
        details.setdefault(copy.copy.destination, set()).add(copy.standing.detail)
    return tuple(
        (region, next(iter(details[region])) if len(details[region]) == 1 else "", number)
        for region, number in numbers.most_common()
    )
