"""A lost ledger: made anew out of what the cloud shows, or begun anew; nothing is made twice either way."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from orchestrator.app import Wish
from orchestrator.core.model import ImageId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Verdict
from orchestrator.engine.halt import Halt
from orchestrator.errors import LedgerDamaged, UsageError
from orchestrator.ledger.replacing import Earlier, put_in_place
from orchestrator.ledger.sqlite import Ledger
from orchestrator.runs.rebuilding import Rebuilt, choose_id
from orchestrator.simulator.traits import Pace, Switches
from tests.contract.running import QUICK, House, plan_of, reading
from tests.contract.ways import serving
from tests.nights import EAST, SOUTH, Cloud, Killed, Operator, check_books, copies_of, image_id

pytestmark = pytest.mark.looptime

CLOUDS = {
    "marks": Switches(),
    "platform": Switches(stores_description=False),
    "nothing": Switches(stores_description=False, writes_text=False),
}
IMAGES = tuple(map(image_id, range(12)))


def house_with(folder: Path, switches: str = "marks", lag_s: float = 0.0) -> House:
    """Make a house whose cloud tells what it stores by one word."""
    pace = Pace(copy_base_s=50, copy_per_gb_s=0, listing_lag_s=lag_s)
    return House(folder, cloud=Cloud(images=12, pace=pace, switches=CLOUDS[switches]))


async def rebuild(
    house: House, *, halt: Halt | None = None, even_if_healthy: bool = False, images: int = 12
) -> Rebuilt:
    """Serve the cloud and rebuild the ledger of the usual plan, or of less of it."""
    wish = Wish(plan=plan_of(IMAGES[:images], EAST, SOUTH))
    async with (
        serving(house.cloud.world, house.cloud.faults, house.wall) as url,
        house.orchestrator(url) as orchestrator,
    ):
        return await orchestrator.rebuild(wish, halt, even_if_healthy=even_if_healthy)


def damage(house: House) -> bytes:
    """Write over the middle of the ledger; return what it is now."""
    path = house.state / "ledger.db"
    content = bytearray(path.read_bytes())
    half = len(content) // 2
    content[half : half + 3000] = b"\x55" * 3000
    path.write_bytes(content)
    return bytes(content)


def twice(cloud: Cloud) -> list[object]:
    """Name what the cloud made more than once."""
    made = Counter((entry["source"], entry["destination"]) for entry in cloud.world.books()["copies"])
    return [copy for copy, count in made.items() if count > 1]


def calls(house: House) -> int:
    """Count the copy calls that the cloud took."""
    return house.cloud.world.books()["requests"].get("copyImages", 0)


def reasons(rebuilt: Rebuilt) -> Counter[tuple[State, Reason]]:
    """Count where the copies stand."""
    return Counter((standing.state, standing.reason) for standing in rebuilt.outcome.result.copies)


# --- without a rebuild: a run on an empty ledger --------------------------------------------------


@pytest.mark.parametrize("stored", ["marks", "platform"])
async def test_a_ledger_deleted_after_any_event_makes_nothing_twice(stored: str) -> None:
    """Copies are visible at once here, and texts tell whose they are: all are taken over."""
    copies = copies_of(4, EAST, SOUTH)
    whole = len((await Operator(Cloud(images=4, pace=QUICK, switches=CLOUDS[stored])).night(copies)).events)
    for kill_after in range(0, whole + 1, 2):
        cloud = Cloud(images=4, pace=QUICK, switches=CLOUDS[stored])
        try:
            await Operator(cloud).night(copies, kill_after=kill_after)
        except* Killed:
            pass
        night = await Operator(cloud, seed=1).night(copies)
        check_books(cloud)
        assert twice(cloud) == [], kill_after
        assert (night.verdict, night.counts.ready) == ("ok", 8), kill_after


# --- a rebuild ------------------------------------------------------------------------------------


async def test_a_damaged_ledger_is_made_anew_and_the_next_night_has_nothing_to_do(tmp_path: Path) -> None:
    """Every copy is found by its mark, under the old id; the old file is kept as it was, byte for byte."""
    house = house_with(tmp_path)
    await house.night()
    before, made = damage(house), calls(house)
    with pytest.raises(LedgerDamaged):
        await house.night()
    rebuilt = await rebuild(house)
    assert rebuilt.outcome.result.exit_code == 0
    assert reasons(rebuilt) == {(State.READY, Reason.ADOPTED): 24}
    assert (rebuilt.inherited, rebuilt.in_place, rebuilt.marked) == (True, True, {rebuilt.ledger_id: 24})
    assert rebuilt.kept is not None
    assert rebuilt.kept.read_bytes() == before
    assert rebuilt.kept.name.startswith("ledger.db.damaged-2027")
    assert not (house.state / "rebuilding").exists()
    night = await house.night()
    assert night.result.exit_code == 0
    assert calls(house) == made
    with reading(house) as reader:
        assert [row.run for row in reader.runs()] == [night.result.run, rebuilt.outcome.result.run]


async def test_a_platforms_text_proves_a_copy_too(tmp_path: Path) -> None:
    """No mark is stored: all is found by the source id in the text, and the ledger has a new id."""
    house = house_with(tmp_path, "platform")
    await house.night()
    damage(house)
    rebuilt = await rebuild(house)
    assert (rebuilt.outcome.result.exit_code, rebuilt.inherited) == (0, False)
    assert reasons(rebuilt) == {(State.READY, Reason.ADOPTED): 24}
    assert (await house.night()).result.exit_code == 0
    assert twice(house.cloud) == []


async def test_what_is_not_visible_yet_is_waited_for(tmp_path: Path) -> None:
    """Sent a moment before the loss, shown 30 s later: in doubt, then found.

    A run without a rebuild makes them twice, which is why there is one.
    """
    for rebuilds in (True, False):
        folder = tmp_path / str(rebuilds)
        folder.mkdir()
        house = house_with(folder, lag_s=30)
        await house.night(deadline_s=3)
        assert calls(house) > 0
        for file in house.state.glob("ledger.db*"):
            file.unlink()
        if rebuilds:
            rebuilt = await rebuild(house)
            assert (rebuilt.outcome.result.exit_code, rebuilt.kept) == (0, None)
            assert reasons(rebuilt) == {(State.DOUBTFUL, Reason.LEDGER_LOST): 24}
        night = await house.night()
        assert (twice(house.cloud) == []) is rebuilds
        if rebuilds:
            assert (night.result.exit_code, night.result.counts.ready) == (0, 24)


@pytest.mark.parametrize("stored", CLOUDS)
async def test_a_plan_that_was_never_run_costs_one_settling_time(tmp_path: Path, stored: str) -> None:
    """Nothing is there: exit 0, and the next run makes all of it, whatever the cloud stores; no person."""
    house = house_with(tmp_path, stored)
    rebuilt = await rebuild(house)
    assert rebuilt.outcome.result.exit_code == 0
    assert reasons(rebuilt) == {(State.DOUBTFUL, Reason.LEDGER_LOST): 24}
    assert calls(house) == 0
    night = await house.night()
    assert (night.result.exit_code, night.result.counts.ready) == (0, 24)
    first = min(call["at"] for call in house.cloud.world.books()["calls"])
    assert first - night.result.started_at >= 40
    assert night.result.finished_at - night.result.started_at < 40 + 60 + 8 * 60


async def test_where_nothing_tells_what_is_there_is_left_to_a_person(tmp_path: Path) -> None:
    """A rebuild says so at once and names the image; the rest is made; nothing is made twice."""
    house = house_with(tmp_path, "nothing")
    await house.night(images=IMAGES[:3])
    damage(house)
    rebuilt = await rebuild(house)
    assert (rebuilt.outcome.result.exit_code, rebuilt.outcome.result.verdict) == (3, Verdict.PARTIAL)
    assert reasons(rebuilt) == {
        (State.DOUBTFUL, Reason.NEEDS_PERSON): 6,
        (State.DOUBTFUL, Reason.LEDGER_LOST): 18,
    }
    there = {image.id for image in (*house.cloud.made(EAST), *house.cloud.made(SOUTH))}
    named = {s.detail for s in rebuilt.outcome.result.copies if s.reason is Reason.NEEDS_PERSON}
    assert named == there
    night = await house.night()
    assert (night.result.exit_code, night.result.counts.ready) == (3, 18)
    assert twice(house.cloud) == []


async def test_copies_of_other_plans_are_no_alarm_afterwards(tmp_path: Path) -> None:
    """The new ledger has the old one's id but knows one plan; what else carries its marks is known to it."""
    house = house_with(tmp_path)
    await house.night(images=IMAGES[:10])
    damage(house)
    rebuilt = await rebuild(house, images=4)
    assert rebuilt.marked == {rebuilt.ledger_id: 20}
    night = await house.night(images=(*IMAGES[:4], *IMAGES[10:]))
    assert (night.result.exit_code, night.result.strangers) == (0, ())
    other = await house.night(images=IMAGES[:10])
    assert other.result.exit_code == 0
    assert twice(house.cloud) == []


