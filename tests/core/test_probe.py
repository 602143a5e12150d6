"""Constructed nights and what monitoring says of each: no false alarm, no false green."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from orchestrator.core.model import Copy, ImageId, Region, RunId, State
from orchestrator.core.probe import Alarm, Level, Past, Probe, probe, worse
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Standing, Verdict

HOUR_S = 3600.0
NOW = 1_795_413_600.0
"""The morning after; the night's run began six hours before and ended four hours before."""

MAX_AGE_S = 26 * HOUR_S

WAYS = {
    "r": (State.READY, Reason.COPIED),
    "k": (State.READY, Reason.CONFIRMED),
    "a": (State.READY, Reason.ADOPTED),
    "f": (State.FAILED, Reason.COPY_ERROR),
    "n": (State.FAILED, Reason.NOT_FOUND),
    "i": (State.WAITING, Reason.QUOTA_IMAGE),
    "s": (State.WAITING, Reason.QUOTA_SNAPSHOT),
    "w": (State.WAITING, Reason.QUEUED),
    "b": (State.WAITING, Reason.BUSY),
    "t": (State.WAITING, Reason.THROTTLED),
    "c": (State.COPYING, Reason.ACCEPTED),
    "d": (State.DOUBTFUL, Reason.TIMEOUT),
    "l": (State.DOUBTFUL, Reason.LEDGER_LOST),
    "p": (State.DOUBTFUL, Reason.NEEDS_PERSON),
}
"""One letter for each way in which a copy may stand at the end; its place in the word is its image."""

EXITS = {
    Verdict.OK: 0, Verdict.PARTIAL: 3, Verdict.FAILED: 3, Verdict.DEADLINE: 4,
    Verdict.INTERRUPTED: 143, Verdict.CREDENTIALS: 77,
}  # fmt: skip


def copies(word: str) -> tuple[Standing, ...]:
    """Read a word: `rf` is one copy ready and one failed; a blank is a copy that was not wanted."""
    standing = []
    for number, letter in enumerate(word):
        if letter != " ":
            state, reason = WAYS[letter]
            copy = Copy(ImageId(f"img-{number}"), Region("cn-north-1"), Region("cn-east-2"))
            standing.append(Standing(copy=copy, state=state, reason=reason))
    return tuple(standing)


def ended(
    verdict: Verdict,
    word: str,
    *,
    ago_h: float = 4,
    strangers: int = 0,
    code: int | None = None,
    notices: str = "",
) -> Past:
    """Make a run of two hours that ended so long ago."""
    at = NOW - ago_h * HOUR_S
    return Past(
        run=RunId(f"run-{ago_h}"), started_at=at - 2 * HOUR_S, finished_at=at, verdict=verdict,
        exit_code=EXITS[verdict] if code is None else code, copies=copies(word), strangers=strangers,
        notices=frozenset(notices.split()),
    )  # fmt: skip


def part(verdict: Verdict, word: str, *, ago_h: float = 1) -> Past:
    """Make a run that was narrowed to some copies."""
    whole = ended(verdict, word, ago_h=ago_h)
    return Past(
        run=whole.run, started_at=whole.started_at, finished_at=whole.finished_at, verdict=verdict,
        exit_code=whole.exit_code, copies=whole.copies, narrowed=True,
    )  # fmt: skip


def unended(*, going_on: bool, ago_h: float = 1) -> Past:
    """Make a run without an end: it goes on, or was killed."""
    return Past(run=RunId(f"run-{ago_h}"), started_at=NOW - ago_h * HOUR_S, going_on=going_on)


OK, PARTIAL, FAILED, DEADLINE, INTERRUPTED, CREDENTIALS = Verdict
YESTERDAY = ended(OK, "rr", ago_h=25)
LONG_AGO = ended(OK, "rr", ago_h=50)
GOING, KILLED = unended(going_on=True), unended(going_on=False)


@dataclass(frozen=True)
class Case:
    """One row: the runs, newest first, the level, the alarms, and why that is right."""

    why: str
    level: Level
    alarms: tuple[Alarm, ...]
    past: tuple[Past, ...]


def row(why: str, level: Level, alarms: tuple[Alarm, ...], *past: Past) -> Case:
    """Write one row of the table."""
    return Case(why, level, alarms, past)


A, GREEN, YELLOW, RED, GREY = Alarm, Level.OK, Level.WARNING, Level.CRITICAL, Level.UNKNOWN

