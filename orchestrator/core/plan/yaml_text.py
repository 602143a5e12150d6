"""YAML text -> a tree: every scalar is text, every part knows its place. It gives nothing a meaning.

The tree is built from the parser's events, not by recursion, so no nesting can exhaust the stack;
what YAML can do and a plan must not (anchors, aliases, merge keys, tags, duplicate keys, several
documents, deep nesting) is complained of here, with its place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from orchestrator.core.plan.complaints import START, Page, Place, shown
from orchestrator.core.plan.decode import places

ROOT = "plan"
"""The path of the whole document in complaints."""

DEPTH_MAX = 12
VALUES_MAX = 1_000_000
"""Most lists, mappings and texts in one file. A plan within 8 MiB that is right cannot reach it."""

Loader = type[yaml.BaseLoader] | type[yaml.CBaseLoader]
PURE_LOADER: Loader = yaml.BaseLoader
LOADER: Loader = yaml.CBaseLoader if yaml.__with_libyaml__ else PURE_LOADER
"""libyaml's parser where PyYAML has it (several times as fast), else PyYAML's own.

They agree but for a few oddities that only the latter refuses, as tabs within a line."""

_DIRECTIVE = re.compile(r"(?:\A|(?<=[\r\n]))%[^\r\n]*")


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar as it was written. `plain` means without quotes."""

    place: Place
    value: str
    plain: bool


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    place: Place
    values: list[Node]


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping: unique keys, each with where it stands and its value, in order."""

    place: Place
    entries: dict[str, tuple[Place, Node]]


@dataclass(frozen=True, slots=True)
class Hole:
    """Where an alias stood, which was complained of already."""

    place: Place


Node = Text | Items | Fields | Hole


class _Mark(Protocol):
    """What both parsers call a place: character, line and column, each from 0."""

    index: int
    line: int
    column: int


class _Done(Exception):
    """The rest of the text is not looked at; the complaint was made."""


@dataclass(slots=True)
class _Opened:
    """A list or mapping whose end has not come yet; `key` is the one whose value comes next."""

    node: Items | Fields
    key: Node | None = None

    def step(self) -> str:
        """Name the part that comes next as a step of a path."""
        if isinstance(self.node, Items):
            return f"[{len(self.node.values)}]"
        return f".{shown(self.key.value)}" if isinstance(self.key, Text) else ""


def parse(text: str, page: Page) -> Node | None:
    """Build the tree of a YAML text; None after a complaint that leaves nothing to look at."""
    if _directives(text, page):
        return None
    builder = _Builder(page)
    try:
        _feed(builder, text)
    except _Done:
        return builder.root
    if builder.root is None:
        page.add(START, ROOT, "nothing in it; a plan needs version and replications")
    return builder.root


def _directives(text: str, page: Page) -> bool:
    """Complain of directives before parsing: the parser compares each %TAG with all before it."""
    any_found = False
    for place, found in places(text, _DIRECTIVE):
        any_found = True
        page.add(place, ROOT, f"directive '{shown(found)}'; remove the line")
    return any_found


def _feed(builder: _Builder, text: str) -> None:
    """Parse one event at a time, so that nothing behind a fatal complaint is ever looked at."""
    loader = LOADER(text)
    event: yaml.Event | None
    try:
        while (event := loader.get_event()) is not None:
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        builder.refuse(error.problem_mark or error.context_mark, error.problem, text)
    except yaml.YAMLError:
        builder.refuse(None, None, text)
    except (ValueError, OverflowError):  # only PyYAML's own parser lets "\U00110000" reach chr()
        builder.refuse(None, "found an escape that is no Unicode character", text)
    finally:
        loader.dispose()


def _place(mark: _Mark | None) -> Place | None:
    """Turn the parser's mark, which counts from 0, into a place."""
    return Place(mark.line + 1, mark.column + 1) if mark else None


