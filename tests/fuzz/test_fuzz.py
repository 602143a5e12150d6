"""The share of the fuzzing that fits into every test run, and the proof that it sees what it looks for."""

from __future__ import annotations

from random import Random

import pytest

from orchestrator.core.messages import Accepted, Checked, Event, Listed, Refused
from orchestrator.core.model import ImageId, Sighting
from orchestrator.core.reasons import Reason
from tests.cloud.support import CALL, EAST, NOON
from tests.fuzz import events, ledgers, plans, running
from tests.fuzz.running import GROUPS, run
from tests.ledger.samples import begun

SEED = 20261123
MUST_OCCUR = {
    "plans": {"accepted", "refused"},
    "replies": {"accepted", "refused", "lost", "unanswered", "listed", "seen", "checked", "surveyed"},
}


@pytest.mark.parametrize("group", MUST_OCCUR)
def test_whatever_comes_is_answered_properly(group: str) -> None:
    """Of 1,500 spoilt plans, and as many replies, each has a proper outcome; good and bad ones both occur."""
    batch = run(group, SEED, range(1500))
    assert [str(failure) for failure in batch.failures] == []
    assert batch.outcomes.total() == 1500
    assert set(batch.outcomes) >= MUST_OCCUR[group]


def test_a_spoilt_ledger_is_refused_or_an_earlier_state() -> None:
    """Cut at a hundred places and spoilt by chance a hundred times: refused and left, or a beginning."""
    batch = run("ledgers", SEED, range(0, ledgers.cuts(), ledgers.cuts() // 100))
    batch.add(run("ledgers", SEED, range(1_000_000, 1_000_100)))
    assert [str(failure) for failure in batch.failures] == []
    assert set(batch.outcomes) >= {"refused", "whole", "earlier"}


# --- the fuzzer itself ----------------------------------------------------------------------------


def test_a_failure_names_the_command_that_replays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that raises, or that never ends, is a failure with its replay command, and the others go on."""

    def broken(chance: Random, number: int) -> str:
        while number == 2:
            chance.random()
        return "fine" if number else str(1 // number)

    monkeypatch.setitem(GROUPS, "broken", broken)
    monkeypatch.setattr(running, "SLOW_S", 0.02)
    batch = run("broken", 5, range(4))
    assert batch.outcomes == {"fine": 2}
    assert [failure.number for failure in batch.failures] == [0, 2]
    assert "ZeroDivisionError" in str(batch.failures[0])
    assert "python -m tests.fuzz broken --seed 5 --case 2" in str(batch.failures[1])


def test_the_same_seed_gives_the_same_cases() -> None:
    """A case depends on seed and number alone, so its replay command shows the same spoilt file again."""
    chances = [running.chance_of("plans", SEED, number) for number in (1, 1, 2)]
    first, again, other = (plans.spoilt_plan(chance) for chance in chances)
    assert first == again != other


SIGHTING = Sighting(image=ImageId("img-b1"), status="ready")
TWICE = Listed(at=NOON, began=NOON, region=EAST, page=1, total=2, images=(SIGHTING, SIGHTING), shown=2)


def accepted(source: str, made: str) -> Accepted:
    """Make an acceptance of one pair."""
    return Accepted(at=NOON, call=CALL, pairs=((ImageId(source), ImageId(made)),))


def refused(reason: Reason, culprit: str | None = None) -> Refused:
    """Make a refusal."""
    return Refused(at=NOON, call=CALL, reason=reason, culprit=ImageId(culprit) if culprit else None)


STRANGE: list[tuple[Event, int, str]] = [
    (refused(Reason.UNEXPLAINED), 500, "taken for a refusal"),
    (refused(Reason.BUSY, "img-z"), 400, "not in the call"),
    (refused(Reason.TIMEOUT), 408, "a doubt taken"),
    (accepted("img-a1", "img-b1"), 202, "no success"),
    (accepted("img-z", "img-b1"), 200, "nobody asked"),
    (accepted("img-a1", "img-a2"), 200, "one of the sources"),
    (Checked(at=NOON, region=EAST, image=ImageId("img-b1"), sighting=None), 500, "a success that is none"),
    (TWICE, 200, "an image twice"),
]


@pytest.mark.parametrize(("event", "http", "says"), STRANGE, ids=[says for _, _, says in STRANGE])
def test_an_event_that_must_not_be_is_noticed(event: Event, http: int, says: str) -> None:
    """The judge of replies is not blind: what no reply may lead to is called by its name."""
    with pytest.raises(AssertionError, match=says):
        events.judge(event, http)


def test_a_ledger_that_says_something_else_is_noticed() -> None:
    """The judge of ledgers is not blind: other events than those written are no earlier state."""
    whole = ledgers.samples()[0]
    claimed = ledgers.Sample(whole.files, (begun(1), *whole.events))
    assert ledgers.judge(whole, whole.files) == "whole"
    with pytest.raises(AssertionError, match="not those that were written"):
        ledgers.judge(claimed, whole.files)
