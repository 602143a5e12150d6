"""What a message says: when it is due, the JSON's form, short words with failures first, nothing harmful."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from orchestrator.core.model import Copy, ImageId, RunId, State
from orchestrator.core.reasons import Reason
from orchestrator.core.verdict import Result, Verdict
from orchestrator.messages.tidings import (
    MOST_FAILURES,
    MOST_LINES,
    Tidings,
    is_due,
    notification,
    shape,
    text,
)
from orchestrator.settings.messages import Occasion
from orchestrator.watch.history import Before
from tests.watch.samples import EAST, NORTH, SOUTH, result, standing
from tests.watch.test_docs import DOCS
from tests.watch.test_harmless import ALL, check, check_json, hostile_result

READY = standing(State.READY, Reason.COPIED)


def tidings(run: Result, before: Before | None = None) -> Tidings:
    """Make the tidings of a run."""
    return Tidings(plan=run.plan, verdict=run.verdict, exit_code=run.exit_code, result=run, before=before)


def before(verdict: str, *failed: str) -> Before:
    """Make the run before, in which the copies of these images to the east failed."""
    copies = frozenset(Copy(ImageId(source), NORTH, EAST) for source in failed)
    return Before(run=RunId("r0"), verdict=verdict, failed=copies)


@pytest.mark.parametrize(
    ("verdict", "code", "last", "due"),
    [
        # verdict, exit code, verdict of the run before -> due on: change, failure, always, never
        (Verdict.OK, 0, None, "yes no yes no"),
        (Verdict.OK, 0, "ok", "no no yes no"),
        (Verdict.OK, 0, "partial", "yes no yes no"),
        (Verdict.OK, 0, "killed", "yes no yes no"),
        (Verdict.PARTIAL, 3, None, "yes yes yes no"),
        (Verdict.PARTIAL, 3, "ok", "yes yes yes no"),
        (Verdict.PARTIAL, 3, "partial", "yes yes yes no"),
        (Verdict.FAILED, 1, "failed", "yes yes yes no"),
        (Verdict.DEADLINE, 4, "deadline", "yes yes yes no"),
        (Verdict.INTERRUPTED, 143, "ok", "yes yes yes no"),
        (Verdict.CREDENTIALS, 77, "credentials", "yes yes yes no"),
    ],
)
def test_when_a_message_is_due(verdict: Verdict, code: int, last: str | None, due: str) -> None:
    """Every failure is told, each change is told, a good night after a good one is not."""
    run = result(READY, verdict=verdict, exit_code=code)
    whens: tuple[Occasion, ...] = ("change", "failure", "always", "never")
    told = tidings(run, before(last) if last else None)
    assert " ".join("yes" if is_due(told, when) else "no" for when in whens) == due


def test_the_json_has_the_promised_form() -> None:
    """Keys, order and words are those that docs/monitoring.md shows."""
    run = result(
        READY,
        standing(State.FAILED, Reason.NOT_FOUND, source="img-b", detail="no such image"),
        standing(State.WAITING, Reason.QUOTA_IMAGE, source="img-c", destination=SOUTH),
    )
    told = shape(tidings(run, before("ok", "img-a")))
    assert told.pop("version")
    assert told == {
        "schema": 1,
        "run": "r1",
        "plan": "config/plans/nightly.yaml",
        "verdict": "partial",
        "exit_code": 3,
        "started_at": "2026-11-23T03:12:07.000Z",
        "finished_at": "2026-11-23T04:12:07.250Z",
        "counts": {"wanted": 3, "ready": 1, "failed": 1, "pending": 1},
        "failures": [
            {
                "source_image": "img-b",
                "source_region": "cn-north-1",
                "destination_region": "cn-east-2",
                "state": "failed",
                "reason": "not-found",
                "says": "the source image does not exist",
                "advice": "take it out of the plan or correct its id",
                "detail": "no such image",
            }
        ],
        "more_failures": 0,
        "deferred": [{"destination_region": "cn-south-1", "reason": "quota-image", "copies": 1}],
        "change": {"last_run": "r0", "last_verdict": "ok", "newly_failed": 1, "recovered": 1},
        "fault": None,
        "text": "config/plans/nightly.yaml: partial: 1 of 3 copies ready, 1 failed, 1 not done. "
        "The run before: ok.",
    }


def test_the_documentation_shows_the_form() -> None:
    """The example in docs/monitoring.md has the keys that the program writes, in order, at every depth."""
    example = re.search(r"```json\n(.*?)```", (DOCS / "monitoring.md").read_text(), re.DOTALL)
    assert example is not None
    shown = json.loads(example[1])
    failed, waiting = (
        standing(State.FAILED, Reason.ENCRYPTED),
        standing(State.WAITING, Reason.QUOTA_IMAGE, source="img-c"),
    )
    told = json.loads(json.dumps(shape(tidings(result(failed, waiting), before("ok", "img-a")))))
    for mine, theirs in (
        (told, shown),
        (told["counts"], shown["counts"]),
        (told["failures"][0], shown["failures"][0]),
        (told["deferred"][0], shown["deferred"][0]),
        (told["change"], shown["change"]),
    ):
        assert list(mine) == list(theirs)


def test_a_message_stays_small() -> None:
    """However much failed: JSON names twenty, words five, the largest group first; both count the rest."""
    copies = [standing(State.FAILED, Reason.ENCRYPTED, source=f"img-{number}") for number in range(3)]
    copies += [standing(State.FAILED, Reason.NOT_FOUND, source=f"img-x{number}") for number in range(500)]
    told = shape(tidings(result(*copies)))
    assert isinstance(failures := told["failures"], list)
    assert (len(failures), told["more_failures"]) == (MOST_FAILURES, 503 - MOST_FAILURES)
    assert {failure["reason"] for failure in failures} == {"not-found"}
    assert len(json.dumps(told)) < 10_000
    title, words = notification(tidings(result(*copies)))
    assert title == "config/plans/nightly.yaml: partial"
    lines = words.split("\n")
    assert lines[0] == "failed: img-x0 cn-north-1 > cn-east-2: the source image does not exist"
    assert lines[MOST_LINES] == f"and {503 - MOST_LINES} more like these"
    assert lines[-1] == "Run r1 took 1 h."
    assert len(words) < 1000


def test_what_needs_a_person_is_named_too() -> None:
    """A copy in doubt that nobody but a person can settle is not lost among those that wait."""
    run = result(READY, standing(State.DOUBTFUL, Reason.NEEDS_PERSON, source="img-b"))
    assert '"source_image": "img-b"' in json.dumps(shape(tidings(run))["failures"])
    assert notification(tidings(run))[1].startswith("doubtful: img-b")


def test_an_unknown_image_that_spoils_a_good_night_is_mentioned() -> None:
    """Five of five are ready and yet it is no success: the sentence says why."""
    run = replace(result(READY), strangers=((EAST, ImageId("img-z")),))
    assert "1 image with our mark that the ledger does not know" in text(tidings(run))


def test_what_kept_a_run_from_beginning_is_told() -> None:
    """Without a result there are no counts; the fault says what to do."""
    told = Tidings(plan="p.yaml", verdict=Verdict.FAILED, exit_code=65, fault="The ledger is damaged.")
    assert text(told) == "p.yaml: failed before the run began, exit code 65. The ledger is damaged."
    assert (shape(told)["run"], shape(told)["counts"], shape(told)["failures"]) == (None, None, [])
    assert notification(told) == ("p.yaml: failed", text(told))


def test_foreign_words_do_no_harm() -> None:
    """Names and details from the cloud or a plan reach no terminal or chat with their control characters."""
    run = hostile_result(ALL)
    told = replace(tidings(run, before("\x1b[2J")), fault=ALL)
    title, words = notification(told)
    check([title, *words.split("\n"), text(told)])
    check_json(json.dumps(shape(told)))
