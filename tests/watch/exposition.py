"""A checker of Prometheus's text format and of the rules that `promtool check metrics` holds names to."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_SAMPLE = re.compile(r"(?P<name>[a-zA-Z_]\w*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)")
_LABEL = re.compile(r'(?P<key>[a-zA-Z_]\w*)="(?P<text>(?:[^"\\\n]|\\[\\"n])*)"(?:,|$)')
_FOREIGN_UNITS = re.compile(r"(milliseconds|minutes|hours|days|kilobytes|megabytes|_ms|_mb|_mins)\b")
_TYPES = ("gauge", "counter", "histogram", "summary", "untyped")
_OTHERS = ("_total", "_count", "_sum", "_bucket", "_created")
"""Endings that a gauge must not have."""

Labels = tuple[tuple[str, str], ...]
Values = dict[tuple[str, Labels], float]


def read(text: str) -> tuple[Values, list[str]]:
    """Read a text into its values, and say everything that is wrong with it."""
    values: Values = {}
    complaints = [] if text.endswith("\n") else ["the last line does not end"]
    helped, typed, current = set[str](), dict[str, str](), ""
    for line in text.split("\n")[:-1]:
        if line.startswith(("# HELP ", "# TYPE ")):
            _, word, name, rest = line.split(" ", 3)
            complaints += _head(word, name, rest, helped, typed, list(values))
            current = name
            continue
        found = _SAMPLE.fullmatch(line)
        if found is None:
            complaints.append(f"no sample: {line!r}")
            continue
        name, labels = found["name"], _labels(found["labels"] or "")
        if name != current or name not in typed:
            complaints.append(f"{name} stands among the samples of {current}")
        if labels is None or (name, labels) in values:
            complaints.append(f"labels are wrong, or stand here twice: {line!r}")
            continue
        values[name, labels] = float(found["value"])
    return values, [*complaints, *(f"{name} has no HELP" for name in typed if name not in helped)]


def _head(
    word: str, name: str, rest: str, helped: set[str], typed: dict[str, str], before: list[tuple[str, Labels]]
) -> Iterator[str]:
    """Take in a line of HELP or TYPE, and say what is wrong with it."""
    if any(known == name for known, _ in before):
        yield f"{name}: {word} comes after its samples"
    if word == "HELP":
        if name in helped or not rest.strip():
            yield f"{name}: HELP twice, or empty"
        helped.add(name)
        return
    if name in typed or rest not in _TYPES:
        yield f"{name}: TYPE twice, or {rest!r}"
    typed[name] = rest
    if rest == "gauge" and name.endswith(_OTHERS):
        yield f"{name}: a gauge must not end like that"
    if rest == "counter" and not name.endswith("_total"):
        yield f"{name}: a counter must end in _total"
    if not _NAME.fullmatch(name) or name != name.lower() or _FOREIGN_UNITS.search(name):
        yield f"{name}: not in base units and snake_case"
    if "timestamp" in name and not name.endswith("_timestamp_seconds"):
        yield f"{name}: a time must end in _timestamp_seconds"


def _labels(text: str) -> Labels | None:
    """Read the labels of a sample; None for what is none, or stands there twice."""
    pairs, at = [], 0
    while at < len(text):
        found = _LABEL.match(text, at)
        if found is None or found["key"].startswith("__"):
            return None
        pairs.append((found["key"], re.sub(r"\\(.)", lambda m: {"n": "\n"}.get(m[1], m[1]), found["text"])))
        at = found.end()
    return tuple(sorted(pairs)) if len({key for key, _ in pairs}) == len(pairs) else None
