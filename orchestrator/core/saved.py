"""A plan that was looked at and kept, to be run later exactly as it was seen, or not at all. Pure.

What counts as moved is written down in docs/plan-diff.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from orchestrator.core.diff import CODES, Code, Diff, Effect
from orchestrator.core.model import Copy, ImageId, Region, Sighting
from orchestrator.core.plan import Plan
from orchestrator.errors import PlanMoved

_TOLD = 20
"""So many of the things that moved are named; a world that moved in a thousand places needs no more."""


class KnownSource(NamedTuple):
    """What a source looked like: enough to tell whether it is still the same image."""

    image: ImageId
    region: Region
    name: str
    size_mb: int | None
    snapshots: tuple[str, ...]
    created: str


class SavedRow(NamedTuple):
    """One copy, and what was to become of it."""

    copy: Copy
    code: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedPlan:
    """A look that was kept. `file` is the plan's path, `digest` its text's, `endpoint` the cloud's name."""

    file: str
    digest: str
    endpoint: str
    looked_at: float
    rows: tuple[SavedRow, ...]
    sources: tuple[KnownSource, ...]

    def sent(self) -> dict[Copy, Code]:
        """Return the copies that it allows to be sent, in the plan's order."""
        return {row.copy: row.code for row in self.rows if CODES[row.code].effect is Effect.SENDS}


def saved_plan(diff: Diff, file: str, endpoint: str) -> SavedPlan:
    """Keep of a look what a later run is to be held to: every row, and the sources of what is sent."""
    sent = {(row.copy.origin, row.copy.source) for row in diff.having(Effect.SENDS)}
    return SavedPlan(
        file=file,
        digest=diff.digest,
        endpoint=endpoint,
        looked_at=diff.looked_at,
        rows=tuple(SavedRow(row.copy, row.code) for row in diff.rows),
        sources=tuple(
            _known(look.region, look.sighting)
            for look in diff.sources
            if look.sighting is not None and (look.region, look.image) in sent
        ),
    )


def _known(region: Region, sighting: Sighting) -> KnownSource:
    """Keep of a source what it can be known again by."""
    return KnownSource(
        sighting.image, region, sighting.name, sighting.size_mb, sighting.snapshots, sighting.created
    )


def refuse_other_plan(saved: SavedPlan, plan: Plan, endpoint: str) -> None:
    """Raise PlanMoved when the plan's text, one of its lists, or the cloud is another one than then."""
    if saved.endpoint != endpoint:
        raise PlanMoved((f"the endpoint was {saved.endpoint} and is {endpoint}",))
    wanted = {row.copy for row in saved.rows}
    if saved.digest != plan.digest or wanted != set(plan.copies()):
        raise PlanMoved((f"{saved.file} or a list that it names was changed",))


def held_to(saved: SavedPlan, diff: Diff) -> tuple[Copy, ...]:
    """Return the copies that the run may want: those that were to be sent, and those under way by the ledger.

    None of the latter can be sent in the same run, whatever becomes of it. Raises PlanMoved, naming
    what moved, when the sources or the copies to be sent are not those of then. That a copy is there
    by now, or under way, is no such move: less is sent, and nothing else.
    """
    moved = (*_moved_sources(saved, diff), *_moved_copies(saved, diff))
    if moved:
        raise PlanMoved(moved if len(moved) <= _TOLD else (*moved[:_TOLD], f"and {len(moved) - _TOLD} more"))
    watched = (row.copy for row in diff.rows if row.code is Code.WATCH_ON)
    return tuple(dict.fromkeys((*saved.sent(), *watched)))


def _moved_sources(saved: SavedPlan, diff: Diff) -> Iterator[str]:
    """Name the sources that are another image now; one that needs no look any more is none of them."""
    now = {(look.region, look.image): look for look in diff.sources if look.read}
    for known in saved.sources:
        look = now.get((known.region, known.image))
        if look is None or look.sighting is None:
            continue  # its copies tell
        for field, before, after in zip(
            KnownSource._fields, known, _known(known.region, look.sighting), strict=True
        ):
            if before != after:
                yield f"{known.image} in {known.region}: {field} was {_shown(before)} and is {_shown(after)}"


def _shown(value: object) -> str:
    """Write a value of a source."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value or "nothing")


def _moved_copies(saved: SavedPlan, diff: Diff) -> Iterator[str]:
    """Name the copies that would be sent now and were not to be, or were to be and cannot be now."""
    sent, before = saved.sent(), {row.copy: row.code for row in saved.rows}
    for row in diff.rows:
        effect, said = CODES[row.code].effect, f"{row.copy.source} > {row.copy.destination}"
        if effect is Effect.SENDS and row.copy not in sent:
            yield f"{said}: was {before[row.copy].value}, would be sent now ({row.code.value})"
        elif row.copy in sent and effect in (Effect.STOPS, Effect.DECIDES):
            detail = f": {row.detail}" if row.detail else ""
            yield f"{said}: was to be sent, is {row.code.value} now{detail}"
