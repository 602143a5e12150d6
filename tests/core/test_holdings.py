"""Holdings: which replication's rule speaks of which image, and what proves that an image is our copy."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.core.holdings import holdings
from orchestrator.core.model import CallId, Copy, ImageId, Region, Sighting, State
from orchestrator.core.plan.resolving import resolve
from orchestrator.core.retention import Held
from orchestrator.core.schedule.heritage import Heritage
from tests.core.plans import load

NORTH, EAST, SOUTH = Region("cn-north-1"), Region("cn-east-2"), Region("cn-south-1")
NOW = 1_800_000_000.0
LEDGER = "ourledger"

PLAN = """\
version: 1
replications:
- name: golden
  source: cn-north-1
  destinations: [cn-east-2]
  images: [%s]
  keep: {latest: 2}
"""
GLOB = "{name: 'golden-*', latest: 1}"


def image(label: str, name: str, text: str = "", day: int = 10, **more: object) -> Sighting:
    """Show one ready image, made on this day of January 2027."""
    seen = Sighting(
        image=ImageId(f"img-{label}"), status="ready", name=name, text=text,
        created=f"2027-01-{day:02d} 03:00:00",
    )  # fmt: skip
    return Sighting(**({field: getattr(seen, field) for field in seen.__slots__} | more))


def mark(*sources: str, ledger: str = LEDGER, origin: str = NORTH) -> str:
    """Write the mark of one call."""
    named = ",".join(f"img-{source}" for source in sources)
    return f"orchestrator/1 ledger={ledger} call=c1 from={origin}" + (f" of={named}" if sources else "")


def known(source: str, copy: str, *, seen: Sighting | None = None, answered: bool = True) -> Heritage:
    """Say what the ledger knows of one copy from north to east."""
    return Heritage(
        copy=Copy(ImageId(f"img-{source}"), NORTH, EAST), image=ImageId(f"img-{copy}"), state=State.READY,
        answered=answered, call=CallId("c1") if answered else None, source=seen,
    )  # fmt: skip


def held(
    there: Sequence[Sighting], heritage: Sequence[Heritage] = (), *, images: str = GLOB,
    sources: Sequence[Sighting] = (), plan: str = PLAN,
) -> dict[str, Held]:  # fmt: skip
    """Bring a plan, the listings of both regions and the ledger together: id without prefix -> holding."""
    whole = load(plan % images if "%s" in plan else plan)
    resolved = resolve(whole, {NORTH: sources}, now=NOW).plan
    shown = {NORTH: sources, EAST: there}
    found = holdings(whole, resolved, shown, heritage, LEDGER)
    return {each.sighting.image.removeprefix("img-"): each for each in found}


TONIGHT = image("s9", "golden-ubuntu-20270115", day=15)
OLDER = image("s1", "golden-ubuntu-20270101", day=1)


def test_the_ledgers_copy_of_a_source_that_is_there() -> None:
    """It is ours, bears its source's family and age, and is not wanted: tonight wants a newer build."""
    found = held([image("c1", "golden-ubuntu-20270101")], [known("s1", "c1")], sources=[OLDER, TONIGHT])["c1"]
    assert (found.ours, found.wanted, found.is_source, len(found.keeps)) == (True, False, False, 1)
    assert (found.family, found.made) == ("golden-ubuntu", OLDER.created)


def test_the_copy_of_what_tonight_wants() -> None:
    """The newest build's copy is wanted."""
    found = held([image("c9", "any")], [known("s9", "c9")], sources=[OLDER, TONIGHT])["c9"]
    assert (found.wanted, len(found.keeps)) == (True, 1)


def test_a_source_that_is_gone_is_remembered() -> None:
    """Deleted at home, as golden images are: name and age are those that the ledger saw."""
    found = held([image("c1", "labelled-otherwise", day=14)], [known("s1", "c1", seen=OLDER)])["c1"]
    assert (found.family, found.made, len(found.keeps)) == ("golden-ubuntu", OLDER.created, 1)


def test_a_source_that_was_renamed() -> None:
    """The name it bears now says which rule speaks of it: a copy whose source left the family has none."""
    now_called = image("s1", "retired-ubuntu", day=1)
    found = held(
        [image("c1", "golden-ubuntu-20270101")], [known("s1", "c1", seen=OLDER)], sources=[now_called]
    )
    assert (found["c1"].ours, found["c1"].keeps) == (True, ())


