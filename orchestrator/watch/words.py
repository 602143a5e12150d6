"""A log line's fields as one sentence for people; every foreign word comes out harmless, nothing raises."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.core.reasons import MEANINGS, Meaning, Reason
from orchestrator.watch.text import again, clean, some, span

Line = Mapping[str, object]

SENTENCES: dict[str, str] = {
    "run.begun": "the ledger holds the run of plan {plan}",
    "run.planned": "the run wants {some_copies} of {some_sources} in {destinations}",
    "doubt.settled": "a person says that the copy in {destination_region} was {status}",
    "ledger.compacted": "a compaction kept {copies} copies, {sources} sources, {calls} calls",
    "run.ended": "the ledger holds the run's end: {verdict}, exit code {exit_code}",
    "call.sent": "call {call} asks {source_region} to copy {some_images} to {destination_region}: {images}",
    "images.selected": "replication {replication} selects {images} in {source_region} ({selector})",
    "image.pruned": "{destination_image} in {destination_region}: {why}",
    "copy.labelled": "{destination_image} in {destination_region}, to be called {name}: {why}",
    "copy.verified": "{destination_image} in {destination_region} was compared with {source_image}",
    "call.accepted": "call {call} was accepted and makes {some_copies}: {images}",
    "call.refused": "call {call} was refused, nothing was made: {why}",
    "call.lost": "call {call} was lost, nobody knows what it made: {why}",
    "sources.inspected": "{source_region} shows {found} of {asked} source images",
    "listing.page": "{destination_region} lists {shown} of its {total} images on page {page}",
    "quota.read": "{destination_region} uses {used} of {limit} in its {resource} quota",
    "look.done": "{destination_region} shows {found} of {asked} copies under way: {statuses}",
    "image.checked": "{destination_image} in {destination_region} is {status}",
    "read.unanswered": "{destination_region} did not answer ({read}): {why}",
    "copy.waiting": "{copied}: {why}",
    "copy.calling": "{copied}: {why}",
    "copy.doubtful": "{copied}: in doubt, {why}",
    "copy.copying": "{copied}: {why}",
    "copy.ready": "{copied}: {why}",
    "copy.failed": "{copied}: failed, {why}",
    "run.started": "run {run} started with plan {plan}",
    "run.settings": "settings: {settings}",
    "run.heartbeat": "still running: {counts}",
    "run.signal": "asked to stop by {signal}; what is under way goes on in the cloud",
    "run.finished": "run {run} finished: {verdict}, exit code {exit_code}; {counts}; it took {took}",
    "copies.deferred": "{destination_region} has room for {some_fit}, {deferred} deferred",
    "message.unsent": "a message could not be sent ({kind}): {trouble}",
    "report.failed": "the report could not be written: {error}",
    "library": "{logger} says: {message}",
    "log.gap": "{some_lines} before this one could not be written: {error}",
}
"""Event name -> its sentence; the names in braces are fields, or words made of fields, see `_MADE`."""

_MOST_ITEMS = 12


def sentence(name: str, line: Line) -> str:
    """Say in one sentence what a line of this name tells; an unknown name lists its fields."""
    template = SENTENCES.get(name)
    if template is None:
        return _plainly(name, line)
    parts = [template.format_map(_Words(line)), *_extras(line)]
    return "; ".join(part for part in parts if part)


def meaning_of(code: object) -> Meaning | None:
    """Look a reason code up; None for one that this version does not know."""
    return MEANINGS[Reason(code)] if isinstance(code, str) and code in _CODES else None


_CODES = frozenset(reason.value for reason in Reason)


class _Words(dict[str, str]):
    """The fields of a line as harmless words, made when a template asks for them."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def __missing__(self, key: str) -> str:
        made = _MADE.get(key)
        return made(self._line) if made else _word(self._line.get(key))


