"""The rules of what a replication wants besides its copies: its fields become a Policy."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.core.labels import template_fault
from orchestrator.core.plan.complaints import Page, shown
from orchestrator.core.plan.keys import BEST_EFFORT_KEYS, COUNT_MAX, KEEP_KEYS, LABEL_KEYS, Key, advice
from orchestrator.core.plan.policy import Keep, Label, Policy
from orchestrator.core.plan.scalars import as_duration, as_flag, as_number
from orchestrator.core.plan.shape import as_fields, as_text, below
from orchestrator.core.plan.yaml_text import Fields, Node


def policy_of(fields: Mapping[str, Node], page: Page, path: str, before: Policy) -> Policy:
    """Judge the policy keys of a replication or of the defaults; what is not said is as `before`."""
    relay, verify, priority = before.relay, before.verify, before.priority
    best, keep, label = before.fail_after_nights, before.keep, before.label
    if "relay" in fields:
        relay = as_flag(fields["relay"], page, below(path, "relay")) or False
    if "verify" in fields:
        verify = as_flag(fields["verify"], page, below(path, "verify")) or False
    if "priority" in fields:
        priority = as_number(fields["priority"], page, below(path, "priority"), least=-COUNT_MAX) or 0
    if "best_effort" in fields:
        best = _best_effort(fields["best_effort"], page, below(path, "best_effort"))
    if "keep" in fields:
        keep = _keep(fields["keep"], page, below(path, "keep"))
    if "label" in fields:
        label = _label(fields["label"], page, below(path, "label"))
    return Policy(
        relay=relay, verify=verify, priority=priority, fail_after_nights=best, keep=keep, label=label
    )


def _best_effort(node: Node, page: Page, path: str) -> int | None:
    """Judge how many nights in a row a destination may miss."""
    fields = _fields(node, page, path, BEST_EFFORT_KEYS)
    nights = fields.get("fail_after_nights")
    return None if nights is None else as_number(nights, page, below(path, "fail_after_nights"), least=1)


def _keep(node: Node, page: Page, path: str) -> Keep:
    """Judge how long copies are kept."""
    fields = _fields(node, page, path, KEEP_KEYS)
    latest, within = fields.get("latest"), fields.get("within")
    return Keep(
        latest=None if latest is None else as_number(latest, page, below(path, "latest"), least=1),
        within_s=None if within is None else as_duration(within, page, below(path, "within")),
    )


def _label(node: Node, page: Page, path: str) -> Label:
    """Judge templates of names and descriptions."""
    fields = _fields(node, page, path, LABEL_KEYS)
    return Label(
        name=_template(fields.get("name"), page, below(path, "name"), is_name=True),
        description=_template(fields.get("description"), page, below(path, "description"), is_name=False),
    )


def _template(node: Node | None, page: Page, path: str, *, is_name: bool) -> str | None:
    """Judge one template."""
    text = None if node is None else as_text(node, page, path, "text with fields such as {source_name}")
    if text is None:
        return None
    fault = template_fault(text.value, is_name=is_name) if text.value else "an empty text"
    if fault is not None:
        page.add(text.place, path, shown(fault, 200))
        return None
    return text.value


def _fields(node: Node, page: Page, path: str, keys: tuple[Key, ...]) -> dict[str, Node]:
    """Take a mapping of these keys, with at least one of them."""
    names = ", ".join(key.name for key in keys)
    fields = as_fields(node, page, path, advice(keys), f"a mapping of {names}")
    if isinstance(node, Fields) and not node.entries and not any(key.needed for key in keys):
        page.add(node.place, path, f"an empty mapping; expected at least one of {names}")
    return fields
