"""The shape of a tree: is this text, a list, a mapping with these keys? It knows nothing of plans.

Each function returns None, or leaves out, what it complained of, so that the caller goes on with the rest.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.core.plan.complaints import Page, nearest, shown
from orchestrator.core.plan.yaml_text import ROOT, Fields, Hole, Items, Node, Text


def as_text(node: Node, page: Page, path: str, wanted: str) -> Text | None:
    """Take a node that must be text; nothing at all after a colon or a dash is not text."""
    if isinstance(node, Text) and (node.value or not node.plain):
        return node
    _complain(node, page, path, wanted)
    return None


def as_items(node: Node, page: Page, path: str, wanted: str) -> list[Node]:
    """Take a node that must be a list of at least one item; empty after a complaint."""
    if not isinstance(node, Items):
        _complain(node, page, path, wanted)
        return []
    if not node.values:
        page.add(node.place, path, f"an empty list; expected {wanted}")
    return node.values


def as_fields(node: Node, page: Page, path: str, keys: Mapping[str, str], wanted: str) -> dict[str, Node]:
    """Take a node that must be a mapping of `keys`: name -> what to add when it is missing, "" if it may be.

    Returns the values under known keys; unknown and missing keys are complained of.
    """
    if not isinstance(node, Fields):
        _complain(node, page, path, wanted)
        return {}
    for key, (place, _) in node.entries.items():
        if key not in keys:
            advice = nearest(key, keys) or f"; the keys here are {', '.join(keys)}"
            page.add(place, below(path, shown(key) or "''"), f"unknown key{advice}")
    for key, advice in keys.items():
        if advice and key not in node.entries:
            page.add(node.place, below(path, key), f"missing; add {advice}")
    return {key: value for key, (_, value) in node.entries.items() if key in keys}


def below(path: str, key: str) -> str:
    """Name what stands under a key."""
    return key if path == ROOT else f"{path}.{key}"


def _complain(node: Node, page: Page, path: str, wanted: str) -> None:
    """Say what was expected and what is there; an alias was complained of already."""
    if not isinstance(node, Hole):
        page.add(node.place, path, f"expected {wanted}, found {_kind(node)}")


def _kind(node: Text | Items | Fields) -> str:
    """Name what a node is."""
    if isinstance(node, Items):
        return "a list"
    if isinstance(node, Fields):
        return "a mapping"
    return f"the text '{shown(node.value)}'" if node.value or not node.plain else "nothing"
