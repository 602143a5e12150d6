"""A run as the one JSON object of `run --json` and `status --json`, and back; prints nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from pydantic import TypeAdapter

from orchestrator.core.model import Copy, ImageId, Region, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Counts, Notice, Overview, Part, Result, Standing, Verdict
from orchestrator.watch.text import from_iso, iso, well_formed

RUNNING = "running"
"""The verdict of a run that still goes on, in JSON and in tables."""

_PARTS = ', "replications": '

KILLED = "killed"
"""The verdict of a run that ended without a word; the next run takes its copies over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A run without an end: it still goes on, or was `killed`. `started_at` is UTC epoch seconds."""

    run: RunId
    plan: str
    started_at: float
    counts: Counts
    calls: Mapping[str, int]
    copies: tuple[Standing, ...]
    overviews: tuple[Overview, ...] = ()
    killed: bool = False


def result_json(view: Result | Running, **more: object) -> str:
    """Write a run as one line of JSON; one without an end has `running` or `killed` and null for its end.

    `more` are further keys, with values as JSON has them.
    """
    ended = view if isinstance(view, Result) else None
    endless = KILLED if isinstance(view, Running) and view.killed else RUNNING
    shape: dict[str, object] = {
        "run": view.run,
        "plan": well_formed(view.plan),
        "verdict": ended.verdict.value if ended else endless,
        "exit_code": ended.exit_code if ended else None,
        "started_at": iso(view.started_at),
        "finished_at": iso(ended.finished_at) if ended else None,
        "counts": counts_shape(view.counts),
        "calls": dict(view.calls),
        "copies": [copy_shape(standing) for standing in view.copies],
    }
    if ended and ended.strangers:
        shape["strangers"] = [{"region": region, "image": image} for region, image in ended.strangers]
    if ended and ended.narrowed:
        shape["narrowed"] = True
    if ended and ended.notices:
        shape["notices"] = [{"kind": each.kind, "says": well_formed(each.says)} for each in ended.notices]
    if ended and ended.parts:
        shape["replications"] = [_part_shape(part) for part in ended.parts]
    return json.dumps(shape | more)


def counts_shape(counts: Counts) -> dict[str, int]:
    """Write counts as `run --json`, `runs --json` and the log hold them."""
    return {
        "wanted": counts.wanted,
        "ready": counts.ready,
        "failed": counts.failed,
        "pending": counts.pending,
    }


def copy_shape(standing: Standing) -> dict[str, str | None]:
    """Write one copy; of a relayed one, by which image it was carried."""
    way = {"via": standing.via, "carrier": standing.carrier} if standing.carrier else {}
    return {
        "source_region": standing.copy.origin,
        "source_image": standing.copy.source,
        "destination_region": standing.copy.destination,
        "destination_image": None if standing.image is None else well_formed(standing.image),
        "state": standing.state.value,
        "reason": standing.reason.value,
        "detail": well_formed(standing.detail),
        **way,
    }


def _part_shape(part: Part) -> dict[str, object]:
    """Write one replication in one destination."""
    where = {"replication": well_formed(part.replication), "destination_region": part.destination}
    return {**where, "planned": part.planned, "ready": part.ready}


@dataclass(frozen=True, slots=True)
class _PartShape:
    """One replication in one destination as JSON holds it."""

    replication: str
    destination_region: str
    planned: int
    ready: int


@dataclass(frozen=True, slots=True)
class _CopyShape:
    """One copy as JSON holds it."""

    source_region: str
    source_image: str
    destination_region: str
    destination_image: str | None
    state: State
    reason: Reason
    detail: str
    via: str | None = None
    carrier: str | None = None


@dataclass(frozen=True, slots=True)
class _Shape:
    """A finished run as JSON holds it."""

    run: str
    plan: str
    verdict: Verdict
    exit_code: int
    started_at: str
    finished_at: str
    counts: Counts
    calls: dict[str, int]
    copies: list[_CopyShape]
    strangers: list[dict[str, str]] = field(default_factory=list)
    narrowed: bool = False
    notices: list[dict[str, str]] = field(default_factory=list)
    replications: list[_PartShape] = field(default_factory=list)


@cache
def _reader() -> TypeAdapter[_Shape]:
    """Build the reader once; it is compiled on first use."""
    return TypeAdapter(_Shape)


def result_from_json(text: str) -> Result:
    """Read a finished run back; the progress of copies is not kept.

    Raises ValueError for a text that `result_json` did not write of a finished run.
    """
    shape = _reader().validate_json(text)
    return Result(
        run=RunId(shape.run),
        plan=shape.plan,
        verdict=shape.verdict,
        exit_code=shape.exit_code,
        started_at=from_iso(shape.started_at),
        finished_at=from_iso(shape.finished_at),
        counts=shape.counts,
        calls=shape.calls,
        copies=tuple(map(_standing, shape.copies)),
        strangers=tuple((Region(s["region"]), ImageId(s["image"])) for s in shape.strangers),
        narrowed=shape.narrowed,
        notices=tuple(Notice(each["kind"], each["says"]) for each in shape.notices),
        parts=tuple(map(_part, shape.replications)),
    )


def parts_from_json(text: str) -> tuple[Part, ...]:
    """Read only the parts of a finished run; none where an earlier version wrote it. Raises ValueError.

    They come last and are small, so the copies before them are not looked at: a year of results may be
    asked. The key cannot stand inside a text, where its quotes would be escaped.
    """
    _, key, tail = text.rpartition(_PARTS)
    shape = json.loads("{" + key.removeprefix(", ") + tail if key else text)
    return tuple(_part(_PartShape(**part)) for part in shape.get("replications", ()))


def _part(shape: _PartShape) -> Part:
    """Read one part back."""
    region = Region(shape.destination_region)
    return Part(replication=shape.replication, destination=region, planned=shape.planned, ready=shape.ready)


def _standing(shape: _CopyShape) -> Standing:
    """Read one copy back."""
    image = shape.destination_image
    return Standing(
        copy=Copy(ImageId(shape.source_image), Region(shape.source_region), Region(shape.destination_region)),
        state=shape.state,
        reason=shape.reason,
        detail=shape.detail,
        image=ImageId(image) if image is not None else None,
        via=None if shape.via is None else Region(shape.via),
        carrier=None if shape.carrier is None else ImageId(shape.carrier),
    )
