"""The data that the page's own script draws from: a story as compact JSON that is safe inside HTML. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable

from orchestrator.core.model import CallId, State
from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.report.flat import failures_first
from orchestrator.report.story import CallStory, Spell, Story
from orchestrator.watch.text import clean

SPELLS_MAX = 40
"""Most spells of one copy that are drawn: its first and its latest. A stormy night has many, all alike."""

STATES = (State.FAILED, State.DOUBTFUL, State.WAITING, State.CALLING, State.COPYING, State.READY)
"""In the order in which they ask for attention."""

_STATE = {state: number for number, state in enumerate(STATES)}

Item = str | int | float | None | list["Item"]


class _Table:
    """Gives each row a number, so that what repeats is written once."""

    def __init__(self) -> None:
        self.rows: list[Item] = []
        self._places: dict[tuple[str, ...], int] = {}

    def place(self, *row: str) -> int:
        """Return the number of a row, new or known."""
        if row not in self._places:
            self._places[row] = len(self.rows)
            self.rows.append([clean(cell) for cell in row] if len(row) > 1 else clean(row[0]))
        return self._places[row]


def payload(story: Story) -> str:
    """Write the data in ASCII; no character of it can end a script element or begin a comment.

    Offsets are seconds since the run's start.
    """
    images, regions, reasons = _Table(), _Table(), _Table()
    calls = {call.call: number for number, call in enumerate(story.calls)}
    copies: list[Item] = [
        [
            images.place(copy.copy.source, copy.name, copy.family, copy.copy.origin),
            regions.place(copy.copy.destination),
            _STATE[copy.standing.state],
            _reason(reasons, copy.standing.reason),
            clean(copy.standing.detail),
            clean(copy.standing.image or ""),
            _calls(copy.calls, calls),
            _spells(copy.spells, story.started_at, reasons),
            [clean(f"{image} ({region})") for region, image in copy.lineage],
        ]
        for copy in failures_first(story.copies)
    ]
    shape: dict[str, Item] = {
        "start": story.started_at,
        "length": round(max(1.0, story.until - story.started_at), 1),
        "calls": [_call(call, story.started_at, reasons) for call in story.calls],
        "copies": copies,
        "states": [state.value for state in STATES],
        "images": images.rows,
        "regions": regions.rows,
        "reasons": reasons.rows,
    }
    return _harmless(json.dumps(shape, separators=(",", ":")))


def _harmless(text: str) -> str:
    """Write what has a meaning in HTML as JSON's own escapes; it only ever stands inside strings."""
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _reason(reasons: _Table, reason: Reason) -> int:
    meaning = MEANINGS[reason]
    return reasons.place(reason.value, meaning.says, meaning.advice)


def _calls(named: Iterable[CallId], numbers: dict[CallId, int]) -> list[Item]:
    known: list[Item] = [numbers[call] for call in named if call in numbers]
    return known[-SPELLS_MAX:]


def _spells(spells: tuple[Spell, ...], start: float, reasons: _Table) -> list[Item]:
    """Lay spells out flat: state, seconds since the start, reason, and again."""
    kept = spells if len(spells) <= SPELLS_MAX else (spells[0], *spells[1 - SPELLS_MAX :])
    flat: list[Item] = []
    for spell in kept:
        flat += [_STATE[spell.state], round(max(0.0, spell.since - start), 1), _reason(reasons, spell.reason)]
    return flat


def _call(call: CallStory, start: float, reasons: _Table) -> Item:
    answered = None if call.answered_at is None else round(call.answered_at - start, 1)
    reason = None if call.reason is None else _reason(reasons, call.reason)
    said, request = clean(call.detail), clean(call.request)
    where = [clean(call.origin), clean(call.destination)]
    return [clean(call.call), round(call.at - start, 1), answered, *where, call.answer, reason, said, request]
