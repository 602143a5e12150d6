"""Retention: every fate of an image, and which rule speaks first where several would."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from orchestrator.core.cloud_time import created_s
from orchestrator.core.model import Copy, ImageId, Region, Sighting
from orchestrator.core.plan.policy import Keep
from orchestrator.core.retention import DELETED, SAYS, Doom, Fate, Held, judge

NORTH, EAST, SOUTH = Region("cn-north-1"), Region("cn-east-2"), Region("cn-south-1")
DAY_S = 86_400.0
TONIGHT = "2027-01-15 03:00:00"
NOW = created_s(TONIGHT) or 0.0


def day(ago: int) -> str:
    """Write the time of creation of what was made so many nights ago."""
    return f"2027-01-{15 - ago:02d} 03:00:00"


def held(ago: int, **more: Any) -> Held:
    """Hold a ready copy of ours whose source was made so many nights ago, made in the same night."""
    image = ImageId(f"img-{ago:02d}")
    seen = Sighting(image=image, status="ready", name=f"golden-{ago}", created=day(ago))
    shown = {name: more.pop(name) for name in ("status", "shared", "created") if name in more}
    plain = Held(
        region=EAST, sighting=Sighting(**({f: getattr(seen, f) for f in seen.__slots__} | shown)),
        copy=Copy(ImageId(f"img-src{ago}"), NORTH, EAST), family="golden", made=day(ago), ours=True,
        wanted=False, is_source=False, keeps=(Keep(latest=1),),
    )  # fmt: skip
    return Held(**({f: getattr(plain, f) for f in plain.__slots__} | more))


def fates(*images: Held, now: float = NOW) -> dict[str, Fate]:
    """Judge images: id without its prefix -> fate."""
    return {d.held.sighting.image.removeprefix("img-"): d.fate for d in judge(images, now=now)}


NEWEST = held(0)
"""The newest ready copy of the family, in whose shadow another one may go."""


@pytest.mark.parametrize(
    ("traits", "fate"),
    [
        ({}, Fate.SUPERSEDED),
        ({"status": "error"}, Fate.BROKEN),
        ({"ours": False}, Fate.NOT_OURS),
        ({"keeps": ()}, Fate.NO_POLICY),
        ({"status": "pending"}, Fate.UNDER_WAY),
        ({"status": "deleting"}, Fate.UNDER_WAY),
        ({"status": "a word of tomorrow"}, Fate.UNDER_WAY),
        ({"is_source": True}, Fate.A_SOURCE),
        ({"shared": True}, Fate.SHARED),
        ({"wanted": True}, Fate.WANTED),
        ({"keeps": (Keep(latest=2),)}, Fate.LATEST),
        ({"keeps": (Keep(within_s=9 * DAY_S),)}, Fate.WITHIN),
        ({"keeps": (Keep(within_s=8 * DAY_S),)}, Fate.SUPERSEDED),
        ({"keeps": (Keep(latest=1, within_s=9 * DAY_S),)}, Fate.WITHIN),
        ({"keeps": (Keep(latest=1), Keep(latest=2))}, Fate.LATEST),
        ({"keeps": (Keep(latest=1), Keep(within_s=30 * DAY_S))}, Fate.WITHIN),
        ({"created": "", "keeps": (Keep(within_s=DAY_S),)}, Fate.WITHIN),
        ({"created": "yesterday", "keeps": (Keep(within_s=DAY_S),)}, Fate.WITHIN),
        ({"created": "", "keeps": (Keep(latest=1),)}, Fate.SUPERSEDED),
    ],
    ids=str,
)
def test_the_fate_of_an_older_copy(traits: dict[str, object], fate: Fate) -> None:
    """Nine days old, beside a newer one of its family: it goes only when no rule speaks for it."""
    assert fates(NEWEST, held(9, **traits)) == {"00": Fate.NEWEST, "09": fate}


ORDER = (
    ({"ours": False}, Fate.NOT_OURS),
    ({"keeps": ()}, Fate.NO_POLICY),
    ({"status": "pending"}, Fate.UNDER_WAY),
    ({"is_source": True}, Fate.A_SOURCE),
    ({"shared": True}, Fate.SHARED),
    ({"wanted": True}, Fate.WANTED),
    ({"keeps": (Keep(latest=9, within_s=99 * DAY_S),)}, Fate.LATEST),
)
"""The order in which a person would ask; the first that holds is what is told."""


@pytest.mark.parametrize("place", range(len(ORDER)))
def test_the_first_rule_that_holds_is_the_one_told(place: int) -> None:
    """With all later rules holding too, what is said is what a person must know first."""
    traits: dict[str, object] = {}
    for more, _ in reversed(ORDER[place:]):
        traits |= more
    assert fates(NEWEST, held(9, **traits))["09"] is ORDER[place][1]


@pytest.mark.parametrize("trait", ["is_source", "shared", "ours"])
def test_a_broken_copy_stays_where_a_rule_before_speaks(trait: str) -> None:
    """Broken is no licence: what is shared, a source or not ours is told as such and kept."""
    fate = fates(held(9, status="error", **{trait: trait != "ours"}))["09"]
    assert fate not in DELETED


def test_a_broken_copy_goes_even_when_tonight_wants_it() -> None:
    """It holds the room that the next try needs, and it is nobody's newest."""
    assert fates(held(0, status="error", wanted=True), held(3)) == {"00": Fate.BROKEN, "03": Fate.NEWEST}


