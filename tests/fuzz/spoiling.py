"""Spoils bytes and trees by chance. It knows neither plans nor replies: their words are handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(slots=True)
class Items:
    """A list."""

    values: list[Tree]


@dataclass(slots=True)
class Fields:
    """A mapping, whose keys may come twice; a key is a literal as it is written."""

    entries: list[tuple[str, Tree]]


Tree = str | Items | Fields
"""A document; a text is a literal as it is written, quotes included."""


@dataclass(frozen=True, slots=True)
class Words:
    """What a language is full of: literals that may stand for a value, and pieces of its text."""

    values: tuple[str, ...]
    pieces: tuple[bytes, ...]


def grown(value: object, literal: Callable[[object], str]) -> Tree:
    """Make a tree of lists, dictionaries and leaves; `literal` writes leaves and keys."""
    if isinstance(value, dict):
        return Fields([(literal(key), grown(inner, literal)) for key, inner in value.items()])
    if isinstance(value, list):
        return Items([grown(inner, literal) for inner in value])
    return literal(value)


def flow(tree: Tree) -> str:
    """Write a tree in one line, as JSON and YAML both read it."""
    if isinstance(tree, Items):
        return "[" + ", ".join(map(flow, tree.values)) + "]"
    if isinstance(tree, Fields):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in tree.entries) + "}"
    return tree


# --- trees ----------------------------------------------------------------------------------------


def spoil_tree(tree: Tree, words: Words, chance: Random) -> None:
    """Change one to four places of a tree."""
    for _ in range(chance.choice((1, 1, 2, 4))):
        holders = [found for found in _holders(tree) if _size(found)]
        if not holders:
            return
        holder = chance.choice(holders)
        _spoil_place(holder, chance.randrange(_size(holder)), words, chance)


def _holders(tree: Tree) -> list[Items | Fields]:
    """List every list and mapping of a tree."""
    if isinstance(tree, str):
        return []
    inner = tree.values if isinstance(tree, Items) else [value for _, value in tree.entries]
    return [tree, *(found for value in inner for found in _holders(value))]


def _size(holder: Items | Fields) -> int:
    """Count the places of a list or mapping."""
    return len(holder.values) if isinstance(holder, Items) else len(holder.entries)


def _spoil_place(holder: Items | Fields, place: int, words: Words, chance: Random) -> None:
    """Change one place: another value, one more level, twice, gone, many, or under another key."""
    deed = chance.choice(("value", "value", "value", "deeper", "twice", "gone", "many", "key"))
    entries = holder.entries if isinstance(holder, Fields) else [("", value) for value in holder.values]
    key, value = entries[place]
    match deed:
        case "value":
            entries[place] = key, chance.choice(words.values)
        case "deeper":
            entries[place] = (
                key,
                chance.choice((Items([value]), Fields([(chance.choice(words.values), value)]))),
            )
        case "twice":
            entries.insert(chance.randrange(len(entries) + 1), (key, value))
        case "gone":
            del entries[place]
        case "many":
            entries[place:place] = [(key, value)] * chance.choice((2, 11, 120))
        case "key":
            entries[place] = chance.choice((chance.choice(words.values), key[:-1], key + key[-1:])), value
    if isinstance(holder, Items):
        holder.values = [value for _, value in entries]


# --- bytes ----------------------------------------------------------------------------------------


def spoil_bytes(data: bytes, words: Words, chance: Random) -> bytes:
    """Change one to five places of a text."""
    for _ in range(chance.choice((1, 1, 1, 2, 3, 5))):
        data = chance.choice(_DEEDS)(data, words.pieces, chance)
    return data


def _span(data: bytes, chance: Random) -> slice:
    """Choose a part of a text, mostly a short one."""
    start = chance.randrange(len(data) + 1)
    return slice(start, start + chance.choice((1, 1, 2, 4, 16, 64, 10_000)))


def _flip(data: bytes, pieces: Sequence[bytes], chance: Random) -> bytes:
    """Flip one bit."""
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _cut(data: bytes, pieces: Sequence[bytes], chance: Random) -> bytes:
    """Leave a part out."""
    part = _span(data, chance)
    return data[: part.start] + data[part.stop :]


def _repeat(data: bytes, pieces: Sequence[bytes], chance: Random) -> bytes:
    """Say a part again, once or many times, anywhere."""
    part = data[_span(data, chance)][:200]
    at = chance.randrange(len(data) + 1)
    return data[:at] + part * chance.choice((1, 1, 2, 30)) + data[at:]


def _put_in(data: bytes, pieces: Sequence[bytes], chance: Random) -> bytes:
    """Put a piece of the language in, over what is there or between."""
    part = _span(data, chance)
    behind = part.start if chance.random() < 0.7 else part.stop
    return data[: part.start] + chance.choice(pieces) + data[behind:]


def _noise(data: bytes, pieces: Sequence[bytes], chance: Random) -> bytes:
    """Put bytes of pure chance in."""
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.choice((1, 2, 3, 8))) + data[at:]


_DEEDS = (_flip, _flip, _cut, _cut, _repeat, _put_in, _put_in, _put_in, _noise)
