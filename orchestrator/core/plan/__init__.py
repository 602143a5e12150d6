"""Plans: text in, copies out. It reads no files: the bytes are handed in.

plan        Plan, Replication, load_plan, preview: the one door
keys        every key, for rules, schema and docs     schema     the JSON Schema of them
rules       what a plan may say                       shape      types, keys, missing parts
selector_rules, policy_rules  the same for their parts  scalars  numbers, durations, patterns
yaml_text   YAML -> tree with places                  decode     bytes -> text
image_list  image ids and list files                  complaints collected, in order, capped
policy      what a replication wants besides copies   resolving  selectors -> images
narrowing   part of a plan: --only, --destination, --failed, --limit
"""

from orchestrator.core.plan.plan import (
    COPIES_MAX,
    LIST_BYTES_MAX,
    PLAN_BYTES_MAX,
    Plan,
    Replication,
    load_plan,
    preview,
)

__all__ = [
    "COPIES_MAX",
    "LIST_BYTES_MAX",
    "PLAN_BYTES_MAX",
    "Plan",
    "Replication",
    "load_plan",
    "preview",
]
