"""The words of `orchestrator plan`: a thousand copies fit a screen, trouble comes first; prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator.core.diff import CODES, Basis, Code, Diff, Effect, Effort, Need, Row, SourceLook
from orchestrator.core.model import Region
from orchestrator.watch.summary import MOST
from orchestrator.watch.text import clean, columns, some, spaced, span

_ORDER = (Effect.STOPS, Effect.DECIDES, Effect.SENDS, Effect.FOLLOWS, Effect.DONE)
"""What somebody must look at comes first."""

_HEADS: dict[Effect, str] = {
    Effect.STOPS: "blocked",
    Effect.DECIDES: "decided by the run",
    Effect.SENDS: "to copy",
    Effect.FOLLOWS: "under way",
    Effect.DONE: "there",
}
_NAMED = (Effect.STOPS, Effect.DECIDES)
_BASES: dict[Basis, str] = {
    Basis.HISTORY: "by what earlier copies took",
    Basis.OTHER_ROUTES: "by what copies between other regions took",
    Basis.ASSUMED: "assumed: no copy was ever seen to end",
}


def plan_lines(diff: Diff, *, every: bool = False) -> list[str]:
    """Tell what a run would do: the counts, a group for each code, quotas, cost; `every` lists each copy."""
    lines = [_head(diff)]
    if diff.running is not None:
        lines.append(f"note: run {clean(diff.running)} is going on; this is how things stand at this moment")
    lines += _every(diff) if every else _groups(diff)
    lines += _quotas(diff.needs)
    lines += _sources(diff.sources, every=every)
    lines.append(_in_all(diff))
    if diff.unread:
        lines.append("incomplete: not every region gave an answer; plan again before you rely on it")
    return lines


def _head(diff: Diff) -> str:
    """Count everything in one line."""
    counts = Counter(CODES[row.code].effect for row in diff.rows)
    said = [f"{counts[effect]} {_HEADS[effect]}" for effect in _ORDER if counts[effect]]
    return f"{clean(diff.plan)}: {some(len(diff.rows), 'copy', 'copies')} wanted: {', '.join(said)}"


def _groups(diff: Diff) -> list[str]:
    """Describe each code that occurs, in the order of what it asks of people."""
    by_code: dict[Code, list[Row]] = {}
    for row in diff.rows:
        by_code.setdefault(row.code, []).append(row)
    ordered = sorted(by_code, key=lambda code: (_ORDER.index(CODES[code].effect), -len(by_code[code]), code))
    return [line for code in ordered for line in _group(code, by_code[code])]


def _group(code: Code, rows: Sequence[Row]) -> list[str]:
    """Describe the copies of one code: counted by destination, the troublesome ones by name too."""
    meaning = CODES[code]
    head = f"{_HEADS[meaning.effect]}: {some(len(rows), 'copy', 'copies')}, {meaning.says} ({code.value})"
    if code is Code.BLOCKED_QUOTA:
        lines = _by_room(rows)
    elif meaning.effect in _NAMED:
        lines = _by_source(rows)
    else:
        lines = [f"  {_by_region(row.copy.destination for row in rows)}"]
    advice = [f"  what to do: {meaning.advice}"] if meaning.advice else []
    return [head, *lines, *advice]


def _by_region(regions: Iterable[Region]) -> str:
    """Count by destination: `8 to cn-east-2, 3 to cn-south-1`."""
    counted = Counter(regions)
    return ", ".join(f"{number} to {clean(region)}" for region, number in counted.most_common())


def _by_room(rows: Sequence[Row]) -> list[str]:
    """Count what a destination has no room for; its numbers are the same for each copy."""
    counted = Counter((row.copy.destination, row.detail) for row in rows)
    return [
        f"  {number} to {clean(region)}{f': {clean(detail)}' if detail else ''}"
        for (region, detail), number in counted.most_common()
    ]


def _by_source(rows: Sequence[Row]) -> list[str]:
    """Name the sources with what was said of them; where many are meant, the first and a count."""
    sources: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        sources.setdefault((row.copy.source, row.detail), []).append(row)
    lines = [
        f"  {clean(source)} to {', '.join(clean(row.copy.destination) for row in group)}"
        f"{f': {clean(detail)}' if detail else ''}"
        for (source, detail), group in list(sources.items())[:MOST]
    ]
    rest = len(sources) - MOST
    return [*lines, f"  and {some(rest, 'more image')}; --all names every copy"] if rest > 0 else lines


def _every(diff: Diff) -> list[str]:
    """List every copy in the plan's order: its code, and what was said."""
    table = [
        (row.code.value, spaced(row.copy), clean(row.image or ""), clean(row.detail)) for row in diff.rows
    ]
    return columns(table)


