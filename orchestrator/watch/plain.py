"""A run as plain lines, one per change, readable aloud and in a mail; decides nothing, prints nothing."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.core.messages import Change
from orchestrator.core.model import State
from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.core.verdict import Overview
from orchestrator.watch.text import again, clean, clock_text, spaced, span

_SELF_EVIDENT = frozenset({Reason.QUEUED, Reason.CALLED, Reason.ACCEPTED, Reason.COPIED})
_WORDS = {State.FAILED: "FAILED", State.DOUBTFUL: "in doubt"}


def change_line(change: Change, took_s: float | None = None) -> str:
    """Write a change: `03:12:07Z img-x cn-north-1 > cn-east-2 ready after 12m (img-y)`."""
    meaning = MEANINGS[change.reason]
    head = [clock_text(change.at), spaced(change.copy), _WORDS.get(change.after, change.after.value)]
    if took_s is not None and change.after is State.READY:
        head.append(f"after {span(took_s)}")
    if change.image:
        head.append(f"({clean(change.image)})")
    tail = [] if change.reason in _SELF_EVIDENT else [meaning.says]
    if change.carrier and change.via:
        tail.append(f"made of {clean(change.carrier)} in {clean(change.via)}")
    if change.detail:
        tail.append(f'"{clean(change.detail)}"')
    if change.after is State.WAITING and change.until is not None and change.until > change.at:
        tail.append(again(change.until - change.at))
    if change.after in (State.FAILED, State.DOUBTFUL) and meaning.advice:
        tail.append(f"what to do: {meaning.advice}")
    return " ".join(head) + (f": {'; '.join(tail)}" if tail else "")


def heartbeat_line(now: float, overviews: Sequence[Overview]) -> str:
    """Write how far the run is: totals, then what holds a destination up.

    `03:15:00Z 40 of 120 ready, 8 copying, 70 waiting, 2 failed; about 12m to go`.
    """
    ready, under_way = count(overviews, State.READY), count(overviews, State.COPYING, State.CALLING)
    parts = [f"{ready} of {count(overviews, *State)} ready", f"{under_way} copying"]
    parts.append(f"{count(overviews, State.WAITING)} waiting")
    for state, word in ((State.DOUBTFUL, "in doubt"), (State.FAILED, "failed")):
        if number := count(overviews, state):
            parts.append(f"{number} {word}")
    etas = [view.eta_s for view in overviews if view.eta_s is not None]
    notes = [f"{clean(view.region)}: {clean(view.note)}" for view in overviews if view.note]
    about = [f"about {span(max(etas))} to go"] if etas else []
    return f"{clock_text(now)} {'; '.join([', '.join(parts), *about, *notes])}"


def count(overviews: Sequence[Overview], *states: State) -> int:
    """Count the copies of all destinations that are in one of these states."""
    return sum(view.states.get(state, 0) for view in overviews for state in states)
