"""A rehearsed night in words and as one JSON object; prints nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

from orchestrator.core.rehearsed import Arrivals, Rehearsal, Room
from orchestrator.watch.result import copy_shape, counts_shape
from orchestrator.watch.summary import calls_line, pending_lines, trouble_lines
from orchestrator.watch.text import clean, columns, some, span, well_formed

_HEAD = (
    "destination", "wanted", "there", "made", "failed", "no room", "GB", "at a time", "finished after",
    "images", "snapshots",
)  # fmt: skip


def rehearsal_lines(rehearsal: Rehearsal) -> list[str]:
    """Tell a rehearsal: what comes of it, each destination, what does not fit, what was assumed."""
    seed = f"plan {rehearsal.digest}, weather {rehearsal.weather}, seed {rehearsal.seed}"
    moved = (
        f"{_gb(rehearsal.moved_mb)} GB to move, at most {some(rehearsal.peak, 'copy', 'copies')} at a time"
    )
    lines = [f"rehearsal of {clean(rehearsal.plan, 4096)} ({seed}); nothing was sent", _verdict(rehearsal)]
    lines += [moved, calls_line(rehearsal.calls)]
    if rehearsal.refused:
        said = ", ".join(f"{clean(answer)} {number}" for answer, number in rehearsal.refused.items())
        lines.append(f"refused on the way: {said}")
    rows = [_HEAD, *map(_row, rehearsal.destinations)]
    lines += ["", *columns(rows, right=frozenset(range(1, len(_HEAD)))), ""]
    lines += [f"does not fit: {line}" for line in _shortages(rehearsal)]
    lines += [*trouble_lines(rehearsal.copies), *pending_lines(rehearsal.copies)]
    return [*lines, *(f"assumed: {clean(sentence)}" for sentence in rehearsal.assumed)]


def rehearsal_json(rehearsal: Rehearsal) -> str:
    """Write a rehearsal as one line of JSON; spans are in seconds from the start of the night."""
    return json.dumps(
        {
            "plan": well_formed(rehearsal.plan),
            "digest": rehearsal.digest,
            "weather": rehearsal.weather,
            "seed": rehearsal.seed,
            "verdict": rehearsal.verdict.value,
            "exit_code": rehearsal.exit_code,
            "took_s": round(rehearsal.took_s, 3),
            "moved_mb": rehearsal.moved_mb,
            "peak_copies": rehearsal.peak,
            "counts": counts_shape(rehearsal.counts),
            "calls": dict(rehearsal.calls),
            "refused": dict(rehearsal.refused),
            "destinations": [_shape(arrivals) for arrivals in rehearsal.destinations],
            "not_ready": [copy_shape(standing) for standing in rehearsal.copies],
            "assumed": list(rehearsal.assumed),
        }
    )


def _verdict(rehearsal: Rehearsal) -> str:
    """Say how the night ends, and when."""
    counts = rehearsal.counts
    said = f"{rehearsal.verdict.value}: {counts.ready} of {some(counts.wanted, 'copy', 'copies')} ready"
    rest = [f"{counts.failed} failed"] if counts.failed else []
    rest += [f"{counts.pending} not done"] if counts.pending else []
    return f"{', '.join([said, *rest])}; the night takes {span(rehearsal.took_s)}"


def _row(arrivals: Arrivals) -> tuple[str, ...]:
    """Make the table's row of one destination."""
    numbers = (arrivals.wanted, arrivals.there, arrivals.made, arrivals.failed, arrivals.deferred)
    return (
        clean(arrivals.region),
        *map(str, numbers),
        _gb(arrivals.moved_mb),
        str(arrivals.peak),
        "-" if arrivals.finished_s is None else span(arrivals.finished_s),
        _needs(arrivals.images),
        _needs(arrivals.snapshots),
    )


def _needs(room: Room) -> str:
    """Write what is needed of a quota, and what is free if that is known."""
    return f"needs {room.needs}" if room.free is None else f"needs {room.needs}, free {room.free}"


def _shortages(rehearsal: Rehearsal) -> Iterator[str]:
    """Say of each destination that is too small how much it is short of."""
    for arrivals in rehearsal.destinations:
        rooms = (("image", arrivals.images), ("snapshot", arrivals.snapshots))
        lacks = [
            f"needs {some(room.needs, noun)}, {room.free} of {room.limit} are free, {room.short} short"
            for noun, room in rooms
            if room.short
        ]
        if lacks or arrivals.deferred:
            left = f"{some(arrivals.deferred, 'copy', 'copies')} to {clean(arrivals.region)}"
            yield "; ".join([left, *lacks])


def _shape(arrivals: Arrivals) -> dict[str, object]:
    """Write one destination for machines."""
    finished_s = arrivals.finished_s
    return {
        "region": arrivals.region,
        "wanted": arrivals.wanted,
        "there": arrivals.there,
        "made": arrivals.made,
        "deferred": arrivals.deferred,
        "failed": arrivals.failed,
        "moved_mb": arrivals.moved_mb,
        "peak_copies": arrivals.peak,
        "finished_s": None if finished_s is None else round(finished_s, 3),
        "images": _room_shape(arrivals.images),
        "snapshots": _room_shape(arrivals.snapshots),
    }


def _room_shape(room: Room) -> dict[str, int | None]:
    """Write one quota; limit and use are null where they are not known."""
    return {
        "needs": room.needs,
        "limit": room.limit,
        "used": room.used,
        "free": room.free,
        "short": room.short,
    }


def _gb(size_mb: int) -> str:
    """Write a size in whole GB."""
    return f"{size_mb / 1024:,.0f}"
