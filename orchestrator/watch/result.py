"""A run as the one JSON object of `run --json` and `status --json`, and back; prints nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from pydantic import TypeAdapter

from orchestrator.core.model import Copy, ImageId, Region, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Counts, Overview, Result, Standing, Verdict
from orchestrator.watch.text import from_iso, iso, well_formed

RUNNING = "running"
"""The verdict of a run that still goes on, in JSON and in tables."""

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
        "copies": [_copy_shape(standing) for standing in view.copies],
    }
    if ended and ended.strangers:
        shape["strangers"] = [{"region": region, "image": image} for region, image in ended.strangers]
    if ended and ended.narrowed:
        shape["narrowed"] = True
    return json.dumps(shape | more)


def counts_shape(counts: Counts) -> dict[str, int]:
    """Write counts as `run --json`, `runs --json` and the log hold them."""
    return {
        "wanted": counts.wanted,
        "ready": counts.ready,
        "failed": counts.failed,
        "pending": counts.pending,
    }


def _copy_shape(standing: Standing) -> dict[str, str | None]:
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
    )


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
