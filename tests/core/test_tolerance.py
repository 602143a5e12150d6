"""Best effort: which missing copies a night may end green without, and what notices make of a verdict."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.core.cloud_time import created_s
from orchestrator.core.model import Copy, ImageId, Region, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.tolerance import Tolerated, best_effort, nights_missed, tolerated
from orchestrator.core.verdict import Counts, Notice, Result, Standing, Verdict, count
from orchestrator.runs.extras import Extras, with_notices
from tests.core.plans import load, spoiled

NORTH, EAST, SOUTH = Region("cn-north-1"), Region("cn-east-2"), Region("cn-south-1")
NOW = created_s("2027-01-15 03:00:00") or 0.0
DAY_S, HOUR_S = 86_400.0, 3600.0
READY, FAILED, WAITING = State.READY, State.FAILED, State.WAITING


def standing(state: State, number: int = 0, to: Region = EAST) -> Standing:
    """Stand somewhere."""
    reason = {READY: Reason.COPIED, FAILED: Reason.COPY_ERROR}.get(state, Reason.QUOTA_IMAGE)
    return Standing(copy=Copy(ImageId(f"img-{number}"), NORTH, to), state=state, reason=reason)


def result(
    *states: State, ago_h: float = 0.0, plan: str = "nightly", to: Region = EAST, code: int = 3,
    verdict: Verdict = Verdict.PARTIAL, narrowed: bool = False,
) -> Result:  # fmt: skip
    """End a run that began so many hours ago with one copy in each of these states."""
    copies = tuple(standing(state, number, to) for number, state in enumerate(states))
    began = NOW - ago_h * HOUR_S
    return Result(
        run=RunId(f"run{ago_h:g}"), plan=plan, verdict=verdict, exit_code=code, started_at=began,
        finished_at=began + 60, counts=count(copies), calls={}, copies=copies, narrowed=narrowed,
    )  # fmt: skip


GOOD, BAD = (READY, READY), (READY, FAILED)


@pytest.mark.parametrize(
    ("earlier", "nights"),
    [
        ([], 0),
        ([result(*GOOD, ago_h=24)], 0),
        ([result(*BAD, ago_h=24)], 1),
        ([result(READY, WAITING, ago_h=24)], 1),
        ([result(*BAD, ago_h=24), result(*BAD, ago_h=48)], 2),
        ([result(*BAD, ago_h=24), result(*GOOD, ago_h=48), result(*BAD, ago_h=72)], 1),
        ([result(*GOOD, ago_h=24), result(*BAD, ago_h=48)], 0),
        # two runs on one day are one night, and the last one counts
        ([result(*BAD, ago_h=24), result(*GOOD, ago_h=26)], 1),
        ([result(*GOOD, ago_h=24), result(*BAD, ago_h=26)], 0),
        ([result(*BAD, ago_h=24), result(*BAD, ago_h=26), result(*BAD, ago_h=48)], 2),
        # what else was run tonight is not a night before
        ([result(*BAD, ago_h=1), result(*BAD, ago_h=2)], 0),
        ([result(*GOOD, ago_h=1), result(*BAD, ago_h=24)], 1),
        # a night on which nothing was run is no night
        ([result(*BAD, ago_h=72), result(*BAD, ago_h=240)], 2),
        # other plans, and other regions
        ([result(*GOOD, ago_h=24, plan="other"), result(*BAD, ago_h=48)], 1),
        ([result(*BAD, ago_h=24, plan="other")], 0),
        ([result(*BAD, ago_h=24, to=SOUTH)], 0),
    ],
)
def test_nights_in_a_row(earlier: list[Result], nights: int) -> None:
    """Days of the cloud's calendar on which the plan was run and something was missing, tonight left out."""
    assert nights_missed(earlier, "nightly", EAST, NOW) == nights


def test_the_day_is_the_clouds() -> None:
    """Half past eleven at night and half past midnight in China are two nights, of one day elsewhere."""
    earlier = [result(*BAD, ago_h=3.5)]
    assert nights_missed(earlier, "nightly", EAST, NOW) == 1


@pytest.mark.parametrize(
    "between",
    [result(READY, ago_h=24, narrowed=True), result(ago_h=24, code=69, verdict=Verdict.FAILED)],
    ids=["narrowed", "could not begin"],
)
def test_what_says_nothing_of_a_destination_is_passed_over(between: Result) -> None:
    """A run of a part of the plan, or one that could not begin, makes no night of it and ends no row."""
    assert nights_missed([between, result(*BAD, ago_h=48)], "nightly", EAST, NOW) == 1


EFFORTS = """\
version: 1
defaults: {source: cn-north-1}
replications:
- {name: strict, destinations: [cn-east-2], images: [img-0]}
- {name: soft, destinations: [cn-east-2, cn-south-1], images: [img-0, img-1],
   best_effort: {fail_after_nights: 3}}
- {name: softer, destinations: [cn-south-1], images: [img-1], best_effort: {fail_after_nights: 2}}
"""