# --- what a rebuild refuses, and what stops it ----------------------------------------------------


async def test_a_healthy_ledger_is_refused_unless_asked_for(tmp_path: Path) -> None:
    """Nothing is sent, nothing changes; with the option the old one is kept under another word."""
    house = house_with(tmp_path)
    await house.night()
    before = (house.state / "ledger.db").read_bytes()
    asked = sum(house.cloud.world.books()["requests"].values())
    with pytest.raises(UsageError, match="--even-if-healthy"):
        await rebuild(house)
    assert sum(house.cloud.world.books()["requests"].values()) == asked
    rebuilt = await rebuild(house, even_if_healthy=True)
    assert rebuilt.kept is not None
    assert rebuilt.kept.read_bytes() == before
    assert rebuilt.kept.name.startswith("ledger.db.replaced-")


@pytest.mark.parametrize(("what", "code"), [("keys", 77), ("signal", 130)])
async def test_a_rebuild_that_is_stopped_leaves_all_as_it_was(tmp_path: Path, what: str, code: int) -> None:
    """Refused credentials, or a signal: the damaged ledger is where it was, and nothing beside it."""
    house = house_with(tmp_path)
    await house.night()
    before, halt = damage(house), Halt()
    if what == "keys":
        house.secret = "a-secret-that-nobody-gave-us"
    else:
        halt.request(2)
    rebuilt = await rebuild(house, halt=halt)
    assert (rebuilt.outcome.result.exit_code, rebuilt.in_place, rebuilt.kept) == (code, False, None)
    assert (house.state / "ledger.db").read_bytes() == before
    assert not list(house.state.glob("ledger.db.*"))
    assert not (house.state / "rebuilding").exists()


