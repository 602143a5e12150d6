"""The orchestrator as a library: what a run returns, what it leaves in ledger and log, and how it fails."""

from __future__ import annotations

import re
from pathlib import Path
from signal import SIGINT, SIGTERM

import pytest

from orchestrator.core.messages import Ended
from orchestrator.core.model import RunId, State
from orchestrator.core.plan.narrowing import Narrowing
from orchestrator.core.verdict import Counts, Verdict
from orchestrator.engine.halt import Halt
from orchestrator.errors import LockHeld, UsageError
from orchestrator.ledger import snapshot
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.ledger.snapshot import SNAPSHOT
from orchestrator.ledger.sqlite import Ledger
from orchestrator.watch.result import result_json
from tests.canary import WRONG
from tests.contract.running import House, later, reading, sent
from tests.nights import EAST, SOUTH, check_books, copies_of, image_id, now

pytestmark = pytest.mark.looptime

WANTED = copies_of(12, EAST, SOUTH)


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Make a house with an empty state folder and a cloud of twelve sources."""
    return House(tmp_path)


# --- the outcome ----------------------------------------------------------------------------------


async def test_a_good_night_returns_what_it_did(house: House) -> None:
    """Id, plan, verdict, times, counts, calls, copies and the log's path; nothing to be mended."""
    began = now()
    outcome = await house.night()
    result = outcome.result
    assert re.fullmatch(r"20270115t080000z-[a-z2-7]{4}", result.run)
    assert (result.plan, result.verdict, result.exit_code) == ("nightly.yaml", Verdict.OK, 0)
    assert result.started_at == pytest.approx(began, abs=1)
    assert result.finished_at == pytest.approx(now(), abs=1)
    assert result.finished_at - result.started_at > 50
    assert result.counts == Counts(wanted=24, ready=24, failed=0, pending=0)
    assert result.calls == house.cloud.world.books()["requests"]
    assert [standing.copy for standing in result.copies] == sorted(WANTED, key=lambda c: c.destination)
    assert {standing.state for standing in result.copies} == {State.READY}
    assert outcome.fault is None
    assert outcome.log == house.state / "logs" / f"{result.run}.jsonl"
    check_books(house.cloud)


async def test_the_ledger_remembers_the_run(house: House) -> None:
    """Its row has plan, times, verdict, counts and the very result; copies and calls are there too."""
    outcome = await house.night()
    result = outcome.result
    with reading(house) as reader:
        (row,) = reader.runs()
        copies, calls, events = (
            list(reader.copies(result.run)),
            reader.calls(result.run),
            list(reader.events()),
        )
        kept = reader.result(result.run)
    assert (row.run, row.plan, row.verdict, row.exit_code) == (result.run, "nightly.yaml", "ok", 0)
    assert (row.started_at, row.finished_at) == (result.started_at, result.finished_at)
    assert (row.counts, kept) == (result.counts, result_json(result))
    assert {standing.copy for standing in copies} == set(WANTED)
    assert {standing.state for standing in copies} == {State.READY}
    assert calls == result.calls
    end = events[-1]
    assert isinstance(end, Ended)
    assert (end.run, end.verdict, end.exit_code, end.at) == (result.run, "ok", 0, result.finished_at)


async def test_a_second_run_finds_everything_done(house: House) -> None:
    """It confirms by one listing per region, calls nothing, and is a run of its own in the ledger."""
    first = await house.night()
    second = await house.night()
    assert (second.result.exit_code, second.result.calls) == (0, {"describeImages": 2})
    with reading(house) as reader:
        assert [row.run for row in reader.runs()] == [second.result.run, first.result.run]


