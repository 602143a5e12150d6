"""The words of `orchestrator cancel` when the run has ended: what goes on without it; prints nothing."""

from __future__ import annotations

from collections import Counter

from orchestrator.core.model import State
from orchestrator.core.verdict import Result
from orchestrator.watch.result import Running
from orchestrator.watch.summary import counts_text, verdict_text
from orchestrator.watch.text import some


def ending_lines(view: Result | Running) -> list[str]:
    """Say how a cancelled run ended, what the cloud goes on with, and what the next run does about it."""
    states = Counter(standing.state for standing in view.copies)
    begun, doubtful = states[State.COPYING], states[State.DOUBTFUL] + states[State.CALLING]
    lines = [verdict_text(view) if isinstance(view, Result) else f"it was killed: {counts_text(view.counts)}"]
    if begun:
        word = some(begun, "copy", "copies")
        goes, adopts = ("goes", "it") if begun == 1 else ("go", "them")
        lines.append(f"{word} that the cloud has begun {goes} on there; the next run adopts {adopts}.")
    if doubtful:
        word, was = some(doubtful, "copy", "copies"), "was" if doubtful == 1 else "were"
        lines.append(f"{word} {was} in calls without an answer; the next run looks before it calls again.")
    if not begun and not doubtful:
        lines.append("Nothing is under way in the cloud.")
    return lines