def test_only_ready_copies_of_ours_have_a_rank() -> None:
    """A newer image that is pending, broken or somebody else's does not push out the newest ready one."""
    newer = held(0, status="pending"), held(1, status="error"), held(2, ours=False)
    told = fates(*newer, held(3), held(4), held(5))
    assert [told[name] for name in ("03", "04", "05")] == [Fate.NEWEST, Fate.SUPERSEDED, Fate.SUPERSEDED]


def test_latest_counts_what_is_shared_or_wanted_too() -> None:
    """`latest: 3` keeps the newest three, whatever else keeps them."""
    images = [held(ago, keeps=(Keep(latest=3),)) for ago in range(5)]
    images[1] = replace(images[1], wanted=True)
    images[2] = held(2, keeps=(Keep(latest=3),), shared=True)
    assert list(fates(*images).values()) == [
        Fate.NEWEST, Fate.WANTED, Fate.SHARED, Fate.SUPERSEDED, Fate.SUPERSEDED
    ]  # fmt: skip


def test_age_is_the_copys_and_order_the_sources() -> None:
    """A copy made yesterday of an image that is a month old is young, and still the older build."""
    late = held(9, created=day(1), keeps=(Keep(within_s=2 * DAY_S),))
    assert fates(NEWEST, late)["09"] is Fate.WITHIN
    assert list(fates(late, NEWEST)) == ["00", "09"]


def test_families_and_destinations_are_judged_apart() -> None:
    """Each keeps its own newest: one family's builds push out no other's, nor those of another region."""
    other = replace(held(5), family="silver")
    south = replace(held(6), region=SOUTH)
    assert set(fates(NEWEST, other, south).values()) == {Fate.NEWEST}


def test_copies_of_one_moment_are_judged_the_same_in_any_order() -> None:
    """What two copies made in the same second come to does not hang on the order of a listing."""
    images = [replace(held(ago), made=TONIGHT) for ago in range(6)]
    first = fates(*images)
    for seed in range(10):
        Random(seed).shuffle(images)
        assert fates(*images) == first
    assert list(first.values()).count(Fate.NEWEST) == 1


def test_no_family_is_ever_left_without_its_newest_ready_copy() -> None:
    """Over a thousand random worlds: what goes is ours, unshared, unwanted, no source; the newest stays."""
    for seed in range(1000):
        chance = Random(seed)
        images = [
            held(
                ago, status=chance.choice(("ready", "ready", "error", "pending")),
                ours=chance.random() < 0.8, wanted=chance.random() < 0.2, shared=chance.random() < 0.2,
                is_source=chance.random() < 0.2,
                keeps=chance.choice(((), (Keep(latest=1),), (Keep(within_s=3 * DAY_S),))),
            )
            for ago in range(8)
        ]  # fmt: skip
        dooms = judge(images, now=NOW)
        ready = [d for d in dooms if d.held.ours and d.held.sighting.status == "ready"]
        assert not any(d.goes for d in ready[:1]), seed
        assert all(_may_go(d) for d in dooms if d.goes), seed


def _may_go(doom: Doom) -> bool:
    """Tell whether nothing that is known forbids a deletion."""
    image = doom.held
    wanted = image.wanted and image.sighting.status == "ready"
    return image.ours and bool(image.keeps) and not (image.is_source or image.sighting.shared or wanted)


def test_every_fate_has_its_words() -> None:
    """Nothing is kept or deleted without saying why."""
    assert set(SAYS) == set(Fate)
    assert [fate for fate in Fate if fate.value.startswith("delete-")] == list(DELETED)
