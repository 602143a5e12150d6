"""The JSON Schema of a plan, made of the tables that the rules use: for editors, and for other programs.

It says what JSON Schema can say; what it cannot (a region that nobody knows, a name taken twice, a list file
that is missing) `orchestrator validate` says.
"""

from __future__ import annotations

from orchestrator.core.plan.keys import (
    BEST_EFFORT_KEYS,
    DEFAULTS_KEYS,
    KEEP_KEYS,
    LABEL_KEYS,
    PLAN_KEYS,
    REPLICATION_KEYS,
    SELECTOR_KEYS,
    Key,
)

_IMAGE_ID = {"type": "string", "pattern": "^img-[a-z0-9]{1,32}$"}
_TEXTS = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}


def plan_schema() -> dict[str, object]:
    """Build the schema (draft 2020-12) of a plan file of this version."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Replication plan of JD Cloud private images",
        **_mapping(PLAN_KEYS),
        "$defs": {
            "region": {"type": "string", "minLength": 1},
            "destinations": {
                "type": "array",
                "minItems": 1,
                "uniqueItems": True,
                "items": {"$ref": "#/$defs/region"},
            },
            "globs": {"anyOf": [{"type": "string", "minLength": 1}, _TEXTS]},
            "images": {
                "type": "array",
                "minItems": 1,
                "items": {"anyOf": [_IMAGE_ID, {"$ref": "#/$defs/selector"}]},
            },
            "selector": _mapping(SELECTOR_KEYS) | {"not": {"required": ["name", "name_regex"]}},
            "keep": _mapping(KEEP_KEYS) | {"minProperties": 1},
            "best_effort": _mapping(BEST_EFFORT_KEYS),
            "label": _mapping(LABEL_KEYS) | {"minProperties": 1},
            "defaults": _mapping(DEFAULTS_KEYS),
            "replication": _replication(),
        },
    }


def _replication() -> dict[str, object]:
    """Ask for images of one kind or the other; `defaults` may give source and destinations."""
    whole = _mapping(REPLICATION_KEYS)
    return whole | {
        "required": ["name"],
        "anyOf": [{"required": ["images"]}, {"required": ["images_from"]}],
    }


def _mapping(keys: tuple[Key, ...]) -> dict[str, object]:
    """Describe a mapping of these keys and no others."""
    needed = [key.name for key in keys if key.needed]
    properties = {key.name: {**key.form, "description": key.says.replace("`", "")} for key in keys}
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        **({"required": needed} if needed else {}),
    }
