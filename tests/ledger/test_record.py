"""What is recorded is read back: events, where the copies stand, runs."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.codec import KINDS, kind_of
from orchestrator.core.messages import Change, Event, Lost, Planned, Refused, Seen
from orchestrator.core.model import Copy, ImageId, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Counts, Standing
from orchestrator.errors import OrchestratorError
from orchestrator.ledger.port import LedgerPort
from orchestrator.ledger.reader import LedgerReader
from tests.ledger.samples import (
    CALL,
    EAST,
    LEDGER_ID,
    NEXT_RUN,
    NOW,
    ONE_OF_EACH,
    RUN,
    SIGHTING,
    SOUTH,
    begun,
    change,
    copy,
    fill,
    open_ledger,
)


def standings(folder: Path, run: RunId = RUN) -> Mapping[Copy, Standing]:
    """Read the projection from outside."""
    reader = LedgerReader.open(folder)
    assert reader is not None
    with reader:
        return {standing.copy: standing for standing in reader.copies(run)}


def test_every_kind_of_event_comes_back_as_it_was(tmp_path: Path) -> None:
    """An event of every kind survives the ledger unchanged and in order, also after reopening."""
    assert {kind_of(event) for event in ONE_OF_EACH} == set(KINDS)
    fill(tmp_path)
    with open_ledger(tmp_path) as ledger:
        assert tuple(ledger.events()) == ONE_OF_EACH


def test_events_are_numbered_without_a_gap(tmp_path: Path) -> None:
    """`record` counts from 1 and goes on where an earlier process stopped."""
    with open_ledger(tmp_path) as ledger:
        assert [ledger.record(begun(n), run=RUN) for n in range(3)] == [1, 2, 3]
    with open_ledger(tmp_path) as ledger:
        assert ledger.record(begun(4), run=RUN) == 4


def test_more_events_than_one_fetch_come_back(tmp_path: Path) -> None:
    """Reading in batches loses and repeats nothing, also when events are added while reading."""
    with open_ledger(tmp_path) as ledger:
        written = [begun(n) for n in range(450)]
        for event in written:
            ledger.record(event, run=RUN)
        seen: list[Event] = []
        for found in ledger.events():
            seen.append(found)
            if len(seen) == 100:
                ledger.record(begun(999), run=RUN)
        assert seen == list(written)


def test_a_ledger_keeps_its_id(tmp_path: Path) -> None:
    """The id in every mark is made once; a reopened ledger does not take another one."""
    open_ledger(tmp_path).close()
    with open_ledger(tmp_path, "zzzzzzzzzzzz") as ledger:
        assert ledger.ledger_id == LEDGER_ID


@pytest.mark.parametrize("ledger_id", ["", "short", "ABCDEF012345", "abcdef01234\n", "abcdef0123456"])
def test_an_id_that_no_mark_can_carry_is_refused(tmp_path: Path, ledger_id: str) -> None:
    """An id of another form than the mark's is a fault that shows before a ledger exists."""
    with pytest.raises(ValueError, match="12 characters"):
        open_ledger(tmp_path, ledger_id)
    assert list(tmp_path.iterdir()) == []


def test_sqlite_ledger_keeps_the_port(tmp_path: Path) -> None:
    """The SQLite ledger is a LedgerPort, so that another database can take its place (checked by mypy)."""
    with open_ledger(tmp_path) as ledger:
        port: LedgerPort = ledger
        assert port.ledger_id == LEDGER_ID


@pytest.mark.parametrize(
    "event",
    [
        Refused(at=NOW, call=CALL, reason=Reason.THROTTLED, until=float("inf")),
        Refused(at=float("nan"), call=CALL, reason=Reason.THROTTLED),
        Lost(at=NOW, call=CALL, reason=Reason.UNREADABLE, detail="half a character: \ud800"),
    ],
)
def test_an_event_that_would_not_read_back_is_refused(tmp_path: Path, event: Refused | Lost) -> None:
    """JSON has no infinity: such an event is refused at once, for it would make the ledger unreadable."""
    with open_ledger(tmp_path) as ledger:
        ledger.record(begun(1), run=RUN)
        with pytest.raises(OrchestratorError, match="cannot be stored faithfully"):
            ledger.record(event, run=RUN)
        ledger.record(begun(2), run=RUN)
        assert tuple(ledger.events()) == (begun(1), begun(2))


