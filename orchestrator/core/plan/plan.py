"""Plan text -> Plan -> copies, and their preview as chunks. It reads no files: list files are handed in.

What a plan may hold is described for users in docs/plan.md; every complaint comes at once, as one PlanError.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256
from posixpath import dirname, join

from orchestrator.core.model import CHUNK_MAX, Chunk, Copy, ImageId, Region
from orchestrator.core.plan.complaints import Complaints, Enough, Page, Place, shown
from orchestrator.core.plan.decode import decode
from orchestrator.core.plan.image_list import IMAGES_MAX, LIST_BYTES_MAX, read_images
from orchestrator.core.plan.policy import PLAIN, Policy
from orchestrator.core.plan.rules import Draft, Rules
from orchestrator.core.plan.shape import below
from orchestrator.core.plan.yaml_text import ROOT, Text, parse
from orchestrator.core.select import Selector
from orchestrator.errors import PlanError

__all__ = [
    "COPIES_MAX",
    "LIST_BYTES_MAX",
    "PLAN_BYTES_MAX",
    "Plan",
    "Replication",
    "load_plan",
    "preview",
]

PLAN_BYTES_MAX = 8 << 20
COPIES_MAX = IMAGES_MAX
_DIGEST_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Replication:
    """These images, of this region, in those regions: what one entry of a plan wants.

    What `selectors` stand for is known only once they are resolved (`resolving.resolve`).
    """

    name: str
    source: Region
    destinations: tuple[Region, ...]
    images: tuple[ImageId, ...]
    selectors: tuple[Selector, ...] = ()
    policy: Policy = PLAIN

    def copies(self) -> Iterable[Copy]:
        """Name its copies: all images for the first destination, then all for the next.

        In this order neighbours want different source images, so they can travel together.
        """
        return (Copy(image, self.source, region) for region in self.destinations for image in self.images)


@dataclass(frozen=True, slots=True)
class Plan:
    """What must exist where. `name` is the file's; `digest` changes with any byte of it or of a list file."""

    name: str
    replications: tuple[Replication, ...]
    digest: str

    def copies(self) -> tuple[Copy, ...]:
        """Expand to copies in the order of priority and plan, destination by destination; each copy once."""
        by_priority = sorted(self.replications, key=lambda each: -each.policy.priority)
        return tuple(dict.fromkeys(copy for each in by_priority for copy in each.copies()))

    def wanting(self) -> dict[Copy, list[Replication]]:
        """Return each copy with the replications that want it, in the order of `copies`."""
        wanting: dict[Copy, list[Replication]] = {copy: [] for copy in self.copies()}
        for each in self.replications:
            for copy in each.copies():
                wanting[copy].append(each)
        return wanting

    def selects(self) -> tuple[Region, ...]:
        """Name the regions whose images must be listed before the plan says what it wants."""
        return tuple(dict.fromkeys(each.source for each in self.replications if each.selectors))

    def relays(self) -> Callable[[Copy], bool]:
        """Return what tells of a copy whether a ready copy may carry it: any replication may say so."""
        routes: defaultdict[tuple[Region, Region], list[frozenset[ImageId]]] = defaultdict(list)
        for each in self.replications:
            images = frozenset(each.images if each.policy.relay else ())
            for destination in each.destinations if each.policy.relay else ():
                routes[each.source, destination].append(images)
        return lambda copy: any(
            copy.source in images for images in routes.get((copy.origin, copy.destination), ())
        )


def load_plan(
    data: bytes, name: str, *, regions: frozenset[Region], read_list: Callable[[str], bytes]
) -> Plan:
    """Read a plan from the bytes of the file called `name`; `regions` are all it may mention.

    `read_list` gets the path of a list file as the plan has it (relative to the plan, or absolute),
    returns its bytes or raises OSError; more than LIST_BYTES_MAX + 1 bytes need never be returned,
    nor more than PLAN_BYTES_MAX + 1 be passed as `data`.
    Raises PlanError with every complaint, by position: the plan's first, then each list file's.
    """
    loading = _Loading(name, regions, read_list)
    try:
        replications = loading.replications(data)
    except Enough:
        replications = []
    if loading.complaints:
        raise PlanError(loading.complaints.lines())
    return Plan(name, tuple(replications), loading.digest.hexdigest()[:_DIGEST_LENGTH])


