"""Full destinations: parked, tried again, ended."""

from __future__ import annotations

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.model import Region, Resource
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.counting import count, uncount
from orchestrator.core.schedule.parking import (
    blocked,
    exhausted,
    only_blocked,
    park,
    probe,
    refused_for_quota,
)
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Destination
from tests.core.schedule.stories import EAST, SOUTH, copies_of


def waiting(*regions: Region) -> tuple[Register, list[Destination]]:
    """Make a register with one wanted, waiting copy in each region."""
    register = Register(Limits(), "ledger")
    for copy in copies_of(1, *regions):
        track = register.track(copy)
        uncount(track)
        track.wanted = True
        count(track)
    return register, [register.destinations[region] for region in regions]


def test_a_parked_destination_is_blocked_until_its_time() -> None:
    """At its time the retry begins: both quotas are stale; only an answer ends the blindness."""
    register, (east,) = waiting(EAST)
    east.stale, east.blind = set(), {Resource.IMAGE}
    park(register, east, Reason.QUOTA_IMAGE, 900.0)
    probe(east, 899.9)
    assert blocked(east)
    assert east.stale == set()
    probe(east, 900.0)
    assert not blocked(east)
    assert east.stale == set(Resource)
    assert east.blind == {Resource.IMAGE}


def test_a_destination_that_is_not_full_is_left_alone() -> None:
    """Without a park there is nothing to try again, and nothing blocks."""
    _, (east,) = waiting(EAST)
    probe(east, 1e12)
    assert not blocked(east)
    assert east.park is None


@pytest.mark.parametrize(("size", "ceiling"), [(10, 5), (5, 2), (3, 1), (2, 1)])
def test_a_refused_chunk_halves_the_next_one(size: int, ceiling: int) -> None:
    """More than one copy refused: both quotas are read again and at most half is tried at once."""
    register, (east,) = waiting(EAST)
    east.stale = set()
    refused_for_quota(register, east, size, Reason.QUOTA_IMAGE, 900.0)
    assert (east.ceiling, east.park, east.stale) == (ceiling, None, set(Resource))


def test_one_copy_too_many_parks() -> None:
    """A single copy was refused: the region waits for QUOTA_INTERVAL, then tries one."""
    register, (east,) = waiting(EAST)
    refused_for_quota(register, east, 1, Reason.QUOTA_SNAPSHOT, 900.0)
    assert east.park is not None
    assert (east.park.reason, east.park.until, east.ceiling) == (Reason.QUOTA_SNAPSHOT, 900.0, 1)


def test_a_refused_retry_parks_whatever_its_size() -> None:
    """After QUOTA_INTERVAL one more call was refused: no halving, the region waits again."""
    register, (east,) = waiting(EAST)
    park(register, east, Reason.QUOTA_IMAGE, 900.0)
    probe(east, 900.0)
    refused_for_quota(register, east, 10, Reason.QUOTA_IMAGE, 1800.0)
    assert blocked(east)
    assert east.park is not None
    assert east.park.until == 1800.0
    assert east.park.exhausted


def test_the_night_is_exhausted_only_after_a_retry() -> None:
    """Full once is not enough; full again after a retry with nothing else left is."""
    register, (east,) = waiting(EAST)
    park(register, east, Reason.QUOTA_IMAGE, 900.0)
    assert only_blocked(register)
    assert not exhausted(register)
    probe(east, 900.0)
    park(register, east, Reason.QUOTA_IMAGE, 1800.0)
    assert exhausted(register)


def test_the_night_is_not_exhausted_while_another_region_goes_on() -> None:
    """EAST is full and was retried, SOUTH still has work: quota may come free meanwhile."""
    register, (east, south) = waiting(EAST, SOUTH)
    park(register, east, Reason.QUOTA_IMAGE, 900.0)
    probe(east, 900.0)
    park(register, east, Reason.QUOTA_IMAGE, 1800.0)
    assert not only_blocked(register)
    assert not exhausted(register)
    park(register, south, Reason.QUOTA_IMAGE, 1900.0)
    assert not exhausted(register), "SOUTH was not retried, and EAST was retried while SOUTH was at work"


def test_nothing_left_is_not_exhausted() -> None:
    """A settled night ends as settled, not for want of room."""
    register = Register(Limits(), "ledger")
    assert not exhausted(register)
