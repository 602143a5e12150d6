"""Faults of our own: what stops a run that a person must mend, and a bug inside; neither leaves by itself."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from orchestrator.app import Screen
from orchestrator.core.model import RunId
from orchestrator.core.verdict import Verdict
from orchestrator.errors import LedgerUnwritable, Overtaken
from orchestrator.ledger.lock import LockOwner, RunLock
from orchestrator.ledger.sqlite import Ledger
from tests.canary import SECRET
from tests.contract.running import House, later, log_lines, reading, sent
from tests.nights import check_books, now

pytestmark = [
    pytest.mark.looptime,
    pytest.mark.shows_canary("log", reason="the bug's own exception holds the secret that the log must mask"),
]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Make a house with an empty state folder and a cloud of twelve sources."""
    return House(tmp_path)


async def test_a_ledger_that_goes_away_stops_the_run(house: House) -> None:
    """Exit 1 with what a person must mend; after it nothing is sent, for nothing could be written down."""
    requests = list[int]()

    def lose() -> None:
        (house.state / "ledger.db").unlink()
        requests.append(sent(house))

    later(20, lose)
    outcome = await house.night()
    assert isinstance(outcome.fault, LedgerUnwritable)
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.FAILED, 1)
    assert sent(house) <= requests[0] + 2, "the reads under way, one per region, and no call"
    assert log_lines(outcome.log)[-1]["exit_code"] == 1


async def test_a_run_that_was_overtaken_writes_nothing_more(house: House) -> None:
    """Exit 75; the run that took over finds the ledger as the last fact left it."""
    numbers = list[int]()

    def take_over() -> None:
        with Ledger.open(house.state, ids=lambda: "unused", now=now()) as other:
            other.take_epoch()
            numbers.append(len(list(other.events())))

    later(20, take_over)
    outcome = await house.night()
    assert isinstance(outcome.fault, Overtaken)
    assert outcome.result.exit_code == 75
    with reading(house) as reader:
        assert [len(list(reader.events()))] == numbers
        assert reader.runs()[0].finished_at is None


class Broken(io.StringIO):
    """A screen with a bug, which tells a secret in its message."""

    def write(self, text: str) -> int:
        """Fail as our own code would."""
        raise RuntimeError(f"no such colour, by the way: {SECRET}")


class Unlucky(Random):
    """Chance with a bug that shows after a while: neither nonces nor call ids can be made any more."""

    drawn = 0

    def getrandbits(self, k: int, /) -> int:
        """Fail as our own code would."""
        self.drawn += 1
        if self.drawn > 1000:
            raise RuntimeError("no bit left")
        return super().getrandbits(k)


def break_watcher(house: House) -> None:
    """Let the console have a bug."""
    house.screen = Screen(stream=Broken(), progress=False)


def break_cloud(house: House) -> None:
    """Let the signing of a request have a bug."""
    house.chance = Unlucky(7)


BUGS = pytest.mark.parametrize("break_it", [break_watcher, break_cloud])


@BUGS
async def test_a_bug_is_exit_1_with_a_sentence(
    house: House, break_it: Callable[[House], None], capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is raised or printed; the message is one line that says where the traceback is."""
    break_it(house)
    outcome = await house.night()
    assert (outcome.result.verdict, outcome.result.exit_code) == (Verdict.FAILED, 1)
    message = str(outcome.fault)
    assert "fault of our own" in message
    assert "log" in message
    assert "\n" not in message
    assert "Traceback" not in message + house.shown() + "".join(capfd.readouterr())
    with reading(house) as reader:
        assert (reader.runs()[0].verdict, reader.runs()[0].exit_code) == ("failed", 1)


@BUGS
async def test_the_traceback_of_a_bug_is_in_the_log(house: House, break_it: Callable[[House], None]) -> None:
    """One line has the exception with its frames and no variable's value; the run's last line follows."""
    break_it(house)
    outcome = await house.night()
    lines = log_lines(outcome.log)
    (told,) = [line for line in lines if "exception" in line]
    assert (told["event"], told["level"], told["run"]) == ("library", "error", outcome.result.run)
    (exception,) = told["exception"]
    assert exception["exc_type"] == "RuntimeError"
    assert len(exception["frames"]) > 3
    assert not any(frame.get("locals") for frame in exception["frames"])
    assert lines[-1]["event"] == "run.finished"


async def test_the_log_of_a_bug_tells_no_secret(house: House) -> None:
    """Whatever text a bug's exception carries, a secret in it is masked."""
    break_watcher(house)
    outcome = await house.night()
    log = outcome.log.read_text()
    assert "no such colour" in log
    assert SECRET not in log


async def test_the_message_of_a_bug_tells_no_secret(house: House) -> None:
    """It goes to stderr, and from there into a mail: no secret is in it either."""
    break_watcher(house)
    outcome = await house.night()
    assert SECRET not in str(outcome.fault)


async def test_after_a_bug_the_next_run_goes_on(house: House) -> None:
    """What was under way is taken over, and nothing is made twice."""
    break_cloud(house)
    assert (await house.night()).result.exit_code == 1
    house.chance = Random(8)
    assert (await house.night()).result.exit_code == 0
    assert len(house.cloud.world.books()["copies"]) == 24
    check_books(house.cloud)


async def test_the_lock_is_free_after_a_run_however_it_ended(house: House) -> None:
    """A bug inside leaves no lock behind."""
    break_watcher(house)
    await house.night()
    owner = LockOwner(run=RunId("next"), pid=1, host="here", started_at=now())
    RunLock.attempt(house.state, owner=owner).release()
