"""Strict JSON with a cursor: every complaint names the place. Pure; it knows no field of the cloud.

What `json` takes in silence is refused here: duplicate keys, NaN and infinities. Deep nesting and
numbers of thousands of digits, which make `json` raise other errors, are complaints like any other.
Very many small values are refused before they are read: each takes thirty times its own length.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from math import isfinite

from orchestrator.cloud.errors import image_id, tidy
from orchestrator.core.model import ImageId

TEXT_MAX = 1024
"""Longest text kept, in characters; the longest documented one, a description, has 256."""

_DIGITS_MAX = 18  # fits a 64-bit integer
_VALUES_MAX = 100_000  # a page of 100 images with sixteen disks each has about 40,000


class Unreadable(Exception):
    """The reply cannot be understood; the message says what was wrong and where."""


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a document and its place."""

    value: object
    where: str = ""

    def at(self, key: str) -> Node:
        """Go to a member of an object; a missing one is null."""
        if not isinstance(self.value, dict):
            raise self.complaint("not an object")
        return Node(self.value.get(key), f"{self.where}.{key}" if self.where else key)

    def has(self, key: str) -> bool:
        """Tell whether an object has a member, be it null."""
        return isinstance(self.value, dict) and key in self.value

    def items(self) -> list[Node]:
        """List the elements of an array; null has none."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.complaint("not an array")
        return [Node(value, f"{self.where}[{index}]") for index, value in enumerate(self.value)]

    def text(self) -> str:
        """Read a text, "" for null; cut to TEXT_MAX, and without halves of surrogate pairs."""
        if self.value is None:
            return ""
        if not isinstance(self.value, str):
            raise self.complaint("not a text")
        return self.value[:TEXT_MAX].encode(errors="replace").decode()

    def count(self) -> int:
        """Read a number of things: an integer from 0."""
        if type(self.value) is not int or self.value < 0:
            raise self.complaint("not a count")
        return self.value

    def image(self) -> ImageId:
        """Read an image id."""
        found = image_id(self.value)
        if found is None:
            raise self.complaint("not an image id")
        return found

    def flag(self) -> bool:
        """Read a yes or no, also where it is written as text; anything else is no."""
        return self.value is True or (isinstance(self.value, str) and self.value.lower() == "true")

    def complaint(self, what: str) -> Unreadable:
        """Make the error that names this place."""
        return Unreadable(f"{self.where or 'the document'}: {what}")


def parse(body: bytes) -> Node:
    """Read a document. Raises Unreadable and nothing else, whatever the bytes."""
    if not body.strip():
        raise Unreadable("an empty body")
    if sum(map(body.count, (b",", b"{", b"["))) > _VALUES_MAX:
        raise Unreadable(f"more than {_VALUES_MAX} values")
    try:
        return Node(_READER.decode(body.decode()))
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except ValueError:  # not UTF-8, or not JSON
        raise Unreadable("not JSON") from None


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Make an object whose keys are all different."""
    made = dict(pairs)
    if len(made) < len(pairs):
        double = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise Unreadable(f"the key {tidy(double)!r} twice in one object")
    return made


def _integer(digits: str) -> int:
    """Read an integer of a sane length."""
    if len(digits) > _DIGITS_MAX:
        raise Unreadable(f"a number of {len(digits)} digits")
    return int(digits)


def _fraction(digits: str) -> float:
    """Read a number with a point or an exponent, which may be too large to be one."""
    number = float(digits)
    if not isfinite(number):
        raise Unreadable(f"a number of {len(digits)} digits")
    return number


def _constant(name: str) -> object:
    """Refuse NaN, Infinity and -Infinity."""
    raise Unreadable(f"{name} is no JSON")


_READER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_fraction, parse_constant=_constant
)
