"""Selectors: a plan that names images by what they are like, resolved against a listing."""

from __future__ import annotations

import pytest

from orchestrator.core.model import ImageId, Region, Sighting
from orchestrator.core.plan import Plan, Replication
from orchestrator.core.plan.policy import Keep, Label, Policy
from orchestrator.core.plan.resolving import Resolved, resolve
from orchestrator.errors import PlanError
from tests.core.plans import complaints, load

NORTH = Region("cn-north-1")
NOW = 1_800_000_000.0  # 2027-01-15 16:00 in China
MARKED = "orchestrator/1 ledger=l call=c from=cn-south-1 of=img-x"

PLAN = """\
version: 1
replications:
- name: golden
  source: cn-north-1
  destinations: [cn-east-2]
  images: [%s]
"""


def image(number: str, name: str, created: str = "", **more: object) -> Sighting:
    """Show one private image of the source region."""
    seen = Sighting(image=ImageId(f"img-{number}"), status="ready", name=name, created=created)
    return Sighting(**({field: getattr(seen, field) for field in seen.__slots__} | more))


BUILDS = (
    image("u1", "golden-ubuntu-20270113", "2027-01-13 03:00:00"),
    image("u2", "golden-ubuntu-20270114", "2027-01-14 03:00:00"),
    image("u3", "golden-ubuntu-20270115", "2027-01-15 03:00:00", status="pending"),
    image("c1", "golden-centos-20270110", "2027-01-10 03:00:00", platform="CentOS", architecture="arm64"),
    image("c2", "golden-centos-20261110", "2026-11-10 03:00:00", platform="CentOS"),
    image("e1", "golden-ubuntu-20270116", "2027-01-16 03:00:00", status="error"),
    image("d1", "golden-debian-20270115", "2027-01-15 03:00:00", text=MARKED),
    image("w1", "web-7", "2027-01-15 02:00:00", os_type="windows"),
)


def resolved(
    selectors: str, images: tuple[Sighting, ...] = BUILDS, known: tuple[ImageId, ...] = ()
) -> Resolved:
    """Resolve a plan of one replication whose images are these."""
    return resolve(load(PLAN % selectors), {NORTH: images}, now=NOW, copies=known)


@pytest.mark.parametrize(
    ("selectors", "images"),
    [
        ("{name: 'golden-*'}", ["u3", "c1", "u2", "c2", "u1"]),
        ("{name: 'golden-*', latest: 1}", ["u3", "c1"]),
        ("{name: 'golden-*', latest: 2, exclude: '*centos*'}", ["u3", "u2"]),
        ("{name: 'golden-*', exclude: ['*centos*', '*-20270113']}", ["u3", "u2"]),
        ("{name_regex: '^golden-(ubuntu|centos)-2027', latest: 1}", ["u3", "c1"]),
        ("{name_regex: ubuntu, latest: 1, family: '^golden'}", ["u3"]),
        ("{name: '*', latest: 1, family: '^(golden|web)'}", ["u3", "w1"]),
        ("{name: '*', max_age: 40h}", ["u3", "w1", "u2"]),
        ("{name: '*', os_type: Windows}", ["w1"]),
        ("{name: '*', platform: centos, architecture: arm64}", ["c1"]),
        ("img-x, {name: 'web*'}, {name: 'w*'}", ["x", "w1"]),
        ("{name: 'GOLDEN-*'}", []),
    ],
)
def test_what_a_selector_matches(selectors: str, images: list[str]) -> None:
    """Glob, expression, rank in the family, age and kind; the newest of each family first, each image once.

    Broken images and copies that a call of ours made are never meant.
    """
    (replication,) = resolved(selectors).plan.replications
    assert [name.removeprefix("img-") for name in replication.images] == images


def test_known_copies_are_not_selected() -> None:
    """Two regions that replicate to each other do not copy an image back, mark or no mark."""
    (replication,) = resolved("{name: 'web*'}", known=(ImageId("img-w1"),)).plan.replications
    assert replication.images == ()


@pytest.mark.parametrize(
    ("selector", "says"),
    [
        ("{name: golden-ubuntu-20270116}", "img-e1 (golden-ubuntu-20270116): status error"),
        ("{name: golden-centos-20261110, max_age: 14d}", "img-c2 (golden-centos-20261110): made 2026-11-10"),
        ("{name: 'web-*', os_type: linux}", "img-w1 (web-7): os_type windows"),
        ("{name: golden-debian-20270115}", "img-d1 (golden-debian-20270115): itself a copy"),
        ("{name: golden-ubunto-20270114}", "near misses: golden-ubuntu-20270114"),
        ("{name: zebra}", "the region has no such images"),
    ],
)
def test_a_selector_that_matches_nothing_says_what_nearly_did(selector: str, says: str) -> None:
    """A warning with the place in the plan and near misses; the run goes on."""
    found = resolved(selector)
    (warning,) = found.warnings()
    assert warning.startswith("plan.yaml:6:12: name ")
    assert says in warning
    assert found.plan.copies() == ()


