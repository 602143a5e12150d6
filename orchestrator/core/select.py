"""Selectors: which of a region's images a plan means when it does not list them. Pure; lists nothing itself.

Golden images are rebuilt every night under a new id: a plan that selects by name, age and rank stays
true without being edited. What was made by a copy call is never selected, or two regions that
replicate to each other would copy the same image to and fro.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from fnmatch import fnmatchcase

from orchestrator.core.cloud_time import created_s
from orchestrator.core.families import family_of
from orchestrator.core.marks import read_mark
from orchestrator.core.model import ImageId, Sighting

_USABLE = ("ready", "pending")
"""Statuses of an image that is there, or soon will be: the run waits for one that is being made."""

_NEAR_MAX = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What an image must be like. None and empty ask for nothing; `where` is its place in the plan.

    `latest` keeps the newest so many of each family (`families.family_of` with `family`). `required`
    and `at_most` judge the number of images that match.
    """

    where: str = ""
    name: str | None = None
    name_regex: re.Pattern[str] | None = None
    latest: int | None = None
    family: re.Pattern[str] | None = None
    max_age_s: float | None = None
    os_type: str | None = None
    platform: str | None = None
    architecture: str | None = None
    exclude: tuple[str, ...] = ()
    required: bool = False
    at_most: int | None = None

    def asks_for(self, name: str) -> bool:
        """Tell whether an image of this name is meant, whatever else it must be like."""
        if self.name is not None and not fnmatchcase(name, self.name):
            return False
        return self.name_regex is None or self.name_regex.search(name) is not None

    def leaves_out(self, name: str) -> bool:
        """Tell whether the name is one of those to leave out."""
        return any(fnmatchcase(name, pattern) for pattern in self.exclude)

    def __str__(self) -> str:
        """Say what it asks for, as the plan does."""
        pattern = self.name_regex.pattern if self.name_regex else None
        said = (("name", self.name), ("name_regex", pattern), ("latest", self.latest))
        return ", ".join(f"{key} {value}" for key, value in said if value is not None) or "any image"


@dataclass(frozen=True, slots=True)
class Selection:
    """What a selector matched, the newest of each family first; `near` tells why others were not."""

    selector: Selector
    matched: tuple[Sighting, ...]
    near: tuple[str, ...] = ()

    def complaint(self) -> str | None:
        """Say why the run must not go on with this selection, if it must not."""
        number, most = len(self.matched), self.selector.at_most
        if most is not None and number > most:
            return f"{self.selector} matches {number} images, more than at_most: {most}; nothing was copied"
        if not number and self.selector.required:
            return f"{self.selector} matches nothing, and it is required{self._nearly()}"
        return None

    def warning(self) -> str | None:
        """Say that nothing matched, and what nearly did."""
        return None if self.matched else f"{self.selector} matches nothing{self._nearly()}"

    def _nearly(self) -> str:
        return f"; near misses: {'; '.join(self.near)}" if self.near else "; the region has no such images"


def select(
    selector: Selector, images: Sequence[Sighting], *, now: float, copies: Container[ImageId] = ()
) -> Selection:
    """Pick from a region's private images at `now` (epoch seconds); `copies` are known to be copies."""
    missed: list[tuple[Sighting, list[str]]] = []
    matched: list[Sighting] = []
    for image in images:
        reasons = list(_misses(selector, image, now, copies))
        if reasons:
            missed.append((image, reasons))
        else:
            matched.append(image)
    ranked = _ranked(selector, matched)
    if selector.latest is not None:
        ranked = [(rank, image) for rank, image in ranked if rank < selector.latest]
    chosen = tuple(image for _, image in ranked)
    return Selection(selector, chosen, () if chosen else tuple(_near(selector, missed)))


def newest_first(image: Sighting) -> tuple[float, str]:
    """Give the key by which images are sorted, newest last; one without a time counts as the oldest."""
    return created_s(image.created) or 0.0, image.image


def _ranked(selector: Selector, images: Sequence[Sighting]) -> list[tuple[int, Sighting]]:
    """Give each image its rank in its family, from 0; all first ones come before all second ones."""
    ranks: Counter[str] = Counter()
    ranked: list[tuple[int, Sighting]] = []
    for image in sorted(images, key=newest_first, reverse=True):
        family = family_of(image.name, selector.family)
        ranked.append((ranks[family], image))
        ranks[family] += 1
    return sorted(ranked, key=lambda pair: pair[0])


def _misses(selector: Selector, image: Sighting, now: float, copies: Container[ImageId]) -> Iterator[str]:
    """Say which conditions an image does not meet."""
    if not selector.asks_for(image.name):
        yield "the name"
    if selector.leaves_out(image.name):
        yield "excluded"
    if image.status not in _USABLE:
        yield f"status {image.status}"
    if selector.max_age_s is not None and _age_s(image, now) > selector.max_age_s:
        yield f"made {image.created or 'at an unknown time'}"
    for asked, has, word in (
        (selector.os_type, image.os_type, "os_type"),
        (selector.platform, image.platform, "platform"),
        (selector.architecture, image.architecture, "architecture"),
    ):
        if asked is not None and asked.casefold() != has.casefold():
            yield f"{word} {has or 'not shown'}"
    if image.image in copies or read_mark(image.text) is not None:
        yield "itself a copy"


def _age_s(image: Sighting, now: float) -> float:
    """Tell an image's age in seconds; one without a time is as old as can be."""
    made = created_s(image.created)
    return float("inf") if made is None else now - made


def _near(selector: Selector, missed: Sequence[tuple[Sighting, list[str]]]) -> Iterator[str]:
    """Name what nearly matched: images that miss one thing, names that look alike."""
    nearly = [(image, reasons) for image, reasons in missed if reasons != ["the name"] and len(reasons) == 1]
    for image, reasons in sorted(nearly, key=lambda pair: newest_first(pair[0]), reverse=True)[:_NEAR_MAX]:
        yield f"{image.image} ({image.name}): {reasons[0]}"
    if nearly:
        return
    wanted = selector.name or (selector.name_regex.pattern if selector.name_regex else "")
    names = sorted({image.name for image, _ in missed if len(image.name) <= 64})
    yield from get_close_matches(wanted[:64], names, n=_NEAR_MAX, cutoff=0.5)
