"""What `prune` shows: what may go, why the rest stays, and each deletion; prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from orchestrator.core.reasons import MEANINGS, Reason
from orchestrator.core.retention import SAYS, Doom
from orchestrator.core.upkeep import Pruned
from orchestrator.watch.text import clean, columns, some, well_formed

_HEAD = ("region", "family", "image", "name", "made", "why")


def prune_lines(dooms: Sequence[Doom], *, applied: bool) -> list[str]:
    """Name each image that may go, count the others by the rule that keeps them."""
    going = [doom for doom in dooms if doom.goes]
    lines = columns([_HEAD, *map(_row, going)]) if going else ["nothing may go"]
    kept = Counter((doom.held.region, doom.fate) for doom in dooms if not doom.goes)
    for (region, fate), number in sorted(kept.items()):
        lines.append(f"stays in {clean(region)}: {some(number, 'image')}, {SAYS[fate]} ({fate.value})")
    if going and not applied:
        lines.append(f"{some(len(going), 'image')} may go; nothing was deleted. --apply deletes.")
    return lines


def prune_shape(dooms: Iterable[Doom]) -> dict[str, object]:
    """Give every image with its fate, for JSON."""
    return {"version": 1, "images": [_shape(doom) for doom in dooms]}


def told(event: Pruned) -> str:
    """Say what came of one deletion."""
    where = f"{clean(event.image)} in {clean(event.region)}"
    if event.reason is Reason.PRUNED:
        return f"deleted: {where}"
    meaning = MEANINGS[event.reason]
    advice = f"; what to do: {meaning.advice}" if meaning.advice else ""
    said = f" ({clean(event.detail)})" if event.detail else ""
    return f"still there: {where}, {meaning.says}{said}{advice}"


def _row(doom: Doom) -> tuple[str, ...]:
    """Write one image that may go."""
    held = doom.held
    shown = held.sighting
    made = shown.created or "-"
    return (
        clean(held.region), clean(held.family), clean(shown.image), clean(shown.name), clean(made),
        SAYS[doom.fate],
    )  # fmt: skip


def _shape(doom: Doom) -> dict[str, object]:
    """Write one image."""
    held = doom.held
    return {
        "region": held.region,
        "image": held.sighting.image,
        "name": well_formed(held.sighting.name),
        "family": well_formed(held.family),
        "created": well_formed(held.sighting.created),
        "source_region": held.copy.origin if held.copy else None,
        "source_image": held.copy.source if held.copy else None,
        "fate": doom.fate.value,
        "goes": doom.goes,
    }
