"""A story as one JSON object and as CSV, for other programs; prints and writes nothing.

Names and columns are for ever: they are only added.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from io import StringIO

from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.core.verdict import Overview
from orchestrator.report.story import CallStory, CopyStory, EarlierRun, Place, QuotaStory, Story, Traffic
from orchestrator.report.upkeep import upkeep_shape
from orchestrator.watch.result import counts_shape
from orchestrator.watch.text import clean, iso, well_formed

VERSION = 1
"""The version of the JSON form; it grows when a field changes its meaning, never when one is added."""

Shape = dict[str, object]

COLUMNS = (
    "run", "state", "reason", "source_image", "name", "family", "source_region", "destination_region",
    "destination_image", "via", "carrier", "call", "began_at", "copying_at", "ended_at", "detail", "advice",
)  # fmt: skip
"""The columns of the CSV, a row per copy."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the beginning of a formula; some take the wide forms of East Asia too."""


def report_json(story: Story) -> str:
    """Write a story as one line of JSON in ASCII."""
    return json.dumps(_report(story))


def report_csv(story: Story) -> str:
    """Write the copies as CSV (RFC 4180), failures first, under a head; no cell can be a formula."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for copy in failures_first(story.copies):
        writer.writerow(map(defused, _cells(story, copy)))
    return text.getvalue()


def failures_first(copies: tuple[CopyStory, ...]) -> list[CopyStory]:
    """Order copies by how much they ask of a person; equal ones stay in the plan's order."""
    order = ("failed", "doubtful", "waiting", "calling", "copying", "ready")
    return sorted(copies, key=lambda copy: order.index(copy.standing.state.value))


def defused(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _cells(story: Story, copy: CopyStory) -> tuple[str, ...]:
    """Lay one copy out."""
    standing, spells = copy.standing, copy.spells
    copying = [spell.since for spell in spells if spell.state.value == "copying"]
    ended = spells[-1].since if spells and spells[-1].state.value in ("ready", "failed") else None
    return (
        story.run,
        standing.state.value,
        standing.reason.value,
        clean(copy.copy.source),
        clean(copy.name),
        clean(copy.family),
        clean(copy.copy.origin),
        clean(copy.copy.destination),
        clean(standing.image or ""),
        clean(standing.via or ""),
        clean(standing.carrier or ""),
        clean(copy.calls[-1]) if copy.calls else "",
        _when(spells[0].since if spells else None),
        _when(copying[-1] if copying else None),
        _when(ended),
        clean(standing.detail),
        MEANINGS[standing.reason].advice if standing.state.value != "ready" else "",
    )


def _when(at: float | None) -> str:
    """Write a time, empty where there is none."""
    return (iso(at) or "") if at is not None else ""


# --- JSON -----------------------------------------------------------------------------------------


def _report(story: Story) -> Shape:
    """Shape the whole story."""
    return {
        "version": VERSION,
        "run": story.run,
        "plan": well_formed(story.plan),
        "verdict": story.verdict,
        "exit_code": story.exit_code,
        "sentence": well_formed(story.sentence),
        "started_at": iso(story.started_at),
        "finished_at": None if story.finished_at is None else iso(story.finished_at),
        "until": iso(story.until),
        "told_at": iso(story.told_at),
        "whole": story.whole,
        "counts": counts_shape(story.counts),
        "requests": dict(story.requests),
        "reasons": _reasons(story),
        "destinations": [_destination(overview) for overview in story.overviews],
        "quotas": [_quota(quota) for quota in story.quotas],
        "traffic": None if story.traffic is None else _traffic(story.traffic),
        "calls": [_call(call) for call in story.calls],
        "earlier": [_earlier(run) for run in story.earlier],
        "strangers": [place(stranger) for stranger in story.strangers],
        "upkeep": [upkeep_shape(event) for event in story.upkeep],
        "copies": [_copy(copy) for copy in story.copies],
    }


def _reasons(story: Story) -> Shape:
    """Explain every reason that the copies and calls name."""
    used: set[Reason] = {copy.standing.reason for copy in story.copies}
    used |= {spell.reason for copy in story.copies for spell in copy.spells}
    used |= {call.reason for call in story.calls if call.reason is not None}
    return {r.value: {"says": MEANINGS[r].says, "advice": MEANINGS[r].advice} for r in sorted(used)}


def place(where: Place) -> Mapping[str, str]:
    """Write an image where it lies."""
    region, image = where
    return {"region": well_formed(region), "image": well_formed(image)}


def _copy(copy: CopyStory) -> Shape:
    standing = copy.standing
    return {
        "source_region": copy.copy.origin,
        "source_image": copy.copy.source,
        "name": well_formed(copy.name),
        "family": well_formed(copy.family),
        "destination_region": copy.copy.destination,
        "destination_image": None if standing.image is None else well_formed(standing.image),
        "state": standing.state.value,
        "reason": standing.reason.value,
        "detail": well_formed(standing.detail),
        "via": standing.via,
        "carrier": standing.carrier,
        "lineage": [place(where) for where in copy.lineage],
        "calls": list(copy.calls),
        "spells": [
            {"state": spell.state.value, "since": iso(spell.since), "reason": spell.reason.value}
            for spell in copy.spells
        ],
    }


def _call(call: CallStory) -> Shape:
    return {
        "call": call.call,
        "at": iso(call.at),
        "source_region": call.origin,
        "destination_region": call.destination,
        "copies": call.copies,
        "relayed": call.relayed,
        "answered_at": None if call.answered_at is None else iso(call.answered_at),
        "answer": call.answer or None,
        "reason": call.reason.value if call.reason is not None else None,
        "detail": well_formed(call.detail),
        "request": well_formed(call.request),
    }


def _destination(overview: Overview) -> Shape:
    lacks = overview.shortage
    return {
        "region": overview.region,
        "states": {state.value: number for state, number in overview.states.items() if number},
        "note": overview.note,
        "fit": lacks.fit if lacks else None,
        "deferred": lacks.deferred if lacks else 0,
        "short": dict(lacks.short) if lacks else {},
    }


def _quota(quota: QuotaStory) -> Shape:
    return {
        "region": quota.region,
        "resource": quota.resource.value,
        "limit": quota.limit,
        "used": quota.used,
        "made": quota.made,
        "needed": quota.needed,
        "read_at": iso(quota.read_at),
    }


def _traffic(traffic: Traffic) -> Shape:
    return {"span_s": traffic.span_s, "counts": {api: list(bars) for api, bars in traffic.counts.items()}}


def _earlier(run: EarlierRun) -> Shape:
    return {
        "run": run.run,
        "started_at": iso(run.started_at),
        "finished_at": None if run.finished_at is None else iso(run.finished_at),
        "verdict": run.verdict,
        "counts": counts_shape(run.counts),
    }
