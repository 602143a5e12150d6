"""Which copies travel together; who of a refused chunk does is in `test_culprits`."""

from __future__ import annotations

from dataclasses import replace
from heapq import heappush

import pytest

from orchestrator.core.limits import Limits
from orchestrator.core.messages import Refused
from orchestrator.core.model import CallId, Sighting
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule.chunking import gather
from orchestrator.core.schedule.counting import count
from orchestrator.core.schedule.culprits import clear, suspect, suspect_alone
from orchestrator.core.schedule.lifecycle import Step
from orchestrator.core.schedule.offers import Offer, Pool
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.tracks import Track
from tests.core.schedule.stories import EAST, copies_of

REFUSAL = Refused(at=0.0, call=CallId("c"), reason=Reason.CONFLICT)


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
        count(track)
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


def test_suspects_do_not_mix_with_the_innocent() -> None:
    """Half of four suspects in one chunk, those of good repute in the next; then none until an answer."""
    register, pool, tracks = ready_pool(8)
    suspect(tuple(track.source for track in tracks[:4]), REFUSAL)
    chunks = [taken(register, pool) for _ in range(3)]
    assert sorted(chunks) == [[], [0, 1], [4, 5, 6, 7]]


def test_two_groups_of_suspects_do_not_mix_either() -> None:
    """Each of two refused chunks has a half on its way at the same time, and neither holds the other up."""
    register, pool, tracks = ready_pool(8)
    suspect(tuple(track.source for track in tracks[:4]), REFUSAL)
    suspect(tuple(track.source for track in tracks[4:]), REFUSAL)
    chunks = [taken(register, pool) for _ in range(3)]
    assert sorted(chunks) == [[], [0, 1], [4, 5]]


def test_a_suspect_alone_travels_alone() -> None:
    """A group of one is not mixed into a chunk before it has proved itself."""
    register, pool, tracks = ready_pool(5)
    suspect_alone(tracks[2].source)
    chunks = [taken(register, pool) for _ in range(2)]
    assert sorted(chunks) == [[0, 1, 3, 4], [2]]


def test_the_cleared_travel_with_everybody() -> None:
    """An accepted chunk lifts the suspicion from all of its sources."""
    register, pool, tracks = ready_pool(6)
    suspect(tuple(track.source for track in tracks[:4]), REFUSAL)
    clear(tuple(track.source for track in tracks[:4]))
    assert orders(gather(register, pool, 10, None).chosen) == list(range(6))


def test_a_group_larger_than_the_room_loses_nobody() -> None:
    """One place for four suspects, the last of them first in the pool: all go, one after the other."""
    register, pool, tracks = ready_pool(4)
    suspect(tuple(track.source for track in tracks), REFUSAL)
    pool.clear()
    for track in tracks:
        heappush(pool, Offer(-track.order, track.order, track.ticket, track, track.source))
    gone = []
    for _ in range(4):
        (number,) = taken(register, pool, most=1)
        register.move(tracks[number], Step.CALL, Reason.CALLED)
        register.move(tracks[number], Step.ACCEPT, Reason.ACCEPTED)
        clear((tracks[number].source,))
        gone.append(number)
    assert sorted(gone) == [0, 1, 2, 3]


def test_a_chunk_is_formed_in_bounded_work() -> None:
    """Ten thousand copies of one name: one is chosen without going through all of them."""
    register, pool, tracks = ready_pool(10_000, names="golden")
    chosen = gather(register, pool, 10, None).chosen
    assert orders(chosen) == [0]
    assert len(pool) == len(tracks) - 1
