"""What a person reads in the morning: verdict, failures first, what waits and why, numbers, the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.core.model import ImageId, State
from orchestrator.core.reasons import MEANINGS, Nature, Reason
from orchestrator.core.verdict import Counts, Result, Verdict
from orchestrator.watch.result import Running
from orchestrator.watch.status_view import RunLine, runs_json, runs_lines, status_lines
from orchestrator.watch.summary import summary_lines
from tests.watch.samples import COPY_OF_A, NIGHT, RUN, SOUTH, overview, result, standing

LOG = Path("/state/logs/r1.jsonl")
READY = standing(State.READY, Reason.COPIED, image=COPY_OF_A)
BROKEN = standing(State.FAILED, Reason.COPY_ERROR, source="img-c", image=ImageId("img-z"))
MISSING = standing(State.FAILED, Reason.NOT_FOUND, source="img-b", detail="no such image")
FULL = standing(State.WAITING, Reason.QUOTA_IMAGE, source="img-d", destination=SOUTH, detail="5 of 5 used")
LOST = standing(State.DOUBTFUL, Reason.NEEDS_PERSON, source="img-e")
GOING = standing(State.COPYING, Reason.ACCEPTED, source="img-f")


def test_a_bad_night_is_told_failures_first() -> None:
    """Verdict, failures with reason and advice, doubts, waits, numbers, log: in this order."""
    lines = summary_lines(result(READY, FULL, GOING, LOST, MISSING, BROKEN), LOG)
    assert lines == [
        "partial: 1 of 6 copies ready, 2 failed, 3 not done",
        "failed: 1 copy, the copy ended in status error (copy-error)",
        "  img-c cn-north-1 > cn-east-2 (img-z)",
        "  what to do: delete the broken image in the destination; the next run makes it again",
        "failed: 1 copy, the source image does not exist (not-found)",
        "  img-b cn-north-1 > cn-east-2: no such image",
        "  what to do: take it out of the plan or correct its id",
        "in doubt: 1 copy, nothing in the cloud tells whether this copy was made, by a lost call or before"
        " this ledger began (needs-person)",
        "  img-e cn-north-1 > cn-east-2",
        "  what to do: look whether it exists there, then say so with `orchestrator settle`",
        "waiting: 1 copy, the destination's image quota is used up (quota-image)",
        "  img-d cn-north-1 > cn-south-1: 5 of 5 used",
        "  what to do: delete images there or ask for a higher quota",
        "copying: 1 copy, the cloud accepted the copy (accepted)",
        "6 wanted, 1 ready, 2 failed, 3 pending; it took 1h; calls: copyImages 36, describeImages 120",
        "log: /state/logs/r1.jsonl",
    ]


def test_what_a_quota_leaves_out_is_counted_with_its_numbers() -> None:
    """Fifteen of one destination and two of another: a line for each, not the same words seventeen times."""
    said = "37 of 52 fit in cn-east-2, snapshots are 15 short"
    east = [standing(State.WAITING, Reason.QUOTA_SNAPSHOT, source=f"img-{n}", detail=said) for n in range(15)]
    south = [standing(State.WAITING, Reason.QUOTA_SNAPSHOT, destination=SOUTH) for _ in range(2)]
    lines = summary_lines(result(*south, *east), None)
    assert lines[1:5] == [
        "waiting: 17 copies, the destination's snapshot quota is used up (quota-snapshot)",
        f"  15 to cn-east-2: {said}",
        "  2 to cn-south-1",
        "  what to do: delete snapshots there or ask for a higher quota",
    ]


def test_a_good_night_is_short() -> None:
    """When everything is ready, the summary is the verdict, the numbers and the log."""
    verdict, numbers, log = summary_lines(result(READY, verdict=Verdict.OK, exit_code=0), LOG)
    assert verdict == "ok: 1 of 1 copy ready"
    assert numbers.startswith("1 wanted, 1 ready, 0 failed, 0 pending; it took 1h; calls: ")
    assert log == f"log: {LOG}"


def test_a_night_with_nothing_to_do_says_so() -> None:
    """A second night without a copy call says that nothing had to be copied."""
    quiet = Result(
        run=RUN, plan="p", verdict=Verdict.OK, exit_code=0, started_at=NIGHT, finished_at=NIGHT + 2,
        counts=Counts(wanted=360, ready=360, failed=0, pending=0), calls={"describeImages": 9}, copies=(),
    )  # fmt: skip
    assert summary_lines(quiet, None) == [
        "ok: 360 of 360 copies ready, nothing had to be copied",
        "360 wanted, 360 ready, 0 failed, 0 pending; it took 2s; calls: describeImages 9",
    ]


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_its_sentence(verdict: Verdict) -> None:
    """The first line begins with the verdict's word, and says what to do when credentials are refused."""
    first = summary_lines(result(MISSING, verdict=verdict), LOG)[0]
    assert first.startswith(f"{verdict.value}: 0 of 1 copy ready")
    assert ("check the access key" in first) == (verdict is Verdict.CREDENTIALS)
    assert ("the next run" in first) == (verdict in (Verdict.DEADLINE, Verdict.INTERRUPTED))