@dataclass(slots=True)
class _Builder:
    """Puts events together. `root` is the finished tree, `last` where the last event began."""

    page: Page
    root: Node | None = None
    last: Place = START
    _opened: list[_Opened] = field(default_factory=list)
    _documents: int = 0
    _values: int = 0

    def take(self, event: yaml.Event) -> None:
        """Add one event to the tree."""
        self.last = place = _place(event.start_mark) or START
        if isinstance(event, yaml.ScalarEvent):
            self._check(event.anchor, event.tag, place)
            self._add(Text(place, event.value, not event.style))
        elif isinstance(event, yaml.CollectionStartEvent):
            self._check(event.anchor, event.tag, place)
            self._begin(Items(place, []) if isinstance(event, yaml.SequenceStartEvent) else Fields(place, {}))
        elif isinstance(event, yaml.CollectionEndEvent):
            self._add(self._opened.pop().node)
        elif isinstance(event, yaml.AliasEvent):
            self._complain(place, f"alias *{shown(event.anchor or '')}; write the values out instead")
            self._add(Hole(place))
        elif isinstance(event, yaml.DocumentStartEvent):
            self._document(place)

    def refuse(self, mark: _Mark | None, problem: str | None, text: str) -> None:
        """Give up because the parser did; say where and why in its words."""
        tab = mark is not None and text[mark.index : mark.index + 1] == "\t"
        advice = "; indent with spaces, not with tabs" if tab else ""
        message = f"not YAML: {shown(problem or 'it cannot be read', 200)}{advice}"
        # The parser is ahead of the tree by then, so the path it would name could be a wrong one.
        self._give_up(_place(mark) or self.last, ROOT, message)

    def _give_up(self, place: Place, path: str, message: str) -> None:
        """Complain, keep no tree and read no further."""
        self.page.add(place, path, message)
        self.root = None
        raise _Done

    def _complain(self, place: Place, message: str) -> None:
        """Complain of the part that comes next."""
        self.page.add(place, self._path(), message)

    def _path(self) -> str:
        """Name the part that comes next."""
        return "".join(opened.step() for opened in self._opened).lstrip(".") or ROOT

    def _document(self, place: Place) -> None:
        """Count documents; of several only the first is looked at."""
        self._documents += 1
        if self._documents > 1:
            self.page.add(place, ROOT, "a second document begins here; a plan is one document")
            raise _Done

    def _check(self, anchor: str | None, tag: str | None, place: Place) -> None:
        """Complain of an anchor and of a tag, and of more values than a plan can have."""
        if anchor is not None:
            self._complain(place, f"anchor &{shown(anchor)}; write the values out where they are needed")
        if tag is not None:
            self._complain(place, f"tag {shown(tag)}; remove it, a plan needs no tags")
        self._values += 1
        if self._values > VALUES_MAX:
            self._give_up(place, self._path(), f"more than {VALUES_MAX:,} values")

    def _begin(self, node: Items | Fields) -> None:
        """Enter a list or a mapping."""
        if len(self._opened) >= DEPTH_MAX:
            self._give_up(node.place, self._path(), f"nested deeper than {DEPTH_MAX} levels")
        self._opened.append(_Opened(node))

    def _add(self, node: Node) -> None:
        """Put a finished part where it belongs: under a key, at the end of a list, or at the root."""
        if not self._opened:
            self.root = node
            return
        opened = self._opened[-1]
        if isinstance(opened.node, Items):
            opened.node.values.append(node)
        elif opened.key is None:
            opened.key = node
        else:
            self._enter(opened.node.entries, opened.key, node)
            opened.key = None

    def _enter(self, entries: dict[str, tuple[Place, Node]], key: Node, value: Node) -> None:
        """Put a value under its key, unless the key is one that a plan cannot have."""
        if not isinstance(key, Text):
            if not isinstance(key, Hole):
                self._complain(key.place, "a key must be text")
        elif key.plain and key.value == "<<":
            self._complain(key.place, "merge key <<; write the values out instead")
        elif key.value in entries:
            first = entries[key.value][0]
            self._complain(key.place, f"key '{shown(key.value)}' again; it was given in line {first.line}")
        else:
            entries[key.value] = (key.place, value)