NIGHTS = [
    # --- green: everything is there
    row("everything was copied", GREEN, (), ended(OK, "rrr")),
    row("everything was there already", GREEN, (), ended(OK, "kkk"), YESTERDAY),
    row("lost calls that were found again are ready copies", GREEN, (), ended(OK, "raa"), YESTERDAY),
    row("a bad night before is forgotten", GREEN, (), ended(OK, "rr"), ended(PARTIAL, "rf", ago_h=28)),
    row("a killed night was made good", GREEN, (), ended(OK, "rr"), unended(going_on=False, ago_h=30)),
    row("it goes on, the last one was good and is young", GREEN, (), GOING, YESTERDAY),
    row("it takes over from a killed one", GREEN, (), GOING, unended(going_on=False, ago_h=5), YESTERDAY),
    row("failures that a run of just these made good", GREEN, (), part(OK, " r"), ended(PARTIAL, "rf")),
    row("a deadline, and the rest made in the morning", GREEN, (), part(OK, " r"), ended(DEADLINE, "rw")),
    row("one image tried by itself says nothing of the others", GREEN, (), part(OK, "r"), ended(OK, "rr")),
    # --- yellow: nobody must get up
    row("no room for some", YELLOW, (A.DEFERRED,), ended(PARTIAL, "rri"), YESTERDAY),
    row("no room for any", YELLOW, (A.DEFERRED,), ended(FAILED, "is"), YESTERDAY),
    row("the deadline came, the rest is under way", YELLOW, (A.DEADLINE,), ended(DEADLINE, "rcw"), YESTERDAY),
    row("the deadline came over a doubt", YELLOW, (A.DEADLINE,), ended(DEADLINE, "rd"), YESTERDAY),
    row("somebody stopped it", YELLOW, (A.INTERRUPTED,), ended(INTERRUPTED, "rw"), YESTERDAY),
    row("the very first night met its deadline", YELLOW, (A.DEADLINE,), ended(DEADLINE, "rw")),
    row("all is there, and a stranger", YELLOW, (A.STRANGERS,), ended(PARTIAL, "r", strangers=1)),
    row("a rebuilt ledger is no night's work", YELLOW, (A.REBUILT,), ended(OK, "rl"), YESTERDAY),
    row("a plan that wants nothing is hardly meant", YELLOW, (A.NOTHING,), ended(OK, ""), YESTERDAY),
    row(
        "it goes on, the one before met its deadline", YELLOW, (A.DEADLINE,),
        GOING, ended(DEADLINE, "rw", ago_h=20), YESTERDAY,
    ),
    row("a destination may be down", YELLOW, (A.TOLERATED,), ended(OK, "rfw", notices="tolerated"), LONG_AGO),
    row(
        "a destination may be down for nights", YELLOW, (A.TOLERATED,),
        ended(OK, "rf", notices="tolerated"), ended(OK, "rf", ago_h=28, notices="tolerated"), LONG_AGO,
    ),
    row("a copy could not be named", YELLOW, (A.LABELS,), ended(PARTIAL, "rr", notices="label"), YESTERDAY),
    row("a selector matched nothing", YELLOW, (A.SELECTION,), ended(OK, "rr", notices="selection")),
    # --- red: somebody must act
    row("unlike its source", RED, (A.DIFFERENT,), ended(PARTIAL, "rr", notices="difference"), YESTERDAY),
    row(
        "it was down for too many nights", RED, (A.FAILED,),
        ended(PARTIAL, "rf"), ended(OK, "rf", ago_h=25, notices="tolerated"), LONG_AGO,
    ),
    row("effort excuses no others", RED, (A.FAILED,), ended(PARTIAL, "ff", notices="tolerated"), YESTERDAY),
    row("one failed", RED, (A.FAILED,), ended(PARTIAL, "rrf"), YESTERDAY),
    row("all failed", RED, (A.FAILED,), ended(FAILED, "fn"), YESTERDAY),
    row("one failed, others have no room", RED, (A.FAILED, A.DEFERRED), ended(PARTIAL, "rfi"), YESTERDAY),
    row("it gave up with copies not made", RED, (A.UNDONE,), ended(PARTIAL, "rb"), YESTERDAY),
    row("nobody can tell, one must look", RED, (A.PERSON,), ended(PARTIAL, "rp"), YESTERDAY),
    row("a deadline excuses no doubt", RED, (A.PERSON, A.DEADLINE), ended(DEADLINE, "pw"), YESTERDAY),
    row("a deadline excuses no failure", RED, (A.FAILED, A.DEADLINE), ended(DEADLINE, "fw"), YESTERDAY),
    row("the keys are refused", RED, (A.CREDENTIALS,), ended(CREDENTIALS, "kw"), YESTERDAY),
    row("the ledger was another account's", RED, (A.FAULT,), ended(FAILED, "ww", code=78), YESTERDAY),
    row("its disk was full with everything there", RED, (A.FAULT,), ended(FAILED, "rr", code=1), YESTERDAY),
    row("killed, and nothing runs", RED, (A.KILLED,), KILLED, YESTERDAY),
    row("the very first one was killed", RED, (A.KILLED,), KILLED),
    row("cron no longer starts it", RED, (A.OLD,), LONG_AGO),
    row("three deadlines in a row", RED, (A.OLD, A.DEADLINE), ended(DEADLINE, "rw"), LONG_AGO),
    row("no room for days", RED, (A.OLD, A.DEFERRED), ended(PARTIAL, "ri"), LONG_AGO),
    row("it goes on for days", RED, (A.OLD,), unended(going_on=True, ago_h=40), LONG_AGO),
    row("the first one goes on for days", RED, (A.OLD,), unended(going_on=True, ago_h=40)),
    row("one good image does not excuse the others", RED, (A.FAILED,), part(OK, "r"), ended(PARTIAL, "rf")),
    row("good parts make no night young", RED, (A.OLD,), part(OK, "r"), part(OK, " r", ago_h=2), LONG_AGO),
    row("a good part is no good night", RED, (A.OLD,), part(OK, "r"), LONG_AGO),
    row("what failed failed again", RED, (A.FAILED,), part(FAILED, " f"), ended(PARTIAL, "rf"), YESTERDAY),
    row("keys refused in the morning", RED, (A.CREDENTIALS,), part(CREDENTIALS, " w"), ended(OK, "rr")),
    row("it goes on after a bad one", RED, (A.FAILED,), GOING, ended(PARTIAL, "rf", ago_h=24), YESTERDAY),
    # --- grey: nothing can be said
    row("never ran", GREY, (A.NEVER,)),
    row("the first one goes on", GREY, (A.FIRST,), GOING),
    row("only a trial so far", GREY, (A.PARTS,), part(OK, "r")),
]  # fmt: skip


