"""`orchestrator plan --json`: a look as one JSON object; fields are only added, or the version grows."""

from __future__ import annotations

import json

from orchestrator.core.diff import CODES, Diff, Need, Row, SourceLook
from orchestrator.core.model import Chunk
from orchestrator.watch.text import iso, well_formed

VERSION = 1


def diff_json(diff: Diff) -> str:
    """Write a look as one line."""
    effort = diff.effort
    return json.dumps(
        {
            "version": VERSION,
            "offline": False,
            "plan": well_formed(diff.plan),
            "digest": diff.digest,
            "looked_at": iso(diff.looked_at),
            "complete": not diff.unread,
            "running": diff.running,
            "wanted": len(diff.rows),
            "counts": {code.value: number for code, number in sorted(diff.counts().items())},
            "copies": [_row_shape(row) for row in diff.rows],
            "sources": [_source_shape(look) for look in diff.sources],
            "destinations": [_need_shape(need) for need in diff.needs],
            "chunks": [chunk_shape(chunk) for chunk in effort.chunks],
            "moved_mb": effort.moved_mb,
            "copies_of_unknown_size": effort.unsized,
            "takes_s": round(effort.takes_s),
            "basis": effort.basis.value,
            "reads": dict(diff.reads),
        }
    )


def chunk_shape(chunk: Chunk) -> dict[str, object]:
    """Write one chunk of the preview."""
    return {
        "source_region": chunk.origin,
        "destination_region": chunk.destination,
        "images": list(chunk.sources),
    }


def _row_shape(row: Row) -> dict[str, object]:
    """Write what becomes of one copy."""
    return {
        "source_region": row.copy.origin,
        "source_image": row.copy.source,
        "destination_region": row.copy.destination,
        "destination_image": None if row.image is None else well_formed(row.image),
        "code": row.code.value,
        "effect": CODES[row.code].effect.name.lower(),
        "detail": well_formed(row.detail),
    }


def _source_shape(look: SourceLook) -> dict[str, object]:
    """Write what the preflight saw of one source; `shown` is null where it could not ask."""
    where: dict[str, object] = {"region": look.region, "image": look.image}
    seen = look.sighting
    if seen is None:
        return {**where, "shown": False if look.read else None}
    return {
        **where,
        "shown": True,
        "status": well_formed(seen.status),
        "root_device": well_formed(seen.root_device),
        "image_source": well_formed(seen.image_source),
        "encrypted": seen.encrypted,
        "snapshots": len(seen.snapshots),
        "size_mb": seen.size_mb,
        "name": well_formed(seen.name),
        "created": well_formed(seen.created),
    }


def _need_shape(need: Need) -> dict[str, object]:
    """Write one destination's needs; what is free is null where the quota could not be read."""
    return {
        "region": need.region,
        "needs": {"images": need.images, "snapshots": need.snapshots},
        "free": {"images": need.free_images, "snapshots": need.free_snapshots},
        "fit": need.fit,
    }
