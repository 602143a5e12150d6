"""Invents what a plan's selectors stand for, where no cloud can be listed: images that they match. No I/O.

A glob is filled in with days, the newest first, so that `golden-*` becomes last night's build and those
of the nights before. An expression cannot be filled in; nothing is invented for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b

from orchestrator.core.model import ImageId
from orchestrator.core.plan import Plan, Replication
from orchestrator.core.select import Selector
from orchestrator.simulator.things import OS_TYPE, Image

_DAY_S = 86_400.0
_HOUR_S = 3600.0
_USUAL = 3
"""So many builds of a family, where `latest` does not say how many are wanted."""

_MOST = 20
_SIZE_MB = 20 * 1024
_SET = re.compile(r"\[!?(.)[^\]]*\]")


def invented(plan: Plan, *, at: float) -> tuple[Plan, dict[ImageId, Image]]:
    """Put invented images into a plan in its selectors' place; return it with what these look like.

    `at` is now, in epoch seconds: the newest image is an hour old, each further one a day older.
    """
    looks: dict[ImageId, Image] = {}
    replications: list[Replication] = []
    for each in plan.replications:
        made = {image.id: image for selector in each.selectors for image in _images(selector, at)}
        images = tuple(dict.fromkeys([*each.images, *made]))
        replications.append(replace(each, images=images, selectors=()))
        looks |= made
    return replace(plan, replications=tuple(replications)), looks


def _images(selector: Selector, at: float) -> Iterator[Image]:
    """Invent the builds of one family that a selector matches."""
    if selector.name_regex is not None or selector.os_type not in (None, OS_TYPE):
        return
    pattern = selector.name or "*"
    for age in range(min(selector.latest or _USUAL, selector.at_most or _MOST, _MOST)):
        made_s = at - _HOUR_S - age * _DAY_S
        name = _fill(pattern, f"{datetime.fromtimestamp(made_s, UTC):%Y%m%d}")
        label = blake2b(f"{pattern}/{age}".encode(), digest_size=5).hexdigest()
        yield Image(
            id=ImageId(f"img-{label}"),
            name=name,
            size_mb=_SIZE_MB,
            snapshots=(f"snapshot-{label}",),
            platform=selector.platform or "CentOS",
            architecture=selector.architecture or "x86_64",
            created_s=made_s,
        )


def _fill(pattern: str, day: str) -> str:
    """Write a name that a glob matches."""
    return _SET.sub(r"\1", pattern).replace("?", "1").replace("*", day)