def preview(copies: Iterable[Copy]) -> tuple[Chunk, ...]:
    """Cut copies into chunks: at most 10 of one origin and destination, in the order given.

    Routes come in the order of their first copy; a copy given twice travels once. What really
    travels together is decided when sources are free: this is the upper bound people see before.
    """
    routes: defaultdict[tuple[Region, Region], list[Copy]] = defaultdict(list)
    for copy in dict.fromkeys(copies):
        routes[copy.origin, copy.destination].append(copy)
    return tuple(
        Chunk(tuple(route[start : start + CHUNK_MAX]))
        for route in routes.values()
        for start in range(0, len(route), CHUNK_MAX)
    )


class _Loading:
    """One load: its complaints, and its list files, each read once however often it is mentioned."""

    def __init__(self, name: str, regions: frozenset[Region], read_list: Callable[[str], bytes]) -> None:
        self.complaints = Complaints()
        self.digest = sha256()
        self._name = name
        self._page = self.complaints.page(name)
        self._regions = regions
        self._read_list = read_list
        self._lists: dict[str, tuple[Page, dict[ImageId, Place]]] = {}

    def replications(self, data: bytes) -> list[Replication]:
        """Judge the plan, then its list files, then its size."""
        self.digest.update(sha256(data).digest())
        text = decode(data, self._page, ROOT, PLAN_BYTES_MAX)
        root = None if text is None else parse(text, self._page)
        if root is None:
            return []
        drafts = Rules(self._page, self._regions).drafts(root)
        replications = [self._complete(draft) for draft in drafts]
        self._limit(drafts, replications)
        return replications

    def _complete(self, draft: Draft) -> Replication:
        """Add the images of the list file."""
        images = draft.images
        if draft.listed is not None:
            images = self._merge(draft, *self._list(draft.listed, below(draft.path, "images_from")))
        return Replication(
            draft.name, draft.source, draft.destinations, tuple(images), draft.selectors, draft.policy
        )

    def _merge(self, draft: Draft, page: Page, listed: dict[ImageId, Place]) -> dict[ImageId, Place]:
        """Join the plan's own images and the listed ones; an image is in one of them only."""
        for image in listed:
            if image not in draft.images:
                continue
            where = f"{self._page.file}:{draft.images[image].line}"
            page.add(
                listed[image], below(draft.path, "images_from"), f"{image} again; it is already in {where}"
            )
        return draft.images | listed

    def _list(self, listed: Text, path: str) -> tuple[Page, dict[ImageId, Place]]:
        """Read a list file, unless it was read before."""
        if listed.value not in self._lists:
            page = self.complaints.page(join(dirname(self._name), listed.value))
            self._lists[listed.value] = page, self._images(listed, page, path)
        return self._lists[listed.value]

    def _images(self, listed: Text, page: Page, path: str) -> dict[ImageId, Place]:
        """Get a list file's bytes and read them."""
        try:
            data = self._read_list(listed.value)
        except OSError as error:
            cause = shown(error.strerror or type(error).__name__)
            self._page.add(listed.place, path, f"{page.file} cannot be read: {cause}")
            return {}
        self.digest.update(sha256(data).digest())
        return read_images(data, page, path)

    def _limit(self, drafts: list[Draft], replications: list[Replication]) -> None:
        """Complain of the replication with which the plan makes more than a million copies."""
        routes: defaultdict[tuple[Region, Region], set[ImageId]] = defaultdict(set)
        total = 0
        for draft, replication in zip(drafts, replications, strict=True):
            for destination in replication.destinations:
                images = routes[replication.source, destination]
                before = len(images)
                images.update(replication.images)
                total += len(images) - before
            if total > COPIES_MAX:
                message = f"with this one the plan makes more than {COPIES_MAX:,} copies; split it"
                self._page.add(draft.place, draft.path, message)
                return