def test_a_mark_alone_proves_it() -> None:
    """A copy that a lost ledger's successor does not know, whose mark names its one source."""
    found = held([image("c1", "golden-ubuntu-20270101", mark("s1"))], sources=[OLDER])["c1"]
    assert (found.ours, found.copy) == (True, Copy(ImageId("img-s1"), NORTH, EAST))
    assert (found.made, len(found.keeps)) == (OLDER.created, 1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "copied from cn-north-1 img-s1",
        mark("s1", ledger="otherledger"),
        mark("s1", "s2"),
        mark(),
        "ledger=ourledger call=c1 from=cn-north-1 of=img-s1",
    ],
    ids=["none", "platform", "another ledger's", "two sources", "no source", "no mark of ours"],
)
def test_what_proves_nothing(text: str) -> None:
    """Words of the platform, marks of another ledger, marks that do not tell which copy it is: not ours."""
    found = held([image("c1", "golden-ubuntu-20270101", text)], sources=[OLDER])["c1"]
    assert (found.ours, found.copy, found.keeps) == (False, None, ())


@pytest.mark.parametrize(
    ("text", "ours"),
    [("copied from cn-north-1 img-s1", False), (mark("s1", ledger="otherledger"), False), (mark("s1"), True)],
)
def test_an_adopted_copy_is_ours_only_by_our_mark(text: str, ours: bool) -> None:
    """What the ledger merely found and took over was made by somebody: it is never ours to delete."""
    there = [image("c1", "golden-ubuntu-20270101", text)]
    found = held(there, [known("s1", "c1", answered=False)], sources=[OLDER])["c1"]
    assert (found.ours, len(found.keeps)) == (ours, 1)


def test_a_mark_of_another_route_is_none_of_this_plans() -> None:
    """A copy of ours from a region that no replication copies from: ours, and no rule speaks of it."""
    found = held([image("c1", "golden-ubuntu-20270101", mark("s1", origin=SOUTH))], sources=[OLDER])["c1"]
    assert (found.ours, found.keeps) == (True, ())


def test_listed_images_take_their_family_with_them() -> None:
    """A plan of ids keeps the older builds of the families of those ids, and of no others."""
    there = [image("c1", "golden-ubuntu-1"), image("c2", "silver-ubuntu-1")]
    both = [known("s1", "c1", seen=OLDER), known("s2", "c2", seen=image("s2", "silver-ubuntu-20270101"))]
    found = held(there, both, images="img-s9", sources=[TONIGHT])
    assert (len(found["c1"].keeps), found["c2"].keeps) == (1, ())


def test_excluded_names_are_not_spoken_of() -> None:
    """What `exclude` leaves out is not the replication's to delete either."""
    selector = "{name: 'golden-*', exclude: '*-20270101'}"
    lone = image("s2", "golden-debian-20270101", day=1)
    found = held([image("c2", lone.name)], [known("s2", "c2")], images=selector, sources=[lone])["c2"]
    assert found.keeps == ()


def test_a_pattern_says_how_copies_group() -> None:
    """`family` of a selector holds for the copies of such names, in the destination too."""
    selector = "{name: 'golden-*', latest: 1, family: '^golden'}"
    centos = image("s2", "golden-centos-20270101", day=1)
    there = [image("c1", OLDER.name), image("c2", centos.name)]
    found = held(
        there, [known("s1", "c1"), known("s2", "c2")], images=selector, sources=[OLDER, centos, TONIGHT]
    )
    assert {each.family for each in found.values()} == {"golden"}


CHAIN = """\
version: 1
replications:
- {name: one, source: cn-north-1, destinations: [cn-east-2], images: [img-s9], keep: {latest: 1}}
- {name: two, source: cn-east-2, destinations: [cn-north-1], images: [img-c1], keep: {latest: 1}}
- {name: three, source: cn-north-1, destinations: [cn-east-2], images: [img-s1], keep: {within: 9d}}
- {name: four, source: cn-north-1, destinations: [cn-south-1], images: [img-s1]}
"""


def test_every_replication_that_speaks_keeps() -> None:
    """Two replications of one route keep, a third copies from it; only regions of a `keep` are judged."""
    found = held([image("c1", OLDER.name)], [known("s1", "c1")], sources=[OLDER, TONIGHT], plan=CHAIN)
    assert (found["c1"].is_source, len(found["c1"].keeps)) == (True, 2)
    assert {each.region for each in found.values()} == {NORTH, EAST}