def states_of(folder: Path, name: str) -> Path:
    """Make a ledger in a folder of its own."""
    place = folder / name if name else folder
    place.mkdir(exist_ok=True)
    with Ledger.open(place, ids=lambda: "abcdefghijk2" if name else "abcdefghijk1", now=1.0):
        pass
    return place / "ledger.db"


class Died(Exception):
    """The process died here."""


@pytest.mark.parametrize("dies_after", range(2))
def test_killed_while_the_ledgers_change_places_a_run_refuses_what_is_there(
    tmp_path: Path, dies_after: int
) -> None:
    """Until the old one's log is moved as well, a run finds a log without a ledger; no file is lost."""
    old = states_of(tmp_path, "")
    old.with_name("ledger.db-wal").write_bytes(b"log")
    old.with_name("ledger.db-shm").write_bytes(b"shared")
    states_of(tmp_path, "rebuilding")
    moves = iter(range(10))

    def step() -> None:
        if next(moves) == dies_after:
            raise Died

    with pytest.raises(Died):
        put_in_place(tmp_path, kept_as="damaged", step=step)
    kept = {file.name for file in tmp_path.glob("ledger.db*")}
    assert {name.replace(".damaged", "") for name in kept} == {"ledger.db", "ledger.db-wal", "ledger.db-shm"}
    with pytest.raises(LedgerDamaged):
        Ledger.open(tmp_path, ids=lambda: "abcdefghijk3", now=1.0)


def test_a_rebuild_never_overwrites_what_an_earlier_one_kept(tmp_path: Path) -> None:
    """Two in one second: the second old ledger gets a name of its own."""
    for _ in range(2):
        states_of(tmp_path, "")
        states_of(tmp_path, "rebuilding")
        put_in_place(tmp_path, kept_as="damaged")
    names = sorted(file.name for file in tmp_path.glob("ledger.db*"))
    assert names == ["ledger.db", "ledger.db.damaged", "ledger.db.damaged-2"]
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        assert connection.execute("SELECT value FROM meta WHERE key = 'ledger_id'").fetchone() == (
            "abcdefghijk2",
        )


A, B = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
OURS, OTHERS = frozenset({image_id(0)}), frozenset({ImageId("img-other")})


@pytest.mark.parametrize(
    ("marks", "old", "chosen"),
    [
        ({}, None, None),
        ({A: OURS}, None, A),
        ({A: OTHERS}, None, None),
        ({A: OURS, B: OTHERS}, None, A),
        ({A: OURS, B: OURS}, None, None),
        ({A: OURS, B: OURS}, B, B),
        ({A: OURS}, B, A),
        ({}, B, None),
    ],
)
def test_the_id_is_taken_over_only_where_it_is_clear_whose_it_is(
    marks: dict[str, frozenset[ImageId]], old: str | None, chosen: str | None
) -> None:
    """The old ledger's where marks carry it, else the only one on copies of this plan, else a new one."""
    seen = {ledger: {ImageId("img-copy"): sources} for ledger, sources in marks.items()}
    earlier = Earlier(LedgerDamaged(), old) if old else None
    assert choose_id(seen, OURS, earlier) == chosen
