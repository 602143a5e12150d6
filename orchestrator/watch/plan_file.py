"""Saved plans as files: `plan --out` writes them, `run FILE` reads them. Private, and whole or not there."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from pydantic import TypeAdapter

from orchestrator.core.diff import Code
from orchestrator.core.model import Copy, ImageId, Region
from orchestrator.core.saved import KnownSource, SavedPlan, SavedRow
from orchestrator.errors import UsageError
from orchestrator.watch.text import from_iso, iso
from orchestrator.watch.whole_file import put_whole

VERSION = 1
_SIGN = b'{"saved_plan":'
"""How a saved plan begins; no plan of a user does, for it is no key of one."""

_AGAIN = "Run `orchestrator plan PLAN --out FILE` again."


@dataclass(frozen=True, slots=True)
class _SourceShape:
    """A source as the file has it."""

    image: str
    region: str
    name: str
    size_mb: int | None
    snapshots: list[str]
    created: str


@dataclass(frozen=True, slots=True)
class _CopyShape:
    """A copy as the file has it."""

    source_image: str
    source_region: str
    destination_region: str
    code: Code


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """The file; `checksum` is over all the rest of it."""

    saved_plan: int
    plan: str
    plan_digest: str
    endpoint: str
    looked_at: str
    copies: list[_CopyShape]
    sources: list[_SourceShape]
    checksum: str = ""


@cache
def _reader() -> TypeAdapter[_Shape]:
    """Build the reader once; it is compiled on first use."""
    return TypeAdapter(_Shape)


def is_saved(head: bytes) -> bool:
    """Tell from how a file begins whether it is a saved plan."""
    return head.startswith(_SIGN)


def write_saved(path: Path, saved: SavedPlan) -> None:
    """Write a saved plan, 0600; another one there is replaced. Raises UsageError if that fails."""
    try:
        put_whole(path, saved_json(saved).encode("ascii"), mode=0o600)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}. Name another file with --out.") from None


def saved_json(saved: SavedPlan) -> str:
    """Write a saved plan as one line of JSON."""
    shape = _Shape(
        saved_plan=VERSION,
        plan=saved.file,
        plan_digest=saved.digest,
        endpoint=saved.endpoint,
        looked_at=iso(saved.looked_at) or "",
        copies=[_CopyShape(copy.source, copy.origin, copy.destination, code) for copy, code in saved.rows],
        sources=[
            _SourceShape(s.image, s.region, s.name, s.size_mb, list(s.snapshots), s.created)
            for s in saved.sources
        ],
    )
    parts = asdict(shape)
    parts["checksum"] = _checksum(parts)
    return json.dumps(parts) + "\n"


def _checksum(parts: dict[str, object]) -> str:
    """Sum up everything but the checksum itself."""
    rest = {name: part for name, part in parts.items() if name != "checksum"}
    return sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def saved_from_json(text: bytes, file: str) -> SavedPlan:
    """Read a saved plan; `file` is its name. Raises UsageError for one that is not as it was written."""
    try:
        shape = _reader().validate_json(text)
        looked_at = from_iso(shape.looked_at)
        sound = shape.checksum == _checksum(asdict(shape))
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        raise UsageError(f"{file}: this saved plan is not as it was written. {_AGAIN}")
    if shape.saved_plan != VERSION:
        raise UsageError(f"{file}: a saved plan of version {shape.saved_plan}, known is {VERSION}. {_AGAIN}")
    return SavedPlan(
        file=shape.plan,
        digest=shape.plan_digest,
        endpoint=shape.endpoint,
        looked_at=looked_at,
        rows=tuple(SavedRow(_copy(each), each.code) for each in shape.copies),
        sources=tuple(map(_source, shape.sources)),
    )


def _copy(shape: _CopyShape) -> Copy:
    """Read one copy."""
    return Copy(ImageId(shape.source_image), Region(shape.source_region), Region(shape.destination_region))


def _source(shape: _SourceShape) -> KnownSource:
    """Read one source."""
    return KnownSource(
        ImageId(shape.image),
        Region(shape.region),
        shape.name,
        shape.size_mb,
        tuple(shape.snapshots),
        shape.created,
    )