def judged(past: tuple[Past, ...]) -> Probe:
    """Ask as monitoring does."""
    return probe(past, now=NOW, max_age_s=MAX_AGE_S)


@pytest.mark.parametrize("case", NIGHTS, ids=lambda case: case.why)
def test_a_night_is_what_it_came_to(case: Case) -> None:
    """Each night has exactly this level, for exactly these reasons."""
    answer = judged(case.past)
    assert (answer.level, set(answer.alarms)) == (case.level, set(case.alarms))


def test_the_table_knows_every_alarm() -> None:
    """No alarm is without a night that raises it."""
    assert {alarm for case in NIGHTS for alarm in case.alarms} == set(Alarm)


def test_age_is_counted_from_the_end_of_the_last_good_night() -> None:
    """A limit that is just not passed is no alarm; a clock that was set back makes no negative age."""
    good = ended(OK, "r", ago_h=26)
    assert judged((good,)).level is GREEN
    later = probe((good,), now=NOW + 1, max_age_s=MAX_AGE_S)
    assert (later.level, later.age_s) == (RED, MAX_AGE_S + 1)
    assert probe((good,), now=NOW - 30 * HOUR_S, max_age_s=MAX_AGE_S).age_s == 0


def test_the_numbers_add_up() -> None:
    """Every wanted copy is counted once, with the reason why it is not there."""
    answer = judged((ended(PARTIAL, "rkfnisbpd"),))
    parts = (answer.ready, answer.failed, answer.deferred, answer.person, answer.owed)
    assert (parts, answer.wanted) == ((2, 2, 2, 1, 2), 9)
    assert answer.reasons.total() == 7


def test_the_worst_of_several_plans_is_told() -> None:
    """What is critical is told before what is not known, and that before a warning."""
    order = [judged(past) for past in ((ended(OK, "r"),), (ended(PARTIAL, "i"),), (), (KILLED,))]
    for number, one in enumerate(order):
        assert [worse(one, other) for other in order] == [number > place for place in range(len(order))]


def test_what_may_be_missing_is_not_taken_for_ready() -> None:
    """A good night that best effort excused says so, also when a later night is judged by its age."""
    excused = ended(OK, "rf", ago_h=25, notices="tolerated")
    lacking, whole = ((excused,), (ended(PARTIAL, "rf"), excused)), ((YESTERDAY,), (ended(OK, "rr"), excused))
    assert all(judged(past).but_tolerated for past in lacking)
    assert not any(judged(past).but_tolerated for past in (*whole, ()))
