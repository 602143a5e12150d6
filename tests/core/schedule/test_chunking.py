"""Which copies travel together, and how a refused chunk is taken apart."""

from __future__ import annotations

from dataclasses import replace
from heapq import heappush

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.model import Sighting
from orchestrator.core.schedule.chunking import clear, gather, halve
from orchestrator.core.schedule.offers import Offer, Pool
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Track
from tests.core.schedule.stories import EAST, copies_of


def ready_pool(images: int, *, disks: int = 1, names: str = "name-{}") -> tuple[Register, Pool, list[Track]]:
    """Make a register in which these copies may be called at once, and their pool."""
    register = Register(Limits(), "ledger")
    tracks = [register.track(copy) for copy in copies_of(images, EAST)]
    for number, track in enumerate(tracks):
        track.wanted, track.source.inspected = True, True
        sighting = Sighting(
            image=track.copy.source, status="ready", name=names.format(number),
            snapshots=tuple(f"s{disk}" for disk in range(disks)),
        )  # fmt: skip
        track.source.learn(sighting)
        register.count(track)
        register.offer(track)
    (pool,) = register.offers.pools.values()
    return register, pool, tracks


def taken(register: Register, pool: Pool, most: int = 10) -> list[int]:
    """Take the next chunk and lock its sources, as the agenda does; return its order numbers."""
    chosen = gather(register, pool, most, None).chosen
    for track in chosen:
        register.reserve(track, commit=True)
    return orders(chosen)


def orders(tracks: list[Track]) -> list[int]:
    return [track.order for track in tracks]


@pytest.mark.parametrize(
    ("waiting", "most", "expected"),
    [(1, 10, 1), (10, 10, 10), (11, 10, 10), (25, 99, 10), (25, 4, 4), (3, 1, 1)],
)
def test_a_chunk_holds_ten_or_what_the_room_allows(waiting: int, most: int, expected: int) -> None:
    """Never more than ten, never more than there is room for, in the plan's order."""
    register, pool, _ = ready_pool(waiting)
    assert orders(gather(register, pool, most, None).chosen) == list(range(expected))
    assert len(pool) == waiting - expected


@pytest.mark.parametrize(
    ("disks", "snapshots", "expected", "squeezed"),
    [
        (1, 3, 3, True),
        (3, 10, 3, True),
        (3, 9, 3, True),
        (3, 2, 0, True),
        (0, 2, 2, True),
        (3, 60, 10, False),
    ],
)
def test_a_chunk_is_cut_to_the_snapshots_that_are_left(
    disks: int, snapshots: int, expected: int, squeezed: bool
) -> None:
    """One snapshot per disk and at least one; `squeezed` says that more would have gone."""
    register, pool, _ = ready_pool(10, disks=disks)
    gathering = gather(register, pool, 10, snapshots)
    assert len(gathering.chosen) == expected
    assert gathering.squeezed is squeezed


def test_a_smaller_image_takes_the_place_of_one_that_does_not_fit() -> None:
    """The one of five disks stays in the pool; the next ones of one disk go."""
    register, pool, tracks = ready_pool(4)
    big = tracks[0].source
    assert big.sighting is not None
    big.sighting = replace(big.sighting, snapshots=("a", "b", "c", "d", "e"))
    assert orders(gather(register, pool, 10, 3).chosen) == [1, 2, 3]
    assert [entry.track.order for entry in pool] == [0]


def test_sources_of_one_name_never_share_a_chunk() -> None:
    """Three names among nine images: three chunks of three, each name once in each."""
    register, pool, tracks = ready_pool(9)
    for track in tracks:
        track.source.names = {f"name-{track.order % 3}"}
    chunks = [taken(register, pool) for _ in range(3)]
    assert chunks == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]


def test_a_name_that_a_source_once_had_keeps_others_of_it_out_of_the_chunk() -> None:
    """A copy keeps the name that its source had in its day: it must name one source of the call."""
    register, pool, tracks = ready_pool(2)
    tracks[1].source.names.add("name-0")
    assert [taken(register, pool) for _ in range(2)] == [[0], [1]]


def test_sources_of_unknown_name_travel_one_by_one() -> None:
    """Nothing tells two nameless copies apart, so they never share a call."""
    register, pool, tracks = ready_pool(3)
    for track in tracks:
        track.source.sighting, track.source.names = None, set()
    assert [taken(register, pool) for _ in range(3)] == [[0], [1], [2]]


