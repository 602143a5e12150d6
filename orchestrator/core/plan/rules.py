"""The rules of a plan: a tree becomes drafts of replications, and what breaks a rule is complained of.

It does not look into list files; `plan` does, with the drafts in hand.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.core.model import ImageId, Region
from orchestrator.core.plan.complaints import Page, Place, nearest, shown
from orchestrator.core.plan.image_list import add_image
from orchestrator.core.plan.shape import as_fields, as_items, as_text, below
from orchestrator.core.plan.yaml_text import ROOT, Fields, Node, Text

VERSION = "1"
RELAY = False
"""Whether ready copies carry further ones where a plan does not say."""

NAME_MAX = 64
FILE_PATH_MAX = 4_096

_PLAN_KEYS = {"version": f"version: {VERSION}", "replications": "a list of replications", "relay": ""}
_YES_OR_NO = {"true": True, "false": False}
_REPLICATION_KEYS = {
    "name": "a name that no other replication of this plan has",
    "source": "the region that holds the images",
    "destinations": "a list of regions",
    "images": "",
    "images_from": "",
    "relay": "",
}


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
    listed: Text | None
    relay: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """Judges one plan: its page of complaints and the regions it may name."""

    page: Page
    regions: frozenset[Region]

    def drafts(self, root: Node) -> list[Draft]:
        """Judge a whole plan."""
        fields = as_fields(root, self.page, ROOT, _PLAN_KEYS, "a mapping of version and replications")
        if "version" in fields:
            self._version(fields["version"])
        relay = self._relay(fields.get("relay"), "relay", unsaid=RELAY)
        if "replications" not in fields:
            return []
        nodes = as_items(fields["replications"], self.page, "replications", "a list of replications")
        names: dict[str, Place] = {}
        return [self._draft(node, f"replications[{i}]", names, relay) for i, node in enumerate(nodes)]

    def _version(self, node: Node) -> None:
        """Refuse what another version of this program wrote or will write."""
        version = as_text(node, self.page, "version", VERSION)
        if version is not None and version.value != VERSION:
            advice = f"'{shown(version.value)}' is unknown; this program reads version {VERSION}"
            self.page.add(version.place, "version", advice)

    def _draft(self, node: Node, path: str, names: dict[str, Place], relay: bool) -> Draft:
        """Judge one replication; `names` are those before it, `relay` is what the plan says of all."""
        fields = as_fields(
            node, self.page, path, _REPLICATION_KEYS, f"a mapping of {', '.join(_REPLICATION_KEYS)}"
        )
        name = self._name(fields.get("name"), below(path, "name"), names)
        source = self._region(fields.get("source"), below(path, "source"))
        destinations = self._destinations(fields.get("destinations"), below(path, "destinations"), source)
        images = self._images(fields.get("images"), below(path, "images"))
        listed = self._listed(fields.get("images_from"), below(path, "images_from"))
        relay = self._relay(fields.get("relay"), below(path, "relay"), unsaid=relay)
        if isinstance(node, Fields) and not {"images", "images_from"} & node.entries.keys():
            self.page.add(node.place, below(path, "images"), "missing; add images, images_from or both")
        return Draft(node.place, path, name, source, destinations, images, listed, relay)

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

    def _images(self, node: Node | None, path: str) -> dict[ImageId, Place]:
        """Judge the images that the plan itself names."""
        images: dict[ImageId, Place] = {}
        if node is None:
            return images
        for i, item in enumerate(as_items(node, self.page, path, "a list of image ids")):
            text = self._text(item, f"{path}[{i}]", "an image id")
            if text is not None:
                add_image(images, text.value, text.place, self.page, f"{path}[{i}]")
        return images

    def _listed(self, node: Node | None, path: str) -> Text | None:
        """Judge the path of a list file; whether the file can be read turns out later."""
        listed = self._text(node, path, "the path of a list file")
        if listed is None or (1 <= len(listed.value) <= FILE_PATH_MAX and listed.value.isprintable()):
            return listed
        length = f"a path is 1 to {FILE_PATH_MAX:,} printable characters"
        self.page.add(listed.place, path, f"'{shown(listed.value)}' cannot be a path; {length}")
        return None

    def _relay(self, node: Node | None, path: str, *, unsaid: bool) -> bool:
        """Judge whether ready copies may carry others: true or false, and nothing like them."""
        said = self._text(node, path, "true or false")
        if said is None:
            return unsaid
        if said.value not in _YES_OR_NO:
            self.page.add(said.place, path, f"'{shown(said.value)}' is neither true nor false")
        return _YES_OR_NO.get(said.value, unsaid)

    def _text(self, node: Node | None, path: str, wanted: str) -> Text | None:
        """Take text; a missing key was complained of already."""
        return None if node is None else as_text(node, self.page, path, wanted)