def _word(value: object) -> str:
    """Write one value: lists with commas, mappings as `3 ready`, nothing as a question mark."""
    if value is None or value == "":
        return "?"
    if isinstance(value, Mapping):
        return _listed([_pair(key, held) for key, held in value.items()])
    if isinstance(value, list | tuple):
        return _listed([clean(str(item)) for item in value])
    return clean(str(value))


def _pair(key: object, value: object) -> str:
    """Write a count as `3 ready`, any other setting as `name = value`."""
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value} {clean(str(key))}"
    return f"{clean(str(key))} = {clean(str(value))}"


def _listed(items: list[str]) -> str:
    """Join the first items and count the rest."""
    more = len(items) - _MOST_ITEMS
    return ", ".join(items[:_MOST_ITEMS]) + (f" and {more} more" if more > 0 else "")


def _copied(line: Line) -> str:
    """Name the copy: `img-a to cn-east-2`."""
    return f"{_word(line.get('source_image'))} to {_word(line.get('destination_region'))}"


def _why(line: Line) -> str:
    """Give the reason as a clause, or its code when this version does not know it."""
    meaning = meaning_of(line.get("reason"))
    return meaning.says if meaning else _word(line.get("reason"))


def _took(line: Line) -> str:
    """Write how long something took."""
    took = line.get("took_s")
    return span(took, spoken=True) if isinstance(took, int | float) else "?"


def _some(key: str, noun: str, plural: str) -> Callable[[Line], str]:
    """Make the word that counts something: `1 image`, `3 images`."""

    def say(line: Line) -> str:
        number = line.get(key)
        return some(number, noun, plural) if isinstance(number, int) else f"{_word(number)} {plural}"

    return say


_MADE: dict[str, Callable[[Line], str]] = {
    "copied": _copied,
    "why": _why,
    "took": _took,
    "some_copies": _some("copies", "copy", "copies"),
    "some_fit": _some("fit", "copy", "copies"),
    "some_images": _some("copies", "image", "images"),
    "some_sources": _some("sources", "image", "images"),
    "some_lines": _some("lost_lines", "line", "lines"),
}


def _extras(line: Line) -> list[str]:
    """Say what only some lines know: carriers, the new image, the culprit, the cloud's words, the wait."""
    name = line.get("event")
    meaning = meaning_of(line.get("reason"))
    found: list[str] = []
    if line.get("carriers"):
        found.append(f"carried by {_word(line['carriers'])}")
    if line.get("carrier"):
        found.append(f"made of {_word(line['carrier'])} in {_word(line.get('via'))}")
    if line.get("destination_image") and "destination_region" in line and line.get("copy"):
        found.append(f"it is {_word(line['destination_image'])} there")
    if name == "call.refused" and line.get("source_image"):
        found.append(f"the answer names {_word(line['source_image'])}")
    if line.get("differs"):
        found.append(f"it differs in {_word(line['differs'])}")
    if line.get("missing"):
        found.append(f"missing: {_word(line['missing'])}")
    if line.get("detail"):
        found.append(f'details: "{_word(line["detail"])}"')
    if line.get("short"):
        found.append(f"short of {_short(line['short'])}")
    if isinstance(wait := line.get("wait_s"), int | float):
        found.append(again(wait, spoken=True))
    if line.get("level") == "error" and meaning and meaning.advice:
        found.append(f"what to do: {meaning.advice}")
    return found


def _short(lacks: object) -> str:
    """Write by how much quotas fall short: `1 image, 3 snapshots`."""
    if not isinstance(lacks, Mapping):
        return _word(lacks)
    pairs = ((str(key), value) for key, value in lacks.items())
    return ", ".join(
        f"{_word(value)} {clean(key.removesuffix('s') if value == 1 else key)}" for key, value in pairs
    )


def _plainly(name: str, line: Line) -> str:
    """List the fields of a line from a newer version."""
    known = ("schema", "ts", "level", "event", "run")
    pairs = (f"{clean(key)} {_word(value)}" for key, value in line.items() if key not in known and value)
    return ": ".join(part for part in (clean(name), ", ".join(pairs)) if part)