def _quotas(needs: Sequence[Need]) -> list[str]:
    """Hold the needs of each destination against its quotas."""
    return [_quota(need) for need in needs]


def _quota(need: Need) -> str:
    """Write one destination: `cn-east-2 needs 12 images, 18 snapshots; free 9, 40: 9 of 12 fit`."""
    free = ", ".join(
        "unknown" if number is None else str(number) for number in (need.free_images, need.free_snapshots)
    )
    needed = f"{some(need.images, 'image')}, {some(need.snapshots, 'snapshot')}"
    fits = f": {need.fit} of {need.images} fit" if need.fit < need.images else ""
    return f"quota: {clean(need.region)} needs {needed}; free {free}{fits}"


def _sources(sources: Sequence[SourceLook], *, every: bool) -> list[str]:
    """Say how many sources were looked at; with `every`, what each looks like."""
    shown = [look for look in sources if look.sighting is not None]
    if not sources:
        return []
    missing = len(sources) - len(shown)
    line = f"sources: {len(shown)} looked at" + (f", {missing} not shown" if missing else "")
    if not every:
        return [line]
    head = ("source", "region", "status", "root device", "from", "encrypted", "snapshots", "MB", "name")
    return [line, *columns([head, *(_source(look) for look in sources)], right=frozenset((6, 7)))]


def _source(look: SourceLook) -> tuple[str, ...]:
    """Write one source as a row."""
    seen, where = look.sighting, (clean(look.image), clean(look.region))
    if seen is None:
        return (*where, "not shown" if look.read else "not read", "", "", "", "", "", "")
    size = "?" if seen.size_mb is None else str(seen.size_mb)
    traits = (seen.status, seen.root_device, seen.image_source, "yes" if seen.encrypted else "no")
    return (*where, *map(clean, traits), str(len(seen.snapshots)), size, clean(seen.name))


def _in_all(diff: Diff) -> str:
    """Say what is sent: the copies to make, and one call for each source that is not shown."""
    hidden = {(row.copy.origin, row.copy.source) for row in diff.rows if row.code is Code.SOURCE_MISSING}
    parts = [_effort(diff.effort)] if diff.effort.chunks else []
    if hidden:
        besides = "besides " if parts else ""
        parts.append(f"{besides}{some(len(hidden), 'call')} for {some(len(hidden), 'source')} not shown")
    return f"in all: {'; '.join(parts) or _nothing(len(diff.having(Effect.DECIDES)))}"


def _nothing(undecided: int) -> str:
    """Say that nothing is sent, or only what the run decides on."""
    if not undecided:
        return "nothing is to be sent"
    return f"nothing is sure to be sent; the run decides on {some(undecided, 'copy', 'copies')}"


def _effort(effort: Effort) -> str:
    """Say what the copies to make cost: calls, gigabytes, time."""
    copies = sum(len(chunk.copies) for chunk in effort.chunks)
    said = f"{some(copies, 'copy', 'copies')} in {some(len(effort.chunks), 'call')}"
    moved = f"{effort.moved_mb / 1024:.1f} GB to move"
    if effort.unsized:
        moved += f" and {some(effort.unsized, 'copy', 'copies')} of unknown size"
    return f"{said}, {moved}, about {span(effort.takes_s, spoken=True)} ({_BASES[effort.basis]})"
