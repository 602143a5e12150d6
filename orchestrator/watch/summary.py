"""The words at the end of a run: the verdict, what failed, what waits, and what it took; prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from orchestrator.core.model import State
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.core.verdict import Counts, Result, Standing, Verdict
from orchestrator.watch.result import result_from_json, result_json
from orchestrator.watch.text import clean, some, spaced, span

__all__ = ["calls_line", "counts_text", "pending_lines", "result_from_json", "result_json",
           "summary_lines", "trouble_lines", "verdict_text"]  # fmt: skip

MOST = 10
"""Most copies that a group names one by one."""

_ENDS: dict[Verdict, str] = {
    Verdict.OK: "",
    Verdict.PARTIAL: "",
    Verdict.FAILED: "",
    Verdict.DEADLINE: "the deadline came first, the next run goes on with the rest",
    Verdict.INTERRUPTED: "the run was stopped, the next run goes on from there",
    Verdict.CREDENTIALS: "the cloud refused the credentials, nothing more was sent; what to do: "
    + MEANINGS[Reason.CREDENTIALS].advice,
}
_PENDING = (State.DOUBTFUL, State.WAITING, State.CALLING, State.COPYING)
_WORDS = {State.DOUBTFUL: "in doubt"}


def summary_lines(result: Result, log_path: Path | None) -> list[str]:
    """Tell how a run ended: verdict, failures, the rest with its reasons, counts and calls, the log."""
    lines = [verdict_text(result), *stranger_lines(result), *notice_lines(result)]
    lines += [*trouble_lines(result.copies), *pending_lines(result.copies)]
    took = span(result.finished_at - result.started_at)
    lines.append(f"{counts_text(result.counts)}; it took {took}; {calls_line(result.calls)}")
    if log_path is not None:
        lines.append(f"log: {clean(str(log_path), 4096)}")
    return lines


def stranger_lines(result: Result) -> list[str]:
    """Name images that carry our mark and that the ledger does not know: a person must look at them."""
    says = "carries our mark, but the ledger does not know it; delete it if it is not needed"
    return [f"  {clean(image)} in {clean(region)} {says}" for region, image in result.strangers]


def notice_lines(result: Result) -> list[str]:
    """Say what no copy's state tells: the first few of each kind, and how many more."""
    kinds: dict[str, list[str]] = {}
    for notice in result.notices:
        kinds.setdefault(notice.kind, []).append(clean(notice.says, 400))
    lines: list[str] = []
    for kind, says in kinds.items():
        lines += [f"  {kind}: {each}" for each in says[:MOST]]
        lines += [f"  and {len(says) - MOST} more"] if len(says) > MOST else []
    return lines


def verdict_text(result: Result) -> str:
    """Say the verdict in one sentence."""
    counts, end = result.counts, _ENDS[result.verdict]
    said = f"{result.verdict.value}: {counts.ready} of {some(counts.wanted, 'copy', 'copies')} ready"
    if result.verdict is Verdict.OK:
        copied = "" if result.calls.get("copyImages") else ", nothing had to be copied"
        return f"{said}{copied}"
    rest = [f"{counts.failed} failed"] if counts.failed else []
    rest += [f"{counts.pending} not done"] if counts.pending else []
    return "; ".join(part for part in (", ".join([said, *rest]), end) if part)


def trouble_lines(copies: Iterable[Standing]) -> list[str]:
    """List what failed, the largest group first, each group with its reason and what to do."""
    return _grouped([standing for standing in copies if standing.state is State.FAILED])


def pending_lines(copies: Iterable[Standing]) -> list[str]:
    """List what is neither ready nor failed: what is in doubt first, then what waits and why."""
    rest = [standing for standing in copies if standing.state in _PENDING]
    lines: list[str] = []
    for state in _PENDING:
        lines += _grouped([standing for standing in rest if standing.state is state])
    return lines


def counts_text(counts: Counts) -> str:
    """Write the counts: `360 wanted, 350 ready, 3 failed, 7 pending`."""
    named = (("wanted", counts.wanted), ("ready", counts.ready), ("failed", counts.failed))
    return ", ".join(f"{number} {name}" for name, number in (*named, ("pending", counts.pending)))


def calls_line(calls: Mapping[str, int]) -> str:
    """Write how often which method was called."""
    named = ", ".join(f"{clean(method)} {number}" for method, number in sorted(calls.items()) if number)
    return f"calls: {named or 'none'}"


def _grouped(copies: Sequence[Standing]) -> list[str]:
    """Group copies of one state by reason, the largest group first."""
    groups: dict[Reason, list[Standing]] = {}
    for standing in copies:
        groups.setdefault(standing.reason, []).append(standing)
    lines: list[str] = []
    for reason, group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        lines += _group(reason, group)
    return lines


def _group(reason: Reason, group: Sequence[Standing]) -> list[str]:
    """Describe one group; copies that merely take their course, or find no room, are counted, not named."""
    meaning, state = MEANINGS[reason], group[0].state
    word = _WORDS.get(state, state.value)
    head = f"{word}: {some(len(group), 'copy', 'copies')}, {meaning.says} ({reason.value})"
    if meaning.nature is Nature.NORMAL:
        return [head]
    counts = meaning.nature is Nature.QUOTA and len(group) > 1
    lines = [head, *(_by_room(group) if counts else _by_name(group))]
    return [*lines, f"  what to do: {meaning.advice}"] if meaning.advice else lines


def _by_name(group: Sequence[Standing]) -> list[str]:
    """Name the first copies of a group and count the others."""
    lines = [f"  {_named(standing)}" for standing in group[:MOST]]
    return [*lines, f"  and {_counted(group[MOST:])}"] if len(group) > MOST else lines


def _by_room(group: Sequence[Standing]) -> list[str]:
    """Count a group by destination; what a destination has no room for has the same numbers for each copy."""
    counted = Counter((standing.copy.destination, standing.detail) for standing in group)
    return [
        f"  {number} to {clean(region)}{f': {clean(detail)}' if detail else ''}"
        for (region, detail), number in counted.most_common()
    ]


def _named(standing: Standing) -> str:
    """Name one copy, with the image that exists, what carried it and what the cloud said."""
    image = f" ({clean(standing.image)})" if standing.image else ""
    if standing.carrier and standing.via:
        image += f" made of {clean(standing.carrier)} in {clean(standing.via)}"
    said = f": {clean(standing.detail)}" if standing.detail else ""
    return f"{spaced(standing.copy)}{image}{said}"


def _counted(rest: Sequence[Standing]) -> str:
    """Count what is not named, by destination."""
    regions = Counter(standing.copy.destination for standing in rest)
    where = ", ".join(f"{number} to {clean(region)}" for region, number in regions.most_common())
    return f"{len(rest)} more: {where}"