async def test_a_long_ledger_gets_a_snapshot_from_which_the_next_run_starts(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run after it knows everything that was made; with each night the snapshot is a newer one."""
    monkeypatch.setattr(snapshot, "WORTH", 10)
    await house.night()
    kept = (house.state / SNAPSHOT).read_bytes()
    second = await house.night()
    assert (second.result.exit_code, second.result.calls) == (0, {"describeImages": 2})
    assert (house.state / SNAPSHOT).read_bytes() == kept
    monkeypatch.setattr(snapshot, "WORTH", 1)
    await house.night()
    assert (house.state / SNAPSHOT).read_bytes() != kept


async def test_every_run_takes_an_epoch(house: House) -> None:
    """A process that was paused and wakes up during or after a later run is told apart from it by number."""
    for _ in range(2):
        await house.night(deadline_s=0)
    with Ledger.open(house.state, ids=lambda: "unused", now=now()) as ledger:
        assert ledger.take_epoch() == 3


async def test_a_narrowed_run_wants_less(house: House) -> None:
    """Only the copies that were asked for are wanted, made and counted."""
    narrowing = Narrowing(images=frozenset({image_id(3)}), destinations=frozenset({SOUTH}))
    outcome = await house.night(narrowing=narrowing)
    assert outcome.result.counts == Counts(wanted=1, ready=1, failed=0, pending=0)
    (copy,) = house.cloud.world.books()["copies"]
    assert (copy["source"], copy["destination"]) == (image_id(3), SOUTH)


async def test_a_narrowing_that_names_nothing_of_the_plan_is_refused(house: House) -> None:
    """The error comes before any request, and no run is entered."""
    with pytest.raises(UsageError, match=r"img-src0000099"):
        await house.night(narrowing=Narrowing(images=frozenset({image_id(99)})))
    assert sent(house) == 0
    with reading(house) as reader:
        assert reader.runs() == ()


async def test_afresh_forgets_the_ledger_and_nothing_else(house: House) -> None:
    """The next run starts from nothing, and recognises in the cloud what the forgotten ledger made."""
    await house.night()
    outcome = await house.night(afresh=True)
    assert outcome.result.exit_code == 0
    assert "copyImages" not in outcome.result.calls
    with reading(house) as reader:
        assert [row.run for row in reader.runs()] == [outcome.result.run]
    assert len(list((house.state / "logs").glob("*.jsonl"))) == 2


# --- exit codes -----------------------------------------------------------------------------------


async def test_something_that_failed_is_exit_3(house: House) -> None:
    """The others are ready; the failed one has its reason; there is nothing to mend in the program."""
    house.cloud.add(4, encrypted=True)
    outcome = await house.night()
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.PARTIAL, 3)
    assert outcome.result.counts == Counts(wanted=24, ready=22, failed=2, pending=0)
    failed = {(c.copy.source, c.reason) for c in outcome.result.copies if c.state is State.FAILED}
    assert failed == {(image_id(4), "encrypted")}
    assert outcome.fault is None


async def test_a_deadline_is_exit_4(house: House) -> None:
    """It counts from the start of the run; the next run finishes what it left."""
    outcome = await house.night(deadline_s=30)
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.DEADLINE, 4)
    assert outcome.result.finished_at - outcome.result.started_at == pytest.approx(30, abs=1)
    assert (await house.night()).result.exit_code == 0
    assert len(house.cloud.world.books()["copies"]) == 24


@pytest.mark.parametrize(("signal", "code"), [(SIGTERM, 143), (SIGINT, 130)])
async def test_a_signal_is_128_and_its_number(house: House, signal: int, code: int) -> None:
    """The run ends, says so in the ledger, and the next one takes its copies over."""
    halt = Halt()
    later(20, lambda: halt.request(signal))
    outcome = await house.night(halt=halt)
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.INTERRUPTED, code)
    with reading(house) as reader:
        assert reader.runs()[0].exit_code == code
    assert (await house.night()).result.exit_code == 0
    assert len(house.cloud.world.books()["copies"]) == 24


async def test_a_wrong_secret_is_exit_77_after_one_request(house: House) -> None:
    """Nothing else is sent, and neither log nor screen shows what was tried."""
    house.secret = WRONG
    outcome = await house.night()
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.CREDENTIALS, 77)
    assert sum(outcome.result.calls.values()) == 1
    assert house.cloud.world.books()["refused"] == {"401 ACCESS_ERROR": 1}
    assert house.secret not in outcome.log.read_text() + house.shown()


# --- the lock -------------------------------------------------------------------------------------


def holding(house: House) -> RunLock:
    """Hold the lock as another run does."""
    house.state.mkdir(mode=0o700)
    owner = LockOwner(run=RunId("20270115t075959z-zzzz"), pid=4711, host="elsewhere", started_at=now())
    return RunLock.attempt(house.state, owner=owner)


async def test_a_held_lock_stops_a_run_before_anything(house: House) -> None:
    """It says who holds it; no request leaves, and neither ledger nor log of a run is made."""
    with holding(house), pytest.raises(LockHeld, match=r"process 4711 on elsewhere, since 2027-01-15"):
        await house.night()
    assert sent(house) == 0
    assert not (house.state / "ledger.db").exists()
    assert list((house.state / "logs").iterdir()) == []


async def test_a_run_can_wait_for_the_lock(house: House) -> None:
    """Freed in time it is taken; the run's id and its start are of then, not of when it began to wait."""
    lock, began = holding(house), now()
    later(60, lock.release)
    outcome = await house.night(lock_wait_s=600)
    assert outcome.result.exit_code == 0
    assert 60 <= outcome.result.started_at - began < 62
    assert outcome.result.run.startswith("20270115t0801")


async def test_waiting_for_the_lock_ends(house: House) -> None:
    """After --lock-wait it is held still."""
    began = now()
    with holding(house), pytest.raises(LockHeld):
        await house.night(lock_wait_s=30)
    assert now() - began == pytest.approx(30)


# --- the clock ------------------------------------------------------------------------------------


async def test_time_never_falls_behind_the_ledger(house: House) -> None:
    """Set back a day between two runs, the second goes on after the first one's last event."""
    first = await house.night()
    house.set_back_s = 86_400
    second = await house.night()
    assert second.result.started_at >= first.result.finished_at
    assert second.result.exit_code == 0
    with reading(house) as reader:
        times = [event.at for event in reader.events()]
    assert times == sorted(times)


async def test_a_wall_clock_set_in_the_night_moves_nothing(house: House) -> None:
    """Signatures follow the wall clock, which the cloud compares with its own; the run's time does not."""
    later(20, lambda: setattr(house, "set_back_s", 1000.0))
    began = now()
    outcome = await house.night()
    assert outcome.result.exit_code == 0
    assert house.cloud.world.books()["refused"] == {}
    assert outcome.result.finished_at - outcome.result.started_at == pytest.approx(now() - began, abs=1)
    with reading(house) as reader:
        times = [event.at for event in reader.events()]
    assert times == sorted(times)
