"""World files: YAML -> a checked description of a simulated world. It builds nothing.

Every complaint says `file:line:column: path: message`, all of them at once.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from orchestrator.errors import UsageError
from orchestrator.simulator.faults import Rule
from orchestrator.simulator.traits import Fates, Pace, Seconds, Switches

DEMO_KEY = "AKSIMULATOR"
DEMO_SECRET = "simulator-secret-of-no-worth"  # noqa: S105  opens nothing but a simulator
SIZE_MAX = 4 * 1024 * 1024

ImageText = Annotated[str, Field(pattern=r"^img-[a-z0-9]{1,32}$")]
Size = Annotated[int, Field(ge=0, le=100 * 1024 * 1024)]
Count = Annotated[int, Field(ge=0, le=1_000_000)]
Path_ = tuple[str | int, ...]
Marks = dict[Path_, yaml.Mark]

_BOOL = "tag:yaml.org,2002:bool"


class _Loader(yaml.SafeLoader):
    """YAML in which only true and false are booleans: `on` is a key of a fault, not True."""

    yaml_implicit_resolvers = {  # noqa: RUF012  PyYAML's own shape
        first: [(tag, pattern) for tag, pattern in resolvers if tag != _BOOL]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(_BOOL, re.compile("^(?:true|false)$"), ["t", "f"])


class _Part(BaseModel):
    """A part of a world file: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid")


class ImageSpec(_Part):
    """One image. It has one snapshot for its system disk and one for each data disk."""

    id: ImageText
    name: str = ""
    size_mb: Size = 20480
    data_disks: Annotated[int, Field(ge=0, le=20)] = 0
    status: Literal["pending", "ready", "error", "deleting"] = "ready"
    root_device: Literal["cloudDisk", "localDisk"] = "cloudDisk"
    source: Literal["private", "public", "shared", "thirdparty"] = "private"
    owner: str = "simulator"  # the account's name, the field ownerPin
    platform: str = "CentOS"
    architecture: str = "x86_64"
    encrypted: bool = False
    shared: bool = False
    description: str = ""
    busy_s: Seconds = 0.0  # converted by somebody else for so long after the start
    conflict_s: Seconds = 0.0  # worked on by a foreign task for so long after the start


class Population(_Part):
    """Many images at once: prefix and a number of six digits make their ids."""

    count: Count
    prefix: Annotated[str, Field(pattern=r"^img-[a-z0-9]{1,26}$")] = "img-bulk"
    size_mb: Size = 20480


class QuotaSpec(_Part):
    """The quotas of a region; the defaults are the documented ones."""

    images: Count = 5
    snapshots: Count = 15


class RegionSpec(_Part):
    """One region and what it holds at the start."""

    quota: QuotaSpec = QuotaSpec()
    images: list[ImageSpec] = []
    populate: Population | None = None


class WorldFile(_Part):
    """A whole world file."""

    seed: int = 1
    keys: dict[str, SecretStr] = {DEMO_KEY: SecretStr(DEMO_SECRET)}
    rate_per_minute: Annotated[int, Field(ge=1)] = 1000
    clock_window_s: Seconds = 900.0
    regions: Annotated[dict[str, RegionSpec], Field(min_length=1)]
    pace: Pace = Pace(speed=60.0)
    switches: Switches = Switches()
    fates: Fates = Fates()
    faults: list[Rule] = []
    slow_s: Seconds = 5.0


def read_world(path: Path) -> WorldFile:
    """Read and check a world file. Raises UsageError that names every place to be mended."""
    try:
        size = path.stat().st_size
        if size > SIZE_MAX:
            raise UsageError(f"{path}: {size} bytes are too many for a world file. Use `populate`.")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror}). Name a world file.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path}: not UTF-8. Save the world file as UTF-8.") from None
    return parse_world(text, str(path))


def parse_world(text: str, name: str) -> WorldFile:
    """Check the text of a world file; `name` is for complaints."""
    data, marks, complaint = _load(text)
    if complaint:  # not raised where it was found: the parser's own error quotes the file, secrets too
        raise UsageError(f"{name}{complaint}. Mend it and start again.")
    try:
        return WorldFile.model_validate({} if data is None else data)
    except ValidationError as error:
        lines = [_complaint(name, marks, e["loc"], e["msg"]) for e in error.errors(include_input=False)]
    raise UsageError("\n".join([*lines, "See docs/simulator.md for the form of a world file."]))


def _load(text: str) -> tuple[object, Marks, str]:
    """Parse YAML: the data, where every value stands, and what is wrong with the text or nothing."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        marks: Marks = {}
        if node is not None:
            _walk(node, (), marks, set())
        return (None if node is None else loader.construct_document(node)), marks, ""
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        where = f"{at.line + 1}:{at.column + 1}" if at else "1:1"
        return None, {}, f":{where}: not YAML: {error.problem}"
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        return None, {}, f": not YAML: {type(error).__name__}"


def _walk(node: yaml.Node, path: Path_, marks: Marks, seen: set[int]) -> None:
    """Note where every part stands; refuse aliases and keys given twice, which YAML lets pass."""
    if id(node) in seen:
        raise yaml.MarkedYAMLError(problem="an alias; write the values out", problem_mark=node.start_mark)
    seen.add(id(node))
    marks.setdefault(path, node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(item, (*path, number), marks, seen)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*path, str(key.value))
            if below in marks:
                raise yaml.MarkedYAMLError(
                    problem=f"key {key.value} given twice", problem_mark=key.start_mark
                )
            marks[below] = key.start_mark
            _walk(value, below, marks, seen)


def _complaint(name: str, marks: Marks, where: Path_, message: str) -> str:
    """Write one complaint with the nearest place that is known."""
    known = next((where[:n] for n in range(len(where), -1, -1) if where[:n] in marks), ())
    mark = marks.get(known)
    place = f"{mark.line + 1}:{mark.column + 1}" if mark else "1:1"
    return f"{name}:{place}: {'.'.join(map(str, where)) or 'world'}: {message}"