def test_the_strictest_replication_counts() -> None:
    """What one replication wants without best effort is not tolerated; else the earliest night fails it."""
    efforts = best_effort(load(EFFORTS))
    assert {(copy.source, copy.destination): night for copy, night in efforts.items()} == {
        ("img-1", EAST): 3,
        ("img-0", SOUTH): 3,
        ("img-1", SOUTH): 2,
    }


def test_a_plan_without_best_effort_tolerates_nothing() -> None:
    """No copy is looked at."""
    assert best_effort(load(spoiled("golden", "strict"))) == {}


@pytest.mark.parametrize(("missed", "is_tolerated"), [(0, True), (1, True), (2, False), (9, False)])
def test_it_is_tolerated_until_the_night_that_the_plan_names(missed: int, is_tolerated: bool) -> None:
    """With fail_after_nights 3 the first and the second night in a row are green."""
    lack, there = standing(FAILED), standing(READY, 1)
    found = tolerated((lack, there), {lack.copy: 3, there.copy: 3}, {EAST: missed})
    assert found == ((Tolerated(lack, missed + 1, 3),) if is_tolerated else ())


# --- what notices make of a verdict ---------------------------------------------------------------

LABEL, TWIST, PRUNE, SELECT = (Notice(k, "words") for k in ("label", "difference", "prune", "selection"))
OK, PARTIAL, LATE, STOPPED = Verdict.OK, Verdict.PARTIAL, Verdict.DEADLINE, Verdict.INTERRUPTED


@pytest.mark.parametrize(
    ("states", "before", "notices", "allowed", "after"),
    [
        (GOOD, (OK, 0), [], 0, (OK, 0)),
        (GOOD, (OK, 0), [SELECT], 0, (OK, 0)),
        (GOOD, (OK, 0), [PRUNE], 0, (OK, 0)),
        (GOOD, (OK, 0), [LABEL], 0, (PARTIAL, 3)),
        (GOOD, (OK, 0), [TWIST], 0, (PARTIAL, 3)),
        (BAD, (PARTIAL, 3), [], 1, (OK, 0)),
        (BAD, (PARTIAL, 3), [LABEL], 1, (PARTIAL, 3)),
        (BAD, (PARTIAL, 3), [SELECT], 1, (OK, 0)),
        (BAD, (PARTIAL, 3), [], 0, (PARTIAL, 3)),
        ((FAILED, FAILED), (Verdict.FAILED, 3), [], 2, (OK, 0)),
        ((FAILED, FAILED), (Verdict.FAILED, 3), [], 1, (Verdict.FAILED, 3)),
        ((READY, WAITING), (LATE, 4), [], 1, (OK, 0)),
        ((READY, WAITING), (LATE, 4), [LABEL], 0, (LATE, 4)),
        ((READY, WAITING), (STOPPED, 143), [], 1, (STOPPED, 143)),
        ((READY, WAITING), (Verdict.CREDENTIALS, 77), [], 1, (Verdict.CREDENTIALS, 77)),
        ((READY, WAITING), (Verdict.FAILED, 2), [LABEL], 1, (Verdict.FAILED, 2)),
        (GOOD, (PARTIAL, 3), [], 0, (PARTIAL, 3)),
    ],
)
def test_notices_and_tolerance_decide_with_the_end_state(
    states: tuple[State, ...], before: tuple[Verdict, int], notices: list[Notice], allowed: int,
    after: tuple[Verdict, int],
) -> None:  # fmt: skip
    """Only what is wholly tolerated turns green, only a name or a difference turns it back; never a stop."""
    ended = result(*states, verdict=before[0], code=before[1])
    missing = [each for each in ended.copies if each.state is not READY]
    told = with_notices(ended, notices, [Tolerated(each, 1, 3) for each in missing[:allowed]])
    assert (told.verdict, told.exit_code) == after
    assert [notice.kind for notice in told.notices] == [n.kind for n in notices] + ["tolerated"] * allowed
    assert (told.counts, told.copies) == (ended.counts, ended.copies), "it counts as missing still"


def test_strangers_are_not_tolerated() -> None:
    """An image with our mark that nobody knows keeps a night from being green, whatever may be missing."""
    ended = replace(result(*BAD), strangers=((EAST, ImageId("img-stranger")),))
    told = with_notices(ended, [], [Tolerated(ended.copies[1], 1, 3)])
    assert (told.verdict, told.exit_code) == (PARTIAL, 3)


def test_what_is_tolerated_is_named_with_its_nights() -> None:
    """Whoever reads it knows which copy is missing, why, and when that becomes a failure."""
    ended = result(READY, FAILED)
    extras = Extras(efforts={ended.copies[1].copy: 3}, missed={EAST: 1})
    (notice,) = with_notices(ended, [], extras.tolerances(ended)).notices
    assert notice.says == (
        "img-1 to cn-east-2 is missing (copy-error): night 2 of best effort, a failure from night 3 on"
    )


def test_a_run_without_extras_is_as_it_was() -> None:
    """Nothing is tolerated, nothing is added."""
    ended = result(*BAD)
    assert with_notices(ended, [], Extras().tolerances(ended)) == ended
    assert ended.counts == Counts(wanted=2, ready=1, failed=1, pending=0)
