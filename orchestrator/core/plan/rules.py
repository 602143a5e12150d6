"""The rules of a plan: a tree becomes drafts of replications, and what breaks a rule is complained of.

It does not look into list files; `plan` does, with the drafts in hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.model import ImageId, Region
from orchestrator.core.plan.complaints import Page, Place, nearest, shown
from orchestrator.core.plan.image_list import add_image
from orchestrator.core.plan.keys import (
    DEFAULTS_KEYS,
    FILE_PATH_MAX,
    NAME_MAX,
    PLAN_KEYS,
    REPLICATION_KEYS,
    VERSION,
    advice,
)
from orchestrator.core.plan.policy import PLAIN, Policy
from orchestrator.core.plan.policy_rules import policy_of
from orchestrator.core.plan.selector_rules import selector_of
from orchestrator.core.plan.shape import as_fields, as_items, as_text, below
from orchestrator.core.plan.yaml_text import ROOT, Fields, Node, Text
from orchestrator.core.select import Selector


@dataclass(frozen=True, slots=True)
class Draft:
    """One replication as the plan file alone tells it, with what is needed for complaints later on.

    What was complained of is left out or empty. `listed` names the list file, if there is one.
    """

    place: Place
    path: str
    name: str
    source: Region
    destinations: tuple[Region, ...]
    images: dict[ImageId, Place]
    selectors: tuple[Selector, ...]
    listed: Text | None
    policy: Policy


@dataclass(frozen=True, slots=True)
class _Defaults:
    """What holds for replications that do not say; a None is not said here either."""

    source: Node | None = None
    destinations: Node | None = None
    policy: Policy = PLAIN

    def advice(self) -> dict[str, str]:
        """Say what a replication must have, given these."""
        given = {"source": self.source, "destinations": self.destinations}
        return {k: "" if given.get(k) is not None else a for k, a in advice(REPLICATION_KEYS).items()}


@dataclass(frozen=True, slots=True)
class Rules:
    """Judges one plan: its page of complaints and the regions it may name."""

    page: Page
    regions: frozenset[Region]

    def drafts(self, root: Node) -> list[Draft]:
        """Judge a whole plan."""
        wanted = "a mapping of version and replications"
        fields = as_fields(root, self.page, ROOT, advice(PLAN_KEYS), wanted)
        if "version" in fields:
            self._version(fields["version"])
        relay = {key: node for key, node in fields.items() if key == "relay"}
        defaults = self._defaults(fields.get("defaults"), policy_of(relay, self.page, ROOT, PLAIN))
        if "replications" not in fields:
            return []
        nodes = as_items(fields["replications"], self.page, "replications", "a list of replications")
        names: dict[str, Place] = {}
        return [self._draft(node, f"replications[{i}]", names, defaults) for i, node in enumerate(nodes)]

    def _defaults(self, node: Node | None, before: Policy) -> _Defaults:
        """Judge what holds for all replications; the regions are judged here, once."""
        if node is None:
            return _Defaults(policy=before)
        wanted = f"a mapping of {', '.join(key.name for key in DEFAULTS_KEYS)}"
        fields = as_fields(node, self.page, "defaults", advice(DEFAULTS_KEYS), wanted)
        source = self._region(fields.get("source"), "defaults.source")
        self._destinations(fields.get("destinations"), "defaults.destinations", source)
        policy = policy_of(fields, self.page, "defaults", before)
        return _Defaults(fields.get("source"), fields.get("destinations"), policy)

    def _version(self, node: Node) -> None:
        """Refuse what another version of this program wrote or will write."""
        version = as_text(node, self.page, "version", VERSION)
        if version is not None and version.value != VERSION:
            advice = f"'{shown(version.value)}' is unknown; this program reads version {VERSION}"
            self.page.add(version.place, "version", advice)

    def _draft(self, node: Node, path: str, names: dict[str, Place], defaults: _Defaults) -> Draft:
        """Judge one replication; `names` are those before it."""
        wanted = f"a mapping of {', '.join(key.name for key in REPLICATION_KEYS)}"
        fields = as_fields(node, self.page, path, defaults.advice(), wanted)
        name = self._name(fields.get("name"), below(path, "name"), names)
        source = self._region(*_said(fields, defaults.source, path, "source"))
        destinations = self._destinations(*_said(fields, defaults.destinations, path, "destinations"), source)
        images, selectors = self._images(fields.get("images"), below(path, "images"))
        listed = self._listed(fields.get("images_from"), below(path, "images_from"))
        policy = policy_of(fields, self.page, path, defaults.policy)
        if isinstance(node, Fields) and not {"images", "images_from"} & node.entries.keys():
            self.page.add(node.place, below(path, "images"), "missing; add images, images_from or both")
        return Draft(node.place, path, name, source, destinations, images, selectors, listed, policy)

    def _name(self, node: Node | None, path: str, names: dict[str, Place]) -> str:
        """Judge a name: short, printable and not taken."""
        name = self._text(node, path, "a name")
        if name is None:
            return ""
        if not (1 <= len(name.value) <= NAME_MAX and name.value.isprintable()):
            length = f"a name is 1 to {NAME_MAX} printable characters"
            self.page.add(name.place, path, f"'{shown(name.value)}' cannot be a name; {length}")
        elif name.value in names:
            line = names[name.value].line
            self.page.add(name.place, path, f"the name '{shown(name.value)}' is taken in line {line}")
        names.setdefault(name.value, name.place)
        return name.value

    def _region(self, node: Node | None, path: str) -> Region:
        """Judge a region; an unknown one is returned all the same, nothing is ''."""
        region = self._text(node, path, "a region")
        if region is None:
            return Region("")
        if region.value not in self.regions:
            meant = nearest(region.value, self.regions) or "."
            known = f"Known are {', '.join(shown(name) for name in sorted(self.regions))}"
            message = f"unknown region '{shown(region.value)}'{meant} {known}"
            self.page.add(region.place, path, f"{message}; the setting EXTRA_REGIONS adds more")
        return Region(region.value)

    def _destinations(self, node: Node | None, path: str, source: Region) -> tuple[Region, ...]:
        """Judge destinations: each one once, none of them the source."""
        if node is None:
            return ()
        found: dict[Region, Place] = {}
        for i, item in enumerate(as_items(node, self.page, path, "a list of regions")):
            region = self._region(item, f"{path}[{i}]")
            if region and region == source:
                self.page.add(
                    item.place, f"{path}[{i}]", f"{shown(region)} is the source; name other regions"
                )
            if region and region in found:
                line = found[region].line
                self.page.add(
                    item.place, f"{path}[{i}]", f"{shown(region)} again; it is already in line {line}"
                )
            found.setdefault(region, item.place)
        return tuple(found)

    def _images(self, node: Node | None, path: str) -> tuple[dict[ImageId, Place], tuple[Selector, ...]]:
        """Judge the images that the plan itself names, and what it selects the others by."""
        images: dict[ImageId, Place] = {}
        selectors: list[Selector] = []
        if node is None:
            return images, ()
        for i, item in enumerate(as_items(node, self.page, path, "a list of image ids and selectors")):
            if isinstance(item, Fields):
                selectors.append(selector_of(item, self.page, f"{path}[{i}]"))
                continue
            text = self._text(item, f"{path}[{i}]", "an image id or a selector")
            if text is not None:
                add_image(images, text.value, text.place, self.page, f"{path}[{i}]")
        return images, tuple(selectors)

    def _listed(self, node: Node | None, path: str) -> Text | None:
        """Judge the path of a list file; whether the file can be read turns out later."""
        listed = self._text(node, path, "the path of a list file")
        if listed is None or (1 <= len(listed.value) <= FILE_PATH_MAX and listed.value.isprintable()):
            return listed
        length = f"a path is 1 to {FILE_PATH_MAX:,} printable characters"
        self.page.add(listed.place, path, f"'{shown(listed.value)}' cannot be a path; {length}")
        return None

    def _text(self, node: Node | None, path: str, wanted: str) -> Text | None:
        """Take text; a missing key was complained of already."""
        return None if node is None else as_text(node, self.page, path, wanted)


def _said(fields: dict[str, Node], default: Node | None, path: str, key: str) -> tuple[Node | None, str]:
    """Return what a replication says, or the defaults for it, with its path."""
    return (fields[key], below(path, key)) if key in fields else (default, below("defaults", key))
