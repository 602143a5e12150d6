"""Plans for tests: a good one to spoil, and a loader that needs no files."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.core.model import DOCUMENTED_REGIONS
from orchestrator.core.plan import Plan, load_plan
from orchestrator.errors import PlanError

GOOD = """\
version: 1
replications:
- name: golden
  source: cn-north-1
  destinations: [cn-east-2, cn-south-1]
  images: [img-a, img-b]
"""

Lists = Mapping[str, bytes | OSError]


def spoiled(old: str, new: str) -> str:
    """Put `new` where the good plan has `old`; the good plan must have it."""
    before, found, after = GOOD.partition(old)
    if not found:
        raise LookupError(old)
    return before + new + after


def load(plan: str | bytes, lists: Lists | None = None, name: str = "plan.yaml") -> Plan:
    """Load a plan whose list files are those in `lists`; an error there is raised instead."""

    def read_list(path: str) -> bytes:
        content = (lists or {}).get(path, FileNotFoundError(2, "No such file or directory"))
        if isinstance(content, OSError):
            raise content
        return content

    data = plan.encode() if isinstance(plan, str) else plan
    return load_plan(data, name, regions=DOCUMENTED_REGIONS, read_list=read_list)


def complaints(plan: str | bytes, lists: Lists | None = None, name: str = "plan.yaml") -> tuple[str, ...]:
    """Load a plan and return what is complained of, nothing when it loads."""
    try:
        load(plan, lists, name)
    except PlanError as error:
        return error.complaints
    return ()
