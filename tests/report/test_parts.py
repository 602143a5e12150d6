"""The small parts of a story: lineage, traffic, groups."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.messages import Unanswered
from orchestrator.core.model import Copy, ImageId, Region, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Standing
from orchestrator.report.groups import NAMED_MAX, failures, pending
from orchestrator.report.lineage import LONGEST, by_place, lineage
from orchestrator.report.traffic import SPANS_MAX, TrafficCount, api_of_event
from tests.nights import EAST, EAST1, NORTH, SOUTH
from tests.report.samples import copy_story
from tests.watch.samples import NIGHT, every_event


def relayed(to: Region, image: str, *, via: Region | None = None, carrier: str = "") -> Standing:
    """Make a ready copy of one original, carried by an image elsewhere."""
    return Standing(
        copy=Copy(ImageId("img-0"), NORTH, to), state=State.READY, reason=Reason.COPIED,
        image=ImageId(image), via=via, carrier=ImageId(carrier) if carrier else None,
    )  # fmt: skip


def test_a_lineage_goes_from_copy_to_copy() -> None:
    """A copy of a copy of a copy leads over both back to the original; a plain copy needs no lineage."""
    first = relayed(EAST, "img-1")
    second = relayed(SOUTH, "img-2", via=EAST, carrier="img-1")
    third = relayed(EAST1, "img-3", via=SOUTH, carrier="img-2")
    made = by_place([first, second, third])
    assert lineage(first, made) == ()
    assert lineage(third, made) == ((NORTH, "img-0"), (EAST, "img-1"), (SOUTH, "img-2"), (EAST1, "img-3"))
    assert lineage(replace(third, image=None), {}) == ((NORTH, "img-0"), (SOUTH, "img-2"))


def test_a_lineage_in_a_circle_ends() -> None:
    """Even a ledger that contradicts itself is told to an end."""
    one = relayed(EAST, "img-1", via=SOUTH, carrier="img-2")
    two = relayed(SOUTH, "img-2", via=EAST, carrier="img-1")
    assert len(lineage(one, by_place([one, two]))) <= LONGEST + 1


@pytest.mark.parametrize("length_s", [0, 1, 59, 61, 3600, 86_400, 30 * 86_400, 4e9])
def test_traffic_fits_on_a_page(length_s: float) -> None:
    """However long a run took, its requests are in at most sixty spans, and none is lost."""
    count = TrafficCount(NIGHT)
    events = [event for share in (0, 0.5, 1) for event in every_event(at=NIGHT + share * length_s)]
    for event in events:
        count.take(event)
    traffic = count.summed(NIGHT + length_s)
    asked = sum(api_of_event(event) is not None for event in events)
    assert sum(sum(bars) for bars in traffic.counts.values()) == asked
    assert {len(bars) for bars in traffic.counts.values()} == {int(length_s // traffic.span_s) + 1}
    assert length_s // traffic.span_s < SPANS_MAX


@pytest.mark.parametrize(
    ("read", "api"),
    [
        ("inspect", "describeImages"),
        ("check", "describeImage"),
        ("image", "describeQuotas"),
        ("snapshot", "describeQuota"),
        ("deleteImage", "deleteImage"),
    ],
)
def test_an_unanswered_read_counts_for_its_api(read: str, api: str) -> None:
    """A request that nobody answered was sent all the same."""
    event = Unanswered(at=NIGHT, read=read, region=EAST, reason=Reason.TIMEOUT)
    assert api_of_event(event) == api


def test_groups_name_the_first_and_count_the_others() -> None:
    """The largest group stands first; it names fifty copies and says how many more there are."""
    many = [copy_story(7 + 50 * n) for n in range(NAMED_MAX + 3)]
    other = copy_story(7)
    few = replace(other, standing=replace(other.standing, reason=Reason.ENCRYPTED))
    large, small = failures([few, *many])
    assert (large.reason, large.number, len(large.named), large.more) == (Reason.COPY_ERROR, 53, NAMED_MAX, 3)
    assert (small.reason, small.number, small.more) == (Reason.ENCRYPTED, 1, 0)
    assert sum(number for _, _, number in large.places) == 53
    assert pending([few, *many]) == ()


def test_what_waits_for_room_is_counted_by_place() -> None:
    """Copies that find no room are not named one by one; each destination says what all its copies heard."""
    waiting = [copy_story(9 + 51 * 3 * n, to=EAST) for n in range(4)]
    told = [replace(c, standing=replace(c.standing, detail="4 short")) for c in waiting]
    (group,) = pending(told)
    assert (group.named, group.places) == ((), ((EAST, "4 short", 4),))
    mixed = [*told[1:], waiting[0]]
    assert pending(mixed)[0].places == ((EAST, "", 4),)