def test_what_cannot_be_called_now_is_passed_over() -> None:
    """A held source, a pause, a copy that is done, one that nobody wants: none of them is chosen."""
    register, pool, tracks = ready_pool(5)
    tracks[0].source.held = 1
    tracks[1].not_before = 100.0
    tracks[2].wanted = False
    tracks[3].source.inspected = False
    assert orders(gather(register, pool, 10, None).chosen) == [4]
    assert pool == []
    assert [entry.track.order for entry in register.offers.sleepers] == [1]


def test_the_source_with_most_copies_to_make_goes_first() -> None:
    """Its copies go one after the other, so it is the one that makes the night long."""
    register, pool, tracks = ready_pool(3)
    pool.clear()
    for track, waiting in zip(tracks, (1, 3, 2), strict=True):
        heappush(pool, Offer(-waiting, track.order, track.ticket, track, track.source))
    assert orders(gather(register, pool, 2, None).chosen) == [1, 2]


@pytest.mark.parametrize(
    ("size", "halves"), [(10, (5, 5)), (9, (5, 4)), (3, (2, 1)), (2, (1, 1)), (1, (1, 0))]
)
def test_a_refused_chunk_becomes_two_groups(size: int, halves: tuple[int, int]) -> None:
    """Each half is a group of suspects of its own; nobody is in both."""
    _, _, tracks = ready_pool(size)
    sources = tuple(track.source for track in tracks)
    halve(sources)
    groups = [source.suspects for source in sources]
    assert len({id(group) for group in groups[: halves[0]]}) == 1
    assert [group.sources for group in groups if group] == [sources[: halves[0]]] * halves[0] + [
        sources[halves[0] :]
    ] * halves[1]


def test_suspects_travel_only_together() -> None:
    """Neither of two groups mixes with the other or with the innocent."""
    register, pool, tracks = ready_pool(8)
    halve(tuple(track.source for track in tracks[:4]))
    chunks = [taken(register, pool) for _ in range(3)]
    assert sorted(chunks) == [[0, 1], [2, 3], [4, 5, 6, 7]]


def test_a_suspect_alone_travels_alone() -> None:
    """A group of one is not mixed into a chunk before it has proved itself."""
    register, pool, tracks = ready_pool(5)
    halve((tracks[2].source,))
    chunks = [taken(register, pool) for _ in range(2)]
    assert sorted(chunks) == [[0, 1, 3, 4], [2]]


def test_the_cleared_travel_with_everybody() -> None:
    """An accepted chunk lifts the suspicion from all of its sources."""
    register, pool, tracks = ready_pool(6)
    halve(tuple(track.source for track in tracks[:4]))
    clear(tuple(track.source for track in tracks[:4]))
    assert orders(gather(register, pool, 10, None).chosen) == list(range(6))


def test_a_group_larger_than_the_room_loses_nobody() -> None:
    """One place for two suspects, the second of them first in the pool: both go, one after the other."""
    register, pool, tracks = ready_pool(2)
    halve((tracks[0].source, tracks[1].source))
    halve((tracks[0].source, tracks[1].source, ready_pool(1)[2][0].source))
    pool.clear()
    heappush(pool, Offer(-5, 1, tracks[1].ticket, tracks[1], tracks[1].source))
    heappush(pool, Offer(-1, 0, tracks[0].ticket, tracks[0], tracks[0].source))
    assert {*taken(register, pool, most=1), *taken(register, pool, most=1)} == {0, 1}


def test_a_source_refused_in_smaller_company_leaves_its_old_group() -> None:
    """Three of five were refused without the others: the two travel without the three."""
    register, pool, tracks = ready_pool(5)
    sources = [track.source for track in tracks]
    halve((*sources, *[ready_pool(1)[2][0].source] * 5))
    halve(tuple(sources[:3]))
    pool.clear()
    for track in tracks:
        heappush(pool, Offer(-track.order, track.order, track.ticket, track, track.source))
    chunks = [taken(register, pool) for _ in range(3)]
    assert sorted(chunks) == [[0, 1], [2], [3, 4]]


def test_a_chunk_is_formed_in_bounded_work() -> None:
    """Ten thousand copies of one name: one is chosen without going through all of them."""
    register, pool, tracks = ready_pool(10_000, names="golden")
    chosen = gather(register, pool, 10, None).chosen
    assert orders(chosen) == [0]
    assert len(pool) == len(tracks) - 1
