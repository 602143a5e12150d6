"""A snapshot beside the ledger saves time and changes nothing: whatever is wrong with it, events count."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from hashlib import blake2b
from pathlib import Path
from shutil import copyfile

import pytest

from orchestrator.core.codec import form_of, to_json
from orchestrator.core.messages import Event, Settled
from orchestrator.core.model import State
from orchestrator.core.schedule import Schedule
from orchestrator.errors import LedgerDamaged
from orchestrator.ledger import snapshot
from orchestrator.ledger.compaction import compact
from orchestrator.ledger.reader import LedgerReader
from orchestrator.ledger.snapshot import SNAPSHOT, keep_snapshot, recovered
from orchestrator.ledger.sqlite import Ledger
from tests.core.schedule.twins import after_begun
from tests.ledger.lives import LIMITS, Life
from tests.ledger.tampering import tamper
from tests.nights import EAST, SOUTH, Cloud, Killed, copies_of

pytestmark = pytest.mark.looptime

WANTED = copies_of(3, EAST, SOUTH)


async def live(folder: Path, *, kill_last: bool = False, nights: int = 3, kept_after: int = 2) -> Life:
    """Live through nights; a snapshot is kept after one of them, the last one is perhaps killed."""
    life = Life(folder, Cloud(images=3))
    for number in range(nights):
        try:
            await life.night(WANTED, kill_after=25 if kill_last and number == nights - 1 else None)
        except* Killed:
            pass
        if number + 1 == kept_after:
            keep(life)
    return life


def keep(life: Life) -> None:
    """Keep a snapshot, as a run does at its end."""
    with life.open() as ledger:
        assert keep_snapshot(ledger, whole(ledger), worth=1)


def whole(ledger: Ledger) -> Schedule:
    """Take in every event."""
    schedule = Schedule(LIMITS, ledger.ledger_id)
    schedule.recover(ledger.events())
    return schedule


@pytest.mark.parametrize("kill_last", [False, True])
async def test_a_start_from_a_snapshot_is_the_same_start(tmp_path: Path, *, kill_last: bool) -> None:
    """Snapshot and later events, a killed run's among them, give the schedule that all events give."""
    life = await live(tmp_path, kill_last=kill_last)
    with life.open() as ledger:
        used = snapshot._from_snapshot(ledger, LIMITS)
        assert used is not None
        assert ledger.base < used[1] < ledger.head
        assert after_begun(recovered(ledger, LIMITS)) == after_begun(whole(ledger))
    assert set((await life.night(WANTED)).states().values()) == {State.READY}


async def test_what_a_person_settles_goes_with_a_snapshot(tmp_path: Path) -> None:
    """`settle` may come between the snapshot and the next run: it means the same as after all events."""
    doubted = 0
    for kill_after in range(8, 14):
        life = Life(tmp_path / str(kill_after), Cloud(images=3))
        life.folder.mkdir()
        with pytest.raises(ExceptionGroup):
            await life.night(WANTED, kill_after=kill_after)
        await life.night(WANTED, deadline_s=0)
        keep(life)
        with life.open() as ledger:
            short, long = recovered(ledger, LIMITS), whole(ledger)
        doubted += list(long.states().values()).count(State.DOUBTFUL)
        for copy in WANTED:
            event: Event = Settled(at=long.register.now + 1, copy=copy, made=False)
            short.apply(event)
            long.apply(event)
        assert after_begun(short) == after_begun(long)
    assert doubted


async def test_it_is_made_when_it_is_worth_it(tmp_path: Path) -> None:
    """Not before so many events came, counted from the last one, which is then replaced."""
    life = await live(tmp_path, nights=2, kept_after=9)
    with life.open() as ledger:
        schedule = whole(ledger)
        assert not keep_snapshot(ledger, schedule)
        assert not keep_snapshot(ledger, schedule, worth=ledger.head + 1)
        assert not (tmp_path / SNAPSHOT).exists()
        assert keep_snapshot(ledger, schedule, worth=ledger.head)
        assert not keep_snapshot(ledger, schedule, worth=1)
    assert (tmp_path / SNAPSHOT).stat().st_mode & 0o777 == 0o600
    before = (tmp_path / SNAPSHOT).read_bytes()
    await life.night(WANTED)
    keep(life)
    assert (tmp_path / SNAPSHOT).read_bytes() != before


async def test_a_compaction_leaves_it_valid(tmp_path: Path) -> None:
    """The events that went were in it; it is used as before."""
    life = await live(tmp_path, nights=4, kept_after=4)
    with life.open() as ledger:
        before = after_begun(whole(ledger))
        assert compact(ledger, nights=2) > 0
        assert snapshot._from_snapshot(ledger, LIMITS) is not None
        assert after_begun(recovered(ledger, LIMITS)) == before