def test_many_failures_are_grouped_the_largest_group_first() -> None:
    """A hundred failures of one kind are ten names, a count by destination and one advice."""
    east = [standing(State.FAILED, Reason.VANISHED, source=f"img-{number}") for number in range(60)]
    south = [standing(State.FAILED, Reason.VANISHED, destination=SOUTH) for _ in range(40)]
    lines = summary_lines(result(MISSING, *east, *south), LOG)
    assert lines[1] == "failed: 100 copies, the copy disappeared while it was watched (vanished)"
    assert lines[11:13] == [
        "  img-9 cn-north-1 > cn-east-2",
        "  and 90 more: 50 to cn-east-2, 40 to cn-south-1",
    ]
    assert lines[14].startswith("failed: 1 copy, the source image does not exist")
    assert len(lines) == 19


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_told_with_its_advice(reason: Reason) -> None:
    """Whatever made a copy fail, its reason stands there with what to do about it."""
    meaning = MEANINGS[reason]
    text = "\n".join(summary_lines(result(standing(State.FAILED, reason)), LOG))
    assert f"failed: 1 copy, {meaning.says} ({reason.value})" in text
    if meaning.nature is not Nature.NORMAL:
        assert "img-a cn-north-1 > cn-east-2" in text
    assert meaning.advice in text


def test_nothing_foreign_acts_on_the_terminal() -> None:
    """Names and words of the cloud come out as text on their own line, clipped."""
    evil = "\x1b[2J\n\u202e" + "x" * 10_000
    bad = standing(State.FAILED, Reason.COPY_ERROR, source=evil, detail=evil, image=ImageId(evil))
    whole = result(bad)
    for lines in (summary_lines(whole, Path(f"/{evil}")), status_lines(whole, NIGHT)):
        assert all(line.isprintable() and len(line) < 5000 for line in lines)


def test_status_of_a_finished_run_has_a_row_per_destination() -> None:
    """Head, verdict, failures, then the aligned table of destinations, what waits, and the numbers."""
    lines = status_lines(result(READY, MISSING, FULL, LOST), NIGHT + 9999)
    assert lines[:3] == [
        "run r1 of config/plans/nightly.yaml: 2026-11-23 03:12:07Z to 2026-11-23 04:12:07Z (1h)",
        "partial: 1 of 4 copies ready, 1 failed, 2 not done",
        "failed: 1 copy, the source image does not exist (not-found)",
    ]
    assert [line.split(":")[0] for line in lines[5:11] if not line.startswith(" ")] == ["in doubt", "waiting"]
    assert lines[11:14] == [
        "destination  wanted  ready  copying  waiting  in doubt  failed  ETA  note",
        "cn-east-2         3      1        0        0         1       1",
        "cn-south-1        1      0        0        1         0       0",
    ]
    assert lines[-1] == "4 wanted, 1 ready, 1 failed, 2 pending; calls: copyImages 36, describeImages 120"


def test_status_of_a_running_run_says_since_when_and_how_far() -> None:
    """While it goes on there are percent, ETA and notes in the table, and no verdict."""
    whole = result(GOING, READY)
    view = Running(
        run=RUN, plan="p", started_at=NIGHT, counts=whole.counts, calls={}, copies=whole.copies,
        overviews=(overview("quota full"),),
    )  # fmt: skip
    assert status_lines(view, NIGHT + 3900) == [
        "run r1 of p: running since 2026-11-23 03:12:07Z (1h 5m)",
        "destination  wanted  ready  copying  waiting  in doubt  failed  ETA  note",
        "cn-east-2         2      1    1 45%        0         0       0  12m  quota full",
        "copying: 1 copy, the cloud accepted the copy (accepted)",
        "2 wanted, 1 ready, 0 failed, 1 pending; calls: none",
    ]


def test_status_of_a_run_without_copies_has_no_table() -> None:
    """An empty run is told without an empty table."""
    assert not [line for line in status_lines(result(verdict=Verdict.OK), NIGHT) if "destination" in line]


RUNS = (
    RunLine(run=RUN, plan="p.yaml", started_at=NIGHT),
    RunLine(
        run=RUN, plan="p.yaml", started_at=NIGHT - 86_400, finished_at=NIGHT - 80_000, verdict="ok",
        exit_code=0, counts=Counts(wanted=360, ready=360, failed=0, pending=0),
    ),
    RunLine(run=RUN, plan="p\n.yaml", started_at=NIGHT - 99_999, verdict="killed"),
)  # fmt: skip


def test_the_runs_are_an_aligned_table() -> None:
    """A running, a finished and a killed run stand under one head; what is unknown is a dash."""
    assert runs_lines(RUNS, NIGHT + 60) == [
        "run  started                 took  verdict  exit  wanted  ready  failed  pending  plan",
        "r1   2026-11-23 03:12:07Z      1m  running     -       -      -       -        -  p.yaml",
        "r1   2026-11-22 03:12:07Z  1h 46m  ok          0     360    360       0        0  p.yaml",
        "r1   2026-11-21 23:25:28Z       -  killed      -       -      -       -        -  p\\n.yaml",
    ]
    assert runs_lines((), NIGHT) == ["no runs yet"]


def test_the_runs_are_one_line_of_json() -> None:
    """`runs --json` is an array of the heads of the runs."""
    assert runs_json(RUNS[1:2]) == (
        '[{"run": "r1", "plan": "p.yaml", "verdict": "ok", "exit_code": 0,'
        ' "started_at": "2026-11-22T03:12:07.000Z", "finished_at": "2026-11-22T04:58:47.000Z",'
        ' "counts": {"wanted": 360, "ready": 360, "failed": 0, "pending": 0}}]'
    )
    assert '"finished_at": null, "counts": null' in runs_json(RUNS[:1])