def test_the_projection_is_the_fold_of_the_changes(tmp_path: Path) -> None:
    """After many random changes each copy stands where its last change put it."""
    dice = random.Random(20261123)
    last: dict[Copy, Change] = {}
    with open_ledger(tmp_path) as ledger:
        ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=[copy(n) for n in range(20)])
        for step in range(200):
            moved = [
                change(
                    number,
                    dice.choice(list(State)),
                    dice.choice(list(Reason)),
                    image=dice.choice([None, f"img-d{number}"]),
                    call=dice.choice([None, CALL]),
                    detail=dice.choice(["", "half \ud800 a character", "two\nlines"]),
                )
                for number in dice.sample(range(20), dice.randint(0, 10))
            ]
            ledger.record(begun(step), moved, run=RUN)
            last.update({moving.copy: moving for moving in moved})
    found = standings(tmp_path)
    assert len(found) == 20
    assert len(last) == 20
    for key, moving in last.items():
        expected = Standing(
            copy=key,
            state=moving.after,
            reason=moving.reason,
            detail=moving.detail.replace("\ud800", "?"),
            image=moving.image,
        )
        assert found[key] == expected


def test_a_look_keeps_the_percentages(tmp_path: Path) -> None:
    """`status` shows the progress of a copy under way, of the right one, and none once it is over."""
    other = replace(SIGHTING, image=ImageId("img-other"), progress=7)
    unknown = replace(SIGHTING, image=ImageId("img-silent"), progress=None)
    with open_ledger(tmp_path) as ledger:
        ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=[copy(1), copy(2)])
        accepted = change(1, State.COPYING, Reason.ACCEPTED, image=SIGHTING.image)
        ledger.record(begun(1), [accepted], run=RUN)
        looked = Seen(at=NOW, region=EAST, asked=(), images=(SIGHTING, other, unknown))
        ledger.record(looked, run=RUN)
        assert standings(tmp_path)[copy(1)].progress == 42
        ledger.record(replace(looked, region=SOUTH, images=(replace(SIGHTING, progress=99),)), run=RUN)
        ledger.record(begun(2), [accepted], run=RUN)
        assert standings(tmp_path)[copy(1)].progress == 42
        ledger.record(begun(3), [change(1, State.READY, Reason.COPIED, image=SIGHTING.image)], run=RUN)
        ledger.record(looked, run=RUN)
        assert standings(tmp_path)[copy(1)].progress is None
        assert standings(tmp_path)[copy(2)].progress is None


def test_another_image_begins_without_a_percentage(tmp_path: Path) -> None:
    """A copy that is under way a second time does not show how far the first one came."""
    with open_ledger(tmp_path) as ledger:
        ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=[copy(1)])
        ledger.record(begun(1), [change(1, State.COPYING, Reason.ACCEPTED, image=SIGHTING.image)], run=RUN)
        ledger.record(Seen(at=NOW, region=EAST, asked=(), images=(SIGHTING,)), run=RUN)
        ledger.record(begun(2), [change(1, State.COPYING, Reason.ACCEPTED, image="img-other")], run=RUN)
    assert standings(tmp_path)[copy(1)].progress is None


def test_a_second_night_finds_the_copies_where_they_stand(tmp_path: Path) -> None:
    """Marking the wanted copies of a new run moves none that is known, and adds the new ones as waiting."""
    with open_ledger(tmp_path) as ledger:
        ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=[copy(1), copy(2)])
        ledger.record(begun(1), [change(1, State.READY, Reason.COPIED, image="img-d1")], run=RUN)
        ledger.begin_run(NEXT_RUN, plan="p", started_at=NOW, wanted=[copy(1), copy(3)])
    found = standings(tmp_path, NEXT_RUN)
    assert {key: s.state for key, s in found.items()} == {copy(1): State.READY, copy(3): State.WAITING}
    assert found[copy(3)].reason is Reason.QUEUED
    assert set(standings(tmp_path, RUN)) == {copy(2)}


def test_a_change_of_an_unwanted_copy_does_not_make_it_wanted(tmp_path: Path) -> None:
    """A copy that only an earlier night wanted is watched, and not shown as this run's."""
    with open_ledger(tmp_path) as ledger:
        ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=[copy(1)])
        ledger.record(begun(1), [change(9, State.READY, Reason.COPIED)], run=RUN)
    assert set(standings(tmp_path)) == {copy(1)}


