"""The share of the lives that fits into every test run, and planted bugs that they must find."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

import pytest

from orchestrator.core.messages import Change, Lost, Refused
from orchestrator.core.reasons import Reason
from orchestrator.core.schedule import Schedule, answers
from orchestrator.core.schedule.register import Register
from orchestrator.core.schedule.schedule import Decision
from orchestrator.ledger import projection
from orchestrator.ledger.sqlite import Ledger
from tests.recovery.__main__ import main
from tests.recovery.playing import play

SEED = 1


def test_whatever_happens_what_is_read_back_is_what_was_there() -> None:
    """After every step of 20 lives the ledger's events give the live state; a last run ends well.

    The process is killed between, within and after writes; calls are lost, refused, half accepted
    and late; listings are blind; people rename nothing but delete, add and settle.
    """
    batch = play(SEED, lives=20, steps=30)
    assert batch.failure == ""
    assert batch.tally.lives >= 20
    assert min(batch.tally.counts[name] for name in ("calls", "kills", "killed_within_a_write")) > 0


# --- planted bugs ---------------------------------------------------------------------------------


def _commit_at_once(patch: pytest.MonkeyPatch) -> None:
    @contextmanager
    def transaction(ledger: Ledger) -> Iterator[Connection]:
        yield ledger._connection

    patch.setattr(Ledger, "_transaction", transaction)


def _forget_the_table(patch: pytest.MonkeyPatch) -> None:
    moved = projection.move

    def move(connection: Connection, changes: Sequence[Change]) -> None:
        moved(connection, list(changes)[:1])

    patch.setattr(projection, "move", move)


def _check_no_epoch(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "_refuse_overtaken", lambda ledger: None)


def _forget_in_decide(patch: pytest.MonkeyPatch) -> None:
    decide = Schedule.decide

    def forgetful(schedule: Schedule, now: float) -> Decision:
        for track in schedule.register.tracks.values():
            track.attempts = track.source.tries = 0
        return decide(schedule, now)

    patch.setattr(Schedule, "decide", forgetful)


def _take_lost_for_refused(patch: pytest.MonkeyPatch) -> None:
    def lost(register: Register, event: Lost) -> None:
        answers.refused(register, Refused(at=event.at, call=event.call, reason=Reason.UNREACHABLE))

    patch.setattr(answers, "lost", lost)


@pytest.mark.parametrize(
    ("plant", "number", "says"),
    [
        pytest.param(_commit_at_once, 2, "events were told", id="no-transaction"),
        pytest.param(_forget_the_table, 1, "_projection_is", id="projection-behind"),
        pytest.param(_check_no_epoch, 1, "an overtaken process went on writing", id="epoch-unchecked"),
        pytest.param(_forget_in_decide, 7, "_essentials", id="state-that-no-event-changed"),
        pytest.param(_take_lost_for_refused, 5, "twice in", id="lost-is-refused"),
    ],
)
def test_a_planted_bug_is_found(
    monkeypatch: pytest.MonkeyPatch, plant: Callable[[pytest.MonkeyPatch], None], number: int, says: str
) -> None:
    """Each planted bug breaks the promise that is there for it; the story and its command are told.

    Every seed finds it; these find it within a dozen lives.
    """
    plant(monkeypatch)
    batch = play(number, lives=300, shorten=False)
    assert says in batch.failure
    assert "state.be_born(" in batch.failure
    assert f"python -m tests.recovery --seed {number}" in str(batch)


@pytest.mark.long
def test_the_command_counts_and_fails_loudly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`python -m tests.recovery` ends 0 with its counts, in a file too; 1 with the command to replay it."""
    assert main(["--seed", "1", "--json", str(tmp_path / "figures.json")]) == 0
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["lives"] >= 25
    assert figures["violations"] == 0
    assert figures["command"].startswith("python -m tests.recovery --seed 1")
    assert "0 violations" in capsys.readouterr().out
    _check_no_epoch(monkeypatch)
    assert main(["--seed", "1"]) == 1
    assert "replay: python -m tests.recovery --seed 1" in capsys.readouterr().out
