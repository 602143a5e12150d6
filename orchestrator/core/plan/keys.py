"""Every key of a plan: what it says, whether it is needed, and the form of its value. Data, no behaviour.

One table for three readers: the rules refuse what is not in it, the JSON Schema is made of it, and
docs/plan.md repeats it (a test compares).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Schema = Mapping[str, object]
"""A fragment of JSON Schema (draft 2020-12)."""

VERSION = "1"
NAME_MAX = 64
"""Longest name of a replication, in characters."""

FILE_PATH_MAX = 4_096
COUNT_MAX = 1_000_000
DURATION_FORM = r"^\s*([0-9]{1,15}(\.[0-9]{1,15})?|\.[0-9]{1,15}) ?(ms|s|m|h|d|)\s*$"


@dataclass(frozen=True, slots=True)
class Key:
    """One key. `needed` is what to add where it is missing, empty where it may be."""

    name: str
    says: str
    form: Schema = field(hash=False)
    needed: str = ""


def advice(keys: tuple[Key, ...]) -> dict[str, str]:
    """Give what `shape.as_fields` wants: name -> what to add, in order."""
    return {key.name: key.needed for key in keys}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _count(least: int) -> Schema:
    return {"type": "integer", "minimum": least, "maximum": COUNT_MAX}


_TEXT: Schema = {"type": "string", "minLength": 1}
_FLAG: Schema = {"type": "boolean"}
_DURATION: Schema = {"type": ["string", "number"], "pattern": DURATION_FORM}
_REGION = _ref("region")
_PATTERN: Schema = {"type": "string", "minLength": 1, "format": "regex"}

KEEP_KEYS = (
    Key("latest", "the newest so many of each family stay", _count(1)),
    Key("within", "what is not older than this stays, such as `30d`", _DURATION),
)
BEST_EFFORT_KEYS = (
    Key(
        "fail_after_nights",
        "what is missing there is a failure from this night in a row on",
        _count(1),
        "fail_after_nights: 3",
    ),
)
LABEL_KEYS = (
    Key("name", "how a copy is named once it is ready: text and `{fields}`", _TEXT),
    Key("description", "what people read in its description, before our mark: text and `{fields}`", _TEXT),
)
POLICY_KEYS = (
    Key("relay", "`true` or `false`: whether a copy that is ready may carry the next", _FLAG),
    Key(
        "priority",
        "a whole number, 0 where nothing is said: higher ones come first where room is short",
        {"type": "integer", "minimum": -COUNT_MAX, "maximum": COUNT_MAX},
    ),
    Key("best_effort", "destinations that may be down for some nights", _ref("best_effort")),
    Key("keep", "how long copies are kept by `orchestrator prune`", _ref("keep")),
    Key("label", "names and descriptions of copies", _ref("label")),
    Key("verify", "`true` or `false`: whether ready copies are compared with their sources", _FLAG),
)
DEFAULTS_KEYS = (
    Key("source", "the region that holds the images", _REGION),
    Key("destinations", "a list of regions", _ref("destinations")),
    *POLICY_KEYS,
)
SELECTOR_KEYS = (
    Key("name", "a glob for the name: `*`, `?` and `[abc]`", _TEXT),
    Key("name_regex", "a regular expression that is found in the name; instead of `name`", _PATTERN),
    Key("latest", "only the newest so many of each family", _count(1)),
    Key("family", "a regular expression: what its groups catch in a name is its family", _PATTERN),
    Key("max_age", "only images not older than this, such as `14d`", _DURATION),
    Key("os_type", "the cloud's word: `linux` or `windows`", _TEXT),
    Key("platform", "the cloud's word, such as `CentOS`", _TEXT),
    Key("architecture", "the cloud's word: `x86_64` or `arm64`", _TEXT),
    Key("exclude", "a glob, or a list of them, for names to leave out", _ref("globs")),
    Key("required", "`true`: that nothing matches is an error, not a warning", _FLAG),
    Key("at_most", "more matches than this are an error, and nothing is copied", _count(1)),
)
REPLICATION_KEYS = (
    Key(
        "name",
        f"1 to {NAME_MAX} printable characters, unique in the plan",
        {"type": "string", "minLength": 1, "maxLength": NAME_MAX},
        "a name that no other replication of this plan has",
    ),
    Key("source", "the region that holds the images", _REGION, "the region that holds the images"),
    Key(
        "destinations",
        "a list of regions, each once, none of them the source",
        _ref("destinations"),
        "a list of regions",
    ),
    Key("images", "a list of image ids, each once, and of selectors", _ref("images")),
    Key(
        "images_from",
        "the path of a list file; it must not name an image that `images` names",
        {"type": "string", "minLength": 1, "maxLength": FILE_PATH_MAX},
    ),
    *POLICY_KEYS,
)
PLAN_KEYS = (
    Key(
        "version",
        f"`{VERSION}`, the version of this format",
        {"enum": [int(VERSION), VERSION]},
        f"version: {VERSION}",
    ),
    Key("defaults", "what holds for replications that do not say", _ref("defaults")),
    Key(
        "replications",
        "a list of at least one replication",
        {"type": "array", "minItems": 1, "items": _ref("replication")},
        "a list of replications",
    ),
    Key("relay", "the same as `relay` in `defaults`", _FLAG),
)
