"""Plan files by mutation: each is refused, every complaint with its place, or accepted and whole."""

from __future__ import annotations

import re
from random import Random

from orchestrator.core.model import DOCUMENTED_REGIONS
from orchestrator.core.plan import Plan, load_plan, preview
from orchestrator.errors import PlanError
from tests.fuzz.spoiling import Items, Tree, flow, grown, spoil_bytes, spoil_tree
from tests.fuzz.words import YAML

NAME = "plan.yaml"

_REGIONS = sorted(DOCUMENTED_REGIONS)
_NORTH, _OTHERS = _REGIONS[2], [region for region in _REGIONS if region != _REGIONS[2]]
_PLANS: tuple[dict[str, object], ...] = (
    {
        "version": 1,
        "replications": [
            {"name": "golden", "source": _NORTH, "destinations": _OTHERS[:2], "images": ["img-a", "img-b"]}
        ],
    },
    {
        "version": 1,
        "relay": "true",
        "replications": [
            {"name": "one", "source": _NORTH, "destinations": _OTHERS, "images_from": "a.txt"},
            {
                "name": "two",
                "source": _OTHERS[0],
                "destinations": [_NORTH],
                "images": ["img-c1", "img-c2", "img-c3"],
                "images_from": "b.txt",
            },
        ],
    },
)
_LIST = b"# a list\nimg-l1\n\n  img-l2  # the second\r\nimg-l3\n"
_DOCUMENT = b"""\
# nightly
version: 1
replications:
  - name: golden
    source: cn-north-1
    destinations: [cn-east-2, "cn-south-1"]
    images:
      - img-a   # first
      - 'img-b'
  - {name: lists, source: cn-north-1, destinations: [cn-east-1], images_from: a.txt}
"""

_COMPLAINT = re.compile(r"(?P<file>.+?):(?P<line>[1-9][0-9]*):(?P<column>[1-9][0-9]*): .+")
_MORE = re.compile(r"and (at least )?[1-9][0-9]* more")
_LINE_END = re.compile("\r\n|\r|\n")
_IMAGE = re.compile(r"img-[a-z0-9]{1,32}")


def try_plan(chance: Random) -> str:
    """Spoil a plan and its lists, load it, and hold the answer to what is promised: accepted or refused."""
    data = spoilt_plan(chance)
    lists = {name: _spoilt_list(chance) for name in ("a.txt", "b.txt")}
    return judge(data, lists)


def judge(data: bytes, lists: dict[str, bytes | OSError]) -> str:
    """Load a plan; raise AssertionError, or whatever the loader lets out, when that is no proper answer."""

    def read_list(path: str) -> bytes:
        content = lists.get(path, FileNotFoundError(2, "No such file or directory"))
        if isinstance(content, OSError):
            raise content
        return content

    try:
        plan = load_plan(data, NAME, regions=DOCUMENTED_REGIONS, read_list=read_list)
    except PlanError as error:
        _check_complaints(error.complaints, data)
        return "refused"
    _check_plan(plan)
    return "accepted"


def spoilt_plan(chance: Random) -> bytes:
    """Make a plan file: spoilt as text, as a tree, or as both."""
    if chance.random() < 0.4:
        return spoil_bytes(_DOCUMENT, YAML, chance)
    tree = grown(chance.choice(_PLANS), str)
    spoil_tree(tree, YAML, chance)
    data = (block(tree) if chance.random() < 0.6 else flow(tree)).encode()
    return spoil_bytes(data, YAML, chance) if chance.random() < 0.2 else data


def _spoilt_list(chance: Random) -> bytes | OSError:
    """Make a list file: mostly a good one."""
    luck = chance.random()
    if luck < 0.05:
        return PermissionError(13, "Permission denied")
    return spoil_bytes(_LIST, YAML, chance) if luck < 0.3 else _LIST


def block(tree: Tree, indent: int = 0) -> str:
    """Write a tree as people write YAML: in lines, indented."""
    if isinstance(tree, str) or not (tree.values if isinstance(tree, Items) else tree.entries):
        return " " * indent + flow(tree) + "\n"
    if isinstance(tree, Items):
        return "".join(_line("-", value, indent) for value in tree.values)
    return "".join(_line(f"{key}:", value, indent) for key, value in tree.entries)


def _line(head: str, value: Tree, indent: int) -> str:
    """Write one entry: a literal behind its head, anything else in lines of its own."""
    pad = " " * indent
    return f"{pad}{head} {value}\n" if isinstance(value, str) else f"{pad}{head}\n{block(value, indent + 2)}"


def _check_complaints(complaints: tuple[str, ...], data: bytes) -> None:
    """Each is one printable line with a place, and a place in the plan is one that the plan has."""
    assert complaints, "refused without a word"
    lines = _LINE_END.split(data.decode("utf-8", "replace").removeprefix("\ufeff"))
    for number, complaint in enumerate(complaints):
        assert complaint.isprintable(), f"not printable: {complaint!r}"
        if number and number == len(complaints) - 1 and _MORE.fullmatch(complaint):
            continue
        found = _COMPLAINT.match(complaint)
        assert found, f"no file:line:column: {complaint!r}"
        if found["file"] == NAME:
            line, column = int(found["line"]), int(found["column"])
            # The parser may find fault with the end of the file: it calls that a line of its own.
            width = len(lines[line - 1]) if line <= len(lines) else 0
            assert line <= len(lines) + 1, f"the plan has {len(lines)} lines: {complaint!r}"
            assert column <= width + 1, f"the line has {width} characters: {complaint!r}"


def _check_plan(plan: Plan) -> None:
    """Every copy is one that the cloud could be asked for, once, and the preview holds them all."""
    copies = plan.copies()
    assert copies, "a plan that wants nothing"
    assert len(set(copies)) == len(copies), "a copy twice"
    for copy in copies:
        assert {copy.origin, copy.destination} <= DOCUMENTED_REGIONS, copy
        assert copy.origin != copy.destination, copy
        assert _IMAGE.fullmatch(copy.source), copy
    assert sum(len(chunk.copies) for chunk in preview(copies)) == len(copies)
