"""The JSON Schema of plans: current, committed, and of one mind with the rules."""

from __future__ import annotations

import json
from pathlib import Path

from orchestrator.core.plan import keys
from orchestrator.core.plan.schema import plan_schema

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "config" / "schema" / "plan.schema.json"
DOCS = (ROOT / "docs" / "plan.md").read_text(encoding="utf-8")
PLANS = sorted((ROOT / "config" / "plans").glob("*.yaml"))


def test_the_committed_schema_is_current() -> None:
    """config/schema/plan.schema.json is what `orchestrator schema` prints."""
    assert json.loads(SCHEMA.read_text(encoding="utf-8")) == plan_schema()


def test_every_sample_plan_names_it() -> None:
    """Its first line tells editors where the schema is."""
    for plan in PLANS:
        first = plan.read_text(encoding="utf-8").splitlines()[0]
        place = first.removeprefix("# yaml-language-server: $schema=")
        assert (plan.parent / place).resolve() == SCHEMA, plan


def test_every_reference_leads_somewhere() -> None:
    """No `$ref` of the schema is a dead end, and no definition is left over."""
    text = json.dumps(plan_schema())
    names = set(plan_schema()["$defs"])  # type: ignore[call-overload]
    assert {name for name in names if f'"#/$defs/{name}"' in text} == names
    assert text.count('"$ref"') == sum(text.count(f'"#/$defs/{name}"') for name in names)


def test_the_docs_describe_every_key() -> None:
    """docs/plan.md repeats each key with its words."""
    tables = (
        keys.PLAN_KEYS, keys.DEFAULTS_KEYS, keys.REPLICATION_KEYS, keys.SELECTOR_KEYS, keys.KEEP_KEYS,
        keys.LABEL_KEYS, keys.BEST_EFFORT_KEYS,
    )  # fmt: skip
    lines = DOCS.splitlines()
    for key in (key for table in tables for key in table):
        assert any(line.startswith(f"| `{key.name}` |") and key.says in line for line in lines), key.name