def torn(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def without_sum(file: Path) -> None:
    file.write_bytes(file.read_bytes().rpartition(b"\n")[0] + b"\n")


def empty(file: Path) -> None:
    file.write_bytes(b"")


def garbage(file: Path) -> None:
    file.write_bytes(b"[1, 2]\n{}\n")


def changed(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"ready"', b'"failed"'))


def another_program(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"form": "', b'"form": "9.9.9 ', 1))


def another_ledger(file: Path) -> None:
    file.write_bytes(file.read_bytes().replace(b'"ledger": "l', b'"ledger": "m', 1))


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def link(file: Path) -> None:
    file.rename(file.with_name("elsewhere"))
    file.symlink_to("elsewhere")


HARMS = (
    torn, cut, without_sum, empty, garbage, changed,
    another_program, another_ledger, folder, link, Path.unlink,
)  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
async def test_one_that_is_no_good_is_passed_over(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """Torn, changed, of another program or ledger, no file at all: the events are taken in instead."""
    life = await live(tmp_path)
    harm(tmp_path / SNAPSHOT)
    with life.open() as ledger:
        assert snapshot._from_snapshot(ledger, LIMITS) is None
        assert after_begun(recovered(ledger, LIMITS)) == after_begun(whole(ledger))
    assert set((await life.night(WANTED)).states().values()) == {State.READY}


async def test_one_of_an_earlier_version_is_passed_over(tmp_path: Path) -> None:
    """Whole, of this ledger, its memory event by event as it once was: the events are taken in instead."""
    life = await live(tmp_path)
    file = tmp_path / SNAPSHOT
    with life.open() as ledger:
        stamp = replace(snapshot._stamp(ledger, ledger.head), form=f"0.1.0 {form_of('remembered')}")
        lines = [json.dumps(asdict(stamp)), *map(to_json, whole(ledger).remember())]
        text = "".join(f"{line}\n" for line in lines).encode()
        file.write_bytes(text + blake2b(text).hexdigest().encode())
        assert snapshot._from_snapshot(ledger, LIMITS) is None
        assert after_begun(recovered(ledger, LIMITS)) == after_begun(whole(ledger))
        assert keep_snapshot(ledger, whole(ledger), worth=1)
        assert snapshot._from_snapshot(ledger, LIMITS) is not None


@pytest.mark.parametrize("place", range(0, 2000, 97))
async def test_a_changed_byte_is_noticed(tmp_path: Path, place: int) -> None:
    """Whichever byte it is."""
    life = await live(tmp_path, nights=1, kept_after=1)
    file = tmp_path / SNAPSHOT
    whole_text = file.read_bytes()
    place = min(place, len(whole_text) - 1)
    file.write_bytes(whole_text[:place] + bytes([whole_text[place] ^ 1]) + whole_text[place + 1 :])
    with life.open() as ledger:
        assert snapshot._from_snapshot(ledger, LIMITS) is None


async def test_an_older_copy_of_the_ledger_has_its_own_past(tmp_path: Path) -> None:
    """A backup that was put back, and lived on differently, is not taken for what the snapshot is of."""
    life = await live(tmp_path, nights=1, kept_after=9)
    copyfile(tmp_path / "ledger.db", tmp_path / "kept")
    await life.night(WANTED)
    keep(life)
    copyfile(tmp_path / "kept", tmp_path / "ledger.db")
    with life.open() as ledger:
        assert snapshot._from_snapshot(ledger, LIMITS) is None
    life.cloud.world.stores[EAST].images.clear()
    await life.night(WANTED)
    with life.open() as ledger:
        assert ledger.head > 0
        assert snapshot._from_snapshot(ledger, LIMITS) is None


async def test_damage_behind_it_is_still_refused(tmp_path: Path) -> None:
    """An event that is in the snapshot already is verified like all others: a damaged ledger is refused."""
    life = await live(tmp_path)
    change = "UPDATE events SET body = replace(body, 'e', 'f') WHERE seq = 3"
    tamper(tmp_path, lambda connection: connection.execute(change))
    with life.open() as ledger, pytest.raises(LedgerDamaged, match="event 3 "):
        recovered(ledger, LIMITS)


async def test_a_disk_that_is_full_changes_nothing(tmp_path: Path) -> None:
    """A snapshot that cannot be written is none; the run is over and went well."""
    life = await live(tmp_path, nights=1, kept_after=9)
    (tmp_path / f"{SNAPSHOT}.new").mkdir()
    with life.open() as ledger:
        assert not keep_snapshot(ledger, whole(ledger), worth=1)
    assert not (tmp_path / SNAPSHOT).exists()


async def test_whoever_only_looks_comes_to_the_same(tmp_path: Path) -> None:
    """A reader brings the same schedule back, with the snapshot and without, and writes nothing."""
    life = await live(tmp_path)
    with life.open() as ledger:
        expected = whole(ledger).states()
    for _ in range(2):
        reader = LedgerReader.open(tmp_path)
        assert reader is not None
        with reader, reader.standstill():
            assert recovered(reader, LIMITS).states() == expected
        (tmp_path / SNAPSHOT).unlink(missing_ok=True)
    assert not (tmp_path / SNAPSHOT).exists()
