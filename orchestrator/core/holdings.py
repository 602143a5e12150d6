"""Which rule of retention speaks of which image: listings, ledger and plan brought together. Pure.

A copy belongs to a replication when it came from its source region into one of its destinations, and when
its source is an image of the replication, bears a name that its selectors ask for, or is of the
family of an image that it wants. Age, rank and kind do not matter here: they are why an image is old.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.core.families import family_of
from orchestrator.core.marks import read_mark
from orchestrator.core.model import Copy, ImageId, Region, Sighting
from orchestrator.core.plan import Plan, Replication
from orchestrator.core.retention import Held
from orchestrator.core.schedule.heritage import Heritage
from orchestrator.core.select import Selector

Shown = Mapping[Region, Sequence[Sighting]]
"""The private images of regions, as they were listed."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """One replication with `keep`, and the families of the images that it wants tonight."""

    replication: Replication
    images: frozenset[ImageId]
    families: frozenset[str]

    def speaks_of(self, origin: Region, region: Region, source: ImageId | None, name: str) -> bool:
        """Tell whether an image of a destination belongs to the replication."""
        each = self.replication
        if origin != each.source or region not in each.destinations:
            return False
        if source in self.images or any(_named(selector, name) for selector in each.selectors):
            return True
        return self.family(name) in self.families

    def family(self, name: str) -> str:
        """Return the family of a name, by the pattern of the first selector that asks for such names."""
        return family_of(name, _pattern(self.replication, name))


def holdings(
    plan: Plan, resolved: Plan, shown: Shown, heritage: Sequence[Heritage], ledger: str
) -> Iterator[Held]:
    """Give every image of the destinations of replications that keep, with what is known of it.

    `resolved` is the plan with its selectors resolved; `shown` are the listings of its regions, of a
    destination that is not among them nothing is given; `ledger` is the ledger's id.
    """
    known = {(each.copy.destination, each.image): each for each in heritage}
    sources = {(region, image.image): image for region, images in shown.items() for image in images}
    rules = [
        _rule(each, named, sources)
        for each, named in zip(plan.replications, resolved.replications, strict=True)
        if each.policy.keep is not None
    ]
    wanted = frozenset(resolved.copies())
    carrying = frozenset((copy.origin, copy.source) for copy in wanted)
    for region in dict.fromkeys(r for rule in rules for r in rule.replication.destinations):
        for sighting in shown.get(region, ()):
            yield _held(region, sighting, known, sources, rules, wanted, carrying, ledger)


def _held(  # one argument per thing that is known
    region: Region, sighting: Sighting, known: Mapping[tuple[Region, ImageId], Heritage],
    sources: Mapping[tuple[Region, ImageId], Sighting], rules: Sequence[_Rule], wanted: frozenset[Copy],
    carrying: frozenset[tuple[Region, ImageId]], ledger: str,
) -> Held:  # fmt: skip
    """Bring together what is known of one image."""
    each = known.get((region, sighting.image))
    copy = each.copy if each is not None else _marked(region, sighting, ledger)
    source = sources.get((copy.origin, copy.source)) if copy is not None else None
    source = source or (each.source if each is not None else None)
    name = source.name if source is not None and source.name else sighting.name
    speaking = [r for r in rules if copy and r.speaks_of(copy.origin, region, copy.source, name)]
    ours = each.is_ours(sighting, ledger) if each is not None else copy is not None
    return Held(
        region=region,
        sighting=sighting,
        copy=copy,
        family=speaking[0].family(name) if speaking else family_of(name),
        made=(source.created if source is not None else "") or sighting.created,
        ours=ours,
        wanted=copy in wanted,
        is_source=(region, sighting.image) in carrying,
        keeps=tuple(r.replication.policy.keep for r in speaking if r.replication.policy.keep is not None),
    )


def _marked(region: Region, sighting: Sighting, ledger: str) -> Copy | None:
    """Read out of a mark of this ledger which copy an image is that the ledger does not know any more."""
    mark = read_mark(sighting.text)
    if mark is None or mark.ledger != ledger or len(mark.originals) != 1:
        return None
    ((origin, source),) = mark.originals
    return Copy(source, origin, region)


def _rule(each: Replication, named: Replication, sources: Mapping[tuple[Region, ImageId], Sighting]) -> _Rule:
    """Learn the families of what a replication wants."""
    shown = (sources.get((each.source, image)) for image in named.images)
    names = [sighting.name for sighting in shown if sighting is not None]
    families = frozenset(family_of(name, _pattern(each, name)) for name in names)
    return _Rule(each, frozenset(named.images), families)


def _pattern(each: Replication, name: str) -> re.Pattern[str] | None:
    """Return the pattern by which a replication groups such names, if it has one."""
    asking = (selector.family for selector in each.selectors if _named(selector, name))
    return next((pattern for pattern in asking if pattern is not None), None)


def _named(selector: Selector, name: str) -> bool:
    """Tell whether a selector asks for such a name, whatever else it asks for."""
    return selector.asks_for(name) and not selector.leaves_out(name)