@pytest.mark.parametrize(
    ("selector", "says"),
    [
        ("{name: zebra, required: true}", "plan.yaml:6:12: name zebra matches nothing, and it is required"),
        ("{name: '*', at_most: 3}", "plan.yaml:6:12: name * matches 6 images, more than at_most: 3"),
    ],
)
def test_a_selector_may_forbid_the_run(selector: str, says: str) -> None:
    """What must match, and what suddenly matches too much, stop everything before the first call."""
    with pytest.raises(PlanError) as caught:
        resolved(selector)
    assert caught.value.complaints[0].startswith(says)


def test_a_plan_without_selectors_needs_no_listing() -> None:
    """Only source regions of selectors are listed."""
    assert load(PLAN % "img-a").selects() == ()
    assert load(PLAN % "{name: '*'}").selects() == (NORTH,)


@pytest.mark.parametrize(
    ("selector", "says"),
    [
        ("{nmae: x}", "6:13: @.nmae: unknown key, did you mean name?"),
        (
            "{name: a, name_regex: b}",
            "6:22: @.name_regex: name and name_regex cannot",
        ),
        (
            "{name_regex: '('}",
            "6:25: @.name_regex: '(' is no regular expression: missing )",
        ),
        ("{name: a, latest: 0}", "6:30: @.latest: '0' is not a whole number from 1"),
        ("{name: a, latest: many}", "6:30: @.latest: 'many' is not a whole number"),
        ("{name: a, max_age: 2w}", "6:31: @.max_age: '2w' is not a duration"),
        (
            "{name: a, required: yes}",
            "6:32: @.required: 'yes' is neither true nor false",
        ),
        (
            "{name: a, exclude: [[b]]}",
            "6:32: @.exclude[0]: expected text, found a list",
        ),
        ("{}", "6:12: @: an empty selector would mean every image"),
    ],
)
def test_complaints_about_selectors(selector: str, says: str) -> None:
    """Each fault is told with its place and what to do."""
    (line,) = complaints(PLAN % selector)
    assert line.startswith(f"plan.yaml:{says.replace('@', 'replications[0].images[0]')}")


# --- what else a replication wants ----------------------------------------------------------------

WISHES = """\
version: 1
defaults:
  source: cn-north-1
  destinations: [cn-east-2, cn-south-1]
  keep: {latest: 3, within: 30d}
  verify: true
  label: {name: '{source_name}-{date}', description: 'from {source_region}'}
replications:
- name: plain
  images: [img-a]
- name: own
  priority: 5
  relay: true
  destinations: [cn-east-1]
  best_effort: {fail_after_nights: 3}
  keep: {latest: 1}
  verify: false
  images: [img-b]
"""


def test_defaults_hold_where_a_replication_is_silent() -> None:
    """What it says itself replaces the default, key by key."""
    plain, own = load(WISHES).replications
    label = Label(name="{source_name}-{date}", description="from {source_region}")
    assert plain == Replication(
        "plain", NORTH, (Region("cn-east-2"), Region("cn-south-1")), (ImageId("img-a"),),
        policy=Policy(keep=Keep(latest=3, within_s=30 * 86_400.0), verify=True, label=label),
    )  # fmt: skip
    assert own == Replication(
        "own", NORTH, (Region("cn-east-1"),), (ImageId("img-b"),),
        policy=Policy(
            relay=True, priority=5, fail_after_nights=3, keep=Keep(latest=1), verify=False, label=label
        ),
    )  # fmt: skip


def test_priority_comes_first() -> None:
    """Copies of the replication with the higher priority lead, whatever the order in the file."""
    plan: Plan = load(WISHES)
    assert [copy.source for copy in plan.copies()] == ["img-b", "img-a", "img-a"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("latest: 3", "lates: 3", "5:10: defaults.keep.lates: unknown key, did you mean latest?"),
        (
            "{latest: 3, within: 30d}",
            "{}",
            "5:9: defaults.keep: an empty mapping; expected at least",
        ),
        ("30d", "never", "5:29: defaults.keep.within: 'never' is not a duration"),
        (
            "{source_name}-",
            "{source_nam}-",
            "7:17: defaults.label.name: unknown field {source_nam}, did",
        ),
        ("-{date}'", "/{date}'", "7:17: defaults.label.name: the character '/' is not allowed in a name"),
        ("-{date}'", "-{date'", "7:17: defaults.label.name: a brace that opens or closes nothing"),
        ("-{date}'", "-" + "x" * 33 + "'", "7:17: defaults.label.name: longer than 32 characters"),
        ("priority: 5", "priority: high", "12:13: replications[1].priority: 'high' is not a whole number"),
        (
            "{fail_after_nights: 3}",
            "{}",
            "15:16: replications[1].best_effort.fail_after_nights: missing",
        ),
        (
            "source: cn-north-1",
            "source: cn-nroth-1",
            "3:11: defaults.source: unknown region 'cn-nroth-1'",
        ),
    ],
)
def test_complaints_about_wishes(old: str, new: str, says: str) -> None:
    """Each fault is told with its place, once where it stands in the defaults or for each who uses it."""
    assert old in WISHES
    assert complaints(WISHES.replace(old, new, 1))[0].startswith(f"plan.yaml:{says}")