def test_runs_keep_their_counts(tmp_path: Path) -> None:
    """A finished run and a killed one keep what they came to when later runs take their copies over."""
    third = RunId("third")
    with open_ledger(tmp_path) as ledger:
        ledger.begin_run(RUN, plan="a\ud800", started_at=NOW, wanted=[copy(1), copy(2), copy(3)])
        moved = [change(1, State.READY, Reason.COPIED), change(2, State.FAILED, Reason.NOT_FOUND)]
        ledger.record(begun(1), moved, run=RUN)
        ledger.end_run(RUN, finished_at=NOW + 9, verdict="partial", exit_code=3, result_json='{"run": 1}')
        ledger.begin_run(NEXT_RUN, plan="b", started_at=NOW + 10, wanted=[copy(1), copy(2)])
        ledger.record(begun(2), [change(2, State.READY, Reason.COPIED)], run=NEXT_RUN)
        ledger.begin_run(third, plan="c", started_at=NOW + 20, wanted=[copy(1), copy(4)])
        reader = LedgerReader.open(tmp_path)
        assert reader is not None
        with reader:
            newest, killed, first = reader.runs()
            results = {row.run: reader.result(row.run) for row in reader.runs()}
    assert (newest.run, killed.run, first.run) == (third, NEXT_RUN, RUN)
    assert newest.counts == Counts(wanted=2, ready=1, failed=0, pending=1)
    assert killed.counts == Counts(wanted=2, ready=2, failed=0, pending=0)
    assert (killed.finished_at, killed.verdict, killed.exit_code, results[NEXT_RUN]) == (None,) * 4
    assert first.counts == Counts(wanted=3, ready=1, failed=1, pending=1)
    assert (first.plan, first.started_at, first.finished_at) == ("a?", NOW, NOW + 9)
    assert (first.verdict, first.exit_code, results[RUN]) == ("partial", 3, '{"run": 1}')


def test_a_run_that_never_began_cannot_end(tmp_path: Path) -> None:
    """Ending an unknown run is a fault that is said, not swallowed."""
    with open_ledger(tmp_path) as ledger, pytest.raises(OrchestratorError, match="without having begun"):
        ledger.end_run(RUN, finished_at=NOW, verdict="ok", exit_code=0, result_json="{}")


def test_events_stop_after_a_run(tmp_path: Path) -> None:
    """`until_run` shows the ledger as it was when that run ended, also a run that recorded nothing."""
    silent = RunId("silent")
    with open_ledger(tmp_path) as ledger:
        ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=[])
        ledger.record(begun(1), run=RUN)
        ledger.begin_run(silent, plan="p", started_at=NOW, wanted=[])
        ledger.begin_run(NEXT_RUN, plan="p", started_at=NOW, wanted=[])
        ledger.record(begun(2), run=NEXT_RUN)
        assert tuple(ledger.events(until_run=RUN)) == (begun(1),)
        assert tuple(ledger.events(until_run=silent)) == (begun(1),)
        assert tuple(ledger.events(until_run=NEXT_RUN)) == (begun(1), begun(2))
        assert tuple(ledger.events(until_run=RunId("never heard of"))) == ()


def test_a_hundred_thousand_copies_are_one_event(tmp_path: Path) -> None:
    """A large plan is recorded in one event and marked in one transaction."""
    wanted = tuple(copy(number) for number in range(100_000))
    with open_ledger(tmp_path) as ledger:
        ledger.begin_run(RUN, plan="p", started_at=NOW, wanted=wanted)
        ledger.record(Planned(at=NOW, copies=wanted), run=RUN)
        (planned,) = ledger.events()
    assert isinstance(planned, Planned)
    assert planned.copies == wanted
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        assert connection.execute("SELECT count(*) FROM copies WHERE run = ?", (RUN,)).fetchone() == (
            100_000,
        )


def test_events_cannot_be_changed_or_removed(tmp_path: Path) -> None:
    """Even with SQL at hand an event is not edited by mistake: the table refuses."""
    fill(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            connection.execute("UPDATE events SET body = '{}' WHERE seq = 1")
        with pytest.raises(sqlite3.IntegrityError, match="stay until"):
            connection.execute("DELETE FROM events WHERE seq = 1")


def test_a_compacted_ledger_reads_from_its_base(tmp_path: Path) -> None:
    """Once the base is raised, the events up to it may go, and the others are read and added to as before."""
    fill(tmp_path)
    with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection, connection:
        connection.execute("UPDATE meta SET value = '3' WHERE key = 'base'")
        connection.execute("DELETE FROM events WHERE seq <= 3")
    with open_ledger(tmp_path) as ledger:
        assert tuple(ledger.events()) == ONE_OF_EACH[3:]
        assert ledger.record(begun(1), run=RUN) == len(ONE_OF_EACH) + 1
